//! CLIP's text tower (Radford et al. 2021).

use crate::ModelError;
use crate::families::blocks::{attention, mlp};
use crate::loading::{WeightTable, describe_mismatch, describe_pointer};
use crate::text_head::to_unit_length;
use candle_core::{Device, Tensor};
use hard_imagenet_graph::{Activation, Constant, Graph, GraphBuilder, GraphError, NodeId, Parameter, WeightMap, run};
use std::path::Path;
use tokenizers::Tokenizer;

/// CLIP's text tower: a causal transformer that computes features of texts, with which features of images are compared.
/// It runs on the CPU in f32.
#[derive(Clone, Debug)]
pub struct ClipText {
    size: Size,
    weights: WeightMap,
    tokenizer: Tokenizer,
    scale: f64,
}

/// The numbers that describe one text tower.
#[derive(Clone, Copy, Debug)]
struct Size {
    words: usize,
    tokens: usize,
    width: usize,
    depth: usize,
    outputs: usize,
    activation: Activation,
}

/// The length of an attention head, the same in all of CLIP's text towers.
const HEAD: usize = 64;

/// The epsilon of the layer norms.
const EPS: f64 = 1e-5;

/// The number of texts in one pass.
const BATCH: usize = 64;

/// The name of the table of token embeddings.
const WORDS: &str = "token_embedding";

/// The name of the logarithm of the scale of the logits.
const SCALE: &str = "logit_scale";

impl ClipText {
    /// Reads the text tower of a checkpoint that contains both towers, in the format of OpenAI, open_clip or
    /// transformers, and the `tokenizer.json` that transformers and open_clip publish beside it. `quick_gelu` selects
    /// the activation with which OpenAI trained.
    ///
    /// # Errors
    /// Returns [`ModelError::Format`] for an unreadable tokenizer and for a checkpoint without a text tower, and
    /// [`ModelError::Mismatch`] for an incomplete one.
    pub fn open(checkpoint: &Path, tokenizer: &Path, quick_gelu: bool) -> Result<Self, ModelError> {
        let table = WeightTable::open_text_tower(checkpoint)?;
        let size = Size::from_shapes(&table, quick_gelu).ok_or_else(|| ModelError::Format {
            file: table.file().to_owned(),
            message:
                "it has no text tower; a zero-shot classifier needs the whole checkpoint of CLIP, not only its image tower"
                    .into(),
        })?;
        let mut wanted = size.graph(size.tokens)?.parameters();
        wanted.push(Parameter { name: WORDS.into(), shape: vec![size.words, size.width] });
        if table.shape(SCALE).is_some() {
            wanted.push(Parameter { name: SCALE.into(), shape: vec![] });
        }
        if let Some(details) = describe_mismatch(&table, &wanted) {
            let file = table.file().to_owned();
            return Err(ModelError::Mismatch { file, model: "CLIP's text tower".into(), details });
        }
        let (mut weights, _) = table.values_of(&wanted)?;
        let scale = weights.remove(SCALE).map(|scale| scale.to_scalar::<f32>()).transpose()?;
        let tokenizer = read_tokenizer(tokenizer)?;
        Ok(Self { size, weights, tokenizer, scale: scale.map_or(100.0, |scale| f64::from(scale).exp()) })
    }

    /// Returns the factor that turns cosines into logits, or 100 if the checkpoint does not contain it.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// Returns the ids of a text's tokens, between those that mark its start and end.
    ///
    /// # Errors
    /// Returns [`ModelError::Input`] if the text is too long or the tokenizer has another vocabulary.
    pub fn tokens(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let encoded = self.tokenizer.encode(text, true);
        let encoded =
            encoded.map_err(|error| ModelError::Input(format!("{text:?} cannot be split into tokens: {error}")))?;
        let ids = encoded.get_ids().to_vec();
        let Size { words, tokens, .. } = self.size;
        if ids.len() > tokens {
            return Err(ModelError::Input(format!("{text:?} has {} tokens; the model reads {tokens}", ids.len())));
        }
        if ids.is_empty() || ids.iter().any(|&id| id as usize >= words) {
            return Err(ModelError::Input(format!(
                "the tokenizer does not belong to the model, which knows {words} tokens"
            )));
        }
        Ok(ids)
    }

    /// Computes the features of texts, `(texts, D)`, f32. They are not scaled to length 1.
    ///
    /// # Errors
    /// Fails like [`ClipText::tokens`].
    pub fn features(&self, texts: &[impl AsRef<str>]) -> Result<Tensor, ModelError> {
        let mut rows = Vec::with_capacity(texts.len());
        for texts in texts.chunks(BATCH) {
            let ids = texts.iter().map(|text| self.tokens(text.as_ref())).collect::<Result<Vec<_>, _>>()?;
            let longest = ids.iter().map(Vec::len).max().unwrap_or(0);
            // No token attends to later ones, so the padding of shorter texts does not matter.
            let padded = ids.iter().flat_map(|ids| (0..longest).map(|i| ids.get(i).copied().unwrap_or(0)));
            let padded = Tensor::from_iter(padded, &Device::Cpu)?;
            let x = self.weights[WORDS].index_select(&padded, 0)?.reshape((ids.len(), longest, self.size.width))?;
            let features = run(&self.size.graph(longest)?, &self.weights, &x)?;
            for (i, ids) in ids.iter().enumerate() {
                rows.push(features.get(i)?.get(ids.len() - 1)?);
            }
        }
        Ok(Tensor::stack(&rows, 0)?)
    }

    /// Computes the features of classes, `(classes, D)`, f32, scaled to length 1.
    ///
    /// The class's name replaces `{}` in every template ("a photo of a {}."). The features of the resulting texts are
    /// scaled to length 1 and averaged.
    ///
    /// # Errors
    /// Returns [`ModelError::Input`] if there are no classes or no templates, and fails like [`ClipText::tokens`].
    pub fn classes(&self, names: &[impl AsRef<str>], templates: &[impl AsRef<str>]) -> Result<Tensor, ModelError> {
        if names.is_empty() || templates.is_empty() {
            return Err(ModelError::Input("a zero-shot classifier needs at least one class and one template".into()));
        }
        let texts: Vec<String> = names
            .iter()
            .flat_map(|name| templates.iter().map(|template| template.as_ref().replace("{}", name.as_ref())))
            .collect();
        let features = to_unit_length(&self.features(&texts)?)?;
        to_unit_length(&features.reshape((names.len(), templates.len(), self.size.outputs))?.mean(1)?)
    }
}

fn read_tokenizer(path: &Path) -> Result<Tokenizer, ModelError> {
    let fail = |message| ModelError::Format { file: path.display().to_string(), message };
    let bytes = std::fs::read(path).map_err(|source| ModelError::Read { path: path.to_owned(), source })?;
    if let Some(message) = describe_pointer(&bytes) {
        return Err(fail(message));
    }
    let wrong = |error| format!("it is not a tokenizer.json: {error}; the repository of the checkpoint has one");
    Tokenizer::from_bytes(bytes).map_err(|error| fail(wrong(error)))
}

impl Size {
    /// Derives the numbers from the shapes of the weights. Returns `None` if these are missing.
    fn from_shapes(table: &WeightTable, quick_gelu: bool) -> Option<Self> {
        let (&[words, width], &[tokens, _], &[outputs, _]) =
            (table.shape(WORDS)?, table.shape("pos_embed")?, table.shape("head.weight")?)
        else {
            return None;
        };
        let depth = table.names().filter(|name| name.ends_with(".norm1.weight")).count();
        let activation = if quick_gelu { Activation::QuickGelu } else { Activation::Gelu };
        (width >= HEAD && width % HEAD == 0).then_some(Self { words, tokens, width, depth, outputs, activation })
    }

    /// Returns the graph for texts of `length` tokens, from embeddings of tokens `(B, length, width)` to features
    /// `(B, length, outputs)`. The features of a text are those of its last token.
    fn graph(&self, length: usize) -> Result<Graph, GraphError> {
        let width = self.width;
        let mut g = GraphBuilder::new();
        let x = g.input();
        let places = g.parameter("pos_embed", &[self.tokens, width]);
        let places = g.narrow("pos_embed.used", places, 0, 0, length);
        let mut x = g.add("embeddings", x, places);
        let later = |i: usize| if i % length > i / length { f32::NEG_INFINITY } else { 0.0 };
        let mask = g.constant("mask", Constant::new(&[length, length], (0..length * length).map(later).collect()));
        for block in 0..self.depth {
            x = g.scope(&format!("blocks.{block}"), |g| self.block(g, x, mask));
        }
        let x = g.layer_norm("norm", x, width, EPS);
        let x = g.linear("head", x, width, self.outputs, false);
        g.finish(x)
    }

    fn block(&self, g: &mut GraphBuilder, x: NodeId, mask: NodeId) -> NodeId {
        let y = g.layer_norm("norm1", x, self.width, EPS);
        let y = attention(g, y, self.width, self.width / HEAD, true, Some(mask));
        let x = g.add("residual", x, y);
        let y = g.layer_norm("norm2", x, self.width, EPS);
        let y = mlp(g, y, self.width, self.activation);
        g.add("", x, y)
    }
}
