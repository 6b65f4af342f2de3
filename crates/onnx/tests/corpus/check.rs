//! Checks that hold for any bytes. The fuzz target and the test of changed files share them.

use hard_imagenet_onnx::OnnxModel;
use std::path::Path;

/// Reads the bytes as an ONNX file and checks that it is an error or a network that has all its weights.
pub(crate) fn onnx(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("a writable folder");
    let Ok(model) = OnnxModel::read(path) else { return };
    for parameter in model.graph.parameters() {
        assert_eq!(model.weights[&parameter.name].dims(), parameter.shape, "{}", parameter.name);
    }
}
