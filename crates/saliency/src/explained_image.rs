use crate::{Explain, ExplainError, ExplainRequest, Explanation};
use candle_core::{DType, Device, Tensor};
use hard_imagenet_kernels::softmax;
use hard_imagenet_models::Model;
use hard_imagenet_perturbations::NoiseKey;
use std::collections::HashMap;
use std::ops::ControlFlow;

/// What a model says about one image, and why.
#[derive(Clone, Debug)]
pub struct ExplainedImage {
    /// The logits, `(K)`.
    pub logits: Tensor,
    /// The features that the last layer reads, `(D)`.
    pub features: Tensor,
    /// The probability of each class, the most probable class first.
    pub probabilities: Vec<(u32, f32)>,
    /// The class that is explained.
    pub class: u32,
    /// The map for that class.
    pub explanation: Explanation,
}

impl ExplainedImage {
    /// Explains one image `x` `(1, 3, H, W)`, normalized: for `class`, or for the predicted class if none is given.
    ///
    /// An explainer's random numbers follow from `key`. `progress` is called with the passes done and their total;
    /// returning `Break` cancels the work.
    ///
    /// # Errors
    /// Returns the errors of [`Explain::explain_request`], and the model's error for an input that it does not accept.
    pub fn new(
        model: &Model,
        x: &Tensor,
        explainer: &dyn Explain,
        class: Option<u32>,
        key: NoiseKey,
        progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<Self, ExplainError> {
        let features = model.features(x)?.squeeze(0)?;
        let logits = model.forward(x)?.squeeze(0)?;
        let mut probabilities: Vec<(u32, f32)> = (0..).zip(softmax(&logits)?.to_vec1::<f32>()?).collect();
        probabilities.sort_by(|a, b| b.1.total_cmp(&a.1));
        let class = class.or(probabilities.first().map(|(class, _)| *class)).unwrap_or(0);
        let request = ExplainRequest { model, x, classes: &[class], keys: &[key], progress };
        let explanation = explainer.explain_request(request)?.pop();
        let missing = || ExplainError::Failed { explainer: explainer.id(), reason: "it returned no map".into() };
        Ok(Self { logits, features, probabilities, class, explanation: explanation.ok_or_else(missing)? })
    }

    /// Returns the arrays as a safetensors file: `logits` `(K)`, `features` `(D)`, `saliency_raw` `(h, w)` and
    /// `saliency` `(H, W)`.
    ///
    /// # Errors
    /// Returns candle's error if the arrays cannot be copied to the CPU or encoded.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, ExplainError> {
        let Explanation { raw, map } = &self.explanation;
        let cpu = Device::Cpu;
        let arrays = HashMap::from([
            ("logits", self.logits.to_device(&cpu)?),
            ("features", self.features.to_dtype(DType::F32)?.to_device(&cpu)?),
            ("saliency_raw", Tensor::from_slice(raw.as_slice(), (raw.height(), raw.width()), &cpu)?),
            ("saliency", Tensor::from_slice(map.as_slice(), (map.height(), map.width()), &cpu)?),
        ]);
        let bytes = safetensors::serialize(arrays, None);
        Ok(bytes.map_err(|error| candle_core::Error::Msg(error.to_string()))?)
    }
}
