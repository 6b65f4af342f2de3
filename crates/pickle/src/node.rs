//! The nodes of the list that holds all values of a pickle.

/// One value. It refers to other values by their index in the list of nodes.
#[derive(Debug)]
pub(crate) enum Node {
    None,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, whose value is not kept.
    BigInt,
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    /// Bytes of this length that were not kept.
    SkippedBytes(usize),
    /// A list, tuple or set.
    Items(Vec<usize>),
    /// A dictionary's keys and values.
    Entries(Vec<(usize, usize)>),
    /// A function or class, such as "torch._utils._rebuild_tensor_v2".
    Name(String),
    /// The result of a call. It is boxed because few values are objects and the others should stay small.
    Object(Box<Object>),
    /// The description of a value that is stored outside the pickle.
    Persistent(usize),
}

/// The description of a call that would create an object.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) function: usize,
    pub(crate) arguments: usize,
    /// The entries that were put into the object afterwards.
    pub(crate) entries: Vec<(usize, usize)>,
    /// The state that the object was given afterwards.
    pub(crate) state: Option<usize>,
}
