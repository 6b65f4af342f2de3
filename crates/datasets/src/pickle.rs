//! Python's pickles, read as data.
//!
//! A pickle is a program for a small stack machine, and Python's own reader lets it call any function. This one knows
//! only the instructions that build plain values, so there is nothing to run. Values lie in one list and hold each other
//! by index: a pickle may nest a million lists or share one a million times, and still costs no more than its length.

use std::collections::HashMap;
use std::fmt;

/// A pickle (protocols 0 to 5) of plain values: numbers, text, bytes, lists, tuples, sets, dictionaries.
///
/// ```
/// use hard_imagenet_datasets::Pickle;
///
/// // pickle.dumps({537: ["a", "b"]}, protocol=2)
/// let bytes = b"\x80\x02}q\x00M\x19\x02]q\x01(X\x01\x00\x00\x00aq\x02X\x01\x00\x00\x00bq\x03es.";
/// let pickle = Pickle::parse(bytes)?;
/// let (key, value) = pickle.root().entries().unwrap().next().unwrap();
/// assert_eq!(key.int(), Some(537));
/// assert_eq!(value.items().unwrap().filter_map(|item| item.text()).collect::<Vec<_>>(), ["a", "b"]);
/// # Ok::<(), hard_imagenet_datasets::PickleError>(())
/// ```
#[derive(Debug)]
pub struct Pickle {
    nodes: Vec<Node>,
    root: usize,
}

/// Why a pickle could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PickleError {
    /// It ends before it should.
    #[error("the pickle is truncated; get the file again")]
    Truncated,
    /// Something that no pickle holds there.
    #[error("not a pickle, or a damaged one: byte {at} {what}; get the file again")]
    Damaged {
        /// Offset from the start.
        at: usize,
        /// "takes from an empty stack".
        what: &'static str,
    },
    /// It names a Python function or class.
    #[error(
        "the pickle holds a Python object ({name}), which is never run here; save it again with plain numbers, text, lists \
         and dictionaries"
    )]
    Object {
        /// "numpy.core.multiarray.scalar".
        name: String,
    },
}

/// One value; others are named by their place in the list.
#[derive(Debug)]
enum Node {
    None,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, of which nothing else is known here.
    BigInt,
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    /// A list, tuple or set.
    Items(Vec<usize>),
    /// Keys and values.
    Entries(Vec<(usize, usize)>),
    /// One of [`CONTAINERS`], to be called, or a type given to it.
    Type(&'static str),
}

/// What a pickle may name: kinds of dictionaries, which are read as such, and the types that defaultdict is given.
const CONTAINERS: [&str; 2] = ["collections.OrderedDict", "collections.defaultdict"];
const TYPES: [&str; 8] = [
    "builtins.list",
    "builtins.dict",
    "builtins.int",
    "builtins.set",
    "__builtin__.list",
    "__builtin__.dict",
    "__builtin__.int",
    "__builtin__.set",
];

/// A value of a [`Pickle`].
#[derive(Clone, Copy)]
pub struct Item<'a> {
    pickle: &'a Pickle,
    node: usize,
}

impl<'a> Item<'a> {
    fn of(self, node: usize) -> Self {
        Self { node, ..self }
    }

    fn node(self) -> &'a Node {
        &self.pickle.nodes[self.node]
    }

    /// The integer, if it is one of at most 64 bits.
    pub fn int(self) -> Option<i64> {
        if let Node::Int(value) = self.node() { Some(*value) } else { None }
    }

    /// The text, if it is one.
    pub fn text(self) -> Option<&'a str> {
        if let Node::Text(value) = self.node() { Some(value) } else { None }
    }

    /// The bytes, if it is bytes.
    pub fn bytes(self) -> Option<&'a [u8]> {
        if let Node::Bytes(value) = self.node() { Some(value) } else { None }
    }

    /// The items of a list, tuple or set.
    pub fn items(self) -> Option<impl ExactSizeIterator<Item = Item<'a>>> {
        if let Node::Items(nodes) = self.node() { Some(nodes.iter().map(move |&node| self.of(node))) } else { None }
    }

    /// The entries of a dictionary, in the order in which they were put; a key may come twice, then the last counts.
    pub fn entries(self) -> Option<impl ExactSizeIterator<Item = (Item<'a>, Item<'a>)> + DoubleEndedIterator> {
        let Node::Entries(pairs) = self.node() else { return None };
        Some(pairs.iter().map(move |&(key, value)| (self.of(key), self.of(value))))
    }
}

/// What it is and, where that is short, its value: for error messages.
impl fmt::Debug for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.node() {
            Node::None => write!(f, "None"),
            Node::Bool(value) => write!(f, "{value}"),
            Node::Int(value) => write!(f, "{value}"),
            Node::BigInt => write!(f, "a very large integer"),
            Node::Float(value) => write!(f, "{value:?}"),
            Node::Text(value) => write!(f, "{:?}", value.chars().take(40).collect::<String>()),
            Node::Bytes(value) => write!(f, "{} bytes", value.len()),
            Node::Items(items) => write!(f, "a list of {}", items.len()),
            Node::Entries(entries) => write!(f, "a dictionary of {}", entries.len()),
            Node::Type(name) => write!(f, "the type {name}"),
        }
    }
}

impl Pickle {
    /// Reads a pickle.
    ///
    /// # Errors
    /// [`PickleError`]; none of its values is ever made into anything but data.
    pub fn parse(bytes: &[u8]) -> Result<Self, PickleError> {
        let mut machine =
            Machine { bytes, at: 0, nodes: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
        loop {
            if let Some(root) = machine.step()? {
                return Ok(Self { nodes: machine.nodes, root });
            }
        }
    }

    /// The value that was pickled.
    pub fn root(&self) -> Item<'_> {
        Item { pickle: self, node: self.root }
    }
}

/// The stack machine.
struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    stack: Vec<usize>,
    /// Heights of the stack at its marks.
    marks: Vec<usize>,
    memo: HashMap<u64, usize>,
}

impl<'a> Machine<'a> {
    /// One instruction; the root if it was the last.
    fn step(&mut self) -> Result<Option<usize>, PickleError> {
        match self.byte()? {
            b'.' => return self.pop().map(Some),
            0x80 => self.skip(1)?, // protocol
            0x95 => self.skip(8)?, // length of the frame that follows
            b'(' => self.marks.push(self.stack.len()),
            // Where a mark is on top, the mark goes.
            b'0' if self.marks.last() == Some(&self.stack.len()) => self.marks.truncate(self.marks.len() - 1),
            b'0' => {
                self.pop()?;
            }
            b'1' => {
                self.from_mark()?;
            }
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            b'N' => self.push(Node::None),
            0x88 => self.push(Node::Bool(true)),
            0x89 => self.push(Node::Bool(false)),
            b'I' => {
                let node = match self.line()? {
                    "00" => Node::Bool(false),
                    "01" => Node::Bool(true),
                    digits => self.decimal(digits)?,
                };
                self.push(node);
            }
            b'L' => {
                let digits = self.line()?;
                let node = self.decimal(digits.trim_end_matches('L'))?;
                self.push(node);
            }
            b'K' => self.integer(1, false)?,
            b'M' => self.integer(2, false)?,
            b'J' => self.integer(4, true)?,
            0x8a => {
                let length = self.length(1)?;
                self.integer(length, true)?;
            }
            0x8b => {
                let length = self.length(4)?;
                self.integer(length, true)?;
            }
            b'F' => {
                let value = self.line()?.parse().map_err(|_| self.damaged("is no number"))?;
                self.push(Node::Float(value));
            }
            b'G' => {
                let bits = self.take(8)?.iter().fold(0, |bits, &byte| bits << 8 | u64::from(byte));
                self.push(Node::Float(f64::from_bits(bits)));
            }
            b'V' | b'S' => {
                let text = self.line()?.trim_matches(['\'', '"']);
                if text.contains('\\') {
                    return Err(
                        self.damaged("is text with escapes, as protocols 0 and 1 write it (save it with 2 or later)")
                    );
                }
                self.push(Node::Text(text.to_owned()));
            }
            0x8c | b'U' => self.text(1)?,
            b'X' | b'T' => self.text(4)?,
            0x8d => self.text(8)?,
            b'C' => self.raw(1)?,
            b'B' => self.raw(4)?,
            0x8e | 0x96 => self.raw(8)?,
            b']' | b')' | 0x8f => self.push(Node::Items(Vec::new())),
            b'l' | b't' | 0x91 => {
                let items = self.from_mark()?;
                self.push(Node::Items(items));
            }
            count @ 0x85..=0x87 => {
                let first = self.stack.len().checked_sub(usize::from(count - 0x84));
                let first = first.filter(|&first| self.marks.last().is_none_or(|&mark| mark <= first));
                let items = self.stack.split_off(first.ok_or_else(|| self.damaged("takes from an empty stack"))?);
                self.push(Node::Items(items));
            }
            b'}' => self.push(Node::Entries(Vec::new())),
            b'd' => {
                let items = self.from_mark()?;
                self.push(Node::Entries(Vec::new()));
                self.put(&items)?;
            }
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])?;
            }
            b'e' | 0x90 => {
                let items = self.from_mark()?;
                self.append(&items)?;
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.put(&[key, value])?;
            }
            b'u' => {
                let items = self.from_mark()?;
                self.put(&items)?;
            }
            b'p' => {
                let key = self.line()?.parse().map_err(|_| self.damaged("is no number"))?;
                self.remember(key)?;
            }
            b'q' => {
                let key = self.number(1)?;
                self.remember(key)?;
            }
            b'r' => {
                let key = self.number(4)?;
                self.remember(key)?;
            }
            0x94 => self.remember(self.memo.len() as u64)?,
            b'g' => {
                let key = self.line()?.parse().map_err(|_| self.damaged("is no number"))?;
                self.recall(key)?;
            }
            b'h' => {
                let key = self.number(1)?;
                self.recall(key)?;
            }
            b'j' => {
                let key = self.number(4)?;
                self.recall(key)?;
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.name(module, name)?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Node::Text(module), Node::Text(name)) = (&self.nodes[module], &self.nodes[name]) else {
                    return Err(self.damaged("names an object without a name"));
                };
                let (module, name) = (module.clone(), name.clone());
                self.name(&module, &name)?;
            }
            b'R' => {
                let (_, called) = (self.pop()?, self.pop()?);
                match self.nodes[called] {
                    Node::Type(name) if CONTAINERS.contains(&name) => self.push(Node::Entries(Vec::new())),
                    _ => return Err(self.damaged("calls what is no function")),
                }
            }
            b'i' | b'o' | b'b' | 0x81 | 0x92 => {
                return Err(PickleError::Object { name: "an instance of a class".into() });
            }
            b'P' | b'Q' | 0x82..=0x84 | 0x97 | 0x98 => {
                return Err(PickleError::Object { name: "a reference to something outside of it".into() });
            }
            _ => return Err(self.damaged("is no instruction")),
        }
        Ok(None)
    }

    fn damaged(&self, what: &'static str) -> PickleError {
        PickleError::Damaged { at: self.at.saturating_sub(1), what }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], PickleError> {
        let taken = self.bytes[self.at..].get(..count).ok_or(PickleError::Truncated)?;
        self.at += count;
        Ok(taken)
    }

    fn skip(&mut self, count: usize) -> Result<(), PickleError> {
        self.take(count).map(|_| ())
    }

    fn byte(&mut self) -> Result<u8, PickleError> {
        Ok(self.take(1)?[0])
    }

    /// Up to the next line feed.
    fn line(&mut self) -> Result<&'a str, PickleError> {
        let length = self.bytes[self.at..].iter().position(|&byte| byte == b'\n').ok_or(PickleError::Truncated)?;
        let line = &self.take(length + 1)?[..length];
        std::str::from_utf8(line).map_err(|_| self.damaged("is no text"))
    }

    /// An unsigned number of so many bytes, at most 8, lowest first.
    fn number(&mut self, bytes: usize) -> Result<u64, PickleError> {
        Ok(self.take(bytes)?.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    /// A length that takes so many bytes.
    fn length(&mut self, bytes: usize) -> Result<usize, PickleError> {
        usize::try_from(self.number(bytes)?).map_err(|_| PickleError::Truncated)
    }

    fn push(&mut self, node: Node) {
        self.stack.push(self.nodes.len());
        self.nodes.push(node);
    }

    /// The value on top, above the last mark.
    fn top(&self) -> Result<usize, PickleError> {
        let above_mark = self.stack.len() > self.marks.last().copied().unwrap_or(0);
        self.stack.last().copied().filter(|_| above_mark).ok_or_else(|| self.damaged("takes from an empty stack"))
    }

    fn pop(&mut self) -> Result<usize, PickleError> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// What was pushed since the last mark.
    fn from_mark(&mut self) -> Result<Vec<usize>, PickleError> {
        let mark = self.marks.pop().ok_or_else(|| self.damaged("looks for a mark that is not there"))?;
        Ok(self.stack.split_off(mark))
    }

    fn decimal(&self, digits: &str) -> Result<Node, PickleError> {
        let unsigned = digits.strip_prefix('-').unwrap_or(digits);
        if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.damaged("is no number"));
        }
        Ok(digits.parse().map_or(Node::BigInt, Node::Int))
    }

    /// An integer of so many bytes, lowest first, in two's complement if signed.
    fn integer(&mut self, bytes: usize, signed: bool) -> Result<(), PickleError> {
        let digits = self.take(bytes)?;
        let node = if bytes > 8 {
            Node::BigInt
        } else {
            let fill = if signed && digits.last().is_some_and(|&byte| byte > 0x7f) { 0xff } else { 0 };
            let mut wide = [fill; 8];
            wide[..bytes].copy_from_slice(digits);
            Node::Int(i64::from_le_bytes(wide))
        };
        self.push(node);
        Ok(())
    }

    fn text(&mut self, bytes: usize) -> Result<(), PickleError> {
        let length = self.length(bytes)?;
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| self.damaged("is no text"))?;
        self.push(Node::Text(text.to_owned()));
        Ok(())
    }

    fn raw(&mut self, bytes: usize) -> Result<(), PickleError> {
        let length = self.length(bytes)?;
        let raw = self.take(length)?.to_vec();
        self.push(Node::Bytes(raw));
        Ok(())
    }

    fn append(&mut self, items: &[usize]) -> Result<(), PickleError> {
        let top = self.top()?;
        match &mut self.nodes[top] {
            Node::Items(list) => list.extend_from_slice(items),
            _ => return Err(self.damaged("appends to what is no list")),
        }
        Ok(())
    }

    /// Puts keys and values, in turns, into the dictionary on top.
    fn put(&mut self, items: &[usize]) -> Result<(), PickleError> {
        let top = self.top()?;
        let (pairs, []) = items.as_chunks::<2>() else { return Err(self.damaged("has a key without a value")) };
        match &mut self.nodes[top] {
            Node::Entries(entries) => entries.extend(pairs.iter().map(|&[key, value]| (key, value))),
            _ => return Err(self.damaged("puts an entry into what is no dictionary")),
        }
        Ok(())
    }

    fn remember(&mut self, key: u64) -> Result<(), PickleError> {
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, key: u64) -> Result<(), PickleError> {
        let node = *self.memo.get(&key).ok_or_else(|| self.damaged("asks for what was never remembered"))?;
        self.stack.push(node);
        Ok(())
    }

    fn name(&mut self, module: &str, name: &str) -> Result<(), PickleError> {
        let full = format!("{module}.{name}");
        match CONTAINERS.iter().chain(&TYPES).find(|&&known| known == full) {
            Some(known) => self.push(Node::Type(known)),
            None => return Err(PickleError::Object { name: full.chars().take(80).collect() }),
        }
        Ok(())
    }
}
