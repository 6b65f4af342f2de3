use crate::cam::{explanations, targets};
use crate::{Explain, ExplainError, ExplainRequest, Explanation};
use candle_core::{DType, Tensor};
use hard_imagenet_kernels::softmax;
use hard_imagenet_masks::Heatmap;
use hard_imagenet_perturbations::NoiseKey;

/// RISE (Petsiuk, Das and Saenko 2018): the mean of random masks, each weighted by the target's probability for the
/// masked input (eq. 6). Only the network's output is used.
///
/// A mask is a grid of `grid` × `grid` values, each 1 with probability `p` and 0 otherwise. It is enlarged bilinearly
/// to `grid` + 1 cells of ⌈H / grid⌉ × ⌈W / grid⌉ pixels in each direction and cropped at a random place within a cell
/// (section 3.2 and the published code). Masked pixels become the mean color. Mask `n` of an image follows from the
/// image's key and `n` alone. `raw` `(H, W)` is Σ y_n m_n / (N p), and `map` is raw scaled to [0, 1] like GradCAM's
/// map.
#[derive(Clone, Debug)]
pub struct Rise {
    /// Number of masks, N. The paper takes 4,000 for VGG-16 and 8,000 for ResNet-50. The noise of the map falls with 1
    /// / √N.
    pub masks: usize,
    /// Number of cells along each side of a mask.
    pub grid: usize,
    /// Probability that a cell shows the input.
    pub p: f64,
    /// Number of masked inputs that go through the network at once.
    pub batch_size: usize,
}

impl Default for Rise {
    fn default() -> Self {
        Self { masks: 1000, grid: 7, p: 0.5, batch_size: 16 }
    }
}

impl Rise {
    /// Returns one mask, row by row, in [0, 1].
    fn mask(&self, key: NoiseKey, height: usize, width: usize) -> Vec<f32> {
        const STEPS: u64 = 1 << 53;
        let grid = self.grid.max(1);
        // The network rejects an image without pixels.
        let cell = |side: usize| side.div_ceil(grid).max(1);
        let (cell_h, cell_w) = (cell(height), cell(width));
        let shown = |value| f32::from(u8::from((key.below(value, STEPS) as f64) < self.p * STEPS as f64));
        let count = (grid * grid) as u64;
        let coarse = Heatmap::from_vec(grid, grid, (0..count).map(shown).collect()).expect("one value per pixel");
        let fine = coarse.resize((grid + 1) * cell_h, (grid + 1) * cell_w);
        let down = key.below(count, cell_h as u64) as usize;
        let right = key.below(count + 1, cell_w as u64) as usize;
        let rows = fine.as_slice().chunks(fine.width()).skip(down).take(height);
        rows.flat_map(|row| row[right..right + width].to_vec()).collect()
    }
}

impl Explain for Rise {
    fn id(&self) -> String {
        "rise".into()
    }

    fn is_random(&self) -> bool {
        true
    }

    fn explain_request(&self, mut request: ExplainRequest<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let (images, height, width) = request.image_size()?;
        let (model, classes) = (request.model, request.classes);
        let (total, batch) = (self.masks.max(1), self.batch_size.max(1));
        let mut raw = Vec::with_capacity(images);
        for (image, key) in request.forked_keys(self)?.into_iter().enumerate() {
            let x = request.x.narrow(0, image, 1)?.to_dtype(DType::F32)?;
            let mut sum = Tensor::zeros((1, height * width), DType::F32, x.device())?;
            for first in (0..total).step_by(batch) {
                let count = batch.min(total - first);
                let mask = |n: usize| self.mask(key.fork(&n.to_string()), height, width);
                let masks: Vec<f32> = (first..first + count).flat_map(mask).collect();
                let masks = Tensor::from_vec(masks, (count, 1, height, width), x.device())?;
                let logits = model.forward(&x.broadcast_mul(&masks)?)?;
                let scores = targets(&softmax(&logits)?, &vec![classes[image]; count])?;
                sum = (sum + scores.unsqueeze(0)?.matmul(&masks.flatten_from(1)?)?)?;
                request.report_progress(image * total + first + count, images * total)?;
            }
            raw.push(sum.affine(1.0 / (total as f64 * self.p), 0.0)?);
        }
        explanations(&Tensor::cat(&raw, 0)?, (height, width), (height, width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each pixel is a mixture of cells, so the mean of many masks is p everywhere.
    #[test]
    fn masks_show_each_pixel_with_probability_p() {
        let rise = Rise { p: 0.3, ..Rise::default() };
        let mut mean = vec![0.0; 20 * 26];
        for n in 0..2000 {
            let mask = rise.mask(NoiseKey(n), 20, 26);
            assert!(mask.iter().all(|v| (0.0..=1.0).contains(v)));
            mean.iter_mut().zip(&mask).for_each(|(mean, value)| *mean += value / 2000.0);
        }
        // The standard deviation is at most √(p q / 2000) = 0.01.
        assert!(mean.iter().all(|v| (v - 0.3).abs() < 0.05), "{mean:?}");
    }
}
