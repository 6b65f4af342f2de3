//! The blocks of networks made for phones: few products between channels, depthwise windows within them. Their names
//! are timm's.

use super::conv_norm::{conv_norm, conv_norm_module};
use hard_imagenet_graph::{Activation, Conv2d, GraphBuilder, Layout, NodeId, Reduction};

/// A block. Where it keeps resolution and channels, its input is added to its output (but for `Conv`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MobileBlock {
    /// A convolution, normalised and activated.
    Conv {
        /// Side of the window.
        kernel: usize,
        /// Step of the window.
        stride: usize,
        /// Channels after.
        outputs: usize,
    },
    /// A depthwise convolution, squeeze-and-excitation, a 1 × 1 convolution (MobileNet; Howard et al. 2017).
    Separable {
        /// Side of the window.
        kernel: usize,
        /// Step of the window.
        stride: usize,
        /// Channels after.
        outputs: usize,
        /// Channels inside the squeeze-and-excitation; 0: there is none.
        squeezed: usize,
    },
    /// To more channels, a depthwise convolution, squeeze-and-excitation, to fewer channels (MobileNetV2; Sandler et
    /// al. 2018).
    Inverted {
        /// Side of the window.
        kernel: usize,
        /// Step of the window.
        stride: usize,
        /// Channels in the middle.
        expanded: usize,
        /// Channels after.
        outputs: usize,
        /// Channels inside the squeeze-and-excitation; 0: there is none.
        squeezed: usize,
    },
    /// To more channels by a convolution with a window, to fewer channels (EdgeTPU's; Gupta & Akin 2020).
    Fused {
        /// Side of the window.
        kernel: usize,
        /// Step of the window.
        stride: usize,
        /// Channels in the middle.
        expanded: usize,
        /// Channels after.
        outputs: usize,
    },
    /// A depthwise convolution, to more channels, a depthwise convolution, to fewer channels (MobileNetV4; Qin et al.
    /// 2024). Of the two windows each may be absent; the last one there takes the stride.
    Universal {
        /// Side of the window before; 0: there is none.
        start: usize,
        /// Side of the window in the middle; 0: there is none.
        middle: usize,
        /// Step of the window.
        stride: usize,
        /// Channels in the middle.
        expanded: usize,
        /// Channels after.
        outputs: usize,
    },
}

/// What blocks use between their convolutions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Activations {
    /// After convolutions.
    pub(crate) main: Activation,
    /// Inside squeeze-and-excitation.
    pub(crate) squeezed: Activation,
    /// What its factors are brought to 0..1 by.
    pub(crate) gate: Activation,
}

impl MobileBlock {
    /// Channels after.
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

    /// Writes the block in the current scope; its value gets the scope's name.
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

/// Blocks one after the other, by stages: "blocks.0.0", "blocks.0.1", .. Gives the last value and its channels.
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

/// The 3 × 3 convolution of stride 2 that all these networks begin with.
pub(crate) fn stem(g: &mut GraphBuilder, x: NodeId, outputs: usize, activation: Activation) -> NodeId {
    conv_norm(g, ["conv_stem", "bn1"], x, window(3, outputs, 3, 2), Some(activation))
}

/// A window that keeps the resolution but for its stride.
fn window(inputs: usize, outputs: usize, kernel: usize, stride: usize) -> Conv2d {
    Conv2d { stride, padding: kernel / 2, ..Conv2d::new(inputs, outputs, kernel) }
}

fn depthwise(channels: usize, kernel: usize, stride: usize) -> Conv2d {
    Conv2d { groups: channels, ..window(channels, channels, kernel, stride) }
}

/// The mean over rows and columns, `(B, C, 1, 1)`.
pub(crate) fn mean(g: &mut GraphBuilder, name: &str, x: NodeId) -> NodeId {
    let y = g.reduce(name, x, Reduction::Mean, &[2, 3], true);
    g.set_layout(y, Layout::Nchw);
    y
}

/// Channels times factors made of all channels' means (Hu et al. 2018).
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
