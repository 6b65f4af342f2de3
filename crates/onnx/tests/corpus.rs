//! Compares whole models of timm, exported by `tests/golden/export_timm.py`, with torch's logits.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a test may print and read its settings")]

use candle_core::{Device, Tensor};
use hard_imagenet_graph::{Cut, run};
use hard_imagenet_onnx::OnnxModel;
use std::path::PathBuf;

/// Run `python crates/onnx/tests/golden/export_timm.py FOLDER`, then
/// `HARD_IMAGENET_ONNX=FOLDER cargo test --release -p hard-imagenet-onnx --test corpus -- --ignored --nocapture`.
#[test]
#[ignore = "needs the folder of golden/export_timm.py: HARD_IMAGENET_ONNX=folder cargo test --release -p hard-imagenet-onnx --test corpus -- --ignored --nocapture"]
fn logits_of_every_model_in_a_folder() {
    let folder = std::env::var("HARD_IMAGENET_ONNX").expect("HARD_IMAGENET_ONNX names the folder");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "onnx"));
    files.sort();
    let mut failed = 0;
    for path in &files {
        let name = path.file_name().unwrap().to_string_lossy();
        match compare_with_torch(path) {
            Ok((error, cam)) if error < 1e-3 => println!("ok   {name}: {error:.1e}, CAM node {cam}"),
            Ok((error, _)) => {
                failed += 1;
                println!("FAIL {name}: {error:.1e}");
            }
            Err(error) => {
                failed += 1;
                println!("FAIL {name}: {}", error.to_string().lines().next().unwrap_or_default());
            }
        }
    }
    println!("{} of {} equal torch", files.len() - failed, files.len());
    assert_eq!(failed, 0);
}

/// Returns the largest difference of the logits relative to the largest logit, and the default CAM node.
fn compare_with_torch(path: &std::path::Path) -> Result<(f32, String), Box<dyn std::error::Error>> {
    let stored = candle_core::safetensors::load(format!("{}.safetensors", path.display()), &Device::Cpu)?;
    let model = OnnxModel::read(path)?;
    let got = run(&model.graph, &model.weights, &stored["x"])?;
    let want = &stored["y"];
    let largest = |t: &Tensor| t.abs()?.max_all()?.to_scalar::<f32>();
    let error = largest(&(got - want)?)? / largest(want)?;
    let cam = model.cam_node.unwrap_or_else(|| "none".into());
    if cam != "none" {
        Cut::at(&model.graph, &cam)?;
    }
    Ok((error, cam))
}
