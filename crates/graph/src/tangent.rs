use crate::ops::{Moving, Op};
use crate::run::{find_weights, missing_input, not_computed};
use crate::{Graph, GraphError, NodeId, WeightMap};
use candle_core::{DType, Device, Tensor};

/// A node's value and its derivative in one direction.
#[derive(Clone, Debug)]
pub struct Dual {
    /// The value.
    pub value: Tensor,
    /// The directional derivative, in the shape of the value; `None` if it is zero because nothing moves the value.
    pub tangent: Option<Tensor>,
}

/// Returns the values of the `wanted` nodes and their derivatives as the `fed` nodes move along their tangents.
///
/// This is [`run_from`](crate::run_from) with forward-mode differentiation: it multiplies the Jacobian by a vector. Batch norms
/// use their running statistics.
///
/// Values and tangents are made of recorded operations, so a backward pass from here gives exact second derivatives with
/// respect to the variables among the weights and fed values: with u held fixed, the gradient of `u · ∂y/∂x` is the gradient of
/// y's tangent along u. Nothing is recorded where there is no variable.
///
/// # Errors
/// Returns an error in the cases of [`run_from`](crate::run_from).
pub fn run_tangent(
    graph: &Graph,
    weights: &WeightMap,
    fed: &[(NodeId, Dual)],
    wanted: &[NodeId],
) -> Result<Vec<Dual>, GraphError> {
    let mut values: Vec<Option<Dual>> = vec![None; graph.nodes().len()];
    let mut needed = vec![false; graph.nodes().len()];
    fed.iter().for_each(|(id, dual)| values[id.index()] = Some(dual.clone()));
    wanted.iter().for_each(|id| needed[id.index()] = true);
    for (i, node) in graph.nodes().iter().enumerate().rev() {
        if needed[i] && values[i].is_none() {
            node.inputs.iter().for_each(|input| needed[input.index()] = true);
        }
    }
    for (i, node) in graph.nodes().iter().enumerate() {
        if !needed[i] || values[i].is_some() {
            continue;
        }
        let fail = |source| GraphError::Node { node: node.name.clone(), source };
        if let Op::Constant(constant) = &node.op
            && !weights.contains_key(&node.name)
        {
            let like =
                fed.first().map_or((Device::Cpu, DType::F32), |(_, x)| (x.value.device().clone(), x.value.dtype()));
            values[i] = Some(Dual { value: constant.tensor(&like.0, like.1).map_err(fail)?, tangent: None });
            continue;
        }
        let inputs = node
            .inputs
            .iter()
            .map(|id| values[id.index()].as_ref().ok_or_else(|| fail(missing_input())))
            .collect::<Result<Vec<_>, _>>()?;
        let own = find_weights(node, weights)?;
        let plain: Vec<&Tensor> = inputs.iter().map(|dual| &dual.value).collect();
        let moving: Vec<Moving<'_>> = inputs.iter().map(|dual| (&dual.value, dual.tangent.as_ref())).collect();
        let value = node.op.value(&plain, &own).map_err(fail)?;
        let tangent = node.op.tangent(&moving, &own, &value).map_err(fail)?;
        values[i] = Some(Dual { value, tangent });
    }
    let take = |id: &NodeId| values[id.index()].clone().ok_or_else(|| not_computed(graph, *id));
    wanted.iter().map(take).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Binary, Conv2d, Extent, GraphBuilder, Pool2d, Reduction, run};
    use candle_core::Var;

    fn sample(shape: &[usize], seed: usize) -> Tensor {
        let n = shape.iter().product::<usize>();
        let values: Vec<f32> = (0..n).map(|i| (((i + 31 * seed) * 7919 + 13) % 1009) as f32 / 504.5 - 1.0).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    fn dot(a: &Tensor, b: &Tensor) -> f32 {
        (a * b).unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap()
    }

    /// Checks that forward mode equals reverse mode times the direction, and that both equal finite differences.
    fn check(what: &str, shape: &[usize], build: impl Fn(&mut GraphBuilder, NodeId) -> NodeId) {
        let mut g = GraphBuilder::new();
        let x = g.input();
        let y = build(&mut g, x);
        let graph = g.finish(y).unwrap();
        let weights: WeightMap = graph
            .parameters()
            .iter()
            .enumerate()
            .map(|(i, p)| (p.name.clone(), sample(&p.shape, i + 3).affine(0.4, 0.9).unwrap()))
            .collect();
        let (x, u) = (sample(shape, 1), sample(shape, 2));
        let fed = [(graph.input(), Dual { value: x.clone(), tangent: Some(u.clone()) })];
        let out = run_tangent(&graph, &weights, &fed, &[graph.output()]).unwrap().remove(0);
        let r = sample(out.value.dims(), 5);
        let tangent = out.tangent.unwrap();
        assert_eq!(tangent.dims(), out.value.dims(), "{what}");
        let forward = dot(&tangent, &r);
        let variable = Var::from_tensor(&x).unwrap();
        let store = (run(&graph, &weights, &variable).unwrap() * &r).unwrap().sum_all().unwrap().backward().unwrap();
        let reverse = dot(store.get(&variable).unwrap(), &u);
        assert!((forward - reverse).abs() < 1e-4 * reverse.abs().max(1.0), "{what}: {forward}, reverse {reverse}");
        // The tangent is linear in its direction, so a backward pass through it yields the same gradient again.
        let direction = Var::from_tensor(&u).unwrap();
        let fed = [(graph.input(), Dual { value: x.clone(), tangent: Some(direction.as_tensor().clone()) })];
        let out = run_tangent(&graph, &weights, &fed, &[graph.output()]).unwrap().remove(0);
        let again = (out.tangent.unwrap() * &r).unwrap().sum_all().unwrap().backward().unwrap();
        let want = store.get(&variable).unwrap();
        let difference = (again.get(&direction).unwrap() - want).unwrap();
        assert!(dot(&difference, &difference) < 1e-8 * dot(want, want), "{what}: the gradient through the tangent");
        // In these graphs the tangent is also linear in each weight (a bias has no effect), so differences are exact up to
        // rounding.
        let moved = |weights: &WeightMap| {
            let out = run_tangent(&graph, weights, &fed, &[graph.output()]).unwrap().remove(0);
            (out.tangent.unwrap() * &r).unwrap().sum_all().unwrap()
        };
        for (name, weight) in weights.iter().filter(|(name, _)| !name.contains("running_")) {
            let (variable, v) = (Var::from_tensor(weight).unwrap(), sample(weight.dims(), 7));
            let with =
                |weight: Tensor| weights.clone().into_iter().chain([(name.clone(), weight)]).collect::<WeightMap>();
            let second = moved(&with(variable.as_tensor().clone())).backward().unwrap();
            let got = second.get(&variable).map_or(0.0, |gradient| dot(gradient, &v));
            let moved_by =
                |step: f64| moved(&with((weight + (&v * step).unwrap()).unwrap())).to_scalar::<f32>().unwrap();
            let want = moved_by(0.5) - moved_by(-0.5);
            assert!((got - want).abs() < 1e-3 * want.abs().max(0.1), "{what}: {name}: {got}, differences {want}");
        }
        let value_at = |step: f64| dot(&run(&graph, &weights, &(&x + (&u * step).unwrap()).unwrap()).unwrap(), &r);
        let differences = (value_at(5e-3) - value_at(-5e-3)) / 1e-2;
        assert!(
            (forward - differences).abs() < 2e-2 * forward.abs().max(1.0),
            "{what}: {forward}, differences {differences}"
        );
    }

    #[test]
    fn tangents_of_every_operation() {
        let image: &[usize] = &[2, 4, 6, 5];
        let tokens: &[usize] = &[2, 7, 8];
        let conv = Conv2d { stride: 2, padding: 1, groups: 2, bias: true, ..Conv2d::new(4, 6, 3) };
        check("conv", image, |g, x| g.conv2d("c", x, conv));
        check("linear", tokens, |g, x| g.linear("l", x, 8, 3, true));
        check("batch norm", image, |g, x| g.batch_norm("bn", x, 4));
        check("layer norm", tokens, |g, x| g.layer_norm("ln", x, 8, 1e-5));
        check("max pool", image, |g, x| g.max_pool2d("p", x, Pool2d { stride: 2, padding: 1, ..Pool2d::new(3) }));
        check("softmax", tokens, |g, x| g.softmax("s", x));
        check("scale", tokens, |g, x| g.scale("s", x, 0.3));
        for f in [Activation::Gelu, Activation::Relu, Activation::HardSwish, Activation::Tanh, Activation::Erf] {
            check(&format!("{f:?}"), tokens, |g, x| g.activation("a", x, f));
        }
        for binary in [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div, Binary::Maximum, Binary::Minimum] {
            check(&format!("{binary:?}"), tokens, |g, x| {
                let shifted = g.activation("sigmoid", x, Activation::Sigmoid);
                let mean = g.reduce("mean", shifted, Reduction::Mean, &[1], true);
                let both = g.binary("both", binary, x, mean);
                g.binary("other", binary, mean, both)
            });
        }
        for how in [Reduction::Mean, Reduction::Sum, Reduction::Max] {
            check(&format!("{how:?}"), tokens, |g, x| g.reduce("r", x, how, &[1], false));
        }
        check("products", tokens, |g, x| {
            let y = g.linear("l", x, 8, 8, false);
            g.matmul("m", x, y, true)
        });
        check("shapes", tokens, |g, x| {
            let y = g.reshape("r", x, &[Extent::Same, Extent::Rest, Extent::Is(4)]);
            let y = g.permute("p", y, &[0, 2, 1]);
            let y = g.roll("roll", y, 1, 1);
            let z = g.index_select("i", y, 2, &[3, 0, 0]);
            let y = g.narrow("n", y, 2, 1, 9);
            g.concat("c", &[y, z], 2)
        });
    }
}
