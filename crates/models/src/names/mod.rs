//! Names of weights: torchvision, transformers and the authors of models use other names than timm.
//!
//! The zoo uses timm's names. A [`Scheme`] is a list of replacements that turns the names of one source into timm's; a
//! file belongs to a scheme if it contains a name that only this source uses. Prefixes of wrappers (data parallelism,
//! compilation, robust training, a training framework's module) are removed first.

mod authors;
mod scheme;
mod texts;
mod torchvision;
mod transformers;
mod weight;

pub(crate) use weight::Weight;

use crate::loading::StoredTensor;
use scheme::{Scheme, WeightsByName};
use std::collections::{BTreeMap, BTreeSet};

/// The schemes of several sources.
pub(crate) type Schemes = &'static [&'static [Scheme]];

/// The schemes of image classifiers.
pub(crate) const IMAGE_SCHEMES: Schemes = &[transformers::SCHEMES, torchvision::SCHEMES, authors::SCHEMES];

/// The schemes of CLIP's text tower.
pub(crate) const TEXT_SCHEMES: Schemes = &[texts::SCHEMES];

/// Returns the tensors of a file under the names of the zoo. `tensors` are the tensors of a network and their names.
pub(crate) fn translate_names(tensors: &[(&str, &StoredTensor)], schemes: Schemes) -> WeightsByName {
    let kept = without_copies(tensors.iter().copied().filter(|(name, _)| !is_structural(name)).collect());
    let Some(scheme) = find_scheme(kept.iter().map(|(name, _)| *name), schemes) else {
        return join_parts(kept.into_iter().map(|(name, stored)| (name.to_owned(), stored)));
    };
    let is_wanted = |name: &str| !scheme.ignored.iter().any(|start| name.starts_with(start));
    let replacements = || scheme.replacements.iter().chain(scheme.then);
    let translate = |name: &str| replacements().fold(name.to_owned(), |name, (from, to)| name.replace(from, to));
    let wanted = kept.into_iter().filter(|(name, _)| is_wanted(name));
    let mut weights = join_parts(wanted.map(|(name, stored)| (translate(name), stored)));
    (scheme.amend)(&mut weights);
    weights
}

/// Returns the scheme of a file with these names, or `None` if they are taken for timm's.
fn find_scheme<'a, 's>(names: impl Iterator<Item = &'a str> + Clone, schemes: &[&'s [Scheme]]) -> Option<&'s Scheme> {
    let belongs_to = |scheme: &&Scheme| names.clone().any(|name| name.contains(scheme.mark));
    schemes.iter().copied().flatten().find(belongs_to)
}

/// Returns the source whose names these are, if it is not timm: "transformers", "torchvision" or "the model's authors".
pub(crate) fn recognize_source<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Option<&'static str> {
    let sources = [
        (transformers::SCHEMES, "transformers"),
        (torchvision::SCHEMES, "torchvision"),
        (authors::SCHEMES, "the model's authors"),
    ];
    sources.into_iter().find_map(|(schemes, source)| find_scheme(names.clone(), &[schemes]).map(|_| source))
}

/// Returns the tensors of a file with their names, without the components that compilation and sharded training put
/// anywhere into a name, as in "layer1._orig_mod.0.conv1.weight".
pub(crate) fn plain_names(tensors: &[StoredTensor]) -> Vec<(String, &StoredTensor)> {
    let plain = |name: &str| INNER_WRAPPERS.iter().fold(name.to_owned(), |name, wrapper| name.replace(wrapper, ""));
    let named: Vec<_> = tensors.iter().map(|stored| (plain(&stored.name), stored)).collect();
    let distinct = named.iter().map(|(name, _)| name.as_str()).collect::<BTreeSet<_>>().len();
    // A file with and without these components holds two networks.
    let stored: BTreeSet<&str> = tensors.iter().map(|stored| stored.name.as_str()).collect();
    if distinct == stored.len() {
        return named;
    }
    tensors.iter().map(|stored| (stored.name.clone(), stored)).collect()
}

/// The components that wrappers of single layers add to names.
const INNER_WRAPPERS: [&str; 3] = ["_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module."];

/// Removes the second copy of the network that the robustness library saves, and its normalization, which is not part
/// of a network here.
pub(crate) fn without_copies<'a>(tensors: Vec<(&'a str, &'a StoredTensor)>) -> Vec<(&'a str, &'a StoredTensor)> {
    let starts_with = |name: &str, part: &str| strip_wrappers(name).starts_with(part);
    if !tensors.iter().any(|(name, _)| starts_with(name, "attacker.")) {
        return tensors;
    }
    let is_copy = |name: &str| ["attacker.", "normalizer."].iter().any(|part| starts_with(name, part));
    tensors.into_iter().filter(|(name, _)| !is_copy(name)).collect()
}

/// Joins the tensors whose names differ only in `#0`, `#1` and so on along the first dimension.
fn join_parts<'a>(tensors: impl Iterator<Item = (String, &'a StoredTensor)>) -> WeightsByName {
    let mut parts: BTreeMap<String, BTreeMap<String, StoredTensor>> = BTreeMap::new();
    for (mut name, stored) in tensors {
        // A name in a file can contain this sign too, also at its end.
        let at = name.find('#').filter(|&at| name.is_char_boundary(at + 2));
        let part = at.map(|at| name.drain(at..at + 2).collect::<String>()).unwrap_or_default();
        parts.entry(name).or_default().insert(part, stored.clone());
    }
    parts.into_iter().map(|(name, parts)| (name, Weight::rows(parts.into_values().collect()))).collect()
}

/// Returns whether a tensor is a counter or table that follows from the architecture.
pub(crate) fn is_structural(name: &str) -> bool {
    ["num_batches_tracked", "relative_position_index", "attn_mask", "rel_indices"].iter().any(|end| name.ends_with(end))
}

/// The prefixes that wrappers put before every name.
const WRAPPERS: [&str; 3] = ["module.", "model.", "_orig_mod."];

/// Returns a name without the prefixes of wrappers.
fn strip_wrappers(mut name: &str) -> &str {
    while let Some(inner) = WRAPPERS.iter().find_map(|wrapper| name.strip_prefix(wrapper)) {
        name = inner;
    }
    name
}

/// Returns the length of the wrappers' prefixes that all names share.
pub(crate) fn common_prefix<'a>(names: impl Iterator<Item = &'a str> + Clone) -> usize {
    let Some(first) = names.clone().next() else { return 0 };
    let mut length = 0;
    while let Some(wrapper) = WRAPPERS.iter().find(|wrapper| first[length..].starts_with(**wrapper)) {
        let longer = &first[..length + wrapper.len()];
        if !names.clone().all(|name| name.starts_with(longer)) {
            break;
        }
        length = longer.len();
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::clip_resnet::ClipResNet;
    use crate::families::convnext::ConvNeXt;
    use crate::families::efficientnet::EfficientNet;
    use crate::families::resnet::{Block, ResNet, Stem};
    use crate::families::vit::{Variant, VisionTransformer};
    use crate::loading::{NamedWeights, WeightTable, describe_mismatch};
    use crate::{Architecture, generated, zoo};
    use candle_core::{DType, Device, Tensor};
    use hard_imagenet_graph::{Graph, WeightMap, run};
    use serde::Deserialize;

    type Shapes = BTreeMap<String, Vec<usize>>;

    /// The file that `tests/golden/make_names.py` writes.
    #[derive(Deserialize)]
    struct Golden {
        logits: Vec<Logits>,
        timm: Vec<Names>,
    }

    #[derive(Deserialize)]
    struct Logits {
        graph: String,
        tensors: Shapes,
        logits: Vec<f32>,
    }

    #[derive(Deserialize)]
    struct Names {
        tensors: Shapes,
        wanted: Shapes,
    }

    fn golden() -> Golden {
        serde_json::from_str(include_str!("../../tests/golden/names.json")).unwrap()
    }

    fn generated_input(side: usize) -> Tensor {
        let shape = [2, 3, side, side];
        Tensor::from_vec(generated::values("input", &shape), &shape, &Device::Cpu).unwrap()
    }

    /// Returns a network of the size that the script uses, and the side of its images.
    fn network(graph: &str) -> (Graph, usize) {
        let vit = |variant, classes| {
            VisionTransformer { image: 32, patch: 8, width: 16, depth: 2, heads: 2, variant }.graph(classes)
        };
        let graph = match graph {
            "vit" => vit(Variant::Plain, 5),
            "dinov2" => vit(Variant::DinoV2 { registers: 0, mean: false }, 5),
            "dinov2_reg4" => vit(Variant::DinoV2 { registers: 4, mean: false }, 5),
            "dinov2_mean" => vit(Variant::DinoV2 { registers: 0, mean: true }, 5),
            "clip" => vit(Variant::Clip { quick_gelu: true }, 8),
            "clip_resnet" => ClipResNet { image: 32, width: 4, blocks: &[1, 1, 1, 1], heads: 2 }.graph(8),
            "convnext" => ConvNeXt { stages: &[(8, 1), (16, 2), (24, 1), (32, 1)] }.graph(5),
            "efficientnet" => EfficientNet { width: 0.25, depth: 1.1 }.graph(5),
            "mobilenet" => return (zoo::graph("mobilenetv3_small_100", 5).unwrap(), 64),
            _ => {
                let (stem, block, stages) = (Stem::ImageNet, Block::Bottleneck, &[(8, 1), (16, 2)]);
                return (ResNet { stem, stem_width: 8, block, stages }.graph(5).unwrap(), 64);
            }
        };
        (graph.unwrap(), 32)
    }

    /// A file with another library's names gives the logits of that library.
    #[test]
    fn files_with_other_names_give_the_same_logits() {
        for Logits { graph: name, tensors, logits } in golden().logits {
            let (graph, side) = network(&name);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("weights.safetensors");
            let tensor = |name: &str, shape: &[usize]| {
                Tensor::from_vec(generated::values(name, shape), shape, &Device::Cpu).unwrap()
            };
            let weights: WeightMap = tensors.iter().map(|(name, shape)| (name.clone(), tensor(name, shape))).collect();
            candle_core::safetensors::save(&weights, &path).unwrap();

            let table = WeightTable::open(&path).unwrap();
            assert_eq!(describe_mismatch(&table, &graph.parameters()), None, "{name}");
            let got = run(&graph, &table.values(&graph).unwrap().0, &generated_input(side)).unwrap();
            let got = got.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let largest = logits.iter().fold(0f32, |largest, value| largest.max(value.abs()));
            assert_eq!(got.len(), logits.len());
            for (got, want) in got.iter().zip(&logits) {
                assert!((got - want).abs() < 1e-4 * largest, "{name}: {got} instead of {want}");
            }
        }
    }

    fn stored(shapes: &Shapes) -> Vec<StoredTensor> {
        let stored = |(name, shape): (&String, &Vec<usize>)| {
            let tensor = (name.clone(), DType::F32, shape.clone());
            StoredTensor::within((0, shape.iter().product()), 0, tensor, None).unwrap()
        };
        shapes.iter().map(stored).collect()
    }

    fn names(tensors: &Shapes) -> Shapes {
        let weights = NamedWeights::all(&stored(tensors), IMAGE_SCHEMES);
        weights.names().map(|name| (name.to_owned(), weights.shape(name).unwrap().to_vec())).collect()
    }

    #[test]
    fn names_become_timms_and_timms_names_stay() {
        // A linear layer can be stored as a 1 × 1 convolution.
        let flat = |mut shapes: Shapes| {
            shapes.values_mut().for_each(|shape| shape.retain(|&length| length != 1));
            shapes
        };
        for Names { tensors, wanted } in golden().timm {
            assert_eq!(flat(names(&tensors)), flat(wanted.clone()));
            assert_eq!(names(&wanted), wanted);
        }
    }

    /// The names are those of torch hub's `dinov2_vits14_lc`.
    #[test]
    fn dinov2_files_with_a_head_are_translated() {
        let tensors = [
            ("backbone.cls_token", vec![1, 1, 16]),
            ("backbone.mask_token", vec![1, 16]),
            ("backbone.pos_embed", vec![1, 17, 16]),
            ("linear_head.weight", vec![5, 32]),
        ];
        let got = names(&tensors.map(|(name, shape)| (name.to_owned(), shape)).into());
        assert_eq!(got.keys().collect::<Vec<_>>(), ["cls_token", "head.weight", "pos_embed"]);
    }

    #[test]
    fn prefixes_are_removed_only_if_all_names_have_them() {
        let check = |given: &[&str], wanted: &[&str]| {
            let given = given.iter().map(|name| ((*name).to_owned(), vec![2])).collect();
            assert_eq!(names(&given).into_keys().collect::<Vec<_>>(), wanted);
        };
        check(&["module.model.a", "module.model.b"], &["a", "b"]);
        check(&["module._orig_mod.a"], &["a"]);
        check(&["model.a", "b"], &["b", "model.a"]);
        check(&["a#", "b#é"], &["a#", "b#é"]);
        check(&["module.model.a", "module.attacker.model.a", "module.normalizer.new_mean"], &["a"]);
        check(&["features.denseblock1.denselayer1.norm.1.weight"], &["features.denseblock1.denselayer1.norm1.weight"]);
        check(&["classifier.0.bias", "classifier.6.bias"], &["head.fc.bias", "pre_logits.fc1.bias"]);
        check(
            &["layers.0.downsample.reduction.weight", "head.bias"],
            &["head.fc.bias", "layers.1.downsample.reduction.weight"],
        );
    }
}
