//! Pickles read as plain data.

use std::collections::BTreeMap;

/// Most memory that a pickle's data may take, roughly: a list that is named again counts again. The largest file of
/// the benchmark, the ranking, takes about three.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Deepest nesting of lists and dictionaries; the benchmark's files have two levels.
const MAX_DEPTH: usize = 32;

/// What a pickle of plain data holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Pickle {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An integer of at most 64 bits.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string; also a string of Python 2, if it is UTF-8.
    Str(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list or a tuple.
    List(Vec<Pickle>),
    /// A dictionary in the order of writing.
    Dict(Vec<(Pickle, Pickle)>),
}

impl Pickle {
    /// The string that it is.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Str(text) = self { Some(text) } else { None }
    }

    /// The index that it is.
    pub fn as_index(&self) -> Option<u32> {
        if let Self::Int(n) = self { u32::try_from(*n).ok() } else { None }
    }

    /// The items of the list or tuple that it is.
    pub fn as_list(&self) -> Option<&[Pickle]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// The pairs of the dictionary that it is.
    pub fn as_dict(&self) -> Option<&[(Pickle, Pickle)]> {
        if let Self::Dict(pairs) = self { Some(pairs) } else { None }
    }
}

/// Reads a pickle of protocol 0 to 5 that holds numbers, strings, bytes, lists, tuples and dictionaries. Nothing in
/// it is ever run; time and memory stay in proportion to its length.
///
/// ```
/// use hard_imagenet_datasets::{Pickle, parse_pickle};
///
/// let list = parse_pickle(b"\x80\x02]q\x00(M\x19\x02ME\x03e.")?; // pickle.dumps([537, 837], 2)
/// assert_eq!(list, Pickle::List(vec![Pickle::Int(537), Pickle::Int(837)]));
/// assert!(parse_pickle(b"cos\nsystem\n(S'ls'\ntR.").unwrap_err().contains("code"));
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
/// Says in words what is wrong: code or objects in it (a NumPy number, say), data cut off or damaged, more than 32
/// levels of nesting, or contents that would unfold to more than 64 MiB.
pub fn parse_pickle(bytes: &[u8]) -> Result<Pickle, String> {
    let mut machine =
        Machine { bytes, at: 0, nodes: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: BTreeMap::new() };
    let root = machine.run().ok_or_else(|| match bytes.get(machine.at.saturating_sub(1)) {
        Some(b'c' | b'i' | b'o' | b'R' | b'b' | b'P' | b'Q' | 0x81..=0x84 | 0x92 | 0x93) => {
            "it holds code or objects, not only plain data, and nothing in it is run".to_owned()
        }
        _ => format!("it is cut off or damaged near byte {}", machine.at),
    })?;
    machine.unfold(root, 0, &mut 0)
}

/// A value whose parts are named by their numbers, so that it may be shared, and even contain itself.
enum Node {
    Leaf(Pickle),
    List(Vec<usize>),
    Dict(Vec<(usize, usize)>),
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    stack: Vec<usize>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: BTreeMap<usize, usize>,
}

impl<'a> Machine<'a> {
    /// Runs to the end; `None` where something is missing, `at` just behind it.
    fn run(&mut self) -> Option<usize> {
        loop {
            match self.take(1)?[0] {
                0x80 => drop(self.take(1)?), // protocol
                0x95 => drop(self.take(8)?), // frame
                b'.' => return self.stack.pop(),
                b'(' => self.marks.push(self.stack.len()),
                b'0' => drop(self.pop()?),
                b'1' => drop(self.to_mark()?),
                b'2' => self.stack.push(*self.stack.last()?),
                b'N' => self.leaf(Pickle::None),
                0x88 => self.leaf(Pickle::Bool(true)),
                0x89 => self.leaf(Pickle::Bool(false)),
                b'I' => match self.line()? {
                    "00" => self.leaf(Pickle::Bool(false)),
                    "01" => self.leaf(Pickle::Bool(true)),
                    digits => self.leaf(Pickle::Int(digits.parse().ok()?)),
                },
                b'L' => {
                    let digits = self.line()?.trim_end_matches('L').parse().ok()?;
                    self.leaf(Pickle::Int(digits));
                }
                b'J' => {
                    let number = i32::from_le_bytes(self.take(4)?.try_into().ok()?);
                    self.leaf(Pickle::Int(number.into()));
                }
                b'K' => self.integer(1)?,
                b'M' => self.integer(2)?,
                0x8a => {
                    let length = self.length(1)?;
                    let long = self.take(length)?;
                    let negative = long.last().is_some_and(|&byte| byte >= 0x80);
                    let mut number = [if negative { 0xff } else { 0 }; 8];
                    number.get_mut(..length)?.copy_from_slice(long);
                    self.leaf(Pickle::Int(i64::from_le_bytes(number)));
                }
                b'F' => {
                    let number = self.line()?.parse().ok()?;
                    self.leaf(Pickle::Float(number));
                }
                b'G' => {
                    let number = f64::from_be_bytes(self.take(8)?.try_into().ok()?);
                    self.leaf(Pickle::Float(number));
                }
                b'S' => {
                    let line = self.line()?;
                    let quote = line.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
                    let inner = line[1..].strip_suffix(quote).filter(|text| !text.contains('\\'))?;
                    self.leaf(Pickle::Str(inner.into()));
                }
                b'V' => {
                    let line = self.line().filter(|text| !text.contains('\\'))?;
                    self.leaf(Pickle::Str(line.into()));
                }
                b'X' | b'T' => self.string(4)?,
                b'U' | 0x8c => self.string(1)?,
                0x8d => self.string(8)?,
                b'B' => self.byte_string(4)?,
                b'C' => self.byte_string(1)?,
                0x8e => self.byte_string(8)?,
                b']' | b')' => self.node(Node::List(Vec::new())),
                b'}' => self.node(Node::Dict(Vec::new())),
                b'l' | b't' => {
                    let items = self.to_mark()?;
                    self.node(Node::List(items));
                }
                b'd' => {
                    let items = self.to_mark()?;
                    self.node(Node::Dict(pairs(&items)?));
                }
                count @ 0x85..=0x87 => {
                    let from = self.stack.len().checked_sub(usize::from(count - 0x84))?;
                    let items = self.stack.split_off(from);
                    self.node(Node::List(items));
                }
                b'a' => {
                    let item = self.pop()?;
                    self.extend_list(&[item])?;
                }
                b'e' => {
                    let items = self.to_mark()?;
                    self.extend_list(&items)?;
                }
                b's' => {
                    let value = self.pop()?;
                    let key = self.pop()?;
                    self.extend_dict(&[key, value])?;
                }
                b'u' => {
                    let items = self.to_mark()?;
                    self.extend_dict(&items)?;
                }
                b'p' => {
                    let key = self.line()?.parse().ok()?;
                    self.memoize(key)?;
                }
                b'q' => self.length(1).and_then(|key| self.memoize(key))?,
                b'r' => self.length(4).and_then(|key| self.memoize(key))?,
                0x94 => self.memoize(self.memo.len())?,
                b'g' => {
                    let key = self.line()?.parse().ok()?;
                    self.recall(key)?;
                }
                b'h' => self.length(1).and_then(|key| self.recall(key))?,
                b'j' => self.length(4).and_then(|key| self.recall(key))?,
                _ => return None,
            }
        }
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn line(&mut self) -> Option<&'a str> {
        let length = self.bytes[self.at..].iter().position(|&byte| byte == b'\n')?;
        let line = std::str::from_utf8(self.take(length)?).ok()?;
        self.at += 1;
        Some(line.trim_end_matches('\r'))
    }

    /// An unsigned number of `width` bytes.
    fn length(&mut self, width: usize) -> Option<usize> {
        let mut number = [0; 8];
        number[..width].copy_from_slice(self.take(width)?);
        usize::try_from(u64::from_le_bytes(number)).ok()
    }

    fn integer(&mut self, width: usize) -> Option<()> {
        let number = self.length(width)?;
        self.leaf(Pickle::Int(i64::try_from(number).ok()?));
        Some(())
    }

    fn string(&mut self, width: usize) -> Option<()> {
        let length = self.length(width)?;
        let text = std::str::from_utf8(self.take(length)?).ok()?;
        self.leaf(Pickle::Str(text.into()));
        Some(())
    }

    fn byte_string(&mut self, width: usize) -> Option<()> {
        let length = self.length(width)?;
        let bytes = self.take(length)?;
        self.leaf(Pickle::Bytes(bytes.into()));
        Some(())
    }

    fn leaf(&mut self, value: Pickle) {
        self.node(Node::Leaf(value));
    }

    fn node(&mut self, node: Node) {
        self.stack.push(self.nodes.len());
        self.nodes.push(node);
    }

    /// The top of the stack, but not from below the last mark.
    fn pop(&mut self) -> Option<usize> {
        (self.stack.len() > self.marks.last().copied().unwrap_or(0)).then(|| self.stack.pop())?
    }

    fn to_mark(&mut self) -> Option<Vec<usize>> {
        let mark = self.marks.pop().filter(|&mark| mark <= self.stack.len())?;
        Some(self.stack.split_off(mark))
    }

    fn extend_list(&mut self, items: &[usize]) -> Option<()> {
        let Node::List(list) = &mut self.nodes[*self.stack.last()?] else { return None };
        list.extend(items);
        Some(())
    }

    fn extend_dict(&mut self, items: &[usize]) -> Option<()> {
        let Node::Dict(dict) = &mut self.nodes[*self.stack.last()?] else { return None };
        dict.extend(pairs(items)?);
        Some(())
    }

    fn memoize(&mut self, key: usize) -> Option<()> {
        self.memo.insert(key, *self.stack.last()?);
        Some(())
    }

    fn recall(&mut self, key: usize) -> Option<()> {
        self.stack.push(*self.memo.get(&key)?);
        Some(())
    }

    /// The node as a tree of its own, within the limits.
    fn unfold(&self, node: usize, depth: usize, spent: &mut usize) -> Result<Pickle, String> {
        *spent += size_of::<Pickle>();
        if depth > MAX_DEPTH {
            return Err(format!("it is nested more than {MAX_DEPTH} levels deep"));
        }
        let unfolded = match &self.nodes[node] {
            Node::Leaf(leaf) => {
                if let Pickle::Str(text) = leaf {
                    *spent += text.len();
                } else if let Pickle::Bytes(bytes) = leaf {
                    *spent += bytes.len();
                }
                leaf.clone()
            }
            Node::List(items) => {
                let items = items.iter().map(|&item| self.unfold(item, depth + 1, spent));
                Pickle::List(items.collect::<Result<_, _>>()?)
            }
            Node::Dict(items) => {
                let items = items.iter().map(|&(key, value)| {
                    Ok((self.unfold(key, depth + 1, spent)?, self.unfold(value, depth + 1, spent)?))
                });
                Pickle::Dict(items.collect::<Result<_, String>>()?)
            }
        };
        if *spent > MAX_BYTES {
            return Err(format!("its contents would take more than {} MiB", MAX_BYTES >> 20));
        }
        Ok(unfolded)
    }
}

fn pairs(items: &[usize]) -> Option<Vec<(usize, usize)>> {
    let (pairs, []) = items.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|&[key, value]| (key, value)).collect())
}
