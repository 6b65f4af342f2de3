use crate::cam::{cut, explanations, id, places};
use crate::{Explain, ExplainError, ExplainRequest, Explanation};
use candle_core::{D, DType, Device, Tensor};
use hard_imagenet_models::Positions;

/// EigenCAM (Muhammad and Yeasin 2020) at the model's own node or at a chosen one.
///
/// The activations of an image, a matrix of places × channels, are centered by subtracting each channel's mean and
/// projected on their first right singular vector. raw is the projection. It does not depend on the class: it shows
/// what varies most, whatever that speaks for. The map is scaled like GradCAM's.
///
/// A singular vector has no sign of its own, and pytorch-grad-cam's `EigenCAM` takes the sign that LAPACK happens to
/// return. Here the value of the largest magnitude is positive, as in its `SegEigenCAM` (Chung and Ying 2025, eq. 13),
/// so that maps are the same on every machine.
#[derive(Clone, Debug, Default)]
pub struct EigenCam {
    /// The node to look from; `None` for the model's `cam_node`.
    pub node: Option<String>,
}

impl Explain for EigenCam {
    fn id(&self) -> String {
        id("eigencam", self.node())
    }

    fn node(&self) -> Option<&str> {
        self.node.as_deref()
    }

    fn explain_request(&self, request: ExplainRequest<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let (_, height, width) = request.image_size()?;
        let cut = cut(request.model, self.node())?;
        let node = request.model.graph().node(cut.node());
        let value = request.model.value(&node.name, request.x)?;
        let Positions { values, h, w } = places(node, &value)?;
        explanations(&project(&values)?, (h, w), (height, width))
    }
}

/// Returns the projections of values `(B, P, C)` on their first principal component, `(B, P)`. Computes in f64 on the
/// CPU.
fn project(values: &Tensor) -> candle_core::Result<Tensor> {
    let values = values.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
    let values = values.eq(&values)?.where_cond(&values, &values.zeros_like()?)?;
    let values = values.broadcast_sub(&values.mean_keepdim(1)?)?;
    let (_, places, channels) = values.dims3()?;
    let turned = values.transpose(1, 2)?.contiguous()?;
    // P × P and C × C have the same largest eigenvalue, so the smaller matrix is enough.
    let projections = if places <= channels {
        // The projection is the left singular vector times its singular value.
        let vector = dominant_eigenvectors(&values.matmul(&turned)?)?;
        let length = turned.matmul(&vector)?.sqr()?.sum_keepdim(1)?.sqrt()?;
        vector.broadcast_mul(&length)?
    } else {
        values.matmul(&dominant_eigenvectors(&turned.matmul(&values)?)?)?
    };
    let projections = projections.squeeze(2)?;
    let (least, most) = (projections.min_keepdim(D::Minus1)?, projections.max_keepdim(D::Minus1)?);
    let sign = most.abs()?.ge(&least.abs()?)?.to_dtype(DType::F64)?.affine(2.0, -1.0)?;
    projections.broadcast_mul(&sign)?.to_dtype(DType::F32)
}

/// Returns unit eigenvectors `(B, n, 1)` of the largest eigenvalues of positive semidefinite matrices `(B, n, n)`. The
/// vector of a zero matrix is zero.
///
/// Repeated squaring turns a matrix into a multiple of v vᵀ. 40 squarings are 2⁴⁰ steps of the power method.
fn dominant_eigenvectors(matrices: &Tensor) -> candle_core::Result<Tensor> {
    let (_, n, _) = matrices.dims3()?;
    let eye = Tensor::eye(n, DType::F64, matrices.device())?;
    let trace = |m: &Tensor| m.broadcast_mul(&eye)?.sum_keepdim((1, 2));
    // The trace of a zero matrix is 0, and so is the quotient.
    let scaled = |m: &Tensor| m.broadcast_div(&trace(m)?.maximum(f64::MIN_POSITIVE)?);
    let mut power = scaled(matrices)?;
    for _ in 0..40 {
        power = scaled(&power.matmul(&power)?)?;
    }
    // Every column is a multiple of v. The one with the largest diagonal element is the longest.
    let diagonal = power.broadcast_mul(&eye)?.sum_keepdim(1)?;
    let longest = diagonal.argmax_keepdim(2)?.broadcast_as((power.dim(0)?, n, 1))?.contiguous()?;
    let column = power.gather(&longest, 2)?;
    let length = column.sqr()?.sum_keepdim(1)?.sqrt()?;
    column.broadcast_div(&length.maximum(f64::MIN_POSITIVE)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The matrix has rank one plus a constant, so its component is known.
    #[test]
    fn the_largest_component_is_found_from_both_sides() -> candle_core::Result<()> {
        let check = |places: usize, channels: usize| -> candle_core::Result<()> {
            let component: Vec<f64> =
                (0..places).map(|p| if p == 1 { 3.0 } else { -3.0 / (places - 1) as f64 }).collect();
            let direction: Vec<f64> = (0..channels).map(|c| if c % 2 == 0 { -0.5 } else { 0.25 }).collect();
            let length = direction.iter().map(|d| d * d).sum::<f64>().sqrt();
            let values: Vec<f64> = component.iter().flat_map(|a| direction.iter().map(move |d| a * d + 7.0)).collect();
            let values = Tensor::from_vec(values, (1, places, channels), &Device::Cpu)?;
            let got = project(&Tensor::cat(&[&values, &values.zeros_like()?], 0)?)?.to_vec2::<f32>()?;
            for (got, want) in got[0].iter().zip(&component) {
                assert!((f64::from(*got) - want * length).abs() < 1e-5, "{got} {want}");
            }
            assert!(got[1].iter().all(|v| *v == 0.0), "an image in which nothing varies");
            Ok(())
        };
        check(4, 9)?;
        check(9, 4)
    }
}
