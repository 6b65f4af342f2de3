//! Maps that do not depend on the decision. An explainer should score better than they do.

use crate::cam::{cut, id, scaled};
use crate::{Explain, ExplainError, ExplainRequest, Explanation};
use hard_imagenet_masks::Heatmap;
use hard_imagenet_models::Layout;

/// Uniform noise in [0, 1) at the resolution of the model's own node or of a chosen one.
///
/// The map is scaled like GradCAM's, so its blobs have the size of those in a CAM from this node. A value follows from
/// the image's key and the value's place in the node alone.
#[derive(Clone, Debug, Default)]
pub struct RandomMap {
    /// The node to look from; `None` for the model's `cam_node`.
    pub node: Option<String>,
}

impl Explain for RandomMap {
    fn id(&self) -> String {
        id("random", self.node())
    }

    fn node(&self) -> Option<&str> {
        self.node.as_deref()
    }

    fn is_random(&self) -> bool {
        true
    }

    fn explain_request(&self, request: ExplainRequest<'_>) -> Result<Vec<Explanation>, ExplainError> {
        const STEPS: u64 = 1 << 24;
        let (_, height, width) = request.image_size()?;
        let graph = request.model.graph();
        let at = cut(request.model, self.node())?.node();
        let (node, shapes) =
            (graph.node(at), graph.shapes(request.x.dims()).map_err(hard_imagenet_models::ModelError::from)?);
        let (h, w) = match (node.layout, shapes[at.index()].as_slice()) {
            (Layout::Nchw, &[_, _, h, w]) | (Layout::Nhwc, &[_, h, w, _]) | (Layout::Tokens { h, w, .. }, _) => (h, w),
            (layout, _) => return Err(ExplainError::Place { node: node.name.clone(), layout }),
        };
        let explanation = |key: hard_imagenet_perturbations::NoiseKey| {
            let value = |place| key.below(place, STEPS) as f32 / STEPS as f32;
            let raw = Heatmap::from_vec(h, w, (0..(h * w) as u64).map(value).collect()).expect("one value per pixel");
            Explanation { map: scaled(&raw, height, width), raw }
        };
        Ok(request.forked_keys(self)?.into_iter().map(explanation).collect())
    }
}

/// A Gaussian on the center of the image, with a standard deviation of a quarter of each side.
///
/// Photographers put the object in the middle, and the images of Hard ImageNet are cropped to their center. The map is
/// above one half on 27 % of the image. It is computed at the input's resolution, so `raw` is the Gaussian itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct CenterPrior;

impl Explain for CenterPrior {
    fn id(&self) -> String {
        "centre".into()
    }

    fn explain_request(&self, request: ExplainRequest<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let (images, height, width) = request.image_size()?;
        let sigmas = |at: usize, side: usize| ((at as f32 + 0.5) / side as f32 - 0.5) * 4.0;
        let value = |(y, x): (f32, f32)| (-0.5 * (y * y + x * x)).exp();
        let places =
            (0..height).flat_map(|row| (0..width).map(move |column| (sigmas(row, height), sigmas(column, width))));
        let raw = Heatmap::from_vec(height, width, places.map(value).collect()).expect("one value per pixel");
        let explanation = Explanation { map: scaled(&raw, height, width), raw };
        Ok(vec![explanation; images])
    }
}
