//! Checks that images of a batch do not affect each other.

use crate::{OnnxError, PixelRange};
use candle_core::{Device, Tensor};
use hard_imagenet_graph::{Graph, WeightMap, run};
use std::path::Path;

/// Checks that the second of two images has the same logits alone and after the first, up to rounding. Returns whether the
/// logits of both look like the result of a softmax: no number is negative, and their sum is 1.
pub(crate) fn check_independence(
    graph: &Graph,
    weights: &WeightMap,
    input: (usize, usize),
    range: PixelRange,
    path: &Path,
) -> Result<bool, OnnxError> {
    let images = test_images(input)?;
    let images = match range {
        PixelRange::Unstated => images,
        PixelRange::Unit => images.affine(0.5, 0.5)?,
        PixelRange::Bytes => images.affine(127.5, 127.5)?,
    };
    let second = |logits: Tensor| logits.get(logits.dim(0)? - 1)?.to_vec1::<f32>();
    let both = run(graph, weights, &images)?;
    let is_probabilities =
        |row: &Vec<f32>| row.len() > 1 && row.iter().all(|&p| p >= 0.0) && (row.iter().sum::<f32>() - 1.0).abs() < 1e-3;
    let are_probabilities = both.to_vec2::<f32>()?.iter().all(is_probabilities);
    let together = second(both)?;
    let alone = second(run(graph, weights, &images.narrow(0, 1, 1)?)?)?;
    let largest = alone.iter().fold(1e-3f32, |largest, v| largest.max(v.abs()));
    if together.iter().zip(&alone).any(|(a, b)| (a - b).abs() > 1e-2 * largest) {
        let message = "images of a batch change each other's logits: export it for any number of images \
                       (`dynamic_axes` or `dynamic_shapes` of torch.onnx.export)";
        return Err(OnnxError::Format { path: path.to_owned(), message: message.into() });
    }
    Ok(are_probabilities)
}

/// Returns two images of irregular numbers in [-1, 1), `(2, 3, H, W)`.
fn test_images((height, width): (usize, usize)) -> Result<Tensor, candle_core::Error> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    let values: Vec<f32> = (0..6 * height * width).map(|_| next()).collect();
    Tensor::from_vec(values, (2, 3, height, width), &Device::Cpu)
}
