//! Reads one tiny network in the forms that exporters write (`golden/make_forms.py`) and compares its logits with those of
//! ONNX Runtime.

use candle_core::{Device, Tensor};
use hard_imagenet_graph::run;
use hard_imagenet_onnx::{OnnxModel, PixelRange, ReadOptions};
use std::path::{Path, PathBuf};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/forms").join(format!("{name}.onnx"))
}

fn read(name: &str, output: Option<&str>) -> OnnxModel {
    let options = ReadOptions { output: output.map(str::to_owned), size: Some((16, 16)) };
    OnnxModel::read_with(&path(name), &options).unwrap_or_else(|error| panic!("{error}"))
}

fn golden(name: &str) -> (Tensor, Tensor) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/forms.safetensors");
    let all = candle_core::safetensors::load(file, &Device::Cpu).unwrap();
    let x = all.get(&format!("{name}.x")).unwrap_or(&all["x"]);
    (x.clone(), all[&format!("{name}.y")].clone())
}

/// Compares the logits of a model with those of ONNX Runtime. If `constant` is true, they may differ by a constant per image.
fn compare(name: &str, model: &OnnxModel, constant: bool) {
    let (x, want) = golden(name);
    let x = if model.pixels == PixelRange::Bytes { (x * 255.0).unwrap() } else { x };
    let got = run(&model.graph, &model.weights, &x).unwrap();
    assert_eq!(got.dims(), want.dims(), "{name}");
    assert_eq!(model.classes, want.dims()[1], "{name}");
    let centered = |t: &Tensor| if constant { t.broadcast_sub(&t.max_keepdim(1).unwrap()).unwrap() } else { t.clone() };
    let number = |t: Tensor| t.flatten_all().unwrap().max(0).unwrap().to_scalar::<f32>().unwrap();
    let (got, want) = (centered(&got), centered(&want));
    let error = number((&got - &want).unwrap().abs().unwrap());
    let largest = number(want.abs().unwrap()).max(1.0);
    assert!(error <= 1e-4 * largest, "{name}: {error} of {largest}");
}

/// Checks logits, the name of the output, the expected pixels and the kinds of findings.
#[track_caller]
fn check(name: &str, output: &str, pixels: PixelRange, findings: &[&str]) {
    let model = read(name, None);
    let kinds: Vec<&str> = model.findings.iter().map(|finding| finding.kind.as_str()).collect();
    assert_eq!((model.output.as_str(), model.pixels, kinds.as_slice()), (output, pixels, findings), "{name}");
    compare(name, &model, name == "softmax_in_parts");
}

use PixelRange::{Bytes, Unit, Unstated};

#[test]
fn a_softmax_at_the_end_is_taken_off() {
    for name in [
        "softmax",
        "softmax_last_axis",
        "log_softmax",
        "sigmoid",
        "softmax_then_identity",
        "softmax_then_reshape",
        "softmax_of_version_9",
        "softmax_in_parts",
    ] {
        check(name, "y", Unstated, &["softmax-removed"]);
    }
    check("softmax_over_rows", "logits", Unstated, &[]);
    check("log_softmax_over_rows", "logits", Unstated, &[]);
}

#[test]
fn logits_win_over_their_softmax() {
    check("logits_and_softmax", "logits", Unstated, &[]);
    let asked = read("logits_and_softmax", Some("y"));
    assert_eq!((asked.output.as_str(), asked.findings[0].kind.as_str()), ("y", "softmax-removed"));
    compare("logits_and_softmax", &asked, false);
}

#[test]
fn dimensions_of_length_one_are_removed() {
    for name in ["four_dimensions", "classes_last", "no_batch"] {
        check(name, "y", Unstated, &[]);
    }
}

#[test]
fn logits_are_chosen_among_several_outputs() {
    check("features_first", "logits", Unstated, &["output-chosen"]);
    check("features_first_without_names", "o2", Unstated, &["output-chosen"]);
    check("two_heads", "logits", Unstated, &["output-chosen"]);
    let features = read("features_first", Some("features"));
    assert_eq!((features.classes, features.findings.len()), (4, 0));
    let message = &read("features_first", None).findings[0].examples[0];
    assert_eq!(message, "logits (B, 5) was chosen, not features (B, 4)");
}

#[test]
fn what_the_logits_do_not_need_is_not_looked_at() {
    check("arg_max", "logits", Unstated, &[]);
    check("top_k", "logits", Unstated, &[]);
    check("feature_map", "logits", Unstated, &[]);
    check("confidence", "probs", Unstated, &["softmax-removed"]);
}

#[test]
fn a_wrong_output_lists_those_that_exist() {
    let fails = |name: &str, output: &str, parts: &[&str]| {
        let options = ReadOptions { output: Some(output.into()), size: None };
        let error = OnnxModel::read_with(&path(name), &options).unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    };
    fails("features_first", "logit", &["no output \"logit\"", "features (B, 4)", "logits (B, 5)"]);
    fails("arg_max", "label", &["label int64 (B)", "holds no logits"]);
    fails("feature_map", "a", &["none of its outputs is logits", "a (B, 4, 7, 7)"]);
}

#[test]
fn outputs_without_a_difference_are_an_error() {
    let whole = std::fs::read(path("two_heads")).unwrap();
    let renamed = replace(&replace(&whole, b"aux_logits", b"some_other"), b"logits", b"second");
    let error = read_bytes("unclear", &renamed).unwrap_err();
    assert!(error.contains("several of its outputs") && error.contains("some_other (B, 5), second (B, 5)"), "{error}");
}

#[test]
fn integers_are_pixels_from_0_to_255() {
    for name in ["uint8", "uint8_rows_first", "int32"] {
        check(name, "logits", Bytes, &[]);
    }
}

#[test]
fn normalizations_in_the_network_are_recognized() {
    check("bytes_as_floats", "logits", Bytes, &[]);
    check("bytes_with_means", "logits", Bytes, &[]);
    check("unit_with_means", "logits", Unit, &[]);
    check("float16", "logits", Unstated, &[]);
    check("channels_last_of_any_size", "logits", Unstated, &[]);
    assert!(!read("channels_last_of_any_size", None).has_fixed_size && read("float16", None).has_fixed_size);
}

#[test]
fn tables_of_the_batch_size_are_constants() {
    check("table_as_truth", "logits", Unstated, &[]);
    check("table_expanded", "logits", Unstated, &[]);
}

#[test]
fn attention_of_newer_operators() {
    for name in [
        "attention",
        "attention_masked",
        "attention_of_truth",
        "attention_causal",
        "attention_four_dimensions",
        "rms_normalization",
        "rotary_embedding",
        "rotary_embedding_interleaved",
        "rotary_embedding_partial",
    ] {
        check(name, "logits", Unstated, &[]);
    }
}

#[test]
fn other_inputs_are_refused_by_name() {
    let uint8 = std::fs::read(path("uint8")).unwrap();
    // The type of the input: field 1 (elem_type) of its tensor type, followed by the shape.
    let typed = |kind: u8| read_bytes("typed", &replace(&uint8, &[0x08, 2, 0x12], &[0x08, kind, 0x12])).unwrap_err();
    for (kind, name) in [(3, "int8"), (8, "string"), (9, "bool"), (14, "complex64")] {
        let error = typed(kind);
        assert!(error.contains(&format!("\"i\" has the type {name}")), "{error}");
    }
    // The length of the channels' dimension.
    let gray = replace(&uint8, &[0x08, 3, 0x0a], &[0x08, 1, 0x0a]);
    let error = read_bytes("gray", &gray).unwrap_err();
    assert!(error.contains("\"i\" uint8 (?, 1, 16, 16) does not have the three channels"), "{error}");
}

#[test]
fn integer_arithmetic_on_images_is_refused() {
    let uint8 = std::fs::read(path("uint8")).unwrap();
    let error = read_bytes("arithmetic", &replace(&uint8, b"Cast", b"Sqrt")).unwrap_err();
    assert!(error.contains("cast them to floats first"), "{error}");
}

#[test]
fn unsupported_operators_say_what_helps() {
    let softmax = std::fs::read(path("softmax")).unwrap();
    let error = read_bytes("unsupported", &replace(&softmax, b"Relu", b"Rely")).unwrap_err();
    assert!(error.contains("operator Rely") && error.contains("opset_version=20"), "{error}");
}

#[test]
fn pointers_of_git_lfs_are_named() {
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
    let error = read_bytes("pointer", pointer).unwrap_err();
    assert!(error.contains("pointer of Git LFS") && error.contains("git lfs pull"), "{error}");
}

/// Replaces all occurrences of some bytes by others of the same number.
fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut changed = bytes.to_vec();
    for at in 0..bytes.len().saturating_sub(from.len()) {
        if bytes[at..].starts_with(from) {
            changed[at..at + to.len()].copy_from_slice(to);
        }
    }
    assert_ne!(changed, bytes);
    changed
}

fn read_bytes(name: &str, bytes: &[u8]) -> Result<OnnxModel, String> {
    let file = std::env::temp_dir().join(format!("hard-imagenet-onnx-{name}-{}.onnx", std::process::id()));
    std::fs::write(&file, bytes).unwrap();
    let model = OnnxModel::read(&file).map_err(|error| error.to_string());
    std::fs::remove_file(&file).unwrap();
    model
}
