//! Networks from ONNX files.

use super::class_names;
use super::config::{Config, Statement};
use super::weight_table::WeightTable;
use crate::preprocessing_options::LARGEST_SIDE;
use crate::{Graph, Model, ModelError, ModelSpec, Network, Op, PreprocessingOptions};
use candle_core::{DType, Device};
use hard_imagenet_files::sha256_hex_of_reader;
use hard_imagenet_findings::Finding;
use hard_imagenet_findings::kinds::models::{NAMES_IGNORED, PREPROCESSING_ASSUMED, RAW_INPUT};
use hard_imagenet_graph::WeightMap;
use hard_imagenet_images::{CropMode, Filter, Preprocessing};
use hard_imagenet_onnx::{OnnxModel, PixelRange};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Returns whether a model's name is the path of an ONNX file.
pub fn is_file(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".onnx")
}

/// What a caller knows about an ONNX model, or wants otherwise than its files state.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// The name of the output that holds the logits. Without it, [`OnnxModel`] chooses the output.
    pub output: Option<String>,
    /// A file of tensors whose names are those of [`Network::weights`], as finetuning writes it. It replaces the model's own
    /// weights; its last layer may have another number of classes.
    pub weights: Option<PathBuf>,
    /// The preprocessing, instead of what the files state.
    pub preprocess: Option<Preprocessing>,
    /// Changes to the preprocessing. `img_size` is the size of the images for a model that accepts any size.
    pub changes: PreprocessingOptions,
}

/// Loads a model that `torch.onnx.export` or another exporter wrote. The model's name is that of the file without its
/// extension.
///
/// # Preprocessing
/// If `preprocess` is `None`, it is what a description next to the file states: `model.json` next to `model.onnx`, or else
/// `config.json` and `preprocessor_config.json` in the same folder. A description is timm's `config.json`, the files of
/// transformers, or an object with some of their fields (`mean`, `std`, `interpolation`, `crop_pct`, `input_size`,
/// `label_names`). The metadata of the ONNX file may state mean, standard deviation and size too. What nothing states is
/// what most models of timm use: the shorter side is resized to 8/7 of the input's size by bilinear interpolation, the
/// center is cropped, and channels are normalized by ImageNet's mean and standard deviation.
/// [`Network::findings`] reports if the normalization had to be assumed.
///
/// A network that takes pixels from 0 to 255 or normalizes pixels from 0 to 1 itself ([`PixelRange`]) is fed with these,
/// whatever a description states.
///
/// # Errors
/// Returns [`ModelError::Onnx`] for a file that cannot be read as a graph, [`ModelError::Config`] for a description with
/// an invalid field, another input size or another number of classes, or of which nothing is understood, and
/// [`ModelError::Input`] if no node has rows and columns.
pub fn load(
    path: &Path,
    preprocess: Option<Preprocessing>,
    device: &Device,
    dtype: DType,
) -> Result<Model, ModelError> {
    Model::new(read(path, None, preprocess)?, device, dtype)
}

/// Reads what [`load`] makes a model of, with the weights of a file instead of the model's own if `weights` is given
/// ([`ReadOptions::weights`]).
///
/// # Errors
/// Fails like [`load`], and with [`ModelError::Mismatch`] for weights of another network.
pub fn read(path: &Path, weights: Option<&Path>, preprocess: Option<Preprocessing>) -> Result<Network, ModelError> {
    read_with(path, &ReadOptions { weights: weights.map(Path::to_owned), preprocess, ..ReadOptions::default() })
}

/// Reads what [`load`] makes a model of, with what the caller knows about it.
///
/// # Errors
/// Fails like [`read`], and if the model has no output of the given name or does not accept the given size.
pub fn read_with(path: &Path, options: &ReadOptions) -> Result<Network, ModelError> {
    let config = Config::beside_onnx(path)?;
    let statement = config.as_ref().map(Config::statement).transpose()?.unwrap_or_default();
    let model = read_graph(path, options, config.as_ref(), statement.options.img_size)?;
    check_size(path, &model, options, config.as_ref(), statement.options.img_size)?;
    if let Some(config) = &config {
        config.check_classes(model.classes, "the ONNX file has")?;
    }
    let mut findings = model.findings.clone();
    let class_names = class_names(&model, config.as_ref(), &mut findings)?;
    let mut preprocess = match options.preprocess {
        Some(given) => given,
        None => preprocessing(&model, config.as_ref(), statement, options, &mut findings)?,
    };
    preprocess = options.changes.apply(preprocess)?;

    let OnnxModel { graph, weights: own, cam_node, feature_node, mut files, .. } = model;
    let (graph, weights, classes) = match &options.weights {
        None => (graph, own, model.classes),
        Some(given) => {
            files.push(given.to_owned());
            other_weights(path, &graph, given, model.classes)?
        }
    };
    let no_map = || ModelError::Input(format!("{} has no node with rows and columns", path.display()));
    let spec = ModelSpec {
        name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        preprocess,
        classes,
        cam_node: cam_node.ok_or_else(no_map)?,
        feature_node,
        class_names: class_names.filter(|names| names.len() == classes),
    };
    let free_standing = graph.nodes().iter().filter(|node| matches!(node.op, Op::Parameter(_)));
    let frozen = free_standing.flat_map(|node| node.weights.clone()).collect();
    Ok(Network { frozen, findings, ..Network::new(spec, graph, weights, hash_files(&files)?) })
}

/// Reads the graph for images of the size that the caller, the description or the metadata state.
fn read_graph(
    path: &Path,
    options: &ReadOptions,
    config: Option<&Config>,
    stated: Option<(usize, usize)>,
) -> Result<OnnxModel, ModelError> {
    let given = options.preprocess.map(|preprocess| preprocess.input);
    let size = match options.changes.img_size.or(given).or(stated) {
        None => config.map(Config::image_size).transpose()?.flatten(),
        size => size,
    };
    let read = |size| {
        let options = hard_imagenet_onnx::ReadOptions { output: options.output.clone(), size };
        Ok(OnnxModel::read_with(path, &options)?)
    };
    let model = read(size)?;
    match metadata_size(&model) {
        Some(stated) if size.is_none() && !model.has_fixed_size && stated != model.input => read(Some(stated)),
        _ => Ok(model),
    }
}

/// Checks that the stated sizes are those of the file.
fn check_size(
    path: &Path,
    model: &OnnxModel,
    options: &ReadOptions,
    config: Option<&Config>,
    stated: Option<(usize, usize)>,
) -> Result<(), ModelError> {
    let (height, width) = model.input;
    if let Some((rows, columns)) = options.changes.img_size.filter(|size| *size != model.input) {
        return Err(ModelError::Input(format!(
            "{} was exported for images of {height} × {width} pixels, not {rows} × {columns}",
            path.display()
        )));
    }
    match (config, stated) {
        (Some(config), Some(stated))
            if stated != model.input && options.preprocess.is_none() && options.changes.img_size.is_none() =>
        {
            let field = config.size_field();
            Err(config.wrong(field, format!("is not {height} × {width}, the input size of the ONNX file")))
        }
        _ => Ok(()),
    }
}

/// Returns the preprocessing that the files state, completed by the usual one, and reports what they leave open.
fn preprocessing(
    model: &OnnxModel,
    config: Option<&Config>,
    mut statement: Statement,
    options: &ReadOptions,
    findings: &mut Vec<Finding>,
) -> Result<Preprocessing, ModelError> {
    let Preprocessing { mean, std, .. } = Preprocessing::imagenet();
    let mut known = Preprocessing::timm(model.input, 0.875, CropMode::Center, Filter::Bilinear, mean, std);
    if is_ultralytics_classifier(model) {
        known = Preprocessing::timm(model.input, 1.0, CropMode::Center, Filter::Bilinear, [0.0; 3], [1.0; 3]);
        statement.options.mean.get_or_insert([0.0; 3]);
        statement.options.std.get_or_insert([1.0; 3]);
    }
    let stated = &mut statement.options;
    stated.mean = stated.mean.or_else(|| metadata_numbers(model, &["mean", "image_mean"]));
    stated.std = stated.std.or_else(|| metadata_numbers(model, &["std", "image_std"]));
    let is_stated = |own: fn(&PreprocessingOptions) -> bool| own(&statement.options) || own(&options.changes);
    let is_normalized = is_stated(|options| options.mean.is_some()) && is_stated(|options| options.std.is_some());
    let overrides = options.changes.mean.is_some() && options.changes.std.is_some();
    let contradicts = statement.options.mean.is_some() || statement.options.std.is_some();
    let mut preprocess = match config {
        Some(config) => config.preprocess(&statement, known)?,
        None => statement.options.apply(known)?,
    };
    let (mean, std, range) = match model.pixels {
        PixelRange::Bytes => ([0.0; 3], [1.0 / 255.0; 3], "0 to 255"),
        PixelRange::Unit => ([0.0; 3], [1.0; 3], "0 to 1"),
        PixelRange::Unstated => {
            if !is_normalized {
                findings.push(PREPROCESSING_ASSUMED.found());
            }
            return Ok(preprocess);
        }
    };
    if overrides {
        return Ok(preprocess);
    }
    let differs = contradicts && (preprocess.mean, preprocess.std) != (mean, std);
    (preprocess.mean, preprocess.std) = (mean, std);
    let ignored = if differs { ", so the stated mean and standard deviation are not used" } else { "" };
    findings.push(
        RAW_INPUT.found().saying(format!("the network takes pixels of {range} and normalizes them itself{ignored}")),
    );
    Ok(preprocess)
}

/// Returns the names of the classes from the description or the metadata.
fn class_names(
    model: &OnnxModel,
    config: Option<&Config>,
    findings: &mut Vec<Finding>,
) -> Result<Option<Vec<String>>, ModelError> {
    if let Some(names) = config.map(|config| config.class_names(model.classes)).transpose()?.flatten() {
        return Ok(Some(names));
    }
    let mut unfit = Vec::new();
    for key in ["names", "class_names", "label_names", "id2label", "labels", "classes"] {
        let Some(text) = metadata(model, key) else { continue };
        match class_names::from_text(text) {
            Some(names) if names.len() == model.classes => return Ok(Some(names)),
            Some(names) => {
                unfit.push(format!("{key:?} has {} names, but there are {} logits", names.len(), model.classes));
            }
            None => {}
        }
    }
    findings.extend(NAMES_IGNORED.about(&unfit));
    Ok(None)
}

/// Returns an entry of the file's metadata.
fn metadata<'a>(model: &'a OnnxModel, key: &str) -> Option<&'a str> {
    let found = model.metadata.iter().find(|(known, _)| known.eq_ignore_ascii_case(key));
    found.map(|(_, text)| text.as_str())
}

/// Returns one number for each channel from the first of the entries that is there: `0.5, 0.5, 0.5`, perhaps in brackets.
fn metadata_numbers(model: &OnnxModel, keys: &[&str]) -> Option<[f32; 3]> {
    let text = keys.iter().find_map(|key| metadata(model, key))?;
    numbers(text)?.try_into().ok()
}

/// Returns the height and width of the images that Ultralytics and others state in the metadata.
fn metadata_size(model: &OnnxModel) -> Option<(usize, usize)> {
    let text = ["imgsz", "img_size", "input_size"].iter().find_map(|key| metadata(model, key))?;
    let sides: Vec<usize> = numbers(text)?.into_iter().map(|side| side as usize).collect();
    let size = match sides[..] {
        [side] => (side, side),
        [height, width] | [3, height, width] => (height, width),
        _ => return None,
    };
    Some(size).filter(|size| (1..=LARGEST_SIDE).contains(&size.0) && (1..=LARGEST_SIDE).contains(&size.1))
}

fn numbers(text: &str) -> Option<Vec<f32>> {
    let inner = text.trim().trim_matches(['[', ']', '(', ')']);
    inner.split(',').map(|number| number.trim().parse().ok()).collect()
}

/// Returns whether the file is a classifier of Ultralytics, whose images are scaled to [0, 1] and not normalized.
fn is_ultralytics_classifier(model: &OnnxModel) -> bool {
    metadata(model, "author") == Some("Ultralytics") && metadata(model, "task") == Some("classify")
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

    /// Reads a golden file with a description next to it and returns the network or the error.
    fn described(file: &str, json: Option<(&str, &str)>, options: &ReadOptions) -> Result<Network, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.onnx");
        std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("../onnx/tests/golden").join(file), &path).unwrap();
        if let Some((name, text)) = json {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        read_with(&path, options).map_err(|error| error.to_string())
    }

    fn kinds(network: &Network) -> Vec<&str> {
        network.findings.iter().map(|finding| finding.kind.as_str()).collect()
    }

    #[test]
    fn descriptions_need_no_architecture() {
        let half = r#""mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]"#;
        for (file, json) in [
            ("mine.json", format!("{{{half}}}")),
            ("mine.json", format!(r#"{{"pretrained_cfg": {{{half}}}}}"#)),
            ("config.json", format!(r#"{{"default_cfg": {{{half}}}}}"#)),
            ("preprocessor_config.json", r#"{"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}"#.into()),
        ] {
            let network =
                described("forms/four_dimensions.onnx", Some((file, &json)), &ReadOptions::default()).unwrap();
            assert_eq!(
                (network.spec.preprocess.mean, network.spec.preprocess.std),
                ([0.5; 3], [0.5; 3]),
                "{file} {json}"
            );
            assert_eq!(kinds(&network), [""; 0]);
        }
        let network = described("forms/four_dimensions.onnx", None, &ReadOptions::default()).unwrap();
        assert_eq!(kinds(&network), ["preprocessing-assumed"]);
    }

    #[test]
    fn descriptions_that_do_not_fit_are_errors() {
        let fails = |json: &str, part: &str| {
            let read = described("forms/four_dimensions.onnx", Some(("mine.json", json)), &ReadOptions::default());
            let error = read.unwrap_err();
            assert!(error.contains("mine.json") && error.contains(part), "{error}");
        };
        fails(r#"{"lr": 1}"#, "none of the fields that are understood");
        fails(r#"{"num_classes": 6}"#, "\"num_classes\" is 6, but the ONNX file has 5 logits");
        fails(r#"{"class_names": ["a"]}"#, "\"class_names\" has 1 names, but the model has 5 classes");
        fails(r#"{"img_size": 32}"#, "\"img_size\" is not 16 × 16");
        fails(r#"{"size": {"height": 32, "width": 32}}"#, "\"size\" is not 16 × 16");
        fails(r#"{"image_mean": [1]}"#, "\"image_mean\" is wrong");
        fails("[]", "invalid type");
    }

    #[test]
    fn names_come_from_the_description_or_the_metadata() {
        let names = |network: Network| network.spec.class_names;
        let letters: Vec<String> = ["a", "b", "c", "d", "e"].map(str::to_owned).into();
        let json = r#"{"architecture": "mine", "label_names": ["a", "b", "c", "d", "e"]}"#;
        let file = "forms/four_dimensions.onnx";
        let described = |json| described(file, Some(("mine.json", json)), &ReadOptions::default()).unwrap();
        assert_eq!(names(described(json)), Some(letters.clone()));
        let json = r#"{"id2label": {"0": "a", "1": "b", "2": "c", "3": "d", "4": "e"}}"#;
        assert_eq!(names(described(json)), Some(letters));
    }

    /// Appends entries of metadata (field 14 of the file, with key 1 and value 2).
    fn with_metadata(entries: &[(&str, &str)]) -> Result<Network, String> {
        let golden =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../onnx/tests/golden/forms/channels_last_of_any_size.onnx");
        let mut bytes = std::fs::read(golden).unwrap();
        for (key, value) in entries {
            let field =
                |number: u8, bytes: &[u8]| [&[8 * number + 2, u8::try_from(bytes.len()).unwrap()], bytes].concat();
            bytes.extend(field(14, &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat()));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.onnx");
        std::fs::write(&path, bytes).unwrap();
        read_with(&path, &ReadOptions::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn metadata_of_the_file_is_read() {
        let network =
            with_metadata(&[("names", "{0: 'c', 1: 'a', 2: 'b', 3: 'd', 4: 'e'}"), ("imgsz", "[32, 32]")]).unwrap();
        assert_eq!(network.spec.class_names.as_deref().unwrap()[..2], ["c", "a"]);
        assert_eq!(network.spec.preprocess.input, (32, 32));
        assert_eq!(kinds(&network), ["preprocessing-assumed"]);
        let network = with_metadata(&[("mean", "0.5, 0.5, 0.5"), ("std", "[0.25, 0.25, 0.25]")]).unwrap();
        assert_eq!((network.spec.preprocess.mean, network.spec.preprocess.std), ([0.5; 3], [0.25; 3]));
        assert_eq!(network.findings, []);
        let network = with_metadata(&[("author", "Ultralytics"), ("task", "classify"), ("imgsz", "[64, 64]")]).unwrap();
        assert_eq!((network.spec.preprocess.mean, network.spec.preprocess.resize), ([0.0; 3], Resize::ShorterSide(64)));
        let network = with_metadata(&[("names", "a,b")]).unwrap();
        assert_eq!(
            (network.spec.class_names.clone(), kinds(&network)),
            (None, vec!["names-ignored", "preprocessing-assumed"])
        );
    }

    #[test]
    fn networks_that_normalize_are_fed_with_pixels() {
        let json = r#"{"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}"#;
        for (file, std) in [("uint8", 1.0 / 255.0), ("bytes_with_means", 1.0 / 255.0), ("unit_with_means", 1.0)] {
            let file = format!("forms/{file}.onnx");
            let network = described(&file, Some(("mine.json", json)), &ReadOptions::default()).unwrap();
            assert_eq!((network.spec.preprocess.mean, network.spec.preprocess.std), ([0.0; 3], [std; 3]), "{file}");
            assert_eq!(kinds(&network), ["raw-input"], "{file}");
            assert!(network.findings[0].what.contains("are not used"), "{}", network.findings[0].what);
            let changes = PreprocessingOptions { mean: Some([0.5; 3]), std: Some([0.5; 3]), ..Default::default() };
            let network = described(&file, None, &ReadOptions { changes, ..Default::default() }).unwrap();
            assert_eq!((network.spec.preprocess.mean, network.findings.len()), ([0.5; 3], 0), "{file}");
        }
    }

    #[test]
    fn callers_choose_size_and_normalization() {
        let size = |height, width| ReadOptions {
            changes: PreprocessingOptions { img_size: Some((height, width)), ..Default::default() },
            ..Default::default()
        };
        let network = described("forms/channels_last_of_any_size.onnx", None, &size(20, 20)).unwrap();
        assert_eq!(network.spec.preprocess.input, (20, 20));
        let error = described("forms/four_dimensions.onnx", None, &size(20, 20)).unwrap_err();
        assert!(error.contains("exported for images of 16 × 16 pixels, not 20 × 20"), "{error}");
        let json = r#"{"input_size": [3, 24, 24]}"#;
        let network = described("forms/channels_last_of_any_size.onnx", Some(("mine.json", json)), &Default::default());
        assert_eq!(network.unwrap().spec.preprocess.input, (24, 24));

        let network = described("forms/four_dimensions.onnx", None, &ReadOptions::default()).unwrap();
        let changes = PreprocessingOptions { mean: Some([0.5; 3]), std: Some([0.5; 3]), ..Default::default() };
        let changed = network.clone().with_preprocessing(&changes).unwrap();
        assert_eq!((changed.spec.preprocess.std, changed.findings.len()), ([0.5; 3], 0));
        let model = network.into_model(&Device::Cpu, DType::F32).unwrap();
        assert_eq!(model.findings()[0].kind, "preprocessing-assumed");
    }

    #[test]
    fn onnx_files_are_known_by_their_extension() {
        assert!(is_file("runs/Mine.ONNX") && !is_file("resnet50.tv_in1k"));
    }
}
