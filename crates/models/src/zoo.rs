//! The models by name.

use crate::head::{TEXTS, compared_with_texts};
use crate::weights::{Loaded, describe_mismatch, last_linear};
use crate::{Model, ModelError, ModelSpec, Parts, Weights};
use crate::{clip_resnet, convit, convnext, densenet, efficientnet, mobilenet, resnet, swin, vgg, vit};
use candle_core::{DType, Device};
use hard_imagenet_graph::{Graph, GraphError};
use hard_imagenet_images::{Filter, Preprocessing, Resize};

/// A model of the zoo.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) architecture: &'static dyn Architecture,
    pub(crate) preprocess: Preprocessing,
    pub(crate) classes: usize,
}

/// The numbers that make one network of a family.
pub trait Architecture: Sync {
    /// The graph, for `classes` logits.
    ///
    /// # Errors
    /// Never for a row of the zoo; numbers that make no network otherwise.
    fn graph(&self, classes: usize) -> Result<Graph, GraphError>;

    /// The graph whose head sees so many features, where the family has heads of several lengths.
    ///
    /// # Errors
    /// As [`Architecture::graph`].
    fn graph_for(&self, classes: usize, features: usize) -> Result<Graph, GraphError> {
        let _ = features;
        self.graph(classes)
    }

    /// Where class activation maps look from by default.
    fn cam_node(&self) -> String;

    /// The node whose value is the input of the last linear layer.
    fn feature_node(&self) -> String {
        "global_pool".to_owned()
    }
}

/// All rows of all families, in order.
fn rows() -> impl Iterator<Item = &'static Row> {
    [
        resnet::ROWS,
        vgg::ROWS,
        densenet::ROWS,
        convnext::ROWS,
        efficientnet::ROWS,
        mobilenet::ROWS,
        clip_resnet::ROWS,
        vit::ROWS,
        swin::ROWS,
        convit::ROWS,
    ]
    .into_iter()
    .flatten()
}

/// A 224 × 224 crop after a resize of the shorter side, ImageNet's mean and deviation.
pub(crate) const fn imagenet(shorter: usize, filter: Filter) -> Preprocessing {
    Preprocessing {
        resize: Resize::ShorterSide(shorter),
        input: (224, 224),
        filter,
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
    }
}

/// A crop of another size, resized by cubic interpolation.
pub(crate) const fn imagenet_at(side: usize, shorter: usize) -> Preprocessing {
    Preprocessing { input: (side, side), ..imagenet(shorter, Filter::Bicubic) }
}

/// As [`imagenet`] with values brought to -1..1.
pub(crate) const fn inception(shorter: usize) -> Preprocessing {
    Preprocessing { mean: [0.5; 3], std: [0.5; 3], ..imagenet(shorter, Filter::Bicubic) }
}

/// The same with CLIP's mean and deviation. OpenAI takes the whole shorter side, 224; timm often a crop of it.
pub(crate) const fn clip(shorter: usize) -> Preprocessing {
    Preprocessing {
        mean: [0.481_454_66, 0.457_827_5, 0.408_210_73],
        std: [0.268_629_54, 0.261_302_6, 0.275_777_1],
        ..imagenet(shorter, Filter::Bicubic)
    }
}

/// 64 × 64 pictures, values brought to -1..1.
pub(crate) const fn planted() -> Preprocessing {
    Preprocessing {
        resize: Resize::Squash(64, 64),
        input: (64, 64),
        filter: Filter::Bilinear,
        mean: [0.5; 3],
        std: [0.5; 3],
    }
}

/// Builds the named model and loads its weights; the size of its head is that of the weights.
///
/// A name without tag means the first model of that name. Preprocessing is the zoo's, but for what a `config.json` of
/// timm's beside the weights says otherwise. Batch norms are folded ([`Model::new`]). A file with the features of texts
/// ([`zero_shot::weights`](crate::zero_shot::weights)) makes a classifier by these.
///
/// # Errors
/// Unknown name (with the nearest known ones), unreadable file, missing, extra or misshapen tensors, a
/// `config.json` of something else.
pub fn load(name: &str, weights: &Weights, device: &Device, dtype: DType) -> Result<Model, ModelError> {
    read(name, weights)?.model(device, dtype)
}

/// What [`load`] makes a model of.
///
/// # Errors
/// As [`load`].
pub fn read(name: &str, weights: &Weights) -> Result<Parts, ModelError> {
    let row = row(name)?;
    let (loaded, graph, mut spec) = row.fitted(weights)?;
    if let Some(config) = loaded.config()? {
        config.apply(&mut spec)?;
    }
    let (weights, weights_sha256) = loaded.values(&graph)?;
    Ok(Parts { spec, graph, weights, weights_sha256, origin: loaded.origin().map(str::to_owned) })
}

/// All names that match a pattern with `*` wildcards, in order. A pattern without wildcards also matches where it is
/// the name without the tag.
pub fn find(pattern: &str) -> Vec<&'static str> {
    rows().map(|row| row.name).filter(|name| matches(pattern, name) || bare(name) == pattern).collect()
}

/// What is known of a model before its weights are: `classes` is the usual number.
///
/// # Errors
/// [`ModelError::UnknownModel`].
pub fn spec(name: &str) -> Result<ModelSpec, ModelError> {
    let row = row(name)?;
    Ok(row.spec(row.classes))
}

/// The graph of a model with a head of `classes` logits; batch norms are nodes of their own.
///
/// # Errors
/// [`ModelError::UnknownModel`].
pub fn graph(name: &str, classes: usize) -> Result<Graph, ModelError> {
    Ok(row(name)?.architecture.graph(classes)?)
}

fn row(name: &str) -> Result<&'static Row, ModelError> {
    let exact = rows().find(|row| row.name == name);
    if let Some(row) = exact.or_else(|| rows().find(|row| bare(row.name) == name)) {
        return Ok(row);
    }
    let mut near: Vec<&str> = rows().map(|row| row.name).collect();
    near.sort_by_key(|known| edits(known, name).min(edits(bare(known), bare(name)) + usize::from(known.contains('.'))));
    near.truncate(3);
    Err(ModelError::UnknownModel { name: name.to_owned(), near: near.into_iter().map(str::to_owned).collect() })
}

impl Row {
    fn spec(&self, classes: usize) -> ModelSpec {
        ModelSpec {
            name: self.name.to_owned(),
            preprocess: self.preprocess,
            classes,
            cam_node: self.architecture.cam_node(),
            feature_node: self.architecture.feature_node(),
        }
    }

    /// The table of a weights file, checked against the graph with the head that it has.
    fn fitted(&self, weights: &Weights) -> Result<(Loaded, Graph, ModelSpec), ModelError> {
        let loaded = Loaded::read(weights, self.name)?;
        let (graph, spec) = self.headed(&loaded)?;
        loaded.check(&graph, self.name, || looks_like(&loaded))?;
        Ok((loaded, graph, spec))
    }

    /// The graph with as many classes as the last layer has rows and features as it has columns, where its weights are
    /// there; and compared with texts, where their features are.
    fn headed(&self, loaded: &Loaded) -> Result<(Graph, ModelSpec), ModelError> {
        let rows = |name: &str| loaded.shape(name).and_then(|shape| shape.first().copied());
        let graph = self.architecture.graph(self.classes)?;
        let head = last_linear(&graph).and_then(|name| loaded.shape(name));
        let (outputs, graph) = match head {
            Some(&[outputs, features, ..]) => (outputs, self.architecture.graph_for(outputs, features)?),
            _ => (self.classes, graph),
        };
        let spec = self.spec(outputs);
        match rows(TEXTS) {
            Some(classes) => Ok((compared_with_texts(&graph, outputs, classes)?, spec.compared_with_texts(classes))),
            None => Ok((graph, spec)),
        }
    }
}

/// The architecture whose weights these would be, by name without tag.
fn looks_like(loaded: &Loaded) -> Option<&'static str> {
    rows().map(|row| (row, bare(row.name))).find_map(|(row, name)| {
        let (graph, _) = row.headed(loaded).ok()?;
        describe_mismatch(loaded, &graph.parameters()).is_none().then_some(name)
    })
}

/// The name without its tag.
pub(crate) fn bare(name: &str) -> &str {
    name.split_once('.').map_or(name, |(bare, _)| bare)
}

/// Does the text fit the pattern, whose `*` stand for any run of characters?
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(i, _)| i).chain([rest.len()]).any(|i| matches(after, &rest[i..]))
        }),
    }
}

/// Levenshtein's distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replace = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert_eq!(find("resnet34"), ["resnet34.tv_in1k", "resnet34.a1_in1k"]);
        assert_eq!(find("deit_small_p*"), ["deit_small_patch16_224.fb_in1k"]);
        assert_eq!(find("resnet18.tv_in1k"), ["resnet18.tv_in1k"]);
        assert_eq!(find("*").len(), rows().count());
        assert!(find("nothing*").is_empty());
    }

    #[test]
    fn a_name_without_tag_is_the_first_of_that_name() {
        assert_eq!(spec("resnet50").unwrap().name, "resnet50.tv_in1k");
        assert_eq!(spec("deit_small_patch16_224").unwrap().name, "deit_small_patch16_224.fb_in1k");
    }

    #[test]
    fn unknown_names_get_the_nearest() {
        let error = spec("resnet5O").unwrap_err().to_string();
        assert!(error.contains("no model \"resnet5O\"") && error.contains("resnet50.tv_in1k"), "{error}");
        let error = spec("diet_small_patch16_224").unwrap_err().to_string();
        assert!(error.contains("deit_small_patch16_224.fb_in1k"), "{error}");
    }

    /// Multiply-adds at the model's own input size.
    fn check_size(name: &str, parameters: usize, giga_multiply_adds: f64) {
        let (height, width) = spec(name).unwrap().preprocess.input;
        let graph = graph(name, 1000).unwrap();
        let learnt = graph.parameters().into_iter().filter(|p| !p.name.contains("running"));
        assert_eq!(learnt.map(|p| p.shape.iter().product::<usize>()).sum::<usize>(), parameters, "{name}");
        let work = graph.multiply_adds(&[1, 3, height, width]).unwrap() as f64 / 1e9;
        assert!((work - giga_multiply_adds).abs() < 0.01 * giga_multiply_adds, "{name}: {work}");
    }

    #[test]
    fn sizes_are_those_of_torchvision_and_timm() {
        check_size("resnet18", 11_689_512, 1.814);
        check_size("resnet34", 21_797_672, 3.664);
        check_size("resnet50", 25_557_032, 4.089);
        check_size("resnet101", 44_549_160, 7.801);
        check_size("resnet152", 60_192_808, 11.514);
        check_size("wide_resnet50_2", 68_883_240, 11.401);
        check_size("resnext50_32x4d", 25_028_904, 4.230);
        check_size("vgg16", 138_357_544, 15.470);
        check_size("vgg16_bn", 138_365_992, 15.470);
        check_size("densenet121", 7_978_856, 2.834);
        check_size("densenet161", 28_681_000, 7.728);
        check_size("convnext_tiny", 28_589_128, 4.456);
        check_size("convnext_small", 50_223_688, 8.684);
        check_size("convnext_base", 88_591_464, 15.355);
        check_size("efficientnet_b0", 5_288_548, 0.3858);
        check_size("efficientnet_b1", 7_794_184, 0.7433);
        check_size("efficientnet_b2", 9_109_994, 1.0875);
        check_size("efficientnet_b3", 12_233_232, 1.9612);
        check_size("efficientnet_b4", 19_341_616, 4.4095);
        check_size("mobilenetv3_small_100", 2_542_856, 0.0565);
        check_size("mobilenetv3_large_100", 5_483_032, 0.2166);
        check_size("mobilenetv4_conv_small", 3_774_024, 0.1860);
        check_size("mobilenetv4_conv_medium", 9_715_512, 1.0802);
        check_size("mobilenetv4_conv_large", 32_590_864, 6.3762);
        check_size("deit_tiny_patch16_224", 5_717_416, 1.254);
        check_size("deit_small_patch16_224", 22_050_664, 4.599);
        check_size("vit_base_patch16_224", 86_567_656, 17.564);
        // From here on as `tests/golden/make_transformers.py --sizes` prints them.
        check_size("vit_base_patch32_224", 88_224_232, 4.409);
        check_size("vit_base_patch16_384", 86_859_496, 55.484);
        check_size("deit_small_distilled_patch16_224", 22_436_432, 4.624);
        check_size("vit_small_patch14_dinov2", 22_441_192, 46.697);
        check_size("vit_small_patch14_reg4_dinov2", 22_442_344, 46.883);
        check_size("vit_base_patch16_clip_224", 86_568_424, 17.564);
        check_size("swin_tiny_patch4_window7_224", 28_288_354, 4.491);
        check_size("swin_small_patch4_window7_224", 49_606_258, 8.741);
        check_size("swin_base_patch4_window7_224", 87_768_224, 15.431);
        check_size("convit_tiny", 5_710_512, 1.252);
        check_size("convit_small", 27_777_322, 5.747);
        check_size("convit_base", 86_540_040, 17.505);
    }

    #[test]
    fn towers_of_clip_have_timms_parameters() {
        let graph = graph("resnet50_clip", 1024).unwrap();
        let learnt = graph.parameters().into_iter().filter(|p| !p.name.contains("running"));
        assert_eq!(learnt.map(|p| p.shape.iter().product::<usize>()).sum::<usize>(), 38_316_896);
    }

    #[test]
    fn specs_name_nodes_that_exist() {
        for row in rows() {
            let (spec, graph) = (row.spec(row.classes), row.architecture.graph(row.classes).unwrap());
            graph.find(&spec.cam_node).unwrap();
            graph.find(&spec.feature_node).unwrap();
            let (h, w) = spec.preprocess.input;
            let shapes = graph.shapes(&[2, 3, h, w]).unwrap();
            assert_eq!(shapes[graph.output().index()], [2, row.classes], "{}", row.name);
        }
    }
}
