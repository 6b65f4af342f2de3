//! Weights as people have them: saved by training frameworks, in shards, as pointers of Git LFS.

use candle_core::{DType, Device, Tensor};
use hard_imagenet_models::{ModelError, Network, WeightMap, Weights, generated, zoo};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

const MODEL: &str = "planted_resnet";

fn weights() -> WeightMap {
    generated::weights(&zoo::graph(MODEL, 8).unwrap()).unwrap()
}

/// The weights with a prefix before each name.
fn prefixed(prefix: &str) -> WeightMap {
    weights().into_iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor)).collect()
}

/// Zeros of some names and shapes.
fn zeros(tensors: &[(&str, &[usize])]) -> WeightMap {
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    tensors.iter().map(|(name, shape)| ((*name).to_owned(), zeros(shape))).collect()
}

fn read_as(model: &str, weights: WeightMap) -> Result<Network, ModelError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    candle_core::safetensors::save(&weights, &path).unwrap();
    zoo::read(model, &Weights::File(path))
}

/// Checks that a file gives the generated weights, and returns the findings: kind, severity, what, examples.
fn check_read(stored: WeightMap) -> Vec<String> {
    let network = read_as(MODEL, stored).unwrap();
    check_values(&network);
    let line = |f: &hard_imagenet_findings::Finding| {
        format!("{} {} {}: {}", f.severity.word(), f.kind, f.headline(), f.examples.join(", "))
    };
    network.findings.iter().map(line).collect()
}

fn check_values(network: &Network) {
    let wanted = weights();
    assert_eq!(network.weights.len(), wanted.len());
    for (name, tensor) in wanted {
        let values = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(values(&network.weights[&name]), values(&tensor), "{name}");
    }
}

#[track_caller]
fn check_error(stored: WeightMap, parts: &[&str]) {
    check_message(&read_as(MODEL, stored).unwrap_err().to_string(), parts);
}

#[track_caller]
fn check_message(error: &str, parts: &[&str]) {
    for part in parts {
        assert!(error.contains(part), "{error:?} does not contain {part:?}");
    }
}

#[test]
fn any_prefix_of_all_names_is_removed() {
    assert!(check_read(weights()).is_empty());
    for prefix in [
        "model.",
        "net.",
        "backbone.",
        "module.",
        "_orig_mod.",
        "student.",
        "model.module.",
        "model._orig_mod.",
        "a.b.c.d.",
        "my_very_own_name.",
        "größe.",
        "module.model.",
    ] {
        let findings = check_read(prefixed(prefix));
        let inner = prefix.replace("_orig_mod.", "");
        let expected =
            format!("note prefix-removed the names of the weights begin with {inner:?}, which was taken off: ");
        let expected = if inner.is_empty() { vec![] } else { vec![expected] };
        assert_eq!(findings, expected, "{prefix}");
    }
}

/// The first byte of the format is that of a length, and can be that of a pickle or a zip archive.
#[test]
fn headers_of_any_length_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    generated::write(&zoo::graph(MODEL, 8).unwrap(), &path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let (length, rest) = bytes.split_first_chunk().unwrap();
    let length = u64::from_le_bytes(*length) as usize;
    for wanted in [0x2080, 0x4b50, 0x12_4b50] {
        let padded =
            [&(wanted as u64).to_le_bytes()[..], &rest[..length], &vec![b' '; wanted - length], &rest[length..]];
        std::fs::write(&path, padded.concat()).unwrap();
        check_values(&zoo::read(MODEL, &Weights::File(path.clone())).unwrap());
    }
}

#[test]
fn tensors_of_training_are_left() {
    let helpers: &[(&str, &[usize])] = &[
        ("criterion.pos_weight", &[8]),
        ("loss.centers", &[8, 96]),
        ("val_acc.tp", &[8]),
        ("metrics.MulticlassAccuracy.fp", &[8]),
        ("ema.decay", &[]),
        ("optimizer.momentum_buffer", &[3, 3]),
    ];
    for prefix in ["", "model.", "net.module."] {
        let mut stored = prefixed(prefix);
        stored.extend(zeros(helpers));
        let findings = check_read(stored);
        assert_eq!(findings.len(), 1 + usize::from(!prefix.is_empty()), "{findings:?}");
        assert!(findings[0].starts_with("note tensors-unused 6 of 53 tensors"), "{findings:?}");
        assert!(findings[0].ends_with(": criterion.pos_weight, ema.decay, loss.centers"), "{findings:?}");
    }
    // The wrapper can wrap the loss, too.
    let mut stored = prefixed("module.");
    stored.extend(zeros(&[("module.criterion.weight", &[8]), ("module.loss_weights", &[2])]));
    assert_eq!(check_read(stored).len(), 2);
}

/// A finished network next to other layers may not be the one that is meant.
#[test]
fn other_networks_in_the_file_are_warned_of() {
    let mut stored = prefixed("encoder.");
    stored.extend(zeros(&[("projector.0.weight", &[64, 96]), ("decoder.weight", &[4, 4])]));
    let findings = check_read(stored);
    assert!(findings[0].starts_with("warning tensors-unused 2 of 49 tensors"), "{findings:?}");
    for prefix in ["", "model."] {
        let mut stored = prefixed(prefix);
        stored.extend(zeros(&[(&format!("{prefix}extra.mask"), &[64])]));
        assert!(check_read(stored)[0].starts_with("warning tensors-unused 1 of 48 tensors"));
    }
    // A teacher of another architecture is no alternative to the student.
    let mut stored = prefixed("student.");
    stored.extend(zeros(&[("teacher.conv1.weight", &[4, 3, 3, 3]), ("teacher.fc.weight", &[8, 4])]));
    assert!(check_read(stored)[0].starts_with("note tensors-unused 2 of 49 tensors"));
}

#[test]
fn layers_that_are_not_used_are_errors() {
    for (prefix, layer) in [
        ("", "layer3.1.conv1.weight"),
        ("", "layer4.0.conv1.weight"),
        ("", "head.weight"),
        ("model.", "model.layer3.1.conv1.weight"),
        ("model.", "model.layer9.loss.weight"),
        ("backbone.", "backbone.conv2.weight"),
        ("backbone.", "classifier.weight"),
        ("backbone.", "head.weight"),
        ("model.backbone.", "model.fc.weight"),
        ("model.backbone.", "fc.weight"),
    ] {
        let mut stored = prefixed(prefix);
        stored.extend(zeros(&[(layer, &[8, 96])]));
        check_error(stored, &["does not contain the weights of planted_resnet", "of this model", layer]);
    }
}

#[test]
fn two_networks_are_an_error_that_names_both() {
    for (a, b) in [("student.", "teacher."), ("model.", "ema_model."), ("", "ema."), ("m.", "m._orig_mod.")] {
        let mut stored = prefixed(a);
        // A copy has other values.
        let copy = prefixed(b).into_iter().map(|(name, tensor)| (name, (tensor * 0.5).unwrap()));
        stored.extend(copy);
        let first = if a.is_empty() { "without a prefix".to_owned() } else { format!("under {a:?}") };
        check_error(stored, &["it has them 2 times", &first, &format!("under {b:?}"), "a file of their own"]);
    }
}

#[test]
fn names_inside_of_compiled_layers_are_found() {
    let inside = |name: String| name.replace("layer2.0.", "layer2._orig_mod.0._checkpoint_wrapped_module.");
    let stored: WeightMap = prefixed("model.").into_iter().map(|(name, tensor)| (inside(name), tensor)).collect();
    assert_eq!(check_read(stored).len(), 1);
}

#[test]
fn errors_hint_at_the_reason() {
    let mut stored = prefixed("backbone.");
    stored.remove("backbone.fc.bias");
    check_error(stored, &["below the prefix \"backbone.\", 1 missing: fc.bias"]);
    let mut stored = prefixed("backbone.");
    stored.retain(|name, _| !name.starts_with("backbone.fc."));
    stored.extend(zeros(&[("linear.weight", &[8, 96]), ("linear.bias", &[8])]));
    let parts = [
        "below the prefix \"backbone.\"",
        "2 missing: fc.weight, fc.bias",
        "2 outside of it: linear.bias, linear.weight",
    ];
    check_error(stored, &parts);
    let stored = zeros(&[("vit.embeddings.cls_token", &[1, 1, 8]), ("classifier.weight", &[8, 8])]);
    check_error(stored, &["the names are those of transformers"]);
    let stored = zeros(&[("down.0.weight", &[2]), ("down.1.weight", &[2]), ("up.0.weight", &[2])]);
    check_error(stored, &["its names begin with \"down.\" (2), \"up.\" (1)"]);
    let stored = zeros(&[("conv1.weight_g", &[2]), ("conv1.weight_v", &[2])]);
    check_error(stored, &["stored in parts"]);
    let stored = zeros(&[("base_model.model.fc.lora_A.weight", &[2])]);
    check_error(stored, &["adapters (LoRA)"]);
    // Another model is recognized below a prefix.
    let error = read_as("resnet18", prefixed("net.")).unwrap_err().to_string();
    check_message(&error, &["these look like weights of planted_resnet"]);
}

/// Writes the weights in two shards, and returns the path of their index.
fn write_shards(folder: &Path, index: &str) -> PathBuf {
    let shard_of = |name: &str| format!("model-0000{}-of-00002.safetensors", 1 + usize::from(name > "layer2"));
    let mut stored = weights();
    stored.insert("layer3.0.bn2.num_batches_tracked".into(), Tensor::new(7i64, &Device::Cpu).unwrap());
    let map: BTreeMap<&String, String> = stored.keys().map(|name| (name, shard_of(name))).collect();
    let mut parts: HashMap<String, WeightMap> = HashMap::new();
    for (name, tensor) in &stored {
        parts.entry(shard_of(name)).or_default().insert(name.clone(), tensor.clone());
    }
    for (shard, part) in parts {
        candle_core::safetensors::save(&part, folder.join(shard)).unwrap();
    }
    let path = folder.join(index);
    std::fs::write(&path, format!("{{\"metadata\": {{\"total_size\": 1}}, \"weight_map\": {map:?}}}")).unwrap();
    path
}

#[test]
fn shards_are_read_as_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let index = write_shards(folder.path(), "model.safetensors.index.json");
    let from_file = zoo::read(MODEL, &Weights::File(index.clone())).unwrap();
    let from_folder = zoo::read(MODEL, &Weights::Folder(folder.path().to_owned())).unwrap();
    check_values(&from_file);
    check_values(&from_folder);
    let mut all = std::fs::read(&index).unwrap();
    for i in 1..=2 {
        all.extend(std::fs::read(folder.path().join(format!("model-0000{i}-of-00002.safetensors"))).unwrap());
    }
    let hash = hard_imagenet_files::sha256_hex(&all);
    assert_eq!((from_file.weights_sha256, from_folder.weights_sha256), (hash.clone(), hash));

    // The name of the index does not matter.
    for name in ["planted_resnet.safetensors.index.json", "pytorch_model.bin.index.json", "weights"] {
        let folder = tempfile::tempdir().unwrap();
        let index = write_shards(folder.path(), name);
        check_values(&zoo::read(MODEL, &Weights::File(index)).unwrap());
        if name != "weights" {
            check_values(&zoo::read(MODEL, &Weights::Folder(folder.path().to_owned())).unwrap());
        }
    }
}

#[test]
fn timms_config_beside_an_index_is_read() {
    let folder = tempfile::tempdir().unwrap();
    write_shards(folder.path(), "model.safetensors.index.json");
    let config = r#"{"architecture": "planted_resnet", "pretrained_cfg": {"mean": [0.25, 0.25, 0.25]}}"#;
    std::fs::write(folder.path().join("config.json"), config).unwrap();
    let network = zoo::read(MODEL, &Weights::Folder(folder.path().to_owned())).unwrap();
    assert_eq!(network.spec.preprocess.mean, [0.25; 3]);
}

#[test]
fn damaged_shards_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let index = write_shards(folder.path(), "model.safetensors.index.json");
    let second = folder.path().join("model-00002-of-00002.safetensors");
    let whole = std::fs::read(&second).unwrap();
    let text = std::fs::read_to_string(&index).unwrap();
    let error = || zoo::read(MODEL, &Weights::File(index.clone())).unwrap_err().to_string();
    std::fs::write(&second, &whole[..whole.len() - 4]).unwrap();
    check_message(&error(), &["model-00002-of-00002.safetensors", "the file ends before its tensor"]);
    std::fs::write(&second, "version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 4\n").unwrap();
    check_message(&error(), &["model-00002-of-00002.safetensors", "git lfs pull"]);
    std::fs::remove_file(&second).unwrap();
    check_message(&error(), &["index.json", "its shard model-00002-of-00002.safetensors is missing"]);
    std::fs::write(&second, &whole).unwrap();

    let changed = |from: &str, to: &str| std::fs::write(&index, text.replace(from, to)).unwrap();
    changed("\"fc.bias\"", "\"fc.offset\"");
    let part = "its shard model-00001-of-00002.safetensors does not contain the tensor \"fc.offset\"";
    check_message(&error(), &["index.json", part]);
    changed("\"fc.bias\": \"model-00001", "\"fc.bias\": \"model-00002");
    check_message(&error(), &["does not contain the tensor \"fc.bias\""]);
    for outside in ["../model-00002", "/tmp/model-00002", "a/model-00002", "..\\\\model-00002"] {
        changed("model-00002", outside);
        check_message(&error(), &["is not the name of a file in the same folder"]);
    }
    changed("model-00002-of-00002.safetensors", "model.safetensors.index.json");
    check_message(&error(), &["is an index too"]);
    changed("weight_map", "weights");
    check_message(&error(), &["not an index of shards", "weight_map"]);
    std::fs::write(&index, "{\"weight_map\": {}}").unwrap();
    check_message(&error(), &["lists no tensors"]);
    std::fs::write(&index, "{").unwrap();
    check_message(&error(), &["not an index of shards"]);
}

#[test]
fn shards_without_their_index_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let index = write_shards(folder.path(), "model.safetensors.index.json");
    std::fs::remove_file(index).unwrap();
    let error = zoo::read(MODEL, &Weights::Folder(folder.path().to_owned())).unwrap_err().to_string();
    check_message(&error, &["model-00001-of-00002.safetensors, without the index"]);
    let shard = folder.path().join("model-00001-of-00002.safetensors");
    let error = zoo::read(MODEL, &Weights::File(shard)).unwrap_err().to_string();
    check_message(&error, &["missing", "this file is shard 1 of 2"]);
}

#[test]
fn pointers_of_git_lfs_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let pointer =
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22e\nsize 46807446\n";
    for name in ["a.safetensors", "a.pth", "pytorch_model.bin", "model.safetensors.index.json", "a"] {
        let path = folder.path().join(name);
        std::fs::write(&path, pointer).unwrap();
        let error = zoo::read(MODEL, &Weights::File(path)).unwrap_err().to_string();
        check_message(&error, &[name, "is a pointer of Git LFS", "`git lfs pull`"]);
    }
    let error = zoo::read(MODEL, &Weights::Bytes(pointer.as_bytes())).unwrap_err().to_string();
    check_message(&error, &["pointer of Git LFS"]);
    let error = zoo::read(MODEL, &Weights::Folder(folder.path().to_owned())).unwrap_err().to_string();
    check_message(&error, &["pointer of Git LFS"]);
}
