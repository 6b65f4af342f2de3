use crate::{Explain, ExplainError, Explanation, Question, input_gradient, pixels};
use candle_core::{DType, Tensor};
use hard_imagenet_perturbations::normals;

/// SmoothGrad (Smilkov et al. 2017): the input gradient's mean over noisy copies of the image.
///
/// With g the gradient of the target's logit and ε_i standard normals, raw = max over channels of
/// |1/n Σ g(x + σ ε_i)|, where σ is a share of the range of x, its greatest value less its least. The map is raw scaled
/// linearly from least and greatest to [0, 1], as for [`InputGradient`](crate::InputGradient).
///
/// The noise of copy i is that of the image's key, forked by i: neither the batch nor the number of copies changes it.
#[derive(Clone, Debug)]
pub struct SmoothGrad {
    /// Noisy copies of an image, n.
    pub copies: usize,
    /// σ as a share of the input's range.
    pub spread: f64,
    /// Copies that go through the network together.
    pub batch: usize,
}

impl Default for SmoothGrad {
    /// 25 copies with a spread of 0.15, the defaults of the authors' code; the paper advises 0.1 to 0.2.
    fn default() -> Self {
        Self { copies: 25, spread: 0.15, batch: 16 }
    }
}

impl Explain for SmoothGrad {
    fn id(&self) -> String {
        "smoothgrad".into()
    }

    fn is_random(&self) -> bool {
        true
    }

    fn answer(&self, mut question: Question<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let (images, ..) = question.size()?;
        let (model, x) = (question.model, question.x.to_dtype(DType::F32)?);
        let (copies, batch) = (self.copies.max(1), self.batch.max(1));

        let mut raw = Vec::with_capacity(images);
        for (image, key) in question.keys_for(self)?.into_iter().enumerate() {
            let picture = x.narrow(0, image, 1)?;
            let range = (picture.max_all()? - picture.min_all()?)?.to_scalar::<f32>()?;
            let (_, channels, height, width) = picture.dims4()?;
            let mut slope = picture.zeros_like()?;
            for first in (0..copies).step_by(batch) {
                let count = batch.min(copies - first);
                let noise = (first..first + count)
                    .flat_map(|copy| normals(key.fork(&copy.to_string()), picture.elem_count()))
                    .collect();
                let noise = Tensor::from_vec(noise, (count, channels, height, width), x.device())?;
                let noisy = picture.broadcast_add(&(noise * (self.spread * f64::from(range)))?)?;
                let slopes = input_gradient(model, &noisy, &vec![question.classes[image]; count])?;
                slope = (slope + slopes.sum_keepdim(0)?)?;
                question.done(image * copies + first + count, images * copies)?;
            }
            raw.push((slope / copies as f64)?.abs()?.max(1)?);
        }
        pixels::explanations(&Tensor::cat(&raw, 0)?)
    }
}
