//! ONNX operators in terms of the graph's operations, one family per file.
//!
//! To add an operator, write a function in the file of its family and list it in [`apply`].

mod attention;
mod elementwise;
mod folded;
mod layer_norm;
mod norm;
mod product;
mod resize;
mod shape;
mod tables;
mod window;

use crate::error::Reason;
use crate::importer::Importer;
use crate::proto::NodeProto;
use crate::value::{Scope, Value};

/// A node with the values of its inputs. An omitted input is `None`.
pub(crate) struct Call<'a> {
    pub(crate) node: &'a NodeProto<'a>,
    inputs: Vec<Option<Value>>,
}

impl Call<'_> {
    /// Returns the first input.
    pub(crate) fn x(&self) -> Result<&Value, Reason> {
        self.input(0)
    }

    pub(crate) fn input(&self, i: usize) -> Result<&Value, Reason> {
        self.optional(i).ok_or_else(|| Reason(format!("its input {i} is missing")))
    }

    pub(crate) fn optional(&self, i: usize) -> Option<&Value> {
        self.inputs.get(i).and_then(Option::as_ref)
    }

    /// Returns all inputs that are present.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &Value> {
        self.inputs.iter().flatten()
    }

    fn attribute(&self, name: &str) -> Option<&crate::proto::AttributeProto<'_>> {
        self.node.attributes.iter().find(|attribute| attribute.name == name)
    }

    pub(crate) fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).map_or(default, |attribute| attribute.i)
    }

    pub(crate) fn float(&self, name: &str, default: f32) -> f32 {
        self.attribute(name).map_or(default, |attribute| attribute.f)
    }

    pub(crate) fn text(&self, name: &str, default: &'static str) -> &str {
        self.attribute(name).map_or(default, |attribute| &attribute.s)
    }

    pub(crate) fn ints(&self, name: &str) -> Option<&[i64]> {
        self.attribute(name).map(|attribute| attribute.ints.as_slice())
    }

    pub(crate) fn tensor(&self, name: &str) -> Option<&crate::proto::TensorProto<'_>> {
        self.attribute(name).and_then(|attribute| attribute.tensor.as_ref())
    }

    /// Returns integers that newer versions of an operator take as an input and older versions as an attribute.
    pub(crate) fn ints_input_or_attribute(&self, input: usize, attribute: &str) -> Result<Option<Vec<i64>>, Reason> {
        match self.optional(input) {
            Some(value) => Ok(Some(value.ints()?)),
            None => Ok(self.ints(attribute).map(<[i64]>::to_vec)),
        }
    }

    /// Returns a dimension from an attribute; negative ones count from the end.
    pub(crate) fn axis(&self, name: &str, default: i64, rank: usize) -> Result<usize, Reason> {
        dimension(self.int(name, default), rank)
    }
}

/// Returns a dimension of a value of that rank; a negative `axis` counts from the end.
pub(crate) fn dimension(axis: i64, rank: usize) -> Result<usize, Reason> {
    let dim = if axis < 0 { axis + rank as i64 } else { axis };
    let fits = usize::try_from(dim).ok().filter(|dim| *dim < rank);
    fits.ok_or_else(|| Reason(format!("there is no axis {axis} in a tensor of {rank} dimensions")))
}

/// The operators that may read images as integers. They move elements, and a cast turns them into floats.
const ON_INTEGERS: [&str; 20] = [
    "Cast",
    "CastLike",
    "Identity",
    "Dropout",
    "Transpose",
    "Reshape",
    "Flatten",
    "Squeeze",
    "Unsqueeze",
    "Slice",
    "Gather",
    "Split",
    "Concat",
    "Pad",
    "MaxPool",
    "DepthToSpace",
    "SpaceToDepth",
    "Shape",
    "Size",
    "Expand",
];

/// Returns the values of a node's outputs.
pub(crate) fn apply(importer: &mut Importer, node: &NodeProto<'_>, scope: &Scope) -> Result<Vec<Value>, Reason> {
    let input = |name: &String| match scope.get(name) {
        _ if name.is_empty() => Ok(None),
        Some(value) => Ok(Some(value.clone())),
        None => Err(Reason(format!(
            "nothing provides its input {name:?}, which is neither the images nor computed from them"
        ))),
    };
    let call = Call { node, inputs: node.inputs.iter().map(input).collect::<Result<_, _>>()? };
    if !["", "ai.onnx"].contains(&node.domain.as_str()) {
        return Err(format!("it belongs to {:?} and not to ONNX: export without such extensions", node.domain).into());
    }
    let has_integral_images = call.inputs().any(|value| value.known().is_none() && value.is_integral());
    if has_integral_images && !ON_INTEGERS.contains(&node.op.as_str()) {
        return Err("arithmetic on images of integers is not supported: cast them to floats first".into());
    }
    match tables::apply(importer, &call)? {
        Some(values) => Ok(values),
        None => dispatch(importer, &call),
    }
}

/// Returns the values of a node's outputs by its operator.
fn dispatch(importer: &mut Importer, call: &Call<'_>) -> Result<Vec<Value>, Reason> {
    let node = call.node;
    let value = match node.op.as_str() {
        "Split" => return shape::split(importer, call),
        "Identity" | "Dropout" => call.x()?.clone(),
        "Constant" => folded::constant(call)?,
        "ConstantOfShape" => folded::constant_of_shape(importer, call)?,
        "Shape" => folded::shape(importer, call)?,
        "Size" => folded::size(importer, call)?,
        "Range" => folded::range(call)?,
        "EyeLike" => folded::eye(call)?,
        "CumSum" => folded::cumulative_sum(call)?,
        "GatherND" => folded::gather_nd(call)?,
        "ScatterND" => folded::scatter_nd(call)?,
        "ScatterElements" => folded::scatter_elements(call)?,
        "NonZero" => folded::non_zero(call)?,
        "ReduceProd" => folded::product(call)?,
        "Ceil" | "Floor" | "Round" => folded::rounded(call)?,
        "Not" | "And" | "Or" | "Xor" | "Equal" | "Less" | "LessOrEqual" | "Greater" | "GreaterOrEqual" | "Mod" => {
            folded::compared(call)?
        }
        "Cast" | "CastLike" => elementwise::cast(call)?,
        "Where" => elementwise::choose(importer, call)?,
        "Add" | "Sub" | "Mul" | "Div" | "Min" | "Max" | "Sum" | "Mean" => elementwise::binary(importer, call)?,
        "Neg" => elementwise::negate(importer, call)?,
        "Pow" => elementwise::power(importer, call)?,
        "PRelu" => elementwise::parametric_relu(importer, call)?,
        "Conv" => window::conv(importer, call)?,
        "MaxPool" | "AveragePool" => window::pool(importer, call)?,
        "GlobalAveragePool" | "GlobalMaxPool" => window::global_pool(importer, call)?,
        "Pad" => window::pad(importer, call)?,
        "DepthToSpace" | "SpaceToDepth" => window::blocks(importer, call)?,
        "Resize" | "Upsample" => resize::resize(importer, call)?,
        "MatMul" => product::matmul(importer, call.input(0)?, call.input(1)?)?,
        "Gemm" => product::gemm(importer, call)?,
        "Einsum" => product::einsum(importer, call)?,
        "BatchNormalization" => norm::batch(importer, call)?,
        "LayerNormalization" => norm::layer(importer, call)?,
        "InstanceNormalization" => norm::instance(importer, call)?,
        "GroupNormalization" => norm::group(importer, call)?,
        "RMSNormalization" => attention::rms_normalization(importer, call)?,
        "Attention" => attention::attention(importer, call)?,
        "RotaryEmbedding" => attention::rotary_embedding(importer, call)?,
        "LpNormalization" => norm::lp(importer, call)?,
        "Softmax" | "LogSoftmax" => norm::softmax(importer, call)?,
        "ReduceMean" | "ReduceSum" | "ReduceMax" | "ReduceMin" | "ReduceL1" | "ReduceL2" | "ReduceSumSquare" => {
            norm::reduce(importer, call)?
        }
        "Reshape" => shape::reshape(importer, call)?,
        "Flatten" => shape::flatten(importer, call)?,
        "Squeeze" => shape::squeeze(importer, call)?,
        "Unsqueeze" => shape::unsqueeze(importer, call)?,
        "Transpose" => shape::transpose(importer, call)?,
        "Concat" => shape::concat(importer, call)?,
        "Slice" => shape::slice(importer, call)?,
        "Gather" => shape::gather(importer, call)?,
        "Expand" => shape::expand(importer, call)?,
        "Tile" => shape::tile(importer, call)?,
        _ => match elementwise::activation(call)? {
            Some(activation) => elementwise::activate(importer, call, activation)?,
            None => {
                return Err(
                    "it is not supported: export the model in floats and with older operators (`opset_version=20` of \
                     torch.onnx.export), or load it by its name if the model zoo has it"
                        .into(),
                );
            }
        },
    };
    Ok(vec![value])
}
