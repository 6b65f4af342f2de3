//! The messages of an ONNX file (onnx.proto), with the fields that affect the meaning of a network.

use crate::wire::{Fields, Malformed, Wire};

/// A message that is read field by field. Weights are not copied but borrowed from the bytes of the file.
pub(crate) trait Message<'a>: Default {
    /// Reads one field. `depth` is how many more levels of messages may be nested in it.
    fn field(&mut self, number: u64, value: Wire<'a>, depth: usize) -> Result<(), Malformed>;

    fn read(bytes: &'a [u8], depth: usize) -> Result<Self, Malformed> {
        let depth = depth.checked_sub(1).ok_or("its messages are nested too deeply")?;
        let (mut message, mut fields) = (Self::default(), Fields::new(bytes));
        while let Some((number, value)) = fields.next()? {
            message.field(number, value, depth)?;
        }
        Ok(message)
    }
}

/// The largest depth of nested messages. A graph in an attribute of a node (`If`) takes three levels.
pub(crate) const DEPTH: usize = 32;

#[derive(Debug, Default)]
pub(crate) struct ModelProto<'a> {
    pub(crate) graph: GraphProto<'a>,
    /// The version of the operators of the main domain.
    pub(crate) opset: i64,
    /// What the exporter states about the model, such as the names of its classes.
    pub(crate) metadata: Vec<Pair>,
}

#[derive(Debug, Default)]
pub(crate) struct GraphProto<'a> {
    pub(crate) nodes: Vec<NodeProto<'a>>,
    pub(crate) initializers: Vec<TensorProto<'a>>,
    pub(crate) inputs: Vec<ValueInfo>,
    pub(crate) outputs: Vec<ValueInfo>,
}

#[derive(Debug, Default)]
pub(crate) struct NodeProto<'a> {
    pub(crate) name: String,
    pub(crate) op: String,
    pub(crate) domain: String,
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
    pub(crate) attributes: Vec<AttributeProto<'a>>,
    /// Metadata of the exporter.
    pub(crate) metadata: Vec<Pair>,
}

#[derive(Debug, Default)]
pub(crate) struct AttributeProto<'a> {
    pub(crate) name: String,
    pub(crate) f: f32,
    pub(crate) i: i64,
    pub(crate) s: String,
    pub(crate) floats: Vec<f32>,
    pub(crate) ints: Vec<i64>,
    pub(crate) tensor: Option<TensorProto<'a>>,
    pub(crate) graph: Option<Box<GraphProto<'a>>>,
}

#[derive(Debug, Default)]
pub(crate) struct TensorProto<'a> {
    pub(crate) name: String,
    pub(crate) dims: Vec<i64>,
    pub(crate) data_type: i64,
    pub(crate) raw: Option<&'a [u8]>,
    pub(crate) floats: Vec<f32>,
    /// The values of all integer fields.
    pub(crate) ints: Vec<i64>,
    pub(crate) doubles: Vec<f64>,
    pub(crate) external: Vec<Pair>,
    pub(crate) is_external: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Pair {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// The name, type and shape of an input or output. A dimension without a number is `None`.
#[derive(Debug, Default)]
pub(crate) struct ValueInfo {
    pub(crate) name: String,
    /// The type of the elements (`TensorProto.DataType`), or 0 if the file does not state it.
    pub(crate) data_type: i64,
    /// The shape, or `None` if the file does not state it.
    pub(crate) shape: Option<Vec<Option<i64>>>,
}

impl<'a> Message<'a> for ModelProto<'a> {
    fn field(&mut self, number: u64, value: Wire<'a>, depth: usize) -> Result<(), Malformed> {
        match number {
            7 => self.graph = Message::read(value.bytes()?, depth)?,
            8 => {
                let opset = Opset::read(value.bytes()?, depth)?;
                if opset.domain.is_empty() || opset.domain == "ai.onnx" {
                    self.opset = opset.version;
                }
            }
            14 => self.metadata.push(Message::read(value.bytes()?, depth)?),
            _ => {}
        }
        Ok(())
    }
}

#[derive(Default)]
struct Opset {
    domain: String,
    version: i64,
}

impl<'a> Message<'a> for Opset {
    fn field(&mut self, number: u64, value: Wire<'a>, _: usize) -> Result<(), Malformed> {
        match number {
            1 => self.domain = value.text()?,
            2 => self.version = value.int()?,
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Message<'a> for GraphProto<'a> {
    fn field(&mut self, number: u64, value: Wire<'a>, depth: usize) -> Result<(), Malformed> {
        match number {
            1 => self.nodes.push(Message::read(value.bytes()?, depth)?),
            5 => self.initializers.push(Message::read(value.bytes()?, depth)?),
            11 => self.inputs.push(Message::read(value.bytes()?, depth)?),
            12 => self.outputs.push(Message::read(value.bytes()?, depth)?),
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Message<'a> for NodeProto<'a> {
    fn field(&mut self, number: u64, value: Wire<'a>, depth: usize) -> Result<(), Malformed> {
        match number {
            1 => self.inputs.push(value.text()?),
            2 => self.outputs.push(value.text()?),
            3 => self.name = value.text()?,
            4 => self.op = value.text()?,
            5 => self.attributes.push(Message::read(value.bytes()?, depth)?),
            7 => self.domain = value.text()?,
            9 => self.metadata.push(Message::read(value.bytes()?, depth)?),
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Message<'a> for AttributeProto<'a> {
    fn field(&mut self, number: u64, value: Wire<'a>, depth: usize) -> Result<(), Malformed> {
        match number {
            1 => self.name = value.text()?,
            2 => self.f = value.float()?,
            3 => self.i = value.int()?,
            4 => self.s = value.text()?,
            5 => self.tensor = Some(Message::read(value.bytes()?, depth)?),
            6 => self.graph = Some(Box::new(Message::read(value.bytes()?, depth)?)),
            7 => value.floats(&mut self.floats)?,
            8 => value.ints(&mut self.ints)?,
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Message<'a> for TensorProto<'a> {
    fn field(&mut self, number: u64, value: Wire<'a>, depth: usize) -> Result<(), Malformed> {
        match number {
            1 => value.ints(&mut self.dims)?,
            2 => self.data_type = value.int()?,
            4 => value.floats(&mut self.floats)?,
            5 | 7 | 11 => value.ints(&mut self.ints)?,
            8 => self.name = value.text()?,
            9 => self.raw = Some(value.bytes()?),
            10 => value.doubles(&mut self.doubles)?,
            13 => self.external.push(Message::read(value.bytes()?, depth)?),
            14 => self.is_external = value.int()? == 1,
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Message<'a> for Pair {
    fn field(&mut self, number: u64, value: Wire<'a>, _: usize) -> Result<(), Malformed> {
        match number {
            1 => self.key = value.text()?,
            2 => self.value = value.text()?,
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Message<'a> for ValueInfo {
    fn field(&mut self, number: u64, value: Wire<'a>, depth: usize) -> Result<(), Malformed> {
        match number {
            1 => self.name = value.text()?,
            2 => {
                let TensorType { data_type, shape } = Type::read(value.bytes()?, depth)?.0;
                (self.data_type, self.shape) = (data_type, shape);
            }
            _ => {}
        }
        Ok(())
    }
}

/// TypeProto, its tensor type, the shape of that and its dimensions.
#[derive(Default)]
struct Type(TensorType);

impl<'a> Message<'a> for Type {
    fn field(&mut self, number: u64, value: Wire<'a>, depth: usize) -> Result<(), Malformed> {
        match number {
            1 => self.0 = TensorType::read(value.bytes()?, depth)?,
            // Sequences, maps, optional and sparse values are no tensors.
            4 | 5 | 8 | 9 => self.0.data_type = -1,
            _ => {}
        }
        Ok(())
    }
}

#[derive(Default)]
struct TensorType {
    data_type: i64,
    shape: Option<Vec<Option<i64>>>,
}

impl<'a> Message<'a> for TensorType {
    fn field(&mut self, number: u64, value: Wire<'a>, depth: usize) -> Result<(), Malformed> {
        match number {
            1 => self.data_type = value.int()?,
            2 => self.shape = Some(Shape::read(value.bytes()?, depth)?.0),
            _ => {}
        }
        Ok(())
    }
}

#[derive(Default)]
struct Shape(Vec<Option<i64>>);

impl<'a> Message<'a> for Shape {
    fn field(&mut self, number: u64, value: Wire<'a>, depth: usize) -> Result<(), Malformed> {
        if number == 1 {
            self.0.push(Dimension::read(value.bytes()?, depth)?.0);
        }
        Ok(())
    }
}

#[derive(Default)]
struct Dimension(Option<i64>);

impl<'a> Message<'a> for Dimension {
    fn field(&mut self, number: u64, value: Wire<'a>, _: usize) -> Result<(), Malformed> {
        if number == 1 {
            self.0 = Some(value.int()?);
        }
        Ok(())
    }
}
