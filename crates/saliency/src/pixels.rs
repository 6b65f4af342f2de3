//! What maps at the input's own resolution have in common.

use crate::{ExplainError, Explanation};
use candle_core::Tensor;
use hard_imagenet_masks::Heatmap;

/// Raw maps `(B, H, W)`, f32, and what is shown of them.
pub(crate) fn explanations(raw: &Tensor) -> Result<Vec<Explanation>, ExplainError> {
    let (_, height, width) = raw.dims3()?;
    let explanation = |values: Vec<f32>| Explanation {
        map: Heatmap::from_vec(height, width, scaled(&values)),
        raw: Heatmap::from_vec(height, width, values),
    };
    Ok(raw.flatten_from(1)?.to_vec2()?.into_iter().map(explanation).collect())
}

/// Without the negative part, the least to 0 and the greatest to 1; zeros where they are one, and for NaN. Nothing is
/// added to the range, as pytorch-grad-cam does for CAMs: a pixel's share of a logit may be as small as what is added.
fn scaled(raw: &[f32]) -> Vec<f32> {
    // f32::max gives 0 for NaN.
    let positive = raw.iter().map(|v| v.max(0.0));
    let least = positive.clone().fold(f32::INFINITY, f32::min);
    let range = positive.clone().fold(0.0, f32::max) - least;
    positive.map(|v| if range > 0.0 { (v - least) / range } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_positive_part_from_0_to_1() {
        let check = |raw: &[f32], want: &[f32]| assert_eq!(scaled(raw), want);
        check(&[1.0, 3.0, 2.0], &[0.0, 1.0, 0.5]);
        check(&[-4.0, 2e-9, 1e-9], &[0.0, 1.0, 0.5]);
        check(&[f32::NAN, 2.0], &[0.0, 1.0]);
        check(&[-1.0, -2.0], &[0.0, 0.0]);
        check(&[0.5, 0.5], &[0.0, 0.0]);
        check(&[], &[]);
    }
}
