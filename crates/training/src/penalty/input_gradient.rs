use super::penalty::{Penalty, detach_weights, gradients_or_zeros, single_output, zero_gradients};
use crate::TrainingError;
use crate::loss::{cross_entropy, logit_gradient};
use candle_core::{Tensor, Var};
use hard_imagenet_graph::{Dual, Graph, WeightMap, run, run_tangent};
use hard_imagenet_kernels::gradient;

/// Returns how much the loss depends on the pixels around the object, and the gradient of that.
///
/// The penalty is the mean over the batch of `Σ (∂ℓ/∂x ⊙ outside)²`, where ℓ is an image's cross entropy and the sum
/// runs over its pixels and channels (right for the right reasons; Ross, Hughes and Doshi-Velez 2017). `x` `(B, 3, H,
/// W)` f32 is normalized, `outside` `(B, 1, H, W)` is 1 off the object and 0 on it, `labels` are `(B)` u32, and
/// `variables` are those of the `weights` that learn.
///
/// The published code intends the same penalty. It takes the mean over the elements of the gradient of the batch's mean
/// loss, `1 / (3 B³ H W)` of the sum, so that the penalty's weight depends on the batch, and its penalty has no
/// gradient (docs/QUIRKS.md, Q13).
///
/// For a linear head W on frozen features with Jacobian J the penalty is `|J (p − y) W|²` off the object. The forward
/// pass then follows the features along u, and no operation of the frozen layers is recorded.
///
/// # Errors
/// Returns the graph's error for an input that it does not accept.
pub fn input_gradient_penalty(
    graph: &Graph,
    weights: &WeightMap,
    variables: &[Var],
    x: &Tensor,
    outside: &Tensor,
    labels: &Tensor,
) -> Result<Penalty, TrainingError> {
    let batch = x.dim(0)? as f64;
    let input = Var::from_tensor(x)?;
    let logits = run(graph, &detach_weights(weights), input.as_tensor())?;
    let slope = gradient(&cross_entropy(&logits, labels, 0.0)?.sum_all()?, &input)?;
    let value = f64::from(slope.broadcast_mul(outside)?.sqr()?.sum_all()?.to_scalar::<f32>()?) / batch;

    // u = ∂P/∂g = 2 g outside² / B
    let direction = (slope.broadcast_mul(&outside.sqr()?)? * (2.0 / batch))?;
    let fed = [(graph.input(), Dual { value: x.detach(), tangent: Some(direction) })];
    let moved = single_output(run_tangent(graph, weights, &fed, &[graph.output()])?)?;
    let Some(dz) = moved.tangent else { return Ok(Penalty { value, gradients: zero_gradients(variables)? }) };
    // The derivative of the loss along u is (softmax − one at the label) · dz.
    let moved = (logit_gradient(&moved.value, labels)? * dz)?.sum_all()?;
    Ok(Penalty { value, gradients: gradients_or_zeros(&moved, variables)? })
}
