use crate::node::Node;
use std::fmt;

/// A value of a [`Pickle`](crate::Pickle).
#[derive(Clone, Copy)]
pub struct Value<'a> {
    nodes: &'a [Node],
    place: usize,
}

impl<'a> Value<'a> {
    pub(crate) fn new(nodes: &'a [Node], place: usize) -> Self {
        Self { nodes, place }
    }

    fn at(self, place: usize) -> Self {
        Self { place, ..self }
    }

    fn node(self) -> &'a Node {
        &self.nodes[self.place]
    }

    /// Returns a number that identifies the value within its pickle. A value that is shared has one identity.
    pub fn identity(self) -> usize {
        self.place
    }

    /// Returns the boolean, if the value is one.
    pub fn as_bool(self) -> Option<bool> {
        if let Node::Bool(value) = self.node() { Some(*value) } else { None }
    }

    /// Returns the integer, if the value is one of at most 64 bits.
    pub fn as_int(self) -> Option<i64> {
        if let Node::Int(value) = self.node() { Some(*value) } else { None }
    }

    /// Returns the floating-point number, if the value is one.
    pub fn as_float(self) -> Option<f64> {
        if let Node::Float(value) = self.node() { Some(*value) } else { None }
    }

    /// Returns the text, if the value is text.
    pub fn as_text(self) -> Option<&'a str> {
        if let Node::Text(value) = self.node() { Some(value) } else { None }
    }

    /// Returns the bytes, if the value is a byte string that was kept.
    pub fn as_bytes(self) -> Option<&'a [u8]> {
        if let Node::Bytes(value) = self.node() { Some(value) } else { None }
    }

    /// Returns the full name, if the value is a function or class.
    pub fn as_name(self) -> Option<&'a str> {
        if let Node::Name(value) = self.node() { Some(value) } else { None }
    }

    /// Returns the items of a list, tuple or set.
    pub fn items(self) -> Option<impl ExactSizeIterator<Item = Value<'a>> + DoubleEndedIterator + Clone> {
        let Node::Items(places) = self.node() else { return None };
        Some(places.iter().map(move |&place| self.at(place)))
    }

    /// Returns the keys and values of a dictionary in the order of insertion, or those that were put into an object.
    ///
    /// A key can occur more than once; the last entry counts.
    pub fn entries(self) -> Option<impl DoubleEndedIterator<Item = (Value<'a>, Value<'a>)> + Clone> {
        let entries = match self.node() {
            Node::Entries(entries) => entries,
            Node::Object(object) => &object.entries,
            _ => return None,
        };
        let entries = entries.iter().map(move |&(key, value)| (self.at(key), self.at(value)));
        Some(self.given_pairs().iter().filter_map(move |&pair| self.at(pair).pair()).chain(entries))
    }

    /// Returns the pairs that an `OrderedDict` was called with. Python 2 pickles it so; Python 3 adds entries
    /// afterwards.
    fn given_pairs(self) -> &'a [usize] {
        let Node::Object(object) = self.node() else { return &[] };
        match (self.at(object.function).node(), self.at(object.arguments).node()) {
            (Node::Name(name), Node::Items(arguments)) if name == "collections.OrderedDict" => {
                match arguments.first().map(|&first| self.at(first).node()) {
                    Some(Node::Items(pairs)) => pairs,
                    _ => &[],
                }
            }
            _ => &[],
        }
    }

    fn pair(self) -> Option<(Value<'a>, Value<'a>)> {
        let Node::Items(places) = self.node() else { return None };
        let &[key, value] = &places[..] else { return None };
        Some((self.at(key), self.at(value)))
    }

    /// Returns the function's name and the arguments, if the value is the result of a call.
    pub fn call(self) -> Option<(&'a str, impl ExactSizeIterator<Item = Value<'a>> + DoubleEndedIterator + Clone)> {
        let Node::Object(object) = self.node() else { return None };
        Some((self.at(object.function).as_name()?, self.at(object.arguments).items()?))
    }

    /// Returns the state that an object was given after its creation, usually a dictionary of attributes.
    pub fn state(self) -> Option<Value<'a>> {
        let Node::Object(object) = self.node() else { return None };
        object.state.map(|state| self.at(state))
    }

    /// Returns the description of a value that is stored outside the pickle.
    pub fn persistent_id(self) -> Option<Value<'a>> {
        if let Node::Persistent(id) = self.node() { Some(self.at(*id)) } else { None }
    }
}

/// Shows the kind of value and, if it is short, the value itself. Error messages contain this form.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.node() {
            Node::None => write!(f, "None"),
            Node::Bool(value) => write!(f, "{value}"),
            Node::Int(value) => write!(f, "{value}"),
            Node::BigInt => write!(f, "a very large integer"),
            Node::Float(value) => write!(f, "{value:?}"),
            Node::Text(value) => write!(f, "{:?}", value.chars().take(40).collect::<String>()),
            Node::Bytes(value) => write!(f, "{} bytes", value.len()),
            Node::SkippedBytes(length) => write!(f, "{length} bytes"),
            Node::Items(items) => write!(f, "a list of {}", items.len()),
            Node::Entries(entries) => write!(f, "a dictionary of {}", entries.len()),
            Node::Name(name) => write!(f, "the Python name {name}"),
            Node::Object(object) => match self.at(object.function).as_name() {
                Some(name) if name.starts_with("collections.") => {
                    write!(f, "a dictionary of {}", self.entries().map_or(0, Iterator::count))
                }
                Some(name) => write!(f, "an object made by {name}"),
                None => write!(f, "an object"),
            },
            Node::Persistent(_) => write!(f, "a value outside the pickle"),
        }
    }
}
