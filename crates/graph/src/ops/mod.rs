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
