use crate::run::{Evaluate, execute};
use crate::{Graph, GraphError, NodeId, WeightMap};
use candle_core::{Tensor, Var};

/// A node's value in the middle of a run, and where to ask for its gradient.
#[derive(Clone, Debug)]
pub struct WatchPoint {
    /// The value, without a record.
    pub value: Tensor,
    /// Zeros of the value's shape, added to it on its way: the gradient with respect to this variable is the gradient
    /// with respect to the value, whatever other watched nodes lie behind it.
    pub tap: Var,
}

/// [`run`](crate::run), with an eye on some nodes: the output, and each node in the order asked for.
///
/// A [`Cut`](crate::Cut) differentiates with respect to one node, and what lies before it stays without a record; this
/// does it with respect to several, of which one may depend on another. Only what lies behind the first of them is
/// recorded.
///
/// # Errors
/// As [`run`](crate::run).
pub fn run_watching(
    graph: &Graph,
    weights: &WeightMap,
    x: &Tensor,
    nodes: &[NodeId],
) -> Result<(Tensor, Vec<WatchPoint>), GraphError> {
    let mut seen: Vec<Option<WatchPoint>> = vec![None; nodes.len()];
    let names: Vec<&str> = nodes.iter().map(|id| graph.node(*id).name.as_str()).collect();
    let evaluate: &mut Evaluate<'_> = &mut |node, then, inputs, weights| {
        if then.is_some() {
            return Ok(None);
        }
        let value = node.op.value(inputs, weights)?;
        let Some(place) = names.iter().position(|name| *name == node.name) else { return Ok(Some(value)) };
        let tap = Var::from_tensor(&value.zeros_like()?)?;
        let tapped = (&value + tap.as_tensor())?;
        seen[place] = Some(WatchPoint { value: value.detach(), tap });
        Ok(Some(tapped))
    };
    let mut output = execute(graph, weights, &[(graph.input(), x.clone())], &[graph.output()], evaluate)?;
    let absent = |name: &str| GraphError::Node {
        node: name.to_owned(),
        source: candle_core::Error::Msg("it is computed from no input, so it cannot be watched".into()),
    };
    let watched = seen.into_iter().zip(&names).map(|(one, name)| one.ok_or_else(|| absent(name)));
    Ok((output.remove(0), watched.collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{picture, tiny_residual, weights_of};
    use crate::{Cut, run};

    /// Nodes of which one lies behind the other, each as by a cut at it alone.
    #[test]
    fn gradients_are_those_of_cuts() -> Result<(), GraphError> {
        let graph = tiny_residual();
        let (weights, x) = (weights_of(&graph), picture(2));
        let names = ["relu", "block.conv", "pool"];
        let nodes = names.map(|name| graph.find(name).unwrap());
        let (output, watched) = run_watching(&graph, &weights, &x, &nodes)?;
        assert_eq!(output.to_vec2::<f32>()?, run(&graph, &weights, &x)?.to_vec2::<f32>()?);
        let gradients = output.sqr()?.sum_all()?.backward()?;
        for (name, one) in names.iter().zip(&watched) {
            let cut = Cut::at(&graph, name)?;
            let mut value = cut.trunk(&graph, &weights, &x)?;
            let variable = Var::from_tensor(&value.at)?;
            value.at = variable.as_tensor().clone();
            let store = cut.head(&graph, &weights, &value)?.sqr()?.sum_all()?.backward()?;
            let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(flat(&one.value), flat(&variable), "{name}");
            let (got, want) = (flat(gradients.get(&one.tap).unwrap()), flat(store.get(&variable).unwrap()));
            assert!(want.iter().any(|v| *v != 0.0), "{name}");
            assert!(got.iter().zip(&want).all(|(a, b)| (a - b).abs() <= 1e-5 * b.abs().max(1.0)), "{name}");
        }
        Ok(())
    }

    #[test]
    fn the_input_is_given_and_not_computed() -> Result<(), GraphError> {
        let graph = tiny_residual();
        let error = run_watching(&graph, &weights_of(&graph), &picture(1), &[graph.input()]).unwrap_err();
        assert!(error.to_string().contains("cannot be watched"), "{error}");
        Ok(())
    }
}
