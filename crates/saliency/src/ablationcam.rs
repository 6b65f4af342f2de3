use crate::cam::{cut, explanations, id, places, targets};
use crate::{Explain, ExplainError, ExplainRequest, Explanation};
use candle_core::{DType, Tensor};
use hard_imagenet_models::{CutValues, Layout, Positions};

/// AblationCAM (Desai and Ramaswamy 2020) at the model's own node or at a chosen one. It needs no
/// gradients but many passes through the head.
///
/// With y the target's logit and y_k the logit without channel k, the weights are w_k = (y - y_k) / y (eq. 3), and raw
/// = Σ w_k A_k. A channel is removed as in pytorch-grad-cam: it is set to 0 if the smallest value of the node is 0
/// (after a ReLU), and otherwise to 10⁷ below the smallest value, which is far from anything the network has seen and
/// which f16 cannot represent. (In pytorch-grad-cam each further channel of a batch is another 10⁷ lower. Here all are
/// like the first, so that the batch size does not matter.) Only the head runs again. A logit of exactly 0 gives a map
/// of zeros. The map is scaled like GradCAM's.
#[derive(Clone, Debug)]
pub struct AblationCam {
    /// The node to look from; `None` for the model's `cam_node`.
    pub node: Option<String>,
    /// Number of channels that are removed in one pass, each from its own copy of the node's value.
    pub batch_size: usize,
}

impl Default for AblationCam {
    fn default() -> Self {
        Self { node: None, batch_size: 16 }
    }
}

impl Explain for AblationCam {
    fn id(&self) -> String {
        id("ablationcam", self.node())
    }

    fn node(&self) -> Option<&str> {
        self.node.as_deref()
    }

    fn explain_request(&self, mut request: ExplainRequest<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let (images, height, width) = request.image_size()?;
        let model = request.model;
        let cut = cut(model, self.node())?;
        let node = model.graph().node(cut.node());

        let (mut raw, mut size) = (Vec::with_capacity(images), (0, 0));
        for (image, &class) in request.classes.iter().enumerate() {
            // One image at a time, because carried values need not have one row per image.
            let value = model.trunk(&cut, &request.x.narrow(0, image, 1)?)?;
            let Positions { values, h, w } = places(node, &value.at)?;
            let channels = values.dim(2)?;
            let whole = targets(&model.head(&cut, &value)?, &[class])?;
            let ablated = ablated_value(&value.at)?;
            let mut scores = Vec::with_capacity(channels);
            for first in (0..channels).step_by(self.batch_size.max(1)) {
                let count = self.batch_size.max(1).min(channels - first);
                let without = without(&value, node.layout, ablated, first..first + count)?;
                scores.push(targets(&model.head(&cut, &without)?, &vec![class; count])?);
                request.report_progress(image * channels + first + count, images * channels)?;
            }
            let weights = whole.broadcast_sub(&Tensor::cat(&scores, 0)?)?.broadcast_div(&whole)?;
            raw.push(values.matmul(&weights.reshape((1, channels, 1))?)?.squeeze(2)?);
            size = (h, w);
        }
        explanations(&Tensor::cat(&raw, 0)?, size, (height, width))
    }
}

/// Returns the value to which a removed channel is set.
fn ablated_value(value: &Tensor) -> candle_core::Result<f32> {
    let least = value.to_dtype(DType::F32)?.flatten_all()?.min(0)?.to_scalar::<f32>()?;
    Ok(if least == 0.0 { 0.0 } else { least - 1e7 })
}

/// Returns copies of an image's value at the cut, each without one of the channels.
fn without(
    value: &CutValues,
    layout: Layout,
    ablated: f32,
    channels: std::ops::Range<usize>,
) -> candle_core::Result<CutValues> {
    let count = channels.len();
    let copies = |value: &Tensor| Tensor::cat(&vec![value; count], 0);
    let at = copies(&value.at)?;
    let axis = if layout == Layout::Nchw { 1 } else { at.rank() - 1 };
    let mut shape = vec![1; at.rank()];
    (shape[0], shape[axis]) = (count, at.dim(axis)?);
    let taken = |copy: usize| (0..shape[axis]).map(move |channel| u8::from(channel == channels.start + copy));
    let taken = Tensor::from_vec((0..count).flat_map(taken).collect(), shape.clone(), at.device())?;
    let fill = Tensor::full(ablated, at.shape(), at.device())?.to_dtype(at.dtype())?;
    let at = taken.broadcast_as(at.shape())?.where_cond(&fill, &at)?;
    Ok(CutValues { at, carried: value.carried.iter().map(copies).collect::<Result<_, _>>()? })
}
