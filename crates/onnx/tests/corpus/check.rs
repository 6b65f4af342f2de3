//! What holds for any bytes. The fuzz target and the test of changed files share it.

use hard_imagenet_onnx::OnnxModel;
use std::path::Path;

/// An ONNX file: an error, or a network whose weights are there.
pub(crate) fn onnx(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("a writable folder");
    let Ok(model) = OnnxModel::read(path) else { return };
    for parameter in model.graph.parameters() {
        assert_eq!(model.weights[&parameter.name].dims(), parameter.shape, "{}", parameter.name);
    }
}
