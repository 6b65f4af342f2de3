use crate::cam::targets;
use crate::{Explain, ExplainError, Explanation, Question, pixels};
use candle_core::{DType, Device, Tensor};
use hard_imagenet_kernels::{softmax, upsample_bilinear2d};
use hard_imagenet_perturbations::NoiseKey;
use std::ops::Range;

/// RISE (Petsiuk, Das, Saenko 2018): the class's mean probability over random masks that leave a pixel visible. Needs
/// nothing of a network but its answers.
///
/// A mask M is a grid of cells, each open with probability p, resized bilinearly (half-pixel centres) to one cell more
/// than the input each way, of which a window of the input's size is taken at random. With f the class's softmax,
/// raw = 1/(n p) Σ f(x ∘ M_i) M_i (eq. 6), at the input's resolution; x is the normalised input, so that what is hidden
/// takes the mean colour. The map is raw scaled linearly from least and greatest to [0, 1].
///
/// Mask i is that of the image's key, forked by i: neither the batch nor the number of masks changes it. One pass of the
/// whole network a mask.
#[derive(Clone, Debug)]
pub struct Rise {
    /// Masks an image, n.
    pub masks: usize,
    /// Cells along each side of a mask.
    pub grid: usize,
    /// Probability that a cell is open, p, in (0, 1].
    pub open: f64,
    /// Masked inputs that go through the network together.
    pub batch: usize,
}

impl Default for Rise {
    /// 1000 masks of 7 × 7 cells, half of them open. The paper takes 4000 for VGG-16 and 8000 for ResNet-50; the map's
    /// noise goes with 1/√n, so that it is two and three times as large here.
    fn default() -> Self {
        Self { masks: 1000, grid: 7, open: 0.5, batch: 16 }
    }
}

impl Explain for Rise {
    fn id(&self) -> String {
        "rise".into()
    }

    fn is_random(&self) -> bool {
        true
    }

    fn answer(&self, mut question: Question<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let (images, height, width) = question.size()?;
        let (model, x) = (question.model, question.x);
        let (count, batch) = (self.masks.max(1), self.batch.max(1));

        let mut raw = Vec::with_capacity(images);
        for (image, key) in question.keys_for(self)?.into_iter().enumerate() {
            let picture = x.narrow(0, image, 1)?;
            let mut sum = Tensor::zeros((1, height * width), DType::F32, x.device())?;
            for first in (0..count).step_by(batch) {
                let numbers = first..count.min(first + batch);
                let masks = self.masks(key, numbers.clone(), (height, width), x.device())?;
                let probabilities = softmax(&model.forward(&picture.broadcast_mul(&masks.to_dtype(x.dtype())?)?)?)?;
                let scores = targets(&probabilities, &vec![question.classes[image]; numbers.len()])?;
                sum = (sum + scores.unsqueeze(0)?.matmul(&masks.flatten_from(1)?)?)?;
                question.done(image * count + numbers.end, images * count)?;
            }
            raw.push((sum / (count as f64 * self.open))?.reshape((1, height, width))?);
        }
        pixels::explanations(&Tensor::cat(&raw, 0)?)
    }
}

impl Rise {
    /// The masks of these numbers, `(n, 1, H, W)`, f32 in [0, 1].
    fn masks(
        &self,
        key: NoiseKey,
        numbers: Range<usize>,
        (height, width): (usize, usize),
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        const STEPS: u64 = 1 << 24;
        let grid = self.grid.max(1);
        let cells = (grid * grid) as u64;
        let side = |pixels: usize| pixels.div_ceil(grid).max(1);
        let (rows, columns) = (side(height), side(width));

        let keys: Vec<NoiseKey> = numbers.map(|number| key.fork(&number.to_string())).collect();
        let is_open = |key: &NoiseKey, cell| (key.below(cell, STEPS) as f64) < self.open * STEPS as f64;
        let open = keys.iter().flat_map(|key| (0..cells).map(|cell| f32::from(u8::from(is_open(key, cell))))).collect();
        let open = Tensor::from_vec(open, (keys.len(), 1, grid, grid), device)?;
        let large = upsample_bilinear2d(&open, ((grid + 1) * rows, (grid + 1) * columns), false)?;
        let window = |(i, key): (usize, &NoiseKey)| {
            let (top, left) = (key.below(cells, rows as u64), key.below(cells + 1, columns as u64));
            large.narrow(0, i, 1)?.narrow(2, top as usize, height)?.narrow(3, left as usize, width)
        };
        let windows = keys.iter().enumerate().map(window).collect::<candle_core::Result<Vec<_>>>()?;
        Tensor::cat(&windows, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_open_by_half_and_follow_from_key_and_number() -> candle_core::Result<()> {
        let (rise, key, size) = (Rise::default(), NoiseKey::new(0, "a", 0), (45, 38));
        let masks = |key, numbers| rise.masks(key, numbers, size, &Device::Cpu)?.flatten_from(1)?.to_vec2::<f32>();
        let all = masks(key, 0..400)?;
        assert!(all.iter().flatten().all(|v| (0.0..=1.0).contains(v)));
        // The mean of 400 · 49 cells has a standard deviation of 0.0036, and a corner's of 400 one of 0.025.
        let mean = |values: &mut dyn Iterator<Item = f32>| values.sum::<f32>() / 400.0;
        let of_all = mean(&mut all.iter().map(|mask| mask.iter().sum::<f32>() / mask.len() as f32));
        assert!((of_all - 0.5).abs() < 0.015, "{of_all}");
        for corner in [0, 37, 44 * 38, 45 * 38 - 1] {
            let of_corner = mean(&mut all.iter().map(|mask| mask[corner]));
            assert!((of_corner - 0.5).abs() < 0.1, "{corner}: {of_corner}");
        }
        assert_eq!(masks(key, 7..9)?, all[7..9]);
        assert_ne!(masks(NoiseKey::new(0, "b", 0), 7..9)?, all[7..9]);
        Ok(())
    }
}
