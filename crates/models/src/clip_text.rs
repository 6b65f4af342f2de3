//! The half of CLIP that reads (Radford et al. 2021).

use crate::ModelError;
use crate::families::blocks::{attention, mlp};
use crate::loading::{WeightTable, describe_mismatch};
use crate::text_head::to_unit_length;
use candle_core::{Device, Tensor};
use hard_imagenet_graph::{Activation, Constant, Graph, GraphBuilder, GraphError, NodeId, Parameter, WeightMap, run};
use std::path::Path;
use tokenizers::Tokenizer;

/// Makes features of texts that the features of images are compared with: a transformer whose tokens see only those
/// before them. Runs on the CPU in f32.
#[derive(Clone, Debug)]
pub struct ClipText {
    size: Size,
    weights: WeightMap,
    tokenizer: Tokenizer,
    scale: f64,
}

/// The numbers that make one text tower; its heads are of length 64, all of CLIP's are.
#[derive(Clone, Copy, Debug)]
struct Size {
    words: usize,
    tokens: usize,
    width: usize,
    depth: usize,
    outputs: usize,
    activation: Activation,
}

const HEAD: usize = 64;

/// Of the layer norms.
const EPS: f64 = 1e-5;

/// Texts in one pass.
const BATCH: usize = 64;

/// The table of words.
const WORDS: &str = "token_embedding";

/// The logarithm of what cosines are multiplied by.
const SCALE: &str = "logit_scale";

impl ClipText {
    /// The text tower of a checkpoint that holds both halves (OpenAI's, open_clip's, transformers'), and the
    /// `tokenizer.json` that transformers and open_clip publish beside it. `quick_gelu`: the activation with which
    /// OpenAI trained.
    ///
    /// # Errors
    /// [`ModelError::Format`] for a tokenizer that cannot be read, or a checkpoint without a text tower;
    /// [`ModelError::Mismatch`] for one that is not whole.
    pub fn open(checkpoint: &Path, tokenizer: &Path, quick_gelu: bool) -> Result<Self, ModelError> {
        let table = WeightTable::open_text_tower(checkpoint)?;
        let size = Size::of(&table, quick_gelu).ok_or_else(|| ModelError::Format {
            file: table.file().to_owned(),
            message:
                "it has no half that reads texts; a zero-shot classifier needs CLIP's whole checkpoint, not only its \
                      image tower"
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
        let tokenizer = Tokenizer::from_file(tokenizer).map_err(|error| ModelError::Format {
            file: tokenizer.display().to_string(),
            message: format!("it is no tokenizer.json: {error}; the repository of the checkpoint has one"),
        })?;
        Ok(Self { size, weights, tokenizer, scale: scale.map_or(100.0, |scale| f64::from(scale).exp()) })
    }

    /// What the cosines are multiplied by to be logits; 100 where the checkpoint does not say.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The numbers of a text's tokens, a first and a last one around them.
    ///
    /// # Errors
    /// [`ModelError::Input`] for a text that is too long, or a tokenizer of another vocabulary.
    pub fn tokens(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let encoded = self.tokenizer.encode(text, true);
        let encoded = encoded.map_err(|error| ModelError::Input(format!("{text:?} has no tokens: {error}")))?;
        let ids = encoded.get_ids().to_vec();
        let Size { words, tokens, .. } = self.size;
        if ids.len() > tokens {
            return Err(ModelError::Input(format!("{text:?} has {} tokens; the model reads {tokens}", ids.len())));
        }
        if ids.is_empty() || ids.iter().any(|&id| id as usize >= words) {
            return Err(ModelError::Input(format!("the tokenizer is not the model's, which knows {words} tokens")));
        }
        Ok(ids)
    }

    /// Features of texts, `(texts, D)`.
    ///
    /// # Errors
    /// As [`ClipText::tokens`].
    pub fn features(&self, texts: &[impl AsRef<str>]) -> Result<Tensor, ModelError> {
        let mut rows = Vec::with_capacity(texts.len());
        for texts in texts.chunks(BATCH) {
            let ids = texts.iter().map(|text| self.tokens(text.as_ref())).collect::<Result<Vec<_>, _>>()?;
            let longest = ids.iter().map(Vec::len).max().unwrap_or(0);
            // No token sees those after it, so what a shorter text is filled up with does not matter.
            let filled = ids.iter().flat_map(|ids| (0..longest).map(|i| ids.get(i).copied().unwrap_or(0)));
            let filled = Tensor::from_iter(filled, &Device::Cpu)?;
            let x = self.weights[WORDS].index_select(&filled, 0)?.reshape((ids.len(), longest, self.size.width))?;
            let features = run(&self.size.graph(longest)?, &self.weights, &x)?;
            for (i, ids) in ids.iter().enumerate() {
                rows.push(features.get(i)?.get(ids.len() - 1)?);
            }
        }
        Ok(Tensor::stack(&rows, 0)?)
    }

    /// Features of classes, `(classes, D)`, of length 1: the mean over templates ("a photo of a {}.") of the features,
    /// themselves of length 1, of the template with the class's name in the place of `{}`.
    ///
    /// # Errors
    /// No classes or no templates; as [`ClipText::tokens`].
    pub fn classes(&self, names: &[impl AsRef<str>], templates: &[impl AsRef<str>]) -> Result<Tensor, ModelError> {
        if names.is_empty() || templates.is_empty() {
            return Err(ModelError::Input("a zero-shot classifier needs a class and a template at least".into()));
        }
        let texts: Vec<String> = names
            .iter()
            .flat_map(|name| templates.iter().map(|template| template.as_ref().replace("{}", name.as_ref())))
            .collect();
        let features = to_unit_length(&self.features(&texts)?)?;
        to_unit_length(&features.reshape((names.len(), templates.len(), self.size.outputs))?.mean(1)?)
    }
}

impl Size {
    /// As the shapes of the weights say it; `None` where they are not there.
    fn of(table: &WeightTable, quick_gelu: bool) -> Option<Self> {
        let (&[words, width], &[tokens, _], &[outputs, _]) =
            (table.shape(WORDS)?, table.shape("pos_embed")?, table.shape("head.weight")?)
        else {
            return None;
        };
        let depth = table.names().filter(|name| name.ends_with(".norm1.weight")).count();
        let activation = if quick_gelu { Activation::QuickGelu } else { Activation::Gelu };
        (width >= HEAD && width % HEAD == 0).then_some(Self { words, tokens, width, depth, outputs, activation })
    }

    /// For texts of a length: embeddings of words `(B, length, width)` to `(B, length, outputs)`, of which that of the
    /// last token counts.
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
