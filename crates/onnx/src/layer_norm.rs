//! Layer normalisation, which before version 17 of the operators a file has in parts: mean, difference, square, mean, root,
//! quotient, then a factor and a summand for each channel.

use crate::error::Reason;
use crate::import::{Import, constant};
use crate::value::Value;
use hard_imagenet_graph::{Activation, Binary, NodeId, Op, Reduce, Reduction};

/// One that was recognised, as far as it goes.
#[derive(Clone)]
pub(crate) struct LayerNorm {
    x: Value,
    eps: f64,
    weight: Option<Value>,
    bias: Option<Value>,
}

impl Import {
    /// (x - mean) / √(variance + eps) along the last dimension as one operation; `None` for another quotient.
    pub(crate) fn layer_norm(&mut self, centred: &Value, deviation: &Value) -> Option<Result<Value, Reason>> {
        let x = self.centred(centred)?;
        let [sum] = self.inputs_of(deviation, |op| *op == Op::Activation(Activation::Sqrt))?;
        let [a, b] = self.inputs_of(&sum, |op| *op == Op::Binary(Binary::Add))?;
        let (variance, eps) = match (a.scalar(), b.scalar()) {
            (None, Some(eps)) => (a, eps),
            (Some(eps), None) => (b, eps),
            _ => return None,
        };
        let squared = self.mean_of(&variance)?;
        let again = match self.inputs_of(&squared, |op| *op == Op::Activation(Activation::Power(2.0))) {
            Some([again]) => again,
            None => {
                let [a, b] = self.inputs_of(&squared, |op| *op == Op::Binary(Binary::Mul))?;
                if id(&a)? != id(&b)? {
                    return None;
                }
                a
            }
        };
        // The difference may be there twice.
        if id(&again)? != id(centred)? && id(&self.centred(&again)?)? != id(&x)? {
            return None;
        }
        Some(self.normalised(LayerNorm { x, eps: f64::from(eps), weight: None, bias: None }))
    }

    /// A normalisation and the factor of each channel, or the summand, as one operation; `None` where they are not that.
    pub(crate) fn layer_norm_with(
        &mut self,
        binary: Binary,
        y: &Value,
        vector: &Value,
    ) -> Option<Result<Value, Reason>> {
        let mut norm = self.layer_norms.get(&id(y)?)?.clone();
        let fits = vector.known().is_some() && vector.rank() == 1 && vector.shape().last() == y.shape().last();
        match binary {
            Binary::Mul if fits && norm.weight.is_none() && norm.bias.is_none() => norm.weight = Some(vector.clone()),
            Binary::Add if fits && norm.bias.is_none() => norm.bias = Some(vector.clone()),
            _ => return None,
        }
        Some(self.normalised(norm))
    }

    fn normalised(&mut self, norm: LayerNorm) -> Result<Value, Reason> {
        let channels = norm.x.shape().last().copied().unwrap_or_default();
        let usual = |number: f32| constant(vec![number; channels], &[channels]);
        let weight = norm.weight.clone().map_or_else(|| usual(1.0), Ok)?;
        let bias = norm.bias.clone().map_or_else(|| usual(0.0), Ok)?;
        // Not the names of weights that the file may have.
        let weights = [("norm.weight", &weight), ("norm.bias", &bias)];
        let y = self.weighted(Op::LayerNorm { channels, eps: norm.eps }, &[&norm.x], &weights)?;
        if let Value::Node { id, .. } = y {
            self.layer_norms.insert(id, norm);
        }
        Ok(y)
    }

    /// What a mean along the last dimension was subtracted from.
    fn centred(&self, value: &Value) -> Option<Value> {
        let [x, mean] = self.inputs_of(value, |op| *op == Op::Binary(Binary::Sub))?;
        (id(&self.mean_of(&mean)?)? == id(&x)?).then_some(x)
    }

    /// What a value is the mean of, along the last dimension.
    fn mean_of(&self, value: &Value) -> Option<Value> {
        let last = vec![value.rank().checked_sub(1)?];
        let mean = Op::Reduce(Reduce { how: Reduction::Mean, dims: last, keep: true });
        let [x] = self.inputs_of(value, |op| *op == mean)?;
        Some(x)
    }

    /// The inputs of the operation that made a value, if it is the one asked for.
    fn inputs_of<const N: usize>(&self, value: &Value, is: impl Fn(&Op) -> bool) -> Option<[Value; N]> {
        let (op, inputs) = self.made.get(&id(value)?)?;
        if is(op) { inputs.clone().try_into().ok() } else { None }
    }
}

fn id(value: &Value) -> Option<NodeId> {
    if let Value::Node { id, .. } = value { Some(*id) } else { None }
}
