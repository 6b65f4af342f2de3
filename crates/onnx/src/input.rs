//! The input that takes the images: its shape, and the values that the network expects there.

use crate::output::{is_float, names_read, type_name};
use crate::proto::{GraphProto, NodeProto, ValueInfo};
use crate::value::Scope;

/// The values that a network expects of its images, as far as its file tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PixelRange {
    /// The file does not tell. Most networks expect normalized values.
    #[default]
    Unstated,
    /// Values from 0 to 1, because the network starts with a normalization of such values.
    Unit,
    /// Values from 0 to 255, because the input takes integers or the network starts with a normalization of such values.
    Bytes,
}

/// The input of a graph that takes the images.
pub(crate) struct ImageInput {
    pub(crate) name: String,
    /// Whether it is (B, H, W, 3) instead of (B, 3, H, W).
    pub(crate) has_channels_last: bool,
    /// Whether its elements are integers.
    pub(crate) is_integral: bool,
    /// Whether the file was exported for one image, so that it says 1 where the batch size belongs.
    pub(crate) is_single: bool,
    /// Height and width, as far as the file fixes them.
    pub(crate) sides: (Option<usize>, Option<usize>),
}

/// The largest side of an image, in pixels.
pub(crate) const LARGEST_SIDE: usize = 1 << 14;

impl ImageInput {
    /// Finds the input of four dimensions. Initializers may be listed among the inputs too.
    pub(crate) fn find(graph: &GraphProto<'_>) -> Result<Self, String> {
        let stored = |name: &str| graph.initializers.iter().any(|initializer| initializer.name == name);
        let inputs = || graph.inputs.iter().filter(|input| !stored(&input.name));
        let dims = |input: &ValueInfo| input.shape.as_ref().filter(|shape| shape.len() == 4).cloned();
        let has_three = |dims: &[Option<i64>]| dims[1] == Some(3) || dims[3] == Some(3);
        let images = inputs().find(|input| dims(input).is_some_and(|dims| has_three(&dims)));
        let images = images.or_else(|| inputs().find(|input| dims(input).is_some()));
        let Some((images, dims)) = images.and_then(|images| Some((images, dims(images)?))) else {
            let all: Vec<String> = inputs().map(show_input).collect();
            let all = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
            return Err(format!("it has no input of four dimensions, which images need; its inputs are {all}"));
        };
        let has_channels_last = match (dims[1], dims[3]) {
            (Some(3), _) => false,
            (_, Some(3)) => true,
            (None, None) => is_transposed_first(graph, &images.name),
            _ => false,
        };
        let (rows, columns, channels) = if has_channels_last { (1, 2, 3) } else { (2, 3, 1) };
        if dims[channels].is_some_and(|channels| channels != 3) {
            return Err(format!("its input {} does not have the three channels of images", show_input(images)));
        }
        // int8 cannot hold pixels, and the file does not state how they would be mapped to it.
        let is_integral = [2, 4, 5, 6, 7, 12, 13].contains(&images.data_type);
        if !is_integral && !is_float(images.data_type) {
            let kind = type_name(images.data_type);
            return Err(format!(
                "its input {:?} has the type {kind}, but images are floats or integers from 0 to 255: export it with an input \
                 of the type float or uint8",
                images.name
            ));
        }
        let side = |at: usize| match dims[at] {
            None => Ok(None),
            Some(side) => match usize::try_from(side) {
                Ok(pixels @ 1..LARGEST_SIDE) => Ok(Some(pixels)),
                _ => Err(format!("its input has a side of {side} pixels")),
            },
        };
        let is_single = match dims[0] {
            None => false,
            Some(1) => true,
            Some(n) => {
                return Err(format!("it was exported for {n} images: export it for one image or for any number"));
            }
        };
        let sides = (side(rows)?, side(columns)?);
        Ok(Self { name: images.name.clone(), has_channels_last, is_integral, is_single, sides })
    }
}

/// Returns whether the graph moves the channels of an input from the last to the second dimension before anything else.
fn is_transposed_first(graph: &GraphProto<'_>, input: &str) -> bool {
    let readers = readers(graph, input);
    let [reader] = readers.as_slice() else { return false };
    if ["Cast", "Identity"].contains(&reader.op.as_str()) {
        return reader.outputs.first().is_some_and(|next| next != input && is_transposed_once(graph, next));
    }
    is_transposed_once(graph, input)
}

fn is_transposed_once(graph: &GraphProto<'_>, input: &str) -> bool {
    let order = |node: &NodeProto<'_>| node.attributes.iter().find(|a| a.name == "perm").map(|a| a.ints.clone());
    match readers(graph, input).as_slice() {
        [reader] => reader.op == "Transpose" && order(reader).is_some_and(|order| order == [0, 3, 1, 2]),
        _ => false,
    }
}

/// Returns the nodes that read the elements of a value, not only its shape.
fn readers<'a>(graph: &'a GraphProto<'_>, value: &str) -> Vec<&'a NodeProto<'a>> {
    let reads =
        |node: &&NodeProto<'_>| !["Shape", "Size"].contains(&node.op.as_str()) && names_read(node).contains(&value);
    graph.nodes.iter().filter(reads).collect()
}

/// Returns the values that the network expects, according to the arithmetic with which it starts.
///
/// A network that divides by about 255 first, or subtracts means larger than 2, takes pixels from 0 to 255. One that subtracts
/// the means of pixels from 0 to 1 and divides by their standard deviations takes such pixels.
pub(crate) fn pixel_range(graph: &GraphProto<'_>, input: &ImageInput, imported: &Scope) -> PixelRange {
    if input.is_integral {
        return PixelRange::Bytes;
    }
    let constant = |node: &NodeProto<'_>, at: usize| {
        node.inputs.get(at).and_then(|name| imported.get(name)).and_then(|value| value.floats().ok())
    };
    let all =
        |values: &[f32], low: f32, high: f32| !values.is_empty() && values.iter().all(|v| (low..=high).contains(v));
    let mut name = input.name.as_str();
    let mut has_unit_means = false;
    for _ in 0..graph.nodes.len() {
        let readers = readers(graph, name);
        let [node] = readers.as_slice() else { return PixelRange::Unstated };
        let is_first = node.inputs.first().is_some_and(|first| first == name);
        let other = constant(node, usize::from(is_first)).unwrap_or_default();
        let range = match node.op.as_str() {
            "Cast" | "CastLike" | "Identity" | "Transpose" | "Reshape" | "Slice" | "Gather" | "Squeeze"
            | "Unsqueeze" => None,
            "Div" if is_first && has_unit_means && all(&other, 0.1, 0.6) => Some(PixelRange::Unit),
            "Mul" if has_unit_means && all(&other, 1.6, 10.0) => Some(PixelRange::Unit),
            "Div" if is_first && all(&other, 40.0, 300.0) => Some(PixelRange::Bytes),
            "Mul" if all(&other, 1.0 / 300.0, 1.0 / 40.0) => Some(PixelRange::Bytes),
            "Sub" if is_first && all(&other, 2.0, 255.0) => Some(PixelRange::Bytes),
            "Add" if all(&other, -255.0, -2.0) => Some(PixelRange::Bytes),
            "Sub" if is_first && !has_unit_means && all(&other, 0.2, 0.8) => {
                has_unit_means = true;
                None
            }
            "Add" if !has_unit_means && all(&other, -0.8, -0.2) => {
                has_unit_means = true;
                None
            }
            _ => Some(PixelRange::Unstated),
        };
        if let Some(range) = range {
            return range;
        }
        match node.outputs.first() {
            Some(next) => name = next,
            None => return PixelRange::Unstated,
        }
    }
    PixelRange::Unstated
}

/// Formats an input as the file states it, for example `images float (?, 3, 224, 224)`.
pub(crate) fn show_input(input: &ValueInfo) -> String {
    let dim = |dim: &Option<i64>| dim.map_or_else(|| "?".to_owned(), |dim| dim.to_string());
    let shape = input.shape.as_ref().map(|shape| shape.iter().map(dim).collect::<Vec<_>>().join(", "));
    let shape = shape.map_or_else(|| "of unknown shape".to_owned(), |shape| format!("({shape})"));
    format!("{:?} {} {shape}", input.name, type_name(input.data_type))
}
