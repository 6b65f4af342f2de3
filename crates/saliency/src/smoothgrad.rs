use crate::cam::explanations;
use crate::gradient::{input_gradient, magnitudes};
use crate::{Explain, ExplainError, ExplainRequest, Explanation};
use candle_core::{DType, Tensor};
use hard_imagenet_perturbations::normals;

/// SmoothGrad (Smilkov et al. 2017; captum's `NoiseTunnel` with `Saliency(abs=False)`): the mean of the input's
/// gradients at noisy copies of the input.
///
/// The noise is normal. Its standard deviation is `sigma` times the image's range (the largest minus the smallest value
/// of the normalized input), as in the paper. The noise of copy `n` follows from the image's key and `n`, so neither
/// the batch nor its order matters. Gradients are averaged with their sign. Then `raw` `(H, W)` is the largest
/// magnitude over channels and `map` is raw scaled to [0, 1], as for [`Gradient`](crate::Gradient).
#[derive(Clone, Debug)]
pub struct SmoothGrad {
    /// Number of noisy copies. The paper finds little improvement beyond 50.
    pub copies: usize,
    /// Standard deviation of the noise, as a share of the image's range. The paper recommends 0.1 to 0.2.
    pub sigma: f32,
    /// Number of copies that go through the network at once.
    pub batch_size: usize,
}

impl Default for SmoothGrad {
    fn default() -> Self {
        Self { copies: 50, sigma: 0.15, batch_size: 16 }
    }
}

impl Explain for SmoothGrad {
    fn id(&self) -> String {
        "smoothgrad".into()
    }

    fn is_random(&self) -> bool {
        true
    }

    fn explain_request(&self, mut request: ExplainRequest<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let (images, height, width) = request.image_size()?;
        let (model, classes) = (request.model, request.classes);
        let (copies, batch) = (self.copies.max(1), self.batch_size.max(1));
        let mut raw = Vec::with_capacity(images);
        for (image, key) in request.forked_keys(self)?.into_iter().enumerate() {
            let x = request.x.narrow(0, image, 1)?.to_dtype(DType::F32)?;
            let range = (x.max_all()? - x.min_all()?)?.to_scalar::<f32>()?;
            let mut sum = x.zeros_like()?;
            for first in (0..copies).step_by(batch) {
                let count = batch.min(copies - first);
                let draw = |copy: usize| normals(key.fork(&copy.to_string()), x.elem_count());
                let noise: Vec<f32> = (first..first + count).flat_map(draw).collect();
                let noise = Tensor::from_vec(noise, (count, x.dim(1)?, height, width), x.device())?;
                let noisy = x.broadcast_add(&noise.affine(f64::from(self.sigma * range), 0.0)?)?;
                let slopes = input_gradient(model, &noisy, &vec![classes[image]; count])?;
                sum = (sum + slopes.sum_keepdim(0)?)?;
                request.report_progress(image * copies + first + count, images * copies)?;
            }
            raw.push(magnitudes(&sum.affine(1.0 / copies as f64, 0.0)?)?);
        }
        explanations(&Tensor::cat(&raw, 0)?, (height, width), (height, width))
    }
}
