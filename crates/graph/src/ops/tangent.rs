//! Forward-mode derivatives of the operations: each operation's Jacobian times a direction, in operations that can be
//! differentiated again.

use super::{Binary, Op, Pad, Reduce, Reduction, no_input, take};
use candle_core::{D, Result, Tensor};
use hard_imagenet_kernels::{self as kernels, TensorActivation};

/// A value and the direction in which it moves, `None` if it does not move.
pub(crate) type Moving<'a> = (&'a Tensor, Option<&'a Tensor>);

impl Op {
    /// Returns the direction in which the value `y` moves, or `None` if no input moves.
    pub(crate) fn tangent(&self, inputs: &[Moving<'_>], weights: &[&Tensor], y: &Tensor) -> Result<Option<Tensor>> {
        if inputs.iter().all(|(_, dx)| dx.is_none()) {
            return Ok(None);
        }
        let (x, dx) = inputs.first().copied().ok_or_else(no_input)?;
        // An operation that is linear in its first input maps the direction as it maps the value, but without the bias.
        let along = |op: &Op, weights: &[&Tensor]| -> Result<Option<Tensor>> {
            let rest = inputs.iter().skip(1).map(|(x, _)| *x);
            let Some(dx) = dx else { return Ok(None) };
            op.value(&std::iter::once(dx).chain(rest).collect::<Vec<_>>(), weights).map(Some)
        };
        match self {
            Self::Input | Self::Parameter(_) | Self::Constant(_) => Ok(None),
            Self::Conv2d(_) | Self::Linear { .. } => along(self, &weights[..1.min(weights.len())]),
            Self::AvgPool2d { .. } | Self::Scale(_) | Self::Reshape(_) | Self::Permute(_) | Self::Narrow { .. } => {
                along(self, &[])
            }
            Self::Select { .. } | Self::IndexSelect { .. } | Self::Roll { .. } | Self::ExpandBatch => along(self, &[]),
            Self::Pad(pad) => along(&Self::Pad(Pad { value: 0.0, ..*pad }), &[]),
            Self::BatchNorm { eps, .. } => {
                let [weight, _, mean, variance] = take(weights)?;
                let zeros = mean.zeros_like()?;
                dx.map(|dx| kernels::batch_norm(dx, &zeros, variance, weight, &zeros, *eps)).transpose()
            }
            Self::LayerNorm { eps, .. } => {
                let [weight] = take(weights)?;
                dx.map(|dx| kernels::layer_norm_tangent(x, dx, weight, *eps)).transpose()
            }
            Self::MaxPool2d(pool) => dx.map(|dx| kernels::max_pool2d_tangent(x, y, dx, pool.params())).transpose(),
            Self::Activation(activation) => dx.map(|dx| activation.slope(x, y)? * dx).transpose(),
            Self::Softmax => {
                let moved = |dx: &Tensor| {
                    let mean = (y * dx)?.sum_keepdim(D::Minus1)?;
                    y * dx.broadcast_sub(&mean)?
                };
                dx.map(moved).transpose()
            }
            Self::Reduce(reduce) if reduce.how == Reduction::Max => {
                dx.map(|dx| max_tangent(reduce, x, y, dx)).transpose()
            }
            Self::Reduce(_) => along(self, &[]),
            Self::Concat { dim } => {
                let part = |(x, dx): &Moving<'_>| dx.map_or_else(|| x.zeros_like(), |dx| Ok(dx.clone()));
                Tensor::cat(&inputs.iter().map(part).collect::<Result<Vec<_>>>()?, *dim).map(Some)
            }
            Self::MatMul { .. } => {
                let (b, db) = inputs.get(1).copied().ok_or_else(no_input)?;
                let product = |a: &Tensor, b: &Tensor| self.value(&[a, b], &[]);
                sum(dx.map(|da| product(da, b)).transpose()?, db.map(|db| product(x, db)).transpose()?)
            }
            Self::Binary(binary) => {
                let (b, db) = inputs.get(1).copied().ok_or_else(no_input)?;
                let (da, db) = (
                    dx.map(|da| first_tangent(*binary, x, b, y, da)).transpose()?,
                    db.map(|db| second_tangent(*binary, x, b, y, db)).transpose()?,
                );
                let moved = sum(da, db)?;
                moved.map(|dy| dy.broadcast_as(y.shape())?.contiguous()).transpose()
            }
        }
    }
}

fn sum(a: Option<Tensor>, b: Option<Tensor>) -> Result<Option<Tensor>> {
    match (a, b) {
        (Some(a), Some(b)) => a.broadcast_add(&b).map(Some),
        (a, b) => Ok(a.or(b)),
    }
}

/// Returns 1 where the value `y` is `own` and 0 where it is `other`. Equal values share, as in the kernels' gradients.
fn chosen(own: &Tensor, other: &Tensor, y: &Tensor) -> Result<Tensor> {
    let hit = |side: &Tensor| side.detach().broadcast_as(y.shape())?.eq(&y.detach())?.to_dtype(y.dtype());
    let (own, other) = (hit(own)?, hit(other)?);
    &own / (&own + &other)?
}

/// The tangent of `y` as `a` moves along `da`.
fn first_tangent(binary: Binary, a: &Tensor, b: &Tensor, y: &Tensor, da: &Tensor) -> Result<Tensor> {
    match binary {
        Binary::Add | Binary::Sub => Ok(da.clone()),
        Binary::Mul => da.broadcast_mul(b),
        Binary::Div => da.broadcast_div(b),
        Binary::Maximum | Binary::Minimum => da.broadcast_mul(&chosen(a, b, y)?),
    }
}

/// The tangent of `y` as `b` moves along `db`.
fn second_tangent(binary: Binary, a: &Tensor, b: &Tensor, y: &Tensor, db: &Tensor) -> Result<Tensor> {
    match binary {
        Binary::Add => Ok(db.clone()),
        Binary::Sub => db.neg(),
        Binary::Mul => db.broadcast_mul(a),
        Binary::Div => y.broadcast_mul(&db.broadcast_div(b)?)?.neg(),
        Binary::Maximum | Binary::Minimum => db.broadcast_mul(&chosen(b, a, y)?),
    }
}

/// The tangent of a maximum as `x` moves along `dx`. Equal maxima share.
fn max_tangent(reduce: &Reduce, x: &Tensor, y: &Tensor, dx: &Tensor) -> Result<Tensor> {
    let kept = Reduce { how: Reduction::Sum, keep: true, ..reduce.clone() };
    let shape = kept.shape(x.dims()).map_err(candle_core::Error::Msg)?;
    let hit = x.detach().broadcast_eq(&y.detach().reshape(shape)?)?.to_dtype(x.dtype())?;
    let share = hit.broadcast_div(&kept.value(&hit)?)?;
    Reduce { how: Reduction::Sum, ..reduce.clone() }.value(&(share * dx)?)
}
