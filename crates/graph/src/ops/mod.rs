//! The kinds of operations, a family a file. A kind knows its weights' shapes, its value's shape, its value.

mod elementwise;
mod norm;
mod product;
mod shape;
mod window;

pub use elementwise::Activation;
pub use shape::Extent;
pub use window::{Conv2d, MaxPool2d};

pub(crate) use norm::batch_norm_training;

use candle_core::{Result, Tensor};

/// What a node does. Data only: everything that distinguishes one convolution from another is inside.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// The picture, `(B, C, H, W)`.
    Input,
    /// A weight as a value (a class token, position embeddings), of the given shape.
    Parameter(Vec<usize>),

    /// Convolution; weights: weight, and bias if it has one.
    Conv2d(Conv2d),
    /// Largest value of each window.
    MaxPool2d(MaxPool2d),
    /// Mean over rows and columns: `(B, C, H, W)` to `(B, C)`.
    GlobalAveragePool,

    /// x Wᵀ + b over the last dimension; weights: weight `(outputs, inputs)`, and bias.
    Linear {
        /// Length of the last dimension before.
        inputs: usize,
        /// And after.
        outputs: usize,
        /// Is there a bias?
        bias: bool,
    },
    /// The product of two values over their last two dimensions, the second one transposed if asked.
    MatMul {
        /// Take (.., N, K) instead of (.., K, N).
        transpose_second: bool,
    },

    /// Normalisation by running statistics; weights: weight, bias, running_mean, running_var, each `(channels)`.
    BatchNorm {
        /// C.
        channels: usize,
        /// Added to the variance.
        eps: f64,
    },
    /// Normalisation over the last dimension; weights: weight, bias.
    LayerNorm {
        /// Length of the last dimension.
        channels: usize,
        /// Added to the variance.
        eps: f64,
    },

    /// A function of each element.
    Activation(Activation),
    /// exp(x) / Σ exp(x) over the last dimension.
    Softmax,
    /// Sum of two values, broadcast as in NumPy.
    Add,
    /// Product of two values, broadcast as in NumPy.
    Mul,
    /// Times a constant.
    Scale(f64),

    /// Values one after the other along a dimension.
    Concat {
        /// Counted from 0.
        dim: usize,
    },
    /// The same elements, other dimensions.
    Reshape(Vec<Extent>),
    /// Dimensions in another order.
    Permute(Vec<usize>),
    /// A run of indices along a dimension.
    Narrow {
        /// Counted from 0.
        dim: usize,
        /// First index.
        start: usize,
        /// How many.
        len: usize,
    },
    /// One index of a dimension, which vanishes.
    Select {
        /// Counted from 0.
        dim: usize,
        /// Which one.
        index: usize,
    },
    /// The first value `(1, ..)`, repeated to the second one's batch size.
    ExpandBatch,
}

impl Op {
    /// Shapes of its weights.
    pub fn parameters(&self) -> Vec<Vec<usize>> {
        match self {
            Self::Parameter(shape) => vec![shape.clone()],
            Self::Conv2d(conv) => conv.parameters(),
            Self::Linear { inputs, outputs, bias } => product::linear_parameters(*inputs, *outputs, *bias),
            Self::BatchNorm { channels, .. } => vec![vec![*channels]; 4],
            Self::LayerNorm { channels, .. } => vec![vec![*channels]; 2],
            _ => Vec::new(),
        }
    }

    /// Shape of its value, or what it would have taken.
    pub(crate) fn shape(&self, inputs: &[&[usize]]) -> std::result::Result<Vec<usize>, String> {
        let x = inputs.first().copied().unwrap_or_default();
        let second = inputs.get(1).copied().unwrap_or_default();
        match self {
            Self::Input => Ok(x.to_vec()),
            Self::Parameter(shape) => Ok(shape.clone()),
            Self::Conv2d(conv) => conv.shape(x),
            Self::MaxPool2d(pool) => pool.shape(x),
            Self::GlobalAveragePool => window::global_pool_shape(x),
            Self::Linear { inputs, outputs, .. } => product::linear_shape(x, *inputs, *outputs),
            Self::MatMul { transpose_second } => product::matmul_shape(x, second, *transpose_second),
            Self::BatchNorm { channels, .. } => norm::channels_at(x, 1, *channels),
            Self::LayerNorm { channels, .. } => norm::channels_at(x, x.len().wrapping_sub(1), *channels),
            Self::Activation(_) | Self::Softmax | Self::Scale(_) => Ok(x.to_vec()),
            Self::Add | Self::Mul => elementwise::broadcast_shape(x, second),
            Self::Concat { dim } => shape::concat(inputs, *dim),
            Self::Reshape(extents) => shape::reshape(x, extents),
            Self::Permute(order) => shape::permute(x, order),
            Self::Narrow { dim, start, len } => shape::narrow(x, *dim, *start, *len),
            Self::Select { dim, index } => shape::select(x, *dim, *index),
            Self::ExpandBatch => shape::expand_batch(x, second),
        }
    }

    /// Its value. `inputs` and `weights` are as many as the node says.
    pub(crate) fn value(&self, inputs: &[&Tensor], weights: &[&Tensor]) -> Result<Tensor> {
        let x = || inputs.first().copied().or(weights.first().copied()).ok_or_else(no_input);
        let second = || inputs.get(1).copied().ok_or_else(no_input);
        match self {
            Self::Input => candle_core::bail!("the input has no value of its own"),
            Self::Parameter(_) => Ok(x()?.clone()),
            Self::Conv2d(conv) => conv.value(x()?, weights),
            Self::MaxPool2d(pool) => pool.value(x()?),
            Self::GlobalAveragePool => window::global_pool(x()?),
            Self::Linear { .. } => product::linear(x()?, weights),
            Self::MatMul { transpose_second } => product::matmul(x()?, second()?, *transpose_second),
            Self::BatchNorm { eps, .. } => norm::batch_norm(x()?, weights, *eps),
            Self::LayerNorm { eps, .. } => norm::layer_norm(x()?, weights, *eps),
            Self::Activation(activation) => activation.value(x()?),
            Self::Softmax => hard_imagenet_kernels::softmax(x()?),
            Self::Add => elementwise::add(x()?, second()?),
            Self::Mul => elementwise::mul(x()?, second()?),
            Self::Scale(factor) => x()?.affine(*factor, 0.0),
            Self::Concat { dim } => Tensor::cat(inputs, *dim),
            Self::Reshape(extents) => {
                let shape = shape::reshape(x()?.dims(), extents).map_err(candle_core::Error::Msg)?;
                x()?.reshape(shape)
            }
            Self::Permute(order) => x()?.permute(order.as_slice()),
            Self::Narrow { dim, start, len } => x()?.narrow(*dim, *start, *len),
            Self::Select { dim, index } => x()?.narrow(*dim, *index, 1)?.squeeze(*dim),
            Self::ExpandBatch => {
                let shape = shape::expand_batch(x()?.dims(), second()?.dims()).map_err(candle_core::Error::Msg)?;
                x()?.broadcast_as(shape)
            }
        }
    }

    /// Multiplications, given the shapes of the first input and of the value.
    pub(crate) fn multiply_adds(&self, input: &[usize], output: &[usize]) -> u64 {
        let elements = output.iter().product::<usize>() as u64;
        match self {
            Self::Conv2d(conv) => elements * conv.taps() as u64,
            Self::Linear { inputs, .. } => elements * *inputs as u64,
            Self::MatMul { .. } => elements * input.last().copied().unwrap_or(0) as u64,
            _ => 0,
        }
    }
}

fn no_input() -> candle_core::Error {
    candle_core::Error::Msg("an input or weight is missing".into())
}

/// The first `N` weights of a node.
fn take<'a, const N: usize>(weights: &[&'a Tensor]) -> Result<[&'a Tensor; N]> {
    weights.get(..N).and_then(|w| w.try_into().ok()).ok_or_else(no_input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    /// The shape that is foretold is the shape that comes.
    fn check(op: &Op, inputs: &[&[usize]], want: &[usize]) {
        let ones = |shape: &[usize]| Tensor::ones(shape, DType::F32, &Device::Cpu).unwrap();
        assert_eq!(op.shape(inputs).unwrap(), want, "{op:?}");
        let values: Vec<Tensor> = inputs.iter().map(|shape| ones(shape)).collect();
        let weights: Vec<Tensor> = op.parameters().iter().map(|shape| ones(shape)).collect();
        let value = op.value(&values.iter().collect::<Vec<_>>(), &weights.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!(value.dims(), want, "{op:?}");
    }

    #[test]
    fn shapes() {
        let picture: &[usize] = &[2, 4, 6, 5];
        let tokens: &[usize] = &[2, 7, 8];
        check(&Op::Parameter(vec![1, 3]), &[], &[1, 3]);
        check(
            &Op::Conv2d(Conv2d { stride: 2, padding: 1, groups: 2, ..Conv2d::new(4, 6, 3) }),
            &[picture],
            &[2, 6, 3, 3],
        );
        check(&Op::Conv2d(Conv2d { kernel: (1, 3), bias: true, ..Conv2d::new(4, 6, 1) }), &[picture], &[2, 6, 6, 3]);
        check(&Op::MaxPool2d(MaxPool2d { size: 3, stride: 2, padding: 1 }), &[picture], &[2, 4, 3, 3]);
        check(&Op::GlobalAveragePool, &[picture], &[2, 4]);
        check(&Op::Linear { inputs: 8, outputs: 3, bias: true }, &[tokens], &[2, 7, 3]);
        check(&Op::MatMul { transpose_second: true }, &[&[2, 3, 4, 5], &[2, 3, 6, 5]], &[2, 3, 4, 6]);
        check(&Op::MatMul { transpose_second: false }, &[&[3, 4, 5], &[3, 5, 6]], &[3, 4, 6]);
        check(&Op::BatchNorm { channels: 4, eps: 1e-5 }, &[picture], picture);
        check(&Op::LayerNorm { channels: 8, eps: 1e-6 }, &[tokens], tokens);
        check(&Op::Activation(Activation::Gelu), &[tokens], tokens);
        check(&Op::Softmax, &[tokens], tokens);
        check(&Op::Add, &[tokens, &[1, 7, 8]], tokens);
        check(&Op::Mul, &[tokens, &[8]], tokens);
        check(&Op::Scale(0.5), &[tokens], tokens);
        check(&Op::Concat { dim: 1 }, &[&[2, 1, 8], tokens], &[2, 8, 8]);
        check(&Op::Reshape(vec![Extent::Same, Extent::Rest, Extent::Is(4)]), &[tokens], &[2, 14, 4]);
        check(&Op::Permute(vec![0, 2, 1]), &[tokens], &[2, 8, 7]);
        check(&Op::Narrow { dim: 1, start: 2, len: 5 }, &[tokens], &[2, 5, 8]);
        check(&Op::Select { dim: 1, index: 6 }, &[tokens], &[2, 8]);
        check(&Op::ExpandBatch, &[&[1, 3, 8], tokens], &[2, 3, 8]);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let fails = |op: Op, inputs: &[&[usize]]| assert!(op.shape(inputs).is_err(), "{op:?}");
        fails(Op::Conv2d(Conv2d::new(4, 6, 3)), &[&[2, 3, 6, 5]]);
        fails(Op::Conv2d(Conv2d::new(4, 6, 7)), &[&[2, 4, 6, 5]]);
        fails(Op::Conv2d(Conv2d { stride: 0, ..Conv2d::new(4, 6, 1) }), &[&[2, 4, 6, 5]]);
        fails(Op::GlobalAveragePool, &[&[2, 4]]);
        fails(Op::Linear { inputs: 8, outputs: 3, bias: false }, &[&[2, 7]]);
        fails(Op::Linear { inputs: 8, outputs: 3, bias: false }, &[&[]]);
        fails(Op::MatMul { transpose_second: false }, &[&[3, 4, 5], &[3, 4, 5]]);
        fails(Op::LayerNorm { channels: 8, eps: 1e-6 }, &[&[]]);
        fails(Op::Add, &[&[2, 3], &[2, 4]]);
        fails(Op::Concat { dim: 1 }, &[&[2, 3], &[1, 3]]);
        fails(Op::Reshape(vec![Extent::Rest, Extent::Is(4)]), &[&[2, 3]]);
        fails(Op::Permute(vec![0, 0]), &[&[2, 3]]);
        fails(Op::Narrow { dim: 1, start: 2, len: 5 }, &[&[2, 3]]);
        fails(Op::Select { dim: 2, index: 0 }, &[&[2, 3]]);
        fails(Op::ExpandBatch, &[&[2, 3], &[2, 3]]);
    }
}
