use crate::cam::{self, Formula};
use crate::{ExplainError, ExplainRequest, Explanation};
use candle_core::Tensor;
use hard_imagenet_models::Model;
use std::ops::ControlFlow;

/// GradCAM (Selvaraju et al. 2017) at the model's own node or at a chosen one.
///
/// A_k are the node's channels and y is the target's logit. The weights are w_k = spatial mean of ∂y/∂A_k (eq. 1), and
/// raw = Σ w_k A_k. For the map, the negative part of raw is set to zero (eq. 2); the rest is scaled to [0, 1], resized
/// bilinearly to the input's size and scaled again, as in pytorch-grad-cam. Tokens without a place in the image (class
/// tokens) do not count. A raw map without positive values gives a map of zeros, and NaN gives 0.
///
/// The published benchmark explains an input that is not normalized (docs/QUIRKS.md, Q2). The caller chooses the input.
#[derive(Clone, Debug, Default)]
pub struct GradCam {
    /// The node to look from; `None` for the model's `cam_node`.
    pub node: Option<String>,
}

impl GradCam {
    /// Returns the logits `(B, K)` f32 and the explanations, from one pass through the trunk. `x` is the network's
    /// input `(B, 3, H, W)`, and `classes` has one target class per image.
    ///
    /// # Errors
    /// Returns the errors of [`Explain::explain_request`](crate::Explain::explain_request).
    pub fn explain_with_logits(
        &self,
        model: &Model,
        x: &Tensor,
        classes: &[u32],
    ) -> Result<(Tensor, Vec<Explanation>), ExplainError> {
        let progress = &mut |_, _| ControlFlow::Continue(());
        cam::with_logits::<Self>(self.node.as_deref(), &ExplainRequest { model, x, classes, keys: &[], progress })
    }
}

impl Formula for GradCam {
    const WORD: &'static str = "gradcam";

    fn node(&self) -> Option<&str> {
        self.node.as_deref()
    }

    fn raw(activations: &Tensor, gradients: &Tensor) -> candle_core::Result<Tensor> {
        let weights = gradients.mean_keepdim(1)?;
        activations.matmul(&weights.transpose(1, 2)?.contiguous()?)?.squeeze(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Explain;
    use candle_core::{DType, Device};
    use hard_imagenet_models::{Network, generated, zoo};

    fn planted() -> Model {
        let graph = zoo::graph("planted_resnet", 8).unwrap();
        let weights = generated::weights(&graph).unwrap();
        let spec = zoo::spec("planted_resnet").unwrap();
        Model::new(Network::new(spec, graph, weights, ""), &Device::Cpu, DType::F32).unwrap()
    }

    fn input(batch: usize, height: usize, width: usize) -> Tensor {
        let shape = [batch, 3, height, width];
        Tensor::from_vec(generated::values("input", &shape), &shape, &Device::Cpu).unwrap()
    }

    #[test]
    fn at_the_last_stage_the_gradient_is_the_last_layers_row_of_the_class() -> Result<(), ExplainError> {
        let (model, x) = (planted(), input(2, 64, 48));
        let explanations = GradCam::default().explain(&model, &x, &[3, 7])?;
        let activation = model.value("layer3", &x)?;
        let (_, channels, h, w) = activation.dims4()?;
        assert_eq!((h, w), (8, 6));
        for (i, class) in [3, 7].into_iter().enumerate() {
            let row = (model.weights()["fc.weight"].get(class)? / (h * w) as f64)?.reshape((channels, 1, 1))?;
            let want = activation.get(i)?.broadcast_mul(&row)?.sum(0)?.flatten_all()?.to_vec1::<f32>()?;
            let got = &explanations[i].raw;
            let largest = want.iter().fold(0f32, |m, v| m.max(v.abs()));
            for (got, want) in got.as_slice().iter().zip(&want) {
                assert!((got - want).abs() < 1e-5 * largest, "{got} {want}");
            }
            assert_eq!((explanations[i].map.height(), explanations[i].map.width()), (64, 48));
            let best = explanations[i].map.as_slice().iter().fold(0f32, |m, v| m.max(*v));
            assert!((best - 1.0).abs() < 1e-5);
        }
        Ok(())
    }

    #[test]
    fn the_logits_equal_those_of_the_whole_network() -> Result<(), ExplainError> {
        let (model, x) = (planted(), input(2, 32, 32));
        for node in model.nodes().filter(|node| node.layout.has_positions()) {
            let gradcam = GradCam { node: Some(node.name.clone()) };
            let (logits, _) = gradcam.explain_with_logits(&model, &x, &[1, 4])?;
            let error = (logits - model.forward(&x)?)?.abs()?.max_all()?.to_scalar::<f32>()?;
            assert!(error < 1e-5, "{}: {error}", node.name);
        }
        Ok(())
    }

    #[test]
    fn errors_name_the_class_the_count_or_the_node() {
        let (model, x) = (planted(), input(1, 32, 32));
        let check = |node: Option<&str>, classes: &[u32], part: &str| {
            let gradcam = GradCam { node: node.map(str::to_owned) };
            let error = gradcam.explain(&model, &x, classes).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        check(None, &[8], "class 8 of a model with 8 classes (0 to 7)");
        check(None, &[1, 2], "1 images need as many classes, got 2");
        check(Some("fc"), &[1], "no place in the image");
        check(Some("layer9"), &[1], "no node \"layer9\"");
    }
}
