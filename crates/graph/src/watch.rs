use crate::run::{Evaluate, execute};
use crate::{Graph, GraphError, NodeId, WeightMap};
use candle_core::{Tensor, Var};

/// A node's value in the middle of a run, and the variable that receives its gradient.
#[derive(Clone, Debug)]
pub struct WatchPoint {
    /// The value of the node, without a record.
    pub value: Tensor,
    /// Zeros in the shape of the value, which are added to it. The gradient with respect to this variable is the gradient with
    /// respect to the value, no matter which other watched nodes come after it.
    pub tap: Var,
}

/// Evaluates the graph like [`run`](crate::run) and watches some nodes. Returns the output and a watch point for each node, in
/// the given order. The shapes are those of [`run`](crate::run).
///
/// With a [`Cut`](crate::Cut) the output is differentiated with respect to one node. Here it is differentiated with respect to
/// several, of which one may depend on another. Only what comes after the first of them is recorded.
///
/// # Errors
/// Returns an error in the cases of [`run`](crate::run), and if a node is not computed from the input.
pub fn run_watching(
    graph: &Graph,
    weights: &WeightMap,
    x: &Tensor,
    nodes: &[NodeId],
) -> Result<(Tensor, Vec<WatchPoint>), GraphError> {
    let mut seen: Vec<Option<WatchPoint>> = vec![None; nodes.len()];
    let names: Vec<&str> = nodes.iter().map(|id| graph.node(*id).name.as_str()).collect();
    let evaluate: &mut Evaluate<'_> = &mut |node, inputs, weights| {
        let value = node.op.value(inputs, weights)?;
        let Some(place) = names.iter().position(|name| *name == node.name) else { return Ok(value) };
        let tap = Var::from_tensor(&value.zeros_like()?)?;
        let tapped = (&value + tap.as_tensor())?;
        seen[place] = Some(WatchPoint { value: value.detach(), tap });
        Ok(tapped)
    };
    let mut output = execute(graph, weights, &[(graph.input(), x.clone())], &[graph.output()], evaluate)?;
    let not_computed = |name: &str| GraphError::Node {
        node: name.to_owned(),
        source: candle_core::Error::Msg("it is not computed from an input, so it cannot be watched".into()),
    };
    let watched = seen.into_iter().zip(&names).map(|(one, name)| one.ok_or_else(|| not_computed(name)));
    Ok((output.remove(0), watched.collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{images, tiny_residual, weights_of};
    use crate::{Cut, run};

    /// Each node is compared with a cut at it, although one of the nodes comes after the other.
    #[test]
    fn gradients_equal_those_of_cuts() -> Result<(), GraphError> {
        let graph = tiny_residual();
        let (weights, x) = (weights_of(&graph), images(2));
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
    fn the_input_cannot_be_watched() -> Result<(), GraphError> {
        let graph = tiny_residual();
        let error = run_watching(&graph, &weights_of(&graph), &images(1), &[graph.input()]).unwrap_err();
        assert!(error.to_string().contains("cannot be watched"), "{error}");
        Ok(())
    }
}
