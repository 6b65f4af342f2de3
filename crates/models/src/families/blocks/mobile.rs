//! The blocks of networks for mobile devices, which save products between channels by depthwise convolutions. Names are
//! timm's.

use super::conv_norm::{conv_norm, conv_norm_module};
use hard_imagenet_graph::{Activation, Conv2d, GraphBuilder, Layout, NodeId, Reduction};

/// A block. If it keeps resolution and channels, its input is added to its output, except for `Conv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MobileBlock {
    /// A convolution with a norm and an activation.
    Conv {
        /// The side of the window.
        kernel: usize,
        /// The stride of the window.
        stride: usize,
        /// The output channels.
        outputs: usize,
    },
    /// A depthwise convolution, squeeze-and-excitation, a 1 × 1 convolution (MobileNet; Howard et al. 2017).
    Separable {
        /// The side of the window.
        kernel: usize,
        /// The stride of the window.
        stride: usize,
        /// The output channels.
        outputs: usize,
        /// The channels inside the squeeze-and-excitation, or 0 if there is none.
        squeezed: usize,
    },
    /// An expansion of the channels, a depthwise convolution, squeeze-and-excitation, and a reduction of the channels
    /// (MobileNetV2; Sandler et al. 2018).
    Inverted {
        /// The side of the window.
        kernel: usize,
        /// The stride of the window.
        stride: usize,
        /// The channels in the middle.
        expanded: usize,
        /// The output channels.
        outputs: usize,
        /// The channels inside the squeeze-and-excitation, or 0 if there is none.
        squeezed: usize,
    },
    /// An expansion of the channels by a convolution with a window, and a reduction of the channels (EdgeTPU; Gupta and
    /// Akin 2020).
    Fused {
        /// The side of the window.
        kernel: usize,
        /// The stride of the window.
        stride: usize,
        /// The channels in the middle.
        expanded: usize,
        /// The output channels.
        outputs: usize,
    },
    /// A depthwise convolution, an expansion of the channels, a second depthwise convolution, and a reduction of the
    /// channels (MobileNetV4; Qin et al. 2024). Each depthwise convolution can be absent; the last one has the stride.
    Universal {
        /// The side of the first window, or 0 if there is none.
        start: usize,
        /// The side of the second window, or 0 if there is none.
        middle: usize,
        /// The stride of the window.
        stride: usize,
        /// The channels in the middle.
        expanded: usize,
        /// The output channels.
        outputs: usize,
    },
}

/// The activations of a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Activations {
    /// The activation after convolutions.
    pub(crate) main: Activation,
    /// The activation inside the squeeze-and-excitation.
    pub(crate) squeezed: Activation,
    /// The activation that maps the factors of the squeeze-and-excitation to [0, 1].
    pub(crate) gate: Activation,
}

impl MobileBlock {
    /// Returns the output channels.
    pub(crate) fn outputs(self) -> usize {
        match self {
            Self::Conv { outputs, .. }
            | Self::Separable { outputs, .. }
            | Self::Inverted { outputs, .. }
            | Self::Fused { outputs, .. }
            | Self::Universal { outputs, .. } => outputs,
        }
    }

    fn stride(self) -> usize {
        match self {
            Self::Conv { stride, .. }
            | Self::Separable { stride, .. }
            | Self::Inverted { stride, .. }
            | Self::Fused { stride, .. }
            | Self::Universal { stride, .. } => stride,
        }
    }

    /// Builds the block in the current scope. The node of the scope's name is its value.
    pub(crate) fn build(self, g: &mut GraphBuilder, x: NodeId, inputs: usize, by: Activations) -> NodeId {
        let act = Some(by.main);
        let y = match self {
            Self::Conv { kernel, stride, outputs } => {
                conv_norm(g, ["conv", "bn1"], x, window(inputs, outputs, kernel, stride), act)
            }
            Self::Separable { kernel, stride, outputs, squeezed } => {
                let y = conv_norm(g, ["conv_dw", "bn1"], x, depthwise(inputs, kernel, stride), act);
                let y = squeeze_excite(g, y, inputs, squeezed, by);
                conv_norm(g, ["conv_pw", "bn2"], y, Conv2d::new(inputs, outputs, 1), None)
            }
            Self::Inverted { kernel, stride, expanded, outputs, squeezed } => {
                let y = conv_norm(g, ["conv_pw", "bn1"], x, Conv2d::new(inputs, expanded, 1), act);
                let y = conv_norm(g, ["conv_dw", "bn2"], y, depthwise(expanded, kernel, stride), act);
                let y = squeeze_excite(g, y, expanded, squeezed, by);
                conv_norm(g, ["conv_pwl", "bn3"], y, Conv2d::new(expanded, outputs, 1), None)
            }
            Self::Fused { kernel, stride, expanded, outputs } => {
                let y = conv_norm(g, ["conv_exp", "bn1"], x, window(inputs, expanded, kernel, stride), act);
                conv_norm(g, ["conv_pwl", "bn2"], y, Conv2d::new(expanded, outputs, 1), None)
            }
            Self::Universal { start, middle, stride, expanded, outputs } => {
                let mut y = x;
                if start > 0 {
                    let stride = if middle > 0 { 1 } else { stride };
                    y = conv_norm_module(g, "dw_start", y, depthwise(inputs, start, stride), None);
                }
                y = conv_norm_module(g, "pw_exp", y, Conv2d::new(inputs, expanded, 1), act);
                if middle > 0 {
                    y = conv_norm_module(g, "dw_mid", y, depthwise(expanded, middle, stride), act);
                }
                conv_norm_module(g, "pw_proj", y, Conv2d::new(expanded, outputs, 1), None)
            }
        };
        let keeps = self.stride() == 1 && self.outputs() == inputs;
        if keeps && !matches!(self, Self::Conv { .. }) {
            return g.add("", y, x);
        }
        g.alias("", y);
        y
    }
}

/// Builds the blocks of all stages ("blocks.0.0", "blocks.0.1" and so on) and returns the last value and its channels.
pub(crate) fn stages(
    g: &mut GraphBuilder,
    mut x: NodeId,
    mut channels: usize,
    stages: &[(&[MobileBlock], Activations)],
) -> (NodeId, usize) {
    for (stage, (blocks, by)) in stages.iter().enumerate() {
        for (i, block) in blocks.iter().enumerate() {
            x = g.scope(&format!("blocks.{stage}.{i}"), |g| block.build(g, x, channels, *by));
            channels = block.outputs();
        }
        g.alias(&format!("blocks.{stage}"), x);
    }
    (x, channels)
}

/// Builds the 3 × 3 convolution of stride 2 with which these networks begin.
pub(crate) fn stem(g: &mut GraphBuilder, x: NodeId, outputs: usize, activation: Activation) -> NodeId {
    conv_norm(g, ["conv_stem", "bn1"], x, window(3, outputs, 3, 2), Some(activation))
}

/// Returns a convolution that keeps the resolution, apart from its stride.
fn window(inputs: usize, outputs: usize, kernel: usize, stride: usize) -> Conv2d {
    Conv2d { stride, padding: kernel / 2, ..Conv2d::new(inputs, outputs, kernel) }
}

fn depthwise(channels: usize, kernel: usize, stride: usize) -> Conv2d {
    Conv2d { groups: channels, ..window(channels, channels, kernel, stride) }
}

/// Builds the mean over rows and columns, `(B, C, 1, 1)`.
pub(crate) fn mean(g: &mut GraphBuilder, name: &str, x: NodeId) -> NodeId {
    let y = g.reduce(name, x, Reduction::Mean, &[2, 3], true);
    g.set_layout(y, Layout::Nchw);
    y
}

/// Builds the product of the channels with factors that are computed from the means of all channels (Hu et al. 2018).
fn squeeze_excite(g: &mut GraphBuilder, x: NodeId, channels: usize, squeezed: usize, by: Activations) -> NodeId {
    if squeezed == 0 {
        return x;
    }
    g.scope("se", |g| {
        let y = mean(g, "mean", x);
        let y = g.conv2d("conv_reduce", y, Conv2d { bias: true, ..Conv2d::new(channels, squeezed, 1) });
        let y = g.activation("act1", y, by.squeezed);
        let y = g.conv2d("conv_expand", y, Conv2d { bias: true, ..Conv2d::new(squeezed, channels, 1) });
        let y = g.activation("gate", y, by.gate);
        g.mul("", x, y)
    })
}
