//! Files of tensors in all supported formats.

mod safetensors;
mod stored;
mod torch;
mod torch_old;
mod torch_zip;

pub use stored::StoredTensor;

use crate::ModelError;
use candle_core::Tensor;
use hard_imagenet_files::sha256_hex_of_reader;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

/// A file of tensors: safetensors, or a torch checkpoint in the zip format or in the one before torch 1.6.
///
/// Opening it reads the table of its tensors; [`read`](Self::read) reads values. A checkpoint is read as data: no code
/// in it runs. Only tensors of floating-point numbers are listed, because counters and index tables follow from a
/// network's architecture.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    file: String,
    source: Source,
    tensors: Vec<StoredTensor>,
}

#[derive(Clone, Debug)]
enum Source {
    File(PathBuf),
    Bytes(&'static [u8]),
}

trait Bytes: Read + Seek {}
impl<T: Read + Seek> Bytes for T {}

impl Source {
    fn open(&self) -> io::Result<Box<dyn Bytes>> {
        Ok(match self {
            Self::File(path) => Box::new(File::open(path)?),
            Self::Bytes(bytes) => Box::new(Cursor::new(*bytes)),
        })
    }
}

impl Checkpoint {
    /// Opens a file and reads its table.
    ///
    /// # Errors
    /// Returns [`ModelError::Read`] if the file cannot be read, and [`ModelError::Format`] if it contains no weights or
    /// is damaged.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let read = |source| ModelError::Read { path: path.to_owned(), source };
        let mut file = BufReader::new(File::open(path).map_err(read)?);
        let length = file.get_ref().metadata().map_err(read)?.len();
        let name = path.display().to_string();
        Self::new(&mut file, length, Source::File(path.to_owned()), name)
    }

    /// Reads the table of a file in memory. Error messages call it `file`.
    pub(crate) fn from_bytes(bytes: &'static [u8], file: String) -> Result<Self, ModelError> {
        Self::new(&mut Cursor::new(bytes), bytes.len() as u64, Source::Bytes(bytes), file)
    }

    fn new(
        reader: &mut (impl io::BufRead + Seek),
        length: u64,
        source: Source,
        file: String,
    ) -> Result<Self, ModelError> {
        // The content decides, because names can be wrong: a zip archive begins with PK, an old torch file with the
        // first byte of a pickle.
        let start = reader.fill_buf().map(|start| start.iter().take(2).copied().collect::<Vec<u8>>());
        let tensors = match start.as_deref() {
            Ok([b'P', b'K']) => torch_zip::tensors(reader),
            Ok([0x80, ..]) => torch_old::tensors(reader, length),
            Ok(_) => safetensors::tensors(reader, length),
            Err(error) => Err(error.to_string()),
        };
        match tensors {
            Ok(tensors) => Ok(Self { file, source, tensors }),
            Err(message) => Err(ModelError::Format { file, message }),
        }
    }

    /// Returns the name of the file for error messages.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Returns the path of the file, or `None` if it is in memory.
    pub(crate) fn path(&self) -> Option<&Path> {
        if let Source::File(path) = &self.source { Some(path) } else { None }
    }

    /// Returns the table of the tensors.
    pub fn tensors(&self) -> &[StoredTensor] {
        &self.tensors
    }

    /// Reads the values of tensors and returns the file's SHA-256 in lowercase hexadecimal digits.
    ///
    /// `wanted` yields a key and some tensors at a time. `take` is called with the key and the values of these tensors,
    /// which are candle tensors on the CPU in their stored shapes and dtypes. Memory holds no values other than those
    /// passed to `take` and a copy of one tensor.
    ///
    /// # Errors
    /// Returns [`ModelError::Format`] if the file cannot be read to its end, and the errors of `take`.
    pub fn read<'a, K>(
        &self,
        wanted: impl IntoIterator<Item = (K, &'a [StoredTensor])> + Send,
        mut take: impl FnMut(K, Vec<Tensor>) -> Result<(), ModelError> + Send,
    ) -> Result<String, ModelError> {
        let fail = |message: String| ModelError::Format { file: self.file.clone(), message };
        let values = || {
            let mut file = self.source.open().map_err(|error| fail(error.to_string()))?;
            let mut buffer = Vec::new();
            for (key, stored) in wanted {
                let tensors = stored.iter().map(|stored| stored.read(&mut file, &mut buffer)).collect::<Result<_, _>>();
                take(key, tensors.map_err(|error| fail(error.to_string()))?)?;
            }
            Ok(())
        };
        // Hashing and reading take equally long and run side by side; the slower one finds the file in the page cache.
        // Values are made on the calling thread, because the allocator does not reuse memory that another thread
        // allocated.
        let mut hash = Ok(String::new());
        let values = rayon::in_place_scope(|scope| {
            scope.spawn(|_| hash = self.sha256().map_err(|error| fail(error.to_string())));
            values()
        });
        values.and(hash)
    }

    fn sha256(&self) -> io::Result<String> {
        sha256_hex_of_reader(self.source.open()?)
    }
}

/// Returns the SHA-256 of a file, which need not be a checkpoint, in lowercase hexadecimal digits.
#[cfg(feature = "hub")]
pub(crate) fn sha256_of_file(path: &Path) -> Result<String, ModelError> {
    let hash = File::open(path).and_then(sha256_hex_of_reader);
    hash.map_err(|source| ModelError::Read { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the table and all values. This must return, without a panic.
    fn read(path: &Path) -> Result<String, ModelError> {
        let checkpoint = Checkpoint::open(path)?;
        checkpoint.read(checkpoint.tensors().iter().map(|stored| ((), std::slice::from_ref(stored))), |(), _| Ok(()))
    }

    #[test]
    fn damaged_checkpoints_cause_errors_and_no_panics() {
        let folder = tempfile::tempdir().unwrap();
        let damaged = folder.path().join("damaged.pth");
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/checkpoints");
        for entry in std::fs::read_dir(golden).unwrap() {
            let path = entry.unwrap().path();
            let whole = std::fs::read(&path).unwrap();
            assert_eq!(read(&path).unwrap().len(), 64);
            for length in (0..whole.len()).step_by(397) {
                std::fs::write(&damaged, &whole[..length]).unwrap();
                assert!(read(&damaged).is_err(), "{} cut to {length}", path.display());
            }
            for at in (0..whole.len()).step_by(101) {
                let mut bytes = whole.clone();
                bytes[at] ^= 0xff;
                std::fs::write(&damaged, bytes).unwrap();
                let _ = read(&damaged);
            }
        }
    }

    #[test]
    fn false_headers_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        let check = |header: &str, part: &str| {
            let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
            bytes.extend_from_slice(header.as_bytes());
            bytes.extend_from_slice(&[0; 16]);
            std::fs::write(&path, bytes).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains("a.safetensors") && error.contains(part), "{error}");
        };
        check("[]", "neither safetensors nor a torch checkpoint");
        check(
            r#"{"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 20]}}"#,
            "the file ends before its tensor \"w\"",
        );
        check(
            r#"{"w": {"dtype": "F32", "shape": [4], "data_offsets": [9, 8]}}"#,
            "the file ends before its tensor \"w\"",
        );
        check(r#"{"w": {"dtype": "F32", "shape": [5], "data_offsets": [0, 16]}}"#, "lies outside its data");
        check(r#"{"w": {"dtype": "F32", "shape": [4294967296, 4294967296], "data_offsets": [0, 16]}}"#, "outside");
        check(r#"{"w": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 16]}}"#, "the header's entry of \"w\"");
        std::fs::write(&path, u64::MAX.to_le_bytes()).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("does not begin with a header"));
    }
}
