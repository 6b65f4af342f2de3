use crate::machine::{Accept, run};
use crate::node::Node;
use crate::{PickleError, Value};
use std::io::BufRead;

/// All values of one pickle (protocols 0 to 5).
#[derive(Debug)]
pub struct Pickle {
    nodes: Vec<Node>,
    root: usize,
}

impl Pickle {
    /// Reads a pickle of plain values: numbers, text, bytes, lists, tuples, sets and dictionaries.
    ///
    /// `collections.OrderedDict` and `collections.defaultdict` are read as dictionaries. Bytes after the end of the
    /// pickle are ignored.
    ///
    /// # Errors
    /// Returns [`PickleError`] if the bytes are not a whole pickle, or if it names any other function or class.
    pub fn parse(bytes: &[u8]) -> Result<Self, PickleError> {
        Self::run(&mut &bytes[..], Accept::PlainValues)
    }

    /// Reads one pickle that may contain objects, and leaves `reader` at the byte after its end.
    ///
    /// A call is kept as a description of itself ([`Value::call`]). Byte strings are not kept, because the objects of
    /// interest do not need them, and text that is not valid UTF-8 is decoded with replacement characters.
    ///
    /// # Errors
    /// Returns [`PickleError`] if the reader fails, the bytes are not a whole pickle, or it has more than ten million
    /// instructions.
    pub fn read_objects(reader: &mut impl BufRead) -> Result<Self, PickleError> {
        Self::run(reader, Accept::Objects)
    }

    fn run(reader: &mut impl BufRead, accept: Accept) -> Result<Self, PickleError> {
        let (nodes, root) = run(reader, accept)?;
        Ok(Self { nodes, root })
    }

    /// Returns the value that was pickled.
    pub fn root(&self) -> Value<'_> {
        Value::new(&self.nodes, self.root)
    }

    /// Returns every value in the order of creation, also those that the root does not refer to.
    pub fn values(&self) -> impl Iterator<Item = Value<'_>> {
        (0..self.nodes.len()).map(|place| Value::new(&self.nodes, place))
    }
}
