use crate::cam::{cut, explanations, id, places, targets};
use crate::{Explain, ExplainError, ExplainRequest, Explanation};
use candle_core::{DType, Tensor};
use hard_imagenet_kernels::{softmax, upsample_bilinear2d};
use hard_imagenet_models::Positions;

/// ScoreCAM (Wang et al. 2020) at the model's own node or at a chosen one. It
/// needs no gradients but many passes.
///
/// Each channel is resized bilinearly to the input's size with corners aligned, scaled to [0, 1], and multiplied with
/// the input. The weights w_k are the softmax over channels of the target's logits, and raw = Σ w_k A_k. As in
/// pytorch-grad-cam, the logit of an empty image is not subtracted; it would cancel in the softmax. Each channel needs
/// one pass of the whole network: 2,048 passes for ResNet-50. The map is scaled like GradCAM's.
#[derive(Clone, Debug)]
pub struct ScoreCam {
    /// The node to look from; `None` for the model's `cam_node`.
    pub node: Option<String>,
    /// Number of masked inputs that go through the network at once.
    pub batch_size: usize,
}

impl Default for ScoreCam {
    fn default() -> Self {
        Self { node: None, batch_size: 16 }
    }
}

impl Explain for ScoreCam {
    fn id(&self) -> String {
        id("scorecam", self.node())
    }

    fn node(&self) -> Option<&str> {
        self.node.as_deref()
    }

    fn explain_request(&self, mut request: ExplainRequest<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let (images, height, width) = request.image_size()?;
        let (model, x) = (request.model, request.x);
        let cut = cut(model, self.node())?;
        let node = model.graph().node(cut.node());
        let Positions { values, h, w } = places(node, &model.value(&node.name, x)?)?;
        let channels = values.dim(2)?;

        let mut raw = Vec::with_capacity(images);
        for (image, &class) in request.classes.iter().enumerate() {
            let input = x.narrow(0, image, 1)?;
            let values = values.narrow(0, image, 1)?;
            let masks = values.squeeze(0)?.t()?.reshape((channels, 1, h, w))?;
            let mut scores = Vec::with_capacity(channels);
            for first in (0..channels).step_by(self.batch_size.max(1)) {
                let count = self.batch_size.max(1).min(channels - first);
                let masks = upsample_bilinear2d(&masks.narrow(0, first, count)?, (height, width), true)?;
                let masked = input.broadcast_mul(&scale_masks(&masks)?.to_dtype(input.dtype())?)?;
                scores.push(targets(&model.forward(&masked)?, &vec![class; count])?);
                request.report_progress(image * channels + first + count, images * channels)?;
            }
            let weights = softmax(&Tensor::cat(&scores, 0)?)?;
            raw.push(values.matmul(&weights.reshape((1, channels, 1))?)?.squeeze(2)?);
        }
        explanations(&Tensor::cat(&raw, 0)?, (h, w), (height, width))
    }
}

/// Scales each of the masks `(K, 1, H, W)` to [0, 1].
fn scale_masks(masks: &Tensor) -> candle_core::Result<Tensor> {
    let flat = masks.flatten_from(1)?.to_dtype(DType::F32)?;
    let least = flat.min_keepdim(1)?;
    let range = ((flat.max_keepdim(1)? - &least)? + 1e-8)?;
    flat.broadcast_sub(&least)?.broadcast_div(&range)?.reshape(masks.shape())
}
