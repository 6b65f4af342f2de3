//! A small network for this crate's tests.

use crate::{Activation, Conv2d, Graph, GraphBuilder, WeightMap};
use candle_core::{Device, Tensor};

/// Returns a network from 3 × 8 × 8 to 5 logits: conv, bn, relu, a residual block around conv and bn, pool and fc.
pub(crate) fn tiny_residual() -> Graph {
    let mut g = GraphBuilder::new();
    let x = g.input();
    let x = g.conv2d("conv", x, Conv2d { stride: 2, padding: 1, ..Conv2d::new(3, 4, 3) });
    let x = g.batch_norm("bn", x, 4);
    let x = g.activation("relu", x, Activation::Relu);
    let x = g.scope("block", |g| {
        let y = g.conv2d("conv", x, Conv2d { padding: 1, bias: true, ..Conv2d::new(4, 4, 3) });
        let y = g.batch_norm("bn", y, 4);
        let y = g.add("add", y, x);
        g.activation("relu", y, Activation::Relu)
    });
    g.alias("stage", x);
    let x = g.global_average_pool("pool", x);
    let x = g.linear("fc", x, 4, 5, true);
    g.finish(x).unwrap()
}

/// Returns irregular numbers in [-1, 1).
fn irregular(shape: &[usize], seed: usize) -> Tensor {
    let n = shape.iter().product::<usize>();
    let values: Vec<f32> = (0..n).map(|i| (((i + 7 * seed) * 7919 + 13) % 1009) as f32 / 504.5 - 1.0).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

pub(crate) fn weights_of(graph: &Graph) -> WeightMap {
    let positive = |t: Tensor| t.affine(0.5, 1.0).unwrap();
    graph
        .parameters()
        .into_iter()
        .enumerate()
        .map(|(i, p)| {
            let value = irregular(&p.shape, i);
            let scale = p.shape.len() == 1 && (p.name.ends_with("var") || p.name.ends_with("weight"));
            (p.name, if scale { positive(value) } else { value })
        })
        .collect()
}

pub(crate) fn images(batch: usize) -> Tensor {
    irregular(&[batch, 3, 8, 8], 99)
}
