//! Recognizes layer normalization. Before version 17 of the operators, files contain it in parts: mean, difference, square,
//! mean, root and quotient, then a factor and a summand for each channel.

use crate::error::Reason;
use crate::importer::{Importer, LayerNorm, constant};
use crate::value::Value;
use hard_imagenet_graph::{Activation, Binary, NodeId, Op, Reduce, Reduction};

impl Importer {
    /// Turns the quotient (x - mean) / √(variance + eps) along the last dimension into one operation, or returns `None` for any
    /// other quotient.
    pub(super) fn merge_layer_norm(&mut self, centered: &Value, deviation: &Value) -> Option<Result<Value, Reason>> {
        let x = self.find_centered(centered)?;
        let [sum] = self.inputs_of(deviation, |op| *op == Op::Activation(Activation::Sqrt))?;
        let [a, b] = self.inputs_of(&sum, |op| *op == Op::Binary(Binary::Add))?;
        let (variance, eps) = match (a.scalar(), b.scalar()) {
            (None, Some(eps)) => (a, eps),
            (Some(eps), None) => (b, eps),
            _ => return None,
        };
        let squared = self.find_averaged(&variance)?;
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
        // The file may compute the difference twice.
        if id(&again)? != id(centered)? && id(&self.find_centered(&again)?)? != id(&x)? {
            return None;
        }
        Some(self.add_layer_norm(LayerNorm { x, eps: f64::from(eps), weight: None, bias: None }))
    }

    /// Merges a normalization with the factor or the summand of each channel, or returns `None` if they are something else.
    pub(super) fn merge_layer_norm_affine(
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
        Some(self.add_layer_norm(norm))
    }

    fn add_layer_norm(&mut self, norm: LayerNorm) -> Result<Value, Reason> {
        let channels = norm.x.shape().last().copied().unwrap_or_default();
        let fill = |number: f32| constant(vec![number; channels], &[channels]);
        let weight = norm.weight.clone().map_or_else(|| fill(1.0), Ok)?;
        let bias = norm.bias.clone().map_or_else(|| fill(0.0), Ok)?;
        // These names cannot collide with those of weights in the file.
        let weights = [("norm.weight", &weight), ("norm.bias", &bias)];
        let y = self.weighted(Op::LayerNorm { channels, eps: norm.eps }, &[&norm.x], &weights)?;
        if let Value::Node { id, .. } = y {
            self.layer_norms.insert(id, norm);
        }
        Ok(y)
    }

    /// Returns x if the value is x minus its mean along the last dimension.
    fn find_centered(&self, value: &Value) -> Option<Value> {
        let [x, mean] = self.inputs_of(value, |op| *op == Op::Binary(Binary::Sub))?;
        (id(&self.find_averaged(&mean)?)? == id(&x)?).then_some(x)
    }

    /// Returns x if the value is the mean of x along the last dimension.
    fn find_averaged(&self, value: &Value) -> Option<Value> {
        let last = vec![value.rank().checked_sub(1)?];
        let mean = Op::Reduce(Reduce { how: Reduction::Mean, dims: last, keep: true });
        let [x] = self.inputs_of(value, |op| *op == mean)?;
        Some(x)
    }

    /// Returns the inputs of the operation that computes a value if `is` accepts the operation.
    fn inputs_of<const N: usize>(&self, value: &Value, is: impl Fn(&Op) -> bool) -> Option<[Value; N]> {
        let (op, inputs) = self.operations.get(&id(value)?)?;
        if is(op) { inputs.clone().try_into().ok() } else { None }
    }
}

fn id(value: &Value) -> Option<NodeId> {
    if let Value::Node { id, .. } = value { Some(*id) } else { None }
}
