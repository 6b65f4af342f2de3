use std::fmt::Debug;
use std::fs::File;
use std::io::{Cursor, Error, ErrorKind, Read, Result, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The bytes `start..start + len` of a file or of memory, which read and seek like a file of their own.
///
/// Clones read the same file from their own positions and from any thread: each read takes the lock, seeks and reads.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    file: Arc<Mutex<dyn Source>>,
    start: u64,
    len: u64,
    at: u64,
}

trait Source: Read + Seek + Send + Debug {}
impl<T: Read + Seek + Send + Debug> Source for T {}

impl Part {
    /// Opens a whole file.
    pub(crate) fn whole(path: &Path) -> Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Ok(Self { file: Arc::new(Mutex::new(file)), start: 0, len, at: 0 })
    }

    /// Wraps bytes in memory.
    pub(crate) fn memory(bytes: Vec<u8>) -> Self {
        let len = bytes.len() as u64;
        Self { file: Arc::new(Mutex::new(Cursor::new(bytes))), start: 0, len, at: 0 }
    }

    /// Returns a part of this part, positioned at its beginning. Fails if it does not lie inside.
    pub(crate) fn part(&self, start: u64, len: u64) -> Result<Self> {
        match start.checked_add(len) {
            Some(end) if end <= self.len => Ok(Self { start: self.start + start, len, at: 0, ..self.clone() }),
            _ => Err(ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Returns the number of bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Fills `buffer` with the bytes from `at` on, as far as there are any. Returns the number of bytes read.
    pub(crate) fn read_at(&self, at: u64, buffer: &mut [u8]) -> Result<usize> {
        let mut part = Self { at, ..self.clone() };
        let mut filled = 0;
        while filled < buffer.len() {
            match part.read(&mut buffer[filled..])? {
                0 => break,
                n => filled += n,
            }
        }
        Ok(filled)
    }
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let left = self.len.saturating_sub(self.at);
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.start + self.at))?;
        let read = file.read(&mut buffer[..wanted])?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Part {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "the position lies before the start"))?;
        Ok(self.at)
    }
}
