//! Networks from ONNX files.

use super::config::Config;
use super::weight_table::WeightTable;
use crate::{Graph, Model, ModelError, ModelSpec, Network, Op};
use candle_core::{DType, Device};
use hard_imagenet_files::sha256_hex_of_reader;
use hard_imagenet_graph::WeightMap;
use hard_imagenet_images::{CropMode, Filter, Preprocessing};
use hard_imagenet_onnx::OnnxModel;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Returns whether a model's name is the path of an ONNX file.
pub fn is_file(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".onnx")
}

/// Loads a model that `torch.onnx.export` wrote. The model's name is that of the file without its extension.
///
/// Of the preprocessing, an ONNX file states only the size of the input. If `preprocess` is `None`, timm's
/// `config.json` is used, if it lies beside `model.onnx` under the name `model.json`. What it does not state is what
/// most models of timm use: the shorter side is resized to 8/7 of the input's size by bilinear interpolation, the
/// center is cropped, and channels are normalized by ImageNet's mean and standard deviation.
///
/// # Errors
/// Returns [`ModelError::Onnx`] for a file that cannot be read as a graph, [`ModelError::Config`] for a `model.json` of
/// another input size, and [`ModelError::Input`] if no node has rows and columns.
pub fn load(
    path: &Path,
    preprocess: Option<Preprocessing>,
    device: &Device,
    dtype: DType,
) -> Result<Model, ModelError> {
    Model::new(read(path, None, preprocess)?, device, dtype)
}

/// Reads what [`load`] makes a model of.
///
/// If `weights` is given, it replaces the file's own weights. It is a file of tensors whose names are those of
/// [`Network::weights`], as finetuning writes it; its last layer may have another number of classes.
///
/// # Errors
/// Fails like [`load`], and with [`ModelError::Mismatch`] for weights of another network.
pub fn read(path: &Path, weights: Option<&Path>, preprocess: Option<Preprocessing>) -> Result<Network, ModelError> {
    let OnnxModel { graph, weights: own, input, classes, cam_node, feature_node, mut files, .. } =
        OnnxModel::read(path)?;
    let (graph, weights, classes) = match weights {
        None => (graph, own, classes),
        Some(given) => {
            files.push(given.to_owned());
            other_weights(path, &graph, given, classes)?
        }
    };
    let Preprocessing { mean, std, .. } = Preprocessing::imagenet();
    let usual = Preprocessing::timm(input, 0.875, CropMode::Center, Filter::Bilinear, mean, std);
    let preprocess = match (preprocess, Config::read(path.with_extension("json"))?) {
        (Some(given), _) => given,
        (None, Some(config)) => {
            let stated = config.preprocess(usual)?;
            if stated.input != input {
                let (height, width) = input;
                return Err(
                    config.wrong("input_size", format!("is not {height} × {width}, the input size of the ONNX file"))
                );
            }
            stated
        }
        (None, None) => usual,
    };
    let no_map = || ModelError::Input(format!("{} has no node with rows and columns", path.display()));
    let spec = ModelSpec {
        name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        preprocess,
        classes,
        cam_node: cam_node.ok_or_else(no_map)?,
        feature_node,
    };
    let free_standing = graph.nodes().iter().filter(|node| matches!(node.op, Op::Parameter(_)));
    let frozen = free_standing.flat_map(|node| node.weights.clone()).collect();
    Ok(Network { frozen, ..Network::new(spec, graph, weights, hash_files(&files)?) })
}

/// Returns the graph with the weights of a file, and the number of classes.
fn other_weights(
    path: &Path,
    graph: &Graph,
    weights: &Path,
    classes: usize,
) -> Result<(Graph, WeightMap, usize), ModelError> {
    let table = WeightTable::open_untranslated(weights)?;
    let last = graph.node(graph.output());
    let head = last.weights.first().filter(|_| matches!(last.op, Op::Linear { .. }));
    let rows = head.and_then(|name| table.shape(name)).and_then(|shape| shape.first().copied());
    let classes = rows.unwrap_or(classes);
    let graph = if rows.is_some() { graph.with_classes(classes)? } else { graph.clone() };
    table.check(&graph, &path.display().to_string(), || None)?;
    let (weights, _) = table.values(&graph)?;
    Ok((graph, weights, classes))
}

/// Returns the SHA-256 of the concatenated files in lowercase hexadecimal digits.
fn hash_files(paths: &[PathBuf]) -> Result<String, ModelError> {
    let mut all: Box<dyn Read> = Box::new(io::empty());
    for path in paths {
        let file = File::open(path).map_err(|source| ModelError::Read { path: path.clone(), source })?;
        all = Box::new(all.chain(file));
    }
    let first = paths.first().cloned().unwrap_or_default();
    sha256_hex_of_reader(all).map_err(|source| ModelError::Read { path: first, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Architecture;
    use crate::families::swin::SwinTransformer;
    use crate::families::vit::{Variant, VisionTransformer};
    use hard_imagenet_images::Resize;

    #[test]
    fn timms_config_beside_the_file_sets_the_preprocessing() {
        let folder = tempfile::tempdir().unwrap();
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../onnx/tests/golden/vit_old_fixed.onnx");
        let path = folder.path().join("mine.onnx");
        std::fs::copy(golden, &path).unwrap();
        let with = |config: &str| {
            std::fs::write(folder.path().join("mine.json"), config).unwrap();
            load(&path, None, &Device::Cpu, DType::F32)
        };
        let model = with(r#"{"architecture": "vit", "pretrained_cfg": {"mean": [0.5, 0.5, 0.5], "crop_pct": 1.0}}"#);
        let preprocess = model.unwrap().spec().preprocess;
        assert_eq!((preprocess.mean, preprocess.std), ([0.5; 3], Preprocessing::imagenet().std));
        assert_eq!(preprocess.resize, Resize::ShorterSide(16));
        let error = with(r#"{"architecture": "vit", "input_size": [3, 32, 32]}"#).unwrap_err().to_string();
        assert!(error.contains("mine.json") && error.contains("16 × 16"), "{error}");
    }

    #[test]
    fn an_exported_model_has_a_cam_node_and_features() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../onnx/tests/golden/vit_old_fixed.onnx");
        let model = load(&path, None, &Device::Cpu, DType::F32).unwrap();
        let spec = model.spec();
        assert_eq!((spec.name.as_str(), spec.classes), ("vit_old_fixed", 5));
        assert_eq!((spec.preprocess.resize, spec.preprocess.input), (Resize::ShorterSide(18), (16, 16)));
        assert_eq!(spec.cam_node, "blocks.1.norm1.LayerNormalization");
        assert_eq!(model.weights_sha256().len(), 64);
        let x = candle_core::Tensor::zeros((3, 3, 16, 16), DType::F32, &Device::Cpu).unwrap();
        assert_eq!(model.features(&x).unwrap().dims(), [3, 16]);
        assert_eq!(model.forward(&x).unwrap().dims(), [3, 5]);
    }

    #[test]
    fn the_cam_node_is_that_of_the_zoo() {
        let check = |file: &str, architecture: &dyn Architecture| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../onnx/tests/golden").join(file);
            let model = load(&path, None, &Device::Cpu, DType::F32).unwrap();
            let (graph, expected) = (model.graph(), architecture.cam_node());
            assert_eq!(
                graph.find(&model.spec().cam_node).unwrap(),
                graph.find(&expected).unwrap(),
                "{file}: {expected}"
            );
        };
        let variant = Variant::Plain;
        let vit = VisionTransformer { image: 16, patch: 4, width: 16, depth: 2, heads: 2, variant };
        check("vit_old_any.onnx", &vit);
        check("vit_older_any.onnx", &vit);
        let stages = &[(2, 1), (1, 2)];
        check("swin_new_any.onnx", &SwinTransformer { image: 32, patch: 4, window: 4, width: 8, stages });
    }

    #[test]
    fn onnx_files_are_known_by_their_extension() {
        assert!(is_file("runs/Mine.ONNX") && !is_file("resnet50.tv_in1k"));
    }
}
