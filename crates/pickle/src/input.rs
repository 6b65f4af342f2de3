//! Reads the pieces of a pickle from a reader and counts the bytes.

use crate::PickleError;
use std::io::{BufRead, ErrorKind, Read, copy, sink};

/// Memory that is reserved for bytes that a pickle announces and that have not arrived.
const RESERVED: usize = 1 << 16;

pub(crate) struct Input<'a, R> {
    reader: &'a mut R,
    /// Number of bytes read so far.
    count: usize,
}

impl<'a, R: BufRead> Input<'a, R> {
    pub(crate) fn new(reader: &'a mut R) -> Self {
        Self { reader, count: 0 }
    }

    /// Returns an error that names the byte read last.
    pub(crate) fn damaged(&self, what: &'static str) -> PickleError {
        PickleError::Damaged { at: self.count.saturating_sub(1), what }
    }

    /// Reads `N` bytes.
    fn array<const N: usize>(&mut self) -> Result<[u8; N], PickleError> {
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes).map_err(failed)?;
        self.count += N;
        Ok(bytes)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, PickleError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Reads an IEEE 754 double in big-endian order, the only number that pickles store so.
    pub(crate) fn double(&mut self) -> Result<f64, PickleError> {
        self.array().map(f64::from_be_bytes)
    }

    /// Reads an unsigned number of 1, 2, 4 or 8 bytes in little-endian order.
    pub(crate) fn number(&mut self, bytes: usize) -> Result<u64, PickleError> {
        match bytes {
            1 => self.byte().map(u64::from),
            2 => Ok(u16::from_le_bytes(self.array()?).into()),
            4 => Ok(u32::from_le_bytes(self.array()?).into()),
            _ => self.array().map(u64::from_le_bytes),
        }
    }

    /// Reads a length of 1, 2, 4 or 8 bytes. The pickle may not have as many bytes.
    pub(crate) fn length(&mut self, bytes: usize) -> Result<usize, PickleError> {
        usize::try_from(self.number(bytes)?).map_err(|_| PickleError::Truncated)
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Result<Vec<u8>, PickleError> {
        let buffered = self.reader.fill_buf().map_err(failed)?;
        let taken = match buffered.get(..count) {
            Some(taken) => {
                let taken = taken.to_vec();
                self.reader.consume(count);
                taken
            }
            None => {
                let mut taken = Vec::with_capacity(count.min(RESERVED));
                self.reader.take(count as u64).read_to_end(&mut taken).map_err(failed)?;
                taken
            }
        };
        self.count += taken.len();
        if taken.len() == count { Ok(taken) } else { Err(PickleError::Truncated) }
    }

    pub(crate) fn skip(&mut self, count: usize) -> Result<(), PickleError> {
        let skipped = copy(&mut self.reader.take(count as u64), &mut sink()).map_err(failed)?;
        self.count += skipped as usize;
        if skipped == count as u64 { Ok(()) } else { Err(PickleError::Truncated) }
    }

    /// Reads text up to the next line feed, which is not included and which must come within `longest` bytes.
    pub(crate) fn line(&mut self, longest: u64) -> Result<String, PickleError> {
        let mut line = Vec::new();
        self.count += self.reader.take(longest).read_until(b'\n', &mut line).map_err(failed)?;
        if line.pop() != Some(b'\n') {
            return Err(PickleError::Truncated);
        }
        String::from_utf8(line).map_err(|_| self.damaged("is not UTF-8 text"))
    }
}

fn failed(error: std::io::Error) -> PickleError {
    match error.kind() {
        ErrorKind::UnexpectedEof => PickleError::Truncated,
        _ => PickleError::Read { reason: error.to_string() },
    }
}
