//! Python's pickles as torch writes them (protocols 2 to 5), read as data.
//!
//! A pickle is a program for a small stack machine, and Python's own reader lets it call any function. Here a call is
//! kept as what it is, a name and its arguments, and nobody makes it. Values lie in one list and hold each other by
//! index: however deeply they nest, reading them takes no recursion, and no more memory than there are instructions.

use std::collections::HashMap;
use std::io::{BufRead, Read, copy, sink};

/// All values of a pickle.
#[derive(Debug)]
pub(super) struct Pickle {
    nodes: Vec<Node>,
    root: usize,
}

/// One value; others are named by their place in the list.
#[derive(Debug)]
pub(super) enum Node {
    Int(i64),
    Text(String),
    /// A list, tuple or set.
    Items(Vec<usize>),
    Entries(Vec<(usize, usize)>),
    /// A function or class: "torch._utils._rebuild_tensor_v2".
    Name(String),
    /// What a call would give: the function, its arguments, the entries put into it, the state it was given.
    Object {
        function: usize,
        arguments: usize,
        entries: Vec<(usize, usize)>,
        state: Option<usize>,
    },
    /// A description of something that lies beside the pickle.
    Persistent(usize),
    False,
    /// Fractions, bytes and the like, which weights do without.
    Other,
}

/// Ten million instructions take about a gigabyte; the pickle of a large network with its optimizer has some 100,000.
const INSTRUCTIONS: usize = 10_000_000;

impl Pickle {
    /// Reads one pickle and leaves the reader behind it.
    pub(super) fn read(reader: &mut impl BufRead) -> Result<Self, String> {
        let mut machine =
            Machine { reader, nodes: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
        for _ in 0..INSTRUCTIONS {
            if let Some(root) = machine.step()? {
                return Ok(Self { nodes: machine.nodes, root });
            }
        }
        Err(format!("its pickle has more than {INSTRUCTIONS} instructions, which no weights need"))
    }

    pub(super) fn root(&self) -> usize {
        self.root
    }

    /// Number of values; their places are below it.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn node(&self, place: usize) -> &Node {
        &self.nodes[place]
    }

    pub(super) fn text(&self, place: usize) -> Option<&str> {
        if let Node::Text(text) = self.node(place) { Some(text) } else { None }
    }

    /// A whole number that is not negative.
    pub(super) fn size(&self, place: usize) -> Option<usize> {
        if let Node::Int(value) = self.node(place) { usize::try_from(*value).ok() } else { None }
    }

    pub(super) fn items(&self, place: usize) -> Option<&[usize]> {
        if let Node::Items(items) = self.node(place) { Some(items) } else { None }
    }

    /// The entries of a dictionary, in order; of an `OrderedDict` too, which is an object.
    pub(super) fn entries(&self, place: usize) -> Option<&[(usize, usize)]> {
        match self.node(place) {
            Node::Entries(entries) | Node::Object { entries, .. } => Some(entries),
            _ => None,
        }
    }

    /// A call: the function's name and the arguments.
    pub(super) fn call(&self, place: usize) -> Option<(&str, &[usize])> {
        let Node::Object { function, arguments, .. } = self.node(place) else { return None };
        let Node::Name(name) = self.node(*function) else { return None };
        Some((name, self.items(*arguments)?))
    }
}

/// The stack machine.
struct Machine<'a, R> {
    reader: &'a mut R,
    nodes: Vec<Node>,
    stack: Vec<usize>,
    /// Heights of the stack at its marks.
    marks: Vec<usize>,
    memo: HashMap<usize, usize>,
}

impl<R: BufRead> Machine<'_, R> {
    /// One instruction; the root if it was the last.
    fn step(&mut self) -> Result<Option<usize>, String> {
        match self.number(1)? as u8 {
            b'.' => return self.pop().map(Some),
            0x80 => self.skip(1)?, // protocol
            0x95 => self.skip(8)?, // length of the frame that follows
            b'(' => self.marks.push(self.stack.len()),
            // Where a mark is on top, the mark goes.
            b'0' if self.marks.last() == Some(&self.stack.len()) => self.marks.truncate(self.marks.len() - 1),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.since_mark()?),
            b'2' => self.stack.push(self.top()?),
            b'N' | 0x88 => self.push(Node::Other),
            0x89 => self.push(Node::False),
            b'G' => self.bytes(8)?, // a float
            b'K' => self.integer(1, false)?,
            b'M' => self.integer(2, false)?,
            b'J' => self.integer(4, true)?,
            0x8a => {
                let length = self.number(1)?;
                self.integer(length, true)?;
            }
            0x8c | b'U' => self.text(1)?,
            b'X' | b'T' => self.text(4)?,
            0x8d => self.text(8)?,
            count @ (b'C' | b'B' | 0x8e | 0x96 | 0x8b) => {
                let length = self.number(match count {
                    b'C' => 1,
                    b'B' | 0x8b => 4,
                    _ => 8,
                })?;
                self.bytes(length)?;
            }
            b']' | b')' | 0x8f => self.push(Node::Items(Vec::new())),
            b't' | b'l' | 0x91 => {
                let items = self.since_mark()?;
                self.push(Node::Items(items));
            }
            count @ 0x85..=0x87 => {
                let mut items = (0x85..=count).map(|_| self.pop()).collect::<Result<Vec<_>, _>>()?;
                items.reverse();
                self.push(Node::Items(items));
            }
            b'}' => self.push(Node::Entries(Vec::new())),
            b'd' => {
                let items = self.since_mark()?;
                self.push(Node::Entries(Vec::new()));
                self.put(&items)?;
            }
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])?;
            }
            b'e' | 0x90 => {
                let items = self.since_mark()?;
                self.append(&items)?;
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.put(&[key, value])?;
            }
            b'u' => {
                let items = self.since_mark()?;
                self.put(&items)?;
            }
            b'q' => self.remember(1)?,
            b'r' => self.remember(4)?,
            0x94 => drop(self.memo.insert(self.memo.len(), self.top()?)),
            b'h' => self.recall(1)?,
            b'j' => self.recall(4)?,
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Node::Name(format!("{module}.{name}")));
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                match (&self.nodes[module], &self.nodes[name]) {
                    (Node::Text(module), Node::Text(name)) => self.push(Node::Name(format!("{module}.{name}"))),
                    _ => return Err("its pickle is damaged: a name is no text".into()),
                }
            }
            b'R' | 0x81 => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                self.push(Node::Object { function, arguments, entries: Vec::new(), state: None });
            }
            0x92 => {
                let (_, arguments, function) = (self.pop()?, self.pop()?, self.pop()?);
                self.push(Node::Object { function, arguments, entries: Vec::new(), state: None });
            }
            b'b' => {
                let given = self.pop()?;
                let top = self.top()?;
                if let Node::Object { state, .. } = &mut self.nodes[top] {
                    *state = Some(given);
                }
            }
            b'Q' => {
                let id = self.pop()?;
                self.push(Node::Persistent(id));
            }
            other => return Err(format!("{other:#04x} is no instruction of a pickle of protocols 2 to 5")),
        }
        Ok(None)
    }

    /// So many bytes. None is reserved before it has come: a length may lie.
    fn take(&mut self, count: usize) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let taken = self.reader.take(count as u64).read_to_end(&mut bytes);
        match taken.map_err(|error| error.to_string())? == count {
            true => Ok(bytes),
            false => Err("its pickle is truncated; get the file again".into()),
        }
    }

    fn skip(&mut self, count: usize) -> Result<(), String> {
        let skipped = copy(&mut self.reader.take(count as u64), &mut sink()).map_err(|error| error.to_string())?;
        if skipped == count as u64 { Ok(()) } else { Err("its pickle is truncated; get the file again".into()) }
    }

    /// An unsigned number of so many bytes, at most 8, lowest first.
    fn number(&mut self, bytes: usize) -> Result<usize, String> {
        let mut wide = [0; 8];
        self.reader.read_exact(&mut wide[..bytes]).map_err(|_| "its pickle is truncated; get the file again")?;
        usize::try_from(u64::from_le_bytes(wide)).map_err(|error| error.to_string())
    }

    /// Up to the next line feed.
    fn line(&mut self) -> Result<String, String> {
        let mut line = Vec::new();
        self.reader.take(1 << 16).read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
        match line.pop() {
            Some(b'\n') => Ok(String::from_utf8_lossy(&line).into_owned()),
            _ => Err("its pickle is damaged: a name does not end".into()),
        }
    }

    fn push(&mut self, node: Node) {
        self.stack.push(self.nodes.len());
        self.nodes.push(node);
    }

    /// The value on top, above the last mark.
    fn top(&self) -> Result<usize, String> {
        let above_mark = self.stack.len() > self.marks.last().copied().unwrap_or(0);
        let top = self.stack.last().copied().filter(|_| above_mark);
        top.ok_or_else(|| "its pickle is damaged: it takes from an empty stack".into())
    }

    fn pop(&mut self) -> Result<usize, String> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// What was pushed since the last mark.
    fn since_mark(&mut self) -> Result<Vec<usize>, String> {
        let mark = self.marks.pop().ok_or("its pickle is damaged: it looks for a mark that is not there")?;
        Ok(self.stack.split_off(mark))
    }

    /// An integer in two's complement if signed; beyond 64 bits it is not kept.
    fn integer(&mut self, bytes: usize, signed: bool) -> Result<(), String> {
        if bytes > 8 {
            return self.bytes(bytes);
        }
        let mut wide = [0; 8];
        wide[..bytes].copy_from_slice(&self.take(bytes)?);
        let unused = 64 - 8 * bytes as u32;
        let value = i64::from_le_bytes(wide);
        // Shifting up and down again spreads the sign.
        let value =
            if signed { value.checked_shl(unused).unwrap_or(0).checked_shr(unused).unwrap_or(0) } else { value };
        self.push(Node::Int(value));
        Ok(())
    }

    fn text(&mut self, bytes: usize) -> Result<(), String> {
        let length = self.number(bytes)?;
        let text = self.take(length)?;
        self.push(Node::Text(String::from_utf8_lossy(&text).into_owned()));
        Ok(())
    }

    /// Bytes that nobody will ask for.
    fn bytes(&mut self, count: usize) -> Result<(), String> {
        self.skip(count)?;
        self.push(Node::Other);
        Ok(())
    }

    /// Into the list on top; what an object does with items is its own affair.
    fn append(&mut self, items: &[usize]) -> Result<(), String> {
        let top = self.top()?;
        if let Node::Items(list) = &mut self.nodes[top] {
            list.extend_from_slice(items);
        }
        Ok(())
    }

    /// Puts keys and values, in turns, into the dictionary on top.
    fn put(&mut self, items: &[usize]) -> Result<(), String> {
        let top = self.top()?;
        let (pairs, []) = items.as_chunks::<2>() else {
            return Err("its pickle is damaged: a key has no value".into());
        };
        if let Node::Entries(entries) | Node::Object { entries, .. } = &mut self.nodes[top] {
            entries.extend(pairs.iter().map(|&[key, value]| (key, value)));
        }
        Ok(())
    }

    fn remember(&mut self, bytes: usize) -> Result<(), String> {
        let (key, top) = (self.number(bytes)?, self.top()?);
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, bytes: usize) -> Result<(), String> {
        let key = self.number(bytes)?;
        let node = *self.memo.get(&key).ok_or("its pickle is damaged: it recalls what was never remembered")?;
        self.stack.push(node);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(bytes: &[u8]) -> String {
        Pickle::read(&mut &bytes[..]).unwrap_err()
    }

    #[test]
    fn calls_are_kept_and_not_made() {
        // os.system("ls"), as a hostile checkpoint would have it.
        let bytes = b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.";
        let pickle = Pickle::read(&mut &bytes[..]).unwrap();
        let (function, arguments) = pickle.call(pickle.root()).unwrap();
        assert_eq!((function, pickle.text(arguments[0])), ("os.system", Some("ls")));
    }

    #[test]
    fn integers_have_a_sign_where_they_should() {
        let value = |bytes: &[u8]| {
            let pickle = Pickle::read(&mut &bytes[..]).unwrap();
            format!("{:?}", pickle.node(pickle.root()))
        };
        assert_eq!(value(b"K\xff."), "Int(255)");
        assert_eq!(value(b"J\xff\xff\xff\xff."), "Int(-1)");
        assert_eq!(value(b"\x8a\x01\xff."), "Int(-1)");
        assert_eq!(value(b"\x8a\x00."), "Int(0)");
        assert_eq!(value(b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f."), format!("Int({})", i64::MAX));
        assert_eq!(value(b"\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x00."), "Other");
    }

    #[test]
    fn damage_is_told() {
        assert!(error(b"").contains("truncated"));
        assert!(error(b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f").contains("truncated"));
        assert!(error(b"X\xff\xff\xff\xffabc").contains("truncated"));
        assert!(error(b".").contains("empty stack"));
        assert!(error(b"(0.").contains("empty stack"));
        assert!(error(b"t").contains("mark"));
        assert!(error(b"}(K\x01u.").contains("no value"));
        assert!(error(b"h\x05.").contains("never remembered"));
        assert!(error(b"cabc").contains("does not end"));
        assert!(error(b"I1\n.").contains("0x49 is no instruction"));
    }

    #[test]
    fn deep_nesting_is_no_recursion() {
        let mut bytes = vec![b']'; 300_000];
        bytes.extend([b'a'; 299_999]);
        bytes.push(b'.');
        let pickle = Pickle::read(&mut &bytes[..]).unwrap();
        assert_eq!(pickle.items(pickle.root()).map(<[usize]>::len), Some(1));
    }

    #[test]
    fn endless_programs_end() {
        let bytes = [b"N".to_vec(), vec![b'2'; INSTRUCTIONS]].concat();
        assert!(error(&bytes).contains("more than"));
    }
}
