//! The stack machine.

use crate::PickleError;
use crate::input::Input;
use crate::node::{Node, Object};
use crate::opcode::*;
use std::collections::HashMap;
use std::io::BufRead;

/// The values that a pickle may contain.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Accept {
    /// Values without code. Anything else is an error.
    PlainValues,
    /// Any values. Those that are of no interest to readers of objects are not kept.
    Objects,
}

impl Accept {
    /// The largest number of instructions, each of which takes up to about a hundred bytes of memory. The rankings of
    /// four million images take twelve million; the checkpoint of a large network with its optimizer takes 100,000.
    fn max_instructions(self) -> usize {
        match self {
            Self::PlainValues => 50_000_000,
            Self::Objects => 10_000_000,
        }
    }

    /// The longest line. Protocol 0 writes text as lines, so lines of plain values can be long; names are short.
    fn longest_line(self) -> u64 {
        match self {
            Self::PlainValues => u64::MAX,
            Self::Objects => 1 << 16,
        }
    }
}

/// The callables of plain pickles: they make dictionaries and are read as such.
const DICTIONARIES: [&str; 2] = ["collections.OrderedDict", "collections.defaultdict"];

/// The types that a `defaultdict` of plain values is given.
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

/// Reads one pickle and leaves the reader at the byte after its end. Returns all values and the index of the root.
pub(crate) fn run(reader: &mut impl BufRead, accept: Accept) -> Result<(Vec<Node>, usize), PickleError> {
    let mut machine = Machine {
        input: Input::new(reader),
        accept,
        nodes: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    let limit = accept.max_instructions();
    for _ in 0..limit {
        let opcode = machine.input.byte()?;
        if opcode == STOP {
            let root = machine.pop()?;
            return Ok((machine.nodes, root));
        }
        machine.step(opcode)?;
    }
    Err(PickleError::TooLong { limit })
}

struct Machine<'a, R> {
    input: Input<'a, R>,
    accept: Accept,
    nodes: Vec<Node>,
    /// Indices of nodes.
    stack: Vec<usize>,
    /// Heights of the stack at its marks.
    marks: Vec<usize>,
    memo: HashMap<u64, usize>,
}

impl<R: BufRead> Machine<'_, R> {
    /// Executes one instruction.
    fn step(&mut self, opcode: u8) -> Result<(), PickleError> {
        match opcode {
            PROTO => self.input.skip(1),
            FRAME => self.input.skip(8),
            MARK | POP | POP_MARK | DUP => self.arrange_stack(opcode),
            NONE | NEWTRUE | NEWFALSE | INT | LONG | BININT1 | BININT2 | BININT | LONG1 | LONG4 | FLOAT | BINFLOAT => {
                self.push_scalar(opcode)
            }
            UNICODE | STRING | SHORT_BINUNICODE | SHORT_BINSTRING | BINUNICODE | BINSTRING | BINUNICODE8 => {
                self.push_text(opcode)
            }
            SHORT_BINBYTES => self.push_bytes(1),
            BINBYTES => self.push_bytes(4),
            BINBYTES8 | BYTEARRAY8 => self.push_bytes(8),
            EMPTY_LIST | EMPTY_TUPLE | EMPTY_SET | LIST | TUPLE | FROZENSET | TUPLE1..=TUPLE3 => self.push_list(opcode),
            APPEND | APPENDS | ADDITEMS => self.extend_list(opcode),
            EMPTY_DICT | DICT | SETITEM | SETITEMS => self.build_dictionary(opcode),
            PUT | BINPUT | LONG_BINPUT | MEMOIZE => self.store_in_memo(opcode),
            GET | BINGET | LONG_BINGET => self.recall_from_memo(opcode),
            GLOBAL | STACK_GLOBAL => self.push_name(opcode),
            REDUCE => self.describe_call(),
            BUILD | INST | OBJ | NEWOBJ | NEWOBJ_EX => self.describe_instance(opcode),
            PERSID | BINPERSID | EXT1..=EXT4 | NEXT_BUFFER | READONLY_BUFFER => self.describe_outside_value(opcode),
            _ => Err(self.input.damaged("is not an instruction")),
        }
    }

    fn arrange_stack(&mut self, opcode: u8) -> Result<(), PickleError> {
        match opcode {
            MARK => self.marks.push(self.stack.len()),
            DUP => self.stack.push(self.top()?),
            POP_MARK => drop(self.pop_to_mark()?),
            // If a mark is on top, POP removes the mark.
            _ if self.marks.last() == Some(&self.stack.len()) => drop(self.marks.pop()),
            _ => drop(self.pop()?),
        }
        Ok(())
    }

    fn push_scalar(&mut self, opcode: u8) -> Result<(), PickleError> {
        let node = match opcode {
            NONE => Node::None,
            NEWTRUE => Node::Bool(true),
            NEWFALSE => Node::Bool(false),
            INT => match self.line()?.as_str() {
                "00" => Node::Bool(false),
                "01" => Node::Bool(true),
                digits => self.decimal(digits)?,
            },
            LONG => {
                let digits = self.line()?;
                self.decimal(digits.trim_end_matches('L'))?
            }
            BININT1 => Node::Int(self.input.number(1)? as i64),
            BININT2 => Node::Int(self.input.number(2)? as i64),
            BININT => Node::Int((self.input.number(4)? as i32).into()),
            LONG1 | LONG4 => {
                let length = self.input.length(if opcode == LONG1 { 1 } else { 4 })?;
                self.twos_complement(length)?
            }
            FLOAT => Node::Float(self.line()?.parse().map_err(|_| self.input.damaged("is not a number"))?),
            _ => Node::Float(self.input.double()?),
        };
        self.push(node);
        Ok(())
    }

    fn decimal(&self, digits: &str) -> Result<Node, PickleError> {
        let unsigned = digits.strip_prefix('-').unwrap_or(digits);
        if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.input.damaged("is not a number"));
        }
        Ok(digits.parse().map_or(Node::BigInt, Node::Int))
    }

    /// Reads a signed integer of that many bytes in little-endian order.
    fn twos_complement(&mut self, length: usize) -> Result<Node, PickleError> {
        if length > 8 {
            self.input.skip(length)?;
            return Ok(Node::BigInt);
        }
        let digits = self.input.bytes(length)?;
        let fill = if digits.last().is_some_and(|&byte| byte > 0x7f) { 0xff } else { 0 };
        let mut wide = [fill; 8];
        wide[..length].copy_from_slice(&digits);
        Ok(Node::Int(i64::from_le_bytes(wide)))
    }

    fn push_text(&mut self, opcode: u8) -> Result<(), PickleError> {
        let length_bytes = match opcode {
            SHORT_BINUNICODE | SHORT_BINSTRING => 1,
            BINUNICODE | BINSTRING => 4,
            BINUNICODE8 => 8,
            _ => return self.push_text_line(),
        };
        let length = self.input.length(length_bytes)?;
        let text = String::from_utf8(self.input.bytes(length)?);
        let text = match (text, self.accept) {
            (Ok(text), _) => text,
            // Python 2 stored byte strings as text, and so do old optimizers' states.
            (Err(error), Accept::Objects) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            (Err(_), Accept::PlainValues) => return Err(self.input.damaged("is not UTF-8 text")),
        };
        self.push(Node::Text(text));
        Ok(())
    }

    fn push_text_line(&mut self) -> Result<(), PickleError> {
        let line = self.line()?;
        if line.contains('\\') {
            let what = "is text with escapes, which protocols 0 and 1 use (save the data with protocol 2 or later)";
            return Err(self.input.damaged(what));
        }
        self.push(Node::Text(line.trim_matches(['\'', '"']).to_owned()));
        Ok(())
    }

    fn push_bytes(&mut self, length_bytes: usize) -> Result<(), PickleError> {
        let length = self.input.length(length_bytes)?;
        let node = match self.accept {
            Accept::PlainValues => Node::Bytes(self.input.bytes(length)?),
            Accept::Objects => {
                self.input.skip(length)?;
                Node::SkippedBytes(length)
            }
        };
        self.push(node);
        Ok(())
    }

    fn push_list(&mut self, opcode: u8) -> Result<(), PickleError> {
        let items = match opcode {
            EMPTY_LIST | EMPTY_TUPLE | EMPTY_SET => Vec::new(),
            LIST | TUPLE | FROZENSET => self.pop_to_mark()?,
            _ => self.pop_count(usize::from(opcode - TUPLE1) + 1)?,
        };
        self.push(Node::Items(items));
        Ok(())
    }

    /// Appends to the list on top of the stack.
    fn extend_list(&mut self, opcode: u8) -> Result<(), PickleError> {
        let items = if opcode == APPEND { vec![self.pop()?] } else { self.pop_to_mark()? };
        let top = self.top()?;
        match (&mut self.nodes[top], self.accept) {
            (Node::Items(list), _) => list.extend(items),
            // What an object does with items is unknown.
            (_, Accept::Objects) => {}
            (_, Accept::PlainValues) => return Err(self.input.damaged("appends to something that is not a list")),
        }
        Ok(())
    }

    fn build_dictionary(&mut self, opcode: u8) -> Result<(), PickleError> {
        match opcode {
            EMPTY_DICT => {
                self.push(Node::Entries(Vec::new()));
                Ok(())
            }
            DICT => {
                let items = self.pop_to_mark()?;
                self.push(Node::Entries(Vec::new()));
                self.put_entries(&items)
            }
            SETITEM => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.put_entries(&[key, value])
            }
            _ => {
                let items = self.pop_to_mark()?;
                self.put_entries(&items)
            }
        }
    }

    /// Puts alternating keys and values into the dictionary on top of the stack.
    fn put_entries(&mut self, items: &[usize]) -> Result<(), PickleError> {
        let top = self.top()?;
        let (pairs, []) = items.as_chunks::<2>() else { return Err(self.input.damaged("has a key without a value")) };
        let entries = match (&mut self.nodes[top], self.accept) {
            (Node::Entries(entries), _) => entries,
            (Node::Object(object), _) => &mut object.entries,
            (_, Accept::Objects) => return Ok(()),
            (_, Accept::PlainValues) => {
                return Err(self.input.damaged("puts an entry into something that is not a dictionary"));
            }
        };
        entries.extend(pairs.iter().map(|&[key, value]| (key, value)));
        Ok(())
    }

    fn store_in_memo(&mut self, opcode: u8) -> Result<(), PickleError> {
        let key = match opcode {
            MEMOIZE => self.memo.len() as u64,
            _ => self.memo_key(opcode, BINPUT, LONG_BINPUT)?,
        };
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall_from_memo(&mut self, opcode: u8) -> Result<(), PickleError> {
        let key = self.memo_key(opcode, BINGET, LONG_BINGET)?;
        let stored = self.memo.get(&key).ok_or_else(|| self.input.damaged("recalls a value that was never stored"))?;
        self.stack.push(*stored);
        Ok(())
    }

    /// Reads a key of one byte, four bytes or, for the instructions of protocol 0, a line of digits.
    fn memo_key(&mut self, opcode: u8, short: u8, long: u8) -> Result<u64, PickleError> {
        if opcode == short {
            self.input.number(1)
        } else if opcode == long {
            self.input.number(4)
        } else {
            self.line()?.parse().map_err(|_| self.input.damaged("is not a number"))
        }
    }

    fn push_name(&mut self, opcode: u8) -> Result<(), PickleError> {
        let name = if opcode == GLOBAL {
            let (module, name) = (self.line()?, self.line()?);
            format!("{module}.{name}")
        } else {
            let (name, module) = (self.pop()?, self.pop()?);
            match (&self.nodes[module], &self.nodes[name]) {
                (Node::Text(module), Node::Text(name)) => format!("{module}.{name}"),
                _ => return Err(self.input.damaged("names an object by something that is not text")),
            }
        };
        let is_plain = || DICTIONARIES.iter().chain(&TYPES).any(|&known| known == name);
        if self.accept == Accept::PlainValues && !is_plain() {
            return Err(PickleError::Object { name: name.chars().take(80).collect() });
        }
        self.push(Node::Name(name));
        Ok(())
    }

    fn describe_call(&mut self) -> Result<(), PickleError> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let makes_dictionary =
            || matches!(&self.nodes[function], Node::Name(name) if DICTIONARIES.contains(&name.as_str()));
        if self.accept == Accept::PlainValues && !makes_dictionary() {
            return Err(self.input.damaged("calls something that is not a function"));
        }
        self.push_object(function, arguments);
        Ok(())
    }

    fn describe_instance(&mut self, opcode: u8) -> Result<(), PickleError> {
        if self.accept == Accept::PlainValues {
            return Err(PickleError::Object { name: "an instance of a class".into() });
        }
        match opcode {
            BUILD => {
                let given = self.pop()?;
                let top = self.top()?;
                if let Node::Object(object) = &mut self.nodes[top] {
                    object.state = Some(given);
                }
            }
            NEWOBJ => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                self.push_object(function, arguments);
            }
            NEWOBJ_EX => {
                let (_keywords, arguments, function) = (self.pop()?, self.pop()?, self.pop()?);
                self.push_object(function, arguments);
            }
            _ => return Err(self.unsupported()),
        }
        Ok(())
    }

    fn describe_outside_value(&mut self, opcode: u8) -> Result<(), PickleError> {
        match (self.accept, opcode) {
            (Accept::Objects, BINPERSID) => {
                let id = self.pop()?;
                self.push(Node::Persistent(id));
                Ok(())
            }
            (Accept::Objects, _) => Err(self.unsupported()),
            (Accept::PlainValues, _) => {
                Err(PickleError::Object { name: "a reference to something outside the pickle".into() })
            }
        }
    }

    fn unsupported(&self) -> PickleError {
        self.input.damaged("is an instruction that is not supported (save the data with protocol 2)")
    }

    fn line(&mut self) -> Result<String, PickleError> {
        self.input.line(self.accept.longest_line())
    }

    fn push(&mut self, node: Node) {
        self.stack.push(self.nodes.len());
        self.nodes.push(node);
    }

    fn push_object(&mut self, function: usize, arguments: usize) {
        self.push(Node::Object(Box::new(Object { function, arguments, entries: Vec::new(), state: None })));
    }

    /// Returns the value on top, which must lie above the last mark.
    fn top(&self) -> Result<usize, PickleError> {
        let above_mark = self.stack.len() > self.marks.last().copied().unwrap_or(0);
        self.stack.last().copied().filter(|_| above_mark).ok_or_else(|| self.empty_stack())
    }

    fn pop(&mut self) -> Result<usize, PickleError> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// Takes the topmost values, which must lie above the last mark, in the order of the stack.
    fn pop_count(&mut self, count: usize) -> Result<Vec<usize>, PickleError> {
        let above_mark = |first: &usize| self.marks.last().is_none_or(|mark| mark <= first);
        let first = self.stack.len().checked_sub(count).filter(above_mark);
        Ok(self.stack.split_off(first.ok_or_else(|| self.empty_stack())?))
    }

    /// Takes all values above the last mark, and the mark.
    fn pop_to_mark(&mut self) -> Result<Vec<usize>, PickleError> {
        let mark = self.marks.pop().ok_or_else(|| self.input.damaged("refers to a mark that does not exist"))?;
        Ok(self.stack.split_off(mark))
    }

    fn empty_stack(&self) -> PickleError {
        self.input.damaged("takes from an empty stack")
    }
}
