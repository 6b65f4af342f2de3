//! A convolution with its batch norm and, optionally, an activation.

use hard_imagenet_graph::{Activation, Conv2d, GraphBuilder, NodeId};

/// Builds the layers under the names of the two modules.
pub(crate) fn conv_norm(
    g: &mut GraphBuilder,
    [conv, norm]: [&str; 2],
    x: NodeId,
    op: Conv2d,
    activation: Option<Activation>,
) -> NodeId {
    let x = g.conv2d(conv, x, op);
    match activation {
        Some(activation) => g.batch_norm_act(norm, x, op.outputs, activation),
        None => g.batch_norm(norm, x, op.outputs),
    }
}

/// Builds the layers under the names of timm's `ConvNormAct`: "name.conv", "name.bn", and "name" for the value.
pub(crate) fn conv_norm_module(
    g: &mut GraphBuilder,
    name: &str,
    x: NodeId,
    op: Conv2d,
    activation: Option<Activation>,
) -> NodeId {
    let y = g.scope(name, |g| conv_norm(g, ["conv", "bn"], x, op, activation));
    g.alias(name, y);
    y
}
