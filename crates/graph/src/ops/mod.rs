//! The kinds of operations, one family per file. A kind knows the shapes of its weights and the shape and value of its result.

mod constant;
mod elementwise;
mod norm;
mod product;
mod reduce;
mod shape;
mod tangent;
mod window;

pub use constant::Constant;
pub use hard_imagenet_kernels::{Activation, Binary};
pub use reduce::{Reduce, Reduction};
pub use shape::{Extent, Pad};
pub use window::{Conv2d, Pool2d};

pub(crate) use norm::batch_norm_training;
pub(crate) use tangent::Moving;

use candle_core::{Result, Tensor};
use hard_imagenet_kernels::{self as kernels, TensorActivation};
use std::sync::Arc;

/// What a node computes. An `Op` is data only and holds everything that distinguishes, say, one convolution from another.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// The images, `(B, C, H, W)`.
    Input,
    /// A weight of the given shape as a value, such as a class token or position embeddings.
    Parameter(Vec<usize>),
    /// A value that belongs to the architecture and is held by the graph.
    Constant(Constant),

    /// A convolution. Its weights are weight, and bias if it has one.
    Conv2d(Conv2d),
    /// The largest value of each window. Padding is never the largest.
    MaxPool2d(Pool2d),
    /// The mean of each window.
    AvgPool2d {
        /// The window.
        pool: Pool2d,
        /// Whether padding counts as zeros.
        count_padding: bool,
    },

    /// x Wᵀ + b over the last dimension. Its weights are weight `(outputs, inputs)`, and bias `(outputs)` if it has one.
    Linear {
        /// The length of the last dimension of x.
        inputs: usize,
        /// The length of the last dimension of the value.
        outputs: usize,
        /// Whether there is a bias.
        bias: bool,
    },
    /// The matrix product of two values over their last two dimensions.
    MatMul {
        /// Whether the second value is (.., N, K) instead of (.., K, N).
        transpose_second: bool,
    },

    /// Normalization by running statistics. Its weights are weight, bias, running_mean and running_var, each `(channels)`.
    BatchNorm {
        /// The number of channels.
        channels: usize,
        /// A small number added to the variance.
        eps: f64,
    },
    /// Normalization over the last dimension. Its weights are weight and bias, each `(channels)`.
    LayerNorm {
        /// The length of the last dimension.
        channels: usize,
        /// A small number added to the variance.
        eps: f64,
    },

    /// A function of each element.
    Activation(Activation),
    /// exp(x) / Σ exp(x) over the last dimension.
    Softmax,
    /// An elementwise function of two values, which are broadcast as in NumPy.
    Binary(Binary),
    /// The product with a constant.
    Scale(f64),
    /// The mean, sum or maximum over some dimensions.
    Reduce(Reduce),

    /// The values one after the other along a dimension.
    Concat {
        /// The dimension, counted from 0.
        dim: usize,
    },
    /// The same elements with other dimensions.
    Reshape(Vec<Extent>),
    /// The same elements with the dimensions in another order.
    Permute(Vec<usize>),
    /// A range of indices along a dimension.
    Narrow {
        /// The dimension, counted from 0.
        dim: usize,
        /// The first index.
        start: usize,
        /// The number of indices.
        len: usize,
    },
    /// One index of a dimension, which is removed.
    Select {
        /// The dimension, counted from 0.
        dim: usize,
        /// The index.
        index: usize,
    },
    /// Any indices of a dimension, in any order and with repetitions.
    IndexSelect {
        /// The dimension, counted from 0.
        dim: usize,
        /// The indices.
        indices: Arc<[u32]>,
    },
    /// The elements moved along a dimension. Those that leave at the end return at the start.
    Roll {
        /// The dimension, counted from 0.
        dim: usize,
        /// The distance, towards higher indices if positive.
        shift: i32,
    },
    /// The value with elements added along a dimension.
    Pad(Pad),
    /// The first value `(1, ..)`, repeated to the batch size of the second value.
    ExpandBatch,
}

impl Op {
    /// Returns the shapes of the operation's weights, in the order in which a node names them.
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

    /// Returns the shape of the operation's value, given the shapes of its inputs.
    ///
    /// # Errors
    /// Returns a description of the inputs that the operation needs if these do not match.
    pub fn shape(&self, inputs: &[&[usize]]) -> std::result::Result<Vec<usize>, String> {
        let x = inputs.first().copied().unwrap_or_default();
        let second = inputs.get(1).copied().unwrap_or_default();
        match self {
            Self::Input => Ok(x.to_vec()),
            Self::Parameter(shape) => Ok(shape.clone()),
            Self::Constant(constant) => Ok(constant.shape().to_vec()),
            Self::Conv2d(conv) => conv.shape(x),
            Self::MaxPool2d(pool) | Self::AvgPool2d { pool, .. } => pool.shape(x),
            Self::Linear { inputs, outputs, .. } => product::linear_shape(x, *inputs, *outputs),
            Self::MatMul { transpose_second } => product::matmul_shape(x, second, *transpose_second),
            Self::BatchNorm { channels, .. } => norm::channels_at(x, 1, *channels),
            Self::LayerNorm { channels, .. } => norm::channels_at(x, x.len().wrapping_sub(1), *channels),
            Self::Activation(_) | Self::Softmax | Self::Scale(_) => Ok(x.to_vec()),
            Self::Binary(_) => elementwise::broadcast_shape(x, second),
            Self::Reduce(reduce) => reduce.shape(x),
            Self::Concat { dim } => shape::concat(inputs, *dim),
            Self::Reshape(extents) => shape::reshape(x, extents),
            Self::Permute(order) => shape::permute(x, order),
            Self::Narrow { dim, start, len } => shape::narrow(x, *dim, *start, *len),
            Self::Select { dim, index } => shape::select(x, *dim, *index),
            Self::IndexSelect { dim, indices } => shape::index_select(x, *dim, indices),
            Self::Roll { dim, .. } => shape::narrow(x, *dim, 0, x.get(*dim).copied().unwrap_or_default()),
            Self::Pad(pad) => pad.shape(x),
            Self::ExpandBatch => shape::expand_batch(x, second),
        }
    }

    /// Returns the operation's value on the device and in the dtype of its inputs. Gradients flow to inputs and weights.
    ///
    /// `inputs` and `weights` are those of the node, in order; the value of a constant comes as its weight.
    ///
    /// # Errors
    /// Returns an error if shapes or dtypes do not match.
    pub fn value(&self, inputs: &[&Tensor], weights: &[&Tensor]) -> Result<Tensor> {
        let x = || inputs.first().copied().or(weights.first().copied()).ok_or_else(no_input);
        let second = || inputs.get(1).copied().ok_or_else(no_input);
        match self {
            Self::Input => candle_core::bail!("the input node has no value of its own"),
            Self::Parameter(_) | Self::Constant(_) => Ok(x()?.clone()),
            Self::Conv2d(conv) => conv.value(x()?, weights),
            Self::MaxPool2d(pool) => kernels::max_pool2d(x()?, pool.params()),
            Self::AvgPool2d { pool, count_padding } => kernels::avg_pool2d(x()?, pool.params(), *count_padding),
            Self::Linear { .. } => product::linear(x()?, weights),
            Self::MatMul { transpose_second } => product::matmul(x()?, second()?, *transpose_second),
            Self::BatchNorm { eps, .. } => norm::batch_norm(x()?, weights, *eps),
            Self::LayerNorm { eps, .. } => norm::layer_norm(x()?, weights, *eps),
            Self::Activation(activation) => activation.apply(x()?),
            Self::Softmax => kernels::softmax(x()?),
            Self::Binary(binary) => elementwise::value(*binary, x()?, second()?),
            Self::Reduce(reduce) => reduce.value(x()?),
            Self::Scale(factor) => x()?.affine(*factor, 0.0),
            Self::Concat { dim } => Tensor::cat(inputs, *dim),
            Self::Reshape(extents) => {
                let shape = shape::reshape(x()?.dims(), extents).map_err(candle_core::Error::Msg)?;
                x()?.reshape(shape)
            }
            Self::Permute(order) => x()?.permute(order.as_slice()),
            Self::Narrow { dim, start, len } => x()?.narrow(*dim, *start, *len),
            Self::Select { dim, index } => x()?.narrow(*dim, *index, 1)?.squeeze(*dim),
            Self::IndexSelect { dim, indices } => {
                let indices = Tensor::from_slice(indices, indices.len(), x()?.device())?;
                x()?.contiguous()?.index_select(&indices, *dim)
            }
            Self::Roll { dim, shift } => x()?.roll(*shift, *dim),
            Self::Pad(pad) => pad.value(x()?),
            Self::ExpandBatch => {
                let shape = shape::expand_batch(x()?.dims(), second()?.dims()).map_err(candle_core::Error::Msg)?;
                x()?.broadcast_as(shape)
            }
        }
    }

    /// Returns the number of multiplications, given the shapes of the first input and of the value.
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

/// Returns the first `N` weights of a node.
fn take<'a, const N: usize>(weights: &[&'a Tensor]) -> Result<[&'a Tensor; N]> {
    weights.get(..N).and_then(|w| w.try_into().ok()).ok_or_else(no_input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    /// Checks that the predicted shape is the shape of the value.
    fn check(op: &Op, inputs: &[&[usize]], want: &[usize]) {
        let ones = |shape: &[usize]| Tensor::ones(shape, DType::F32, &Device::Cpu).unwrap();
        assert_eq!(op.shape(inputs).unwrap(), want, "{op:?}");
        let values: Vec<Tensor> = inputs.iter().map(|shape| ones(shape)).collect();
        let weights: Vec<Tensor> = op.parameters().iter().map(|shape| ones(shape)).collect();
        let value = op.value(&values.iter().collect::<Vec<_>>(), &weights.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!(value.dims(), want, "{op:?}");
    }

    #[test]
    fn shapes_are_those_of_the_values() {
        let image: &[usize] = &[2, 4, 6, 5];
        let tokens: &[usize] = &[2, 7, 8];
        check(&Op::Parameter(vec![1, 3]), &[], &[1, 3]);
        check(
            &Op::Conv2d(Conv2d { stride: 2, padding: 1, groups: 2, ..Conv2d::new(4, 6, 3) }),
            &[image],
            &[2, 6, 3, 3],
        );
        check(&Op::Conv2d(Conv2d { kernel: (1, 3), bias: true, ..Conv2d::new(4, 6, 1) }), &[image], &[2, 6, 6, 3]);
        let pool = Pool2d { stride: 2, padding: 1, ..Pool2d::new(3) };
        check(&Op::MaxPool2d(pool), &[image], &[2, 4, 3, 3]);
        check(&Op::AvgPool2d { pool: Pool2d { ceil: true, ..pool }, count_padding: true }, &[image], &[2, 4, 4, 3]);
        check(&Op::Linear { inputs: 8, outputs: 3, bias: true }, &[tokens], &[2, 7, 3]);
        check(&Op::MatMul { transpose_second: true }, &[&[2, 3, 4, 5], &[2, 3, 6, 5]], &[2, 3, 4, 6]);
        check(&Op::MatMul { transpose_second: false }, &[&[3, 4, 5], &[3, 5, 6]], &[3, 4, 6]);
        check(&Op::MatMul { transpose_second: true }, &[&[2, 1, 3, 4, 5], &[2, 1, 3, 6, 5]], &[2, 1, 3, 4, 6]);
        check(&Op::BatchNorm { channels: 4, eps: 1e-5 }, &[image], image);
        check(&Op::LayerNorm { channels: 8, eps: 1e-6 }, &[tokens], tokens);
        check(&Op::Activation(Activation::Gelu), &[tokens], tokens);
        check(&Op::Softmax, &[tokens], tokens);
        check(&Op::MatMul { transpose_second: false }, &[&[2, 3, 4, 5], &[3, 5, 6]], &[2, 3, 4, 6]);
        for binary in [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div, Binary::Maximum, Binary::Minimum] {
            check(&Op::Binary(binary), &[tokens, &[1, 7, 8]], tokens);
            check(&Op::Binary(binary), &[tokens, &[8]], tokens);
        }
        for how in [Reduction::Mean, Reduction::Sum, Reduction::Max] {
            check(&Op::Reduce(Reduce { how, dims: vec![1], keep: true }), &[tokens], &[2, 1, 8]);
            check(&Op::Reduce(Reduce { how, dims: vec![2, 3], keep: false }), &[image], &[2, 4]);
        }
        check(&Op::IndexSelect { dim: 1, indices: [6, 0, 0].into() }, &[tokens], &[2, 3, 8]);
        check(&Op::Roll { dim: 2, shift: -3 }, &[tokens], tokens);
        check(&Op::Pad(Pad { dim: 1, before: 0, after: 2, value: 0.0 }), &[tokens], &[2, 9, 8]);
        check(&Op::Scale(0.5), &[tokens], tokens);
        check(&Op::Concat { dim: 1 }, &[&[2, 1, 8], tokens], &[2, 8, 8]);
        check(&Op::Reshape(vec![Extent::Same, Extent::Rest, Extent::Is(4)]), &[tokens], &[2, 14, 4]);
        check(&Op::Permute(vec![0, 2, 1]), &[tokens], &[2, 8, 7]);
        check(&Op::Narrow { dim: 1, start: 2, len: 5 }, &[tokens], &[2, 5, 8]);
        check(&Op::Select { dim: 1, index: 6 }, &[tokens], &[2, 8]);
        check(&Op::ExpandBatch, &[&[1, 3, 8], tokens], &[2, 3, 8]);
    }

    #[test]
    fn inputs_that_do_not_match_are_errors() {
        let fails = |op: Op, inputs: &[&[usize]]| assert!(op.shape(inputs).is_err(), "{op:?}");
        fails(Op::Conv2d(Conv2d::new(4, 6, 3)), &[&[2, 3, 6, 5]]);
        fails(Op::Conv2d(Conv2d::new(4, 6, 7)), &[&[2, 4, 6, 5]]);
        fails(Op::Conv2d(Conv2d { stride: 0, ..Conv2d::new(4, 6, 1) }), &[&[2, 4, 6, 5]]);
        fails(Op::Linear { inputs: 8, outputs: 3, bias: false }, &[&[2, 7]]);
        fails(Op::Linear { inputs: 8, outputs: 3, bias: false }, &[&[]]);
        fails(Op::MatMul { transpose_second: false }, &[&[3, 4, 5], &[3, 4, 5]]);
        fails(Op::LayerNorm { channels: 8, eps: 1e-6 }, &[&[]]);
        fails(Op::Binary(Binary::Add), &[&[2, 3], &[2, 4]]);
        fails(Op::Reduce(Reduce { how: Reduction::Mean, dims: vec![2], keep: true }), &[&[2, 3]]);
        fails(Op::IndexSelect { dim: 1, indices: [3].into() }, &[&[2, 3]]);
        fails(Op::Roll { dim: 2, shift: 1 }, &[&[2, 3]]);
        fails(Op::Pad(Pad { dim: 2, before: 1, after: 0, value: 0.0 }), &[&[2, 3]]);
        fails(Op::Concat { dim: 1 }, &[&[2, 3], &[1, 3]]);
        fails(Op::Reshape(vec![Extent::Rest, Extent::Is(4)]), &[&[2, 3]]);
        fails(Op::Permute(vec![0, 0]), &[&[2, 3]]);
        fails(Op::Narrow { dim: 1, start: 2, len: 5 }, &[&[2, 3]]);
        fails(Op::Select { dim: 2, index: 0 }, &[&[2, 3]]);
        fails(Op::ExpandBatch, &[&[2, 3], &[2, 3]]);
    }
}
