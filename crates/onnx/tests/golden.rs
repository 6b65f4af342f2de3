//! Compares small networks written by torch's exporters with torch's logits and gradients (`golden/make.py`).

use candle_core::{DType, Device, Result, Tensor, Var};
use hard_imagenet_graph::{Binary, Cut, Op, run};
use hard_imagenet_kernels::gradient;
use hard_imagenet_onnx::OnnxModel;
use std::collections::HashMap;
use std::path::PathBuf;

/// File, network, module for the saliency map, default node for saliency maps.
const FILES: [(&str, &str, &str, &str); 11] = [
    ("cnn_old_fixed", "cnn", "act", "Add"),
    ("cnn_old_any", "cnn", "act", "Add"),
    ("cnn_new_fixed", "cnn", "act", "node_add"),
    ("cnn_new_any", "cnn", "act", "node_add_5"),
    ("vit_old_fixed", "vit", "blocks.1.norm1", "blocks.1.norm1.LayerNormalization"),
    ("vit_old_any", "vit", "blocks.1.norm1", "blocks.1.norm1.LayerNormalization"),
    ("vit_older_any", "vit", "blocks.1.norm1", "blocks.1.norm1.Add_1"),
    ("sharp_old_any", "sharp", "act", "act.Relu"),
    ("sharp_new_any", "sharp", "act", "act.Relu"),
    ("swin_new_fixed", "swin", "norm", "layers.1.blocks.0.norm1.LayerNormalization"),
    ("swin_new_any", "swin", "norm", "layers.1.blocks.0.norm1.LayerNormalization"),
];

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn read(file: &str) -> OnnxModel {
    OnnxModel::read(&path(&format!("{file}.onnx"))).unwrap_or_else(|error| panic!("{error}"))
}

fn golden() -> HashMap<String, Tensor> {
    candle_core::safetensors::load(path("golden.safetensors"), &Device::Cpu).unwrap()
}

fn check(what: &str, got: &Tensor, want: &Tensor) -> Result<()> {
    assert_eq!(got.dims(), want.dims(), "{what}");
    let largest = want.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
    let error = (got - want)?.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
    assert!(error <= 1e-5 * largest, "{what}: {error} of {largest}");
    Ok(())
}

/// Returns the logits of a file as the network itself gives them. A file that ends in a log-softmax is read without it.
fn outputs(network: &str, logits: &Tensor) -> Result<Tensor> {
    if network != "sharp" {
        return Ok(logits.clone());
    }
    let x = logits.broadcast_sub(&logits.max_keepdim(1)?)?;
    x.broadcast_sub(&x.exp()?.sum_keepdim(1)?.log()?)
}

#[test]
fn logits_equal_torch_for_any_number_of_images() -> Result<()> {
    let golden = golden();
    for (file, network, ..) in FILES {
        let (model, x) = (read(file), &golden[&format!("{network}.x")]);
        let want = &golden[&format!("{network}.y")];
        assert_eq!((model.classes, model.input), (5, (x.dim(2)?, x.dim(3)?)), "{file}");
        check(file, &outputs(network, &run(&model.graph, &model.weights, x).unwrap())?, want)?;
        let three = Tensor::cat(&[x, &x.narrow(0, 0, 1)?], 0)?;
        let three = outputs(network, &run(&model.graph, &model.weights, &three).unwrap())?;
        check(file, &three.narrow(0, 1, 2)?, &Tensor::cat(&[want.get(1)?, want.get(0)?], 0)?.reshape((2, 5))?)?;
    }
    Ok(())
}

#[test]
fn gradcam_equals_torch_at_the_module_of_that_name() -> Result<()> {
    let golden = golden();
    // The golden map of "sharp" belongs to log-probabilities and not to logits.
    for (file, network, module, _) in FILES.into_iter().filter(|(_, network, ..)| *network != "sharp") {
        let model = read(file);
        let cut = Cut::at(&model.graph, module).unwrap();
        let mut value = cut.trunk(&model.graph, &model.weights, &golden[&format!("{network}.x")]).unwrap();
        let at = Var::from_tensor(&value.at)?;
        value.at = at.as_tensor().clone();
        let logits = cut.head(&model.graph, &model.weights, &value).unwrap();
        let target = (logits.get(0)?.get(1)? + logits.get(1)?.get(2)?)?;
        let slope = gradient(&target, &at)?;
        let layout = model.graph.node(cut.node()).layout;
        let positions =
            |t: &Tensor| layout.positions(t).map(|positions| positions.unwrap_or_else(|| panic!("{file}: {layout:?}")));
        let (a, slope) = (positions(&at.as_detached_tensor())?, positions(&slope)?);
        let raw = a.values.broadcast_mul(&slope.values.mean_keepdim(1)?)?.sum(2)?.reshape((2, a.h, a.w))?;
        check(file, &raw, &golden[&format!("{network}.cam")])?;
    }
    Ok(())
}

#[test]
fn default_nodes_for_saliency_maps() {
    for (file, _, _, node) in FILES {
        assert_eq!(read(file).cam_node.as_deref(), Some(node), "{file}");
    }
}

/// Before version 17 of the operators, files contain layer norms in parts.
#[test]
fn layer_norms_in_parts_become_one_operation() {
    let model = read("vit_older_any");
    let count = |is: &dyn Fn(&Op) -> bool| model.graph.nodes().iter().filter(|node| is(&node.op)).count();
    assert_eq!(count(&|op| matches!(op, Op::LayerNorm { .. })), 5);
    assert_eq!(count(&|op| matches!(op, Op::Reduce(_) | Op::Binary(Binary::Sub | Binary::Div))), 0);
    let weights: Vec<_> = model.graph.parameters().into_iter().map(|parameter| parameter.name).collect();
    assert!(weights.contains(&"blocks.1.norm1.weight".into()) && weights.contains(&"norm.bias".into()), "{weights:?}");
}

#[test]
fn every_node_can_be_cut() -> Result<()> {
    let golden = golden();
    for (file, network) in [("cnn_old_any", "cnn"), ("vit_old_any", "vit"), ("swin_new_any", "swin")] {
        let (model, x) = (read(file), &golden[&format!("{network}.x")]);
        let whole = run(&model.graph, &model.weights, x).unwrap().to_vec2::<f32>()?;
        for node in model.graph.nodes() {
            let cut = Cut::at(&model.graph, &node.name).unwrap();
            let value = cut.trunk(&model.graph, &model.weights, x).unwrap();
            let again = cut.head(&model.graph, &model.weights, &value).unwrap();
            assert_eq!(again.to_vec2::<f32>()?, whole, "{file}: {}", node.name);
        }
    }
    Ok(())
}

#[test]
fn weights_keep_their_names() {
    let model = read("vit_old_any");
    for name in ["cls_token", "pos_embed", "patch_embed.proj.weight", "blocks.0.norm1.weight", "head.weight"] {
        assert!(model.weights.contains_key(name), "{name} of {:?}", model.weights.keys());
    }
    assert!(model.weights.values().all(|weight| weight.dtype() == DType::F32));
}

/// Neither truncated files nor files with a changed byte cause a panic.
#[test]
fn damaged_files_are_errors() {
    let whole = std::fs::read(path("cnn_old_any.onnx")).unwrap();
    let folder = std::env::temp_dir().join(format!("hard-imagenet-onnx-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("damaged.onnx");
    let mut failed = 0;
    for at in (0..whole.len()).step_by(29) {
        std::fs::write(&file, &whole[..at]).unwrap();
        failed += usize::from(OnnxModel::read(&file).is_err());
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        std::fs::write(&file, changed).unwrap();
        let _ = OnnxModel::read(&file);
    }
    std::fs::remove_dir_all(&folder).unwrap();
    // The last field holds the version of the operators.
    assert!(failed + 1 >= whole.len().div_ceil(29), "{failed}");
    let error = OnnxModel::read(&path("absent.onnx")).unwrap_err().to_string();
    assert!(error.contains("cannot read") && error.contains("absent.onnx"), "{error}");
}
