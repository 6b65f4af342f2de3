use crate::ops::{Moving, Op};
use crate::{Graph, GraphError, NodeId, WeightMap};
use candle_core::{DType, Device, Tensor};

/// A node's value, and the direction in which it moves.
#[derive(Clone, Debug)]
pub struct Dual {
    /// The value.
    pub value: Tensor,
    /// Of the value's shape; `None` where it does not move.
    pub tangent: Option<Tensor>,
}

/// [`run_from`](crate::run_from) with directions: the wanted nodes' values, and how they move as the fed ones move along
/// their tangents (forward-mode differentiation: a Jacobian times a vector). Batch norms use running statistics.
///
/// Everything is made of operations that are recorded, so a backward pass from here gives exact second derivatives with
/// respect to the variables among weights and fed values: the gradient of `u · ∂y/∂x`, u held fixed, is the gradient of
/// y's movement along u. Nothing is recorded where there is no variable.
///
/// # Errors
/// As [`run_from`](crate::run_from).
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
        let at = |source| GraphError::Node { node: node.name.clone(), source };
        if let Op::Constant(constant) = &node.op
            && !weights.contains_key(&node.name)
        {
            let like =
                fed.first().map_or((Device::Cpu, DType::F32), |(_, x)| (x.value.device().clone(), x.value.dtype()));
            values[i] = Some(Dual { value: constant.tensor(&like.0, like.1).map_err(at)?, tangent: None });
            continue;
        }
        let inputs = node
            .inputs
            .iter()
            .map(|id| {
                values[id.index()].as_ref().ok_or_else(|| at(candle_core::Error::Msg("an input has no value".into())))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let missing = |weight: &String| GraphError::MissingWeight { node: node.name.clone(), weight: weight.clone() };
        let named = match node.op {
            Op::Constant(_) => std::slice::from_ref(&node.name),
            _ => &node.weights[..],
        };
        let own =
            named.iter().map(|name| weights.get(name).ok_or_else(|| missing(name))).collect::<Result<Vec<_>, _>>()?;
        let plain: Vec<&Tensor> = inputs.iter().map(|dual| &dual.value).collect();
        let moving: Vec<Moving<'_>> = inputs.iter().map(|dual| (&dual.value, dual.tangent.as_ref())).collect();
        let value = node.op.value(&plain, &own).map_err(at)?;
        let tangent = node.op.tangent(&moving, &own, &value).map_err(at)?;
        values[i] = Some(Dual { value, tangent });
    }
    let absent = |id: &NodeId| GraphError::Node {
        node: graph.node(*id).name.clone(),
        source: candle_core::Error::Msg("its value was not computed".into()),
    };
    wanted.iter().map(|id| values[id.index()].clone().ok_or_else(|| absent(id))).collect()
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

    /// Forward mode along a direction is reverse mode times it, and both are differences.
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
        // The tangent is linear in its direction, and a backward pass through it finds the same gradient once more.
        let direction = Var::from_tensor(&u).unwrap();
        let fed = [(graph.input(), Dual { value: x.clone(), tangent: Some(direction.as_tensor().clone()) })];
        let out = run_tangent(&graph, &weights, &fed, &[graph.output()]).unwrap().remove(0);
        let again = (out.tangent.unwrap() * &r).unwrap().sum_all().unwrap().backward().unwrap();
        let want = store.get(&variable).unwrap();
        let apart = (again.get(&direction).unwrap() - want).unwrap();
        assert!(dot(&apart, &apart) < 1e-8 * dot(want, want), "{what}: the gradient through the tangent");
        // Here it is linear in each weight too (a bias does not matter), so differences are exact but for rounding.
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
            let at = |step: f64| moved(&with((weight + (&v * step).unwrap()).unwrap())).to_scalar::<f32>().unwrap();
            let want = at(0.5) - at(-0.5);
            assert!((got - want).abs() < 1e-3 * want.abs().max(0.1), "{what}: {name}: {got}, differences {want}");
        }
        let at = |step: f64| dot(&run(&graph, &weights, &(&x + (&u * step).unwrap()).unwrap()).unwrap(), &r);
        let differences = (at(5e-3) - at(-5e-3)) / 1e-2;
        assert!(
            (forward - differences).abs() < 2e-2 * forward.abs().max(1.0),
            "{what}: {forward}, differences {differences}"
        );
    }

    #[test]
    fn every_operation() {
        let picture: &[usize] = &[2, 4, 6, 5];
        let tokens: &[usize] = &[2, 7, 8];
        let conv = Conv2d { stride: 2, padding: 1, groups: 2, bias: true, ..Conv2d::new(4, 6, 3) };
        check("conv", picture, |g, x| g.conv2d("c", x, conv));
        check("linear", tokens, |g, x| g.linear("l", x, 8, 3, true));
        check("batch norm", picture, |g, x| g.batch_norm("bn", x, 4));
        check("layer norm", tokens, |g, x| g.layer_norm("ln", x, 8, 1e-5));
        check("max pool", picture, |g, x| g.max_pool2d("p", x, Pool2d { stride: 2, padding: 1, ..Pool2d::new(3) }));
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
