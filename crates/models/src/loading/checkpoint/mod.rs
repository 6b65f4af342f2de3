//! Files of tensors in all supported formats.

mod index;
mod safetensors;
mod stored;
mod torch;
mod torch_old;
mod torch_zip;

#[cfg(feature = "hub")]
pub(crate) use index::ShardIndex;
pub use stored::StoredTensor;

use crate::ModelError;
use candle_core::Tensor;
use hard_imagenet_files::{LFS_POINTER, is_lfs_pointer, sha256_hex_of_reader};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

/// A file of tensors: safetensors, a torch checkpoint in the zip format or in the one before torch 1.6, or the index of
/// several such files (`model.safetensors.index.json`).
///
/// Opening it reads the table of its tensors; [`read`](Self::read) reads values. A checkpoint is read as data: no code
/// in it runs. Only tensors of floating-point numbers are listed, because counters and index tables follow from a
/// network's architecture.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    file: String,
    /// The file, or the index and its shards in the order of their names.
    sources: Vec<Source>,
    table: Table,
}

/// What a file says about its tensors.
#[derive(Clone, Debug, Default)]
struct Table {
    tensors: Vec<StoredTensor>,
    /// The names of tensors of other than floating-point numbers.
    others: Vec<String>,
    /// Where the file holds further weights that are not listed, such as those that were not averaged.
    unused_groups: Vec<String>,
    /// Where the listed weights are, if the file holds several.
    group: String,
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
        if path.is_dir() {
            let message = "it is a folder; name the file in it".into();
            return Err(ModelError::Format { file: path.display().to_string(), message });
        }
        let mut file = BufReader::new(File::open(path).map_err(read)?);
        let length = file.get_ref().metadata().map_err(read)?.len();
        let start = file.fill_buf().map_err(read)?;
        if index::is_index(path, start) {
            return Self::open_shards(path);
        }
        let name = path.display().to_string();
        Self::new(&mut file, length, Source::File(path.to_owned()), name)
    }

    /// Opens all shards of an index.
    fn open_shards(path: &Path) -> Result<Self, ModelError> {
        let index = index::ShardIndex::read(path)?;
        let fail = |message: String| ModelError::Format { file: path.display().to_string(), message };
        let mut sources = vec![Source::File(path.to_owned())];
        let mut table = Table::default();
        let mut met = HashSet::new();
        for shard in index.shards() {
            let place = path.with_file_name(shard);
            if !place.is_file() {
                return Err(fail(format!("its shard {shard} is missing in the same folder; download or copy it too")));
            }
            let mut file = File::open(&place).map(BufReader::new);
            let is_index = file.as_mut().is_ok_and(|file| file.fill_buf().is_ok_and(|s| index::is_index(&place, s)));
            if is_index {
                return Err(fail(format!("its shard {shard} is an index too")));
            }
            let Table { tensors, others, .. } = Self::open(&place)?.table;
            let is_here = |name: &String| index.weight_map.get(name).is_some_and(|named| named == shard);
            for mut stored in tensors.into_iter().filter(|stored| is_here(&stored.name)) {
                stored.source = sources.len();
                met.insert(stored.name.clone());
                table.tensors.push(stored);
            }
            for name in others.into_iter().filter(is_here) {
                met.insert(name.clone());
                table.others.push(name);
            }
            sources.push(Source::File(place));
        }
        if let Some((name, shard)) = index.weight_map.iter().find(|(name, _)| !met.contains(*name)) {
            return Err(fail(format!("its shard {shard} does not contain the tensor {name:?}, as the index says")));
        }
        Ok(Self { file: path.display().to_string(), sources, table })
    }

    /// Reads the table of a file in memory. Error messages call it `file`.
    pub(crate) fn from_bytes(bytes: &'static [u8], file: String) -> Result<Self, ModelError> {
        Self::new(&mut Cursor::new(bytes), bytes.len() as u64, Source::Bytes(bytes), file)
    }

    fn new(reader: &mut (impl BufRead + Seek), length: u64, source: Source, file: String) -> Result<Self, ModelError> {
        // The content decides, because names can be wrong: a zip archive begins with PK, an old torch file with the
        // first byte of a pickle, and safetensors with any length, which may begin like one of them.
        let start = reader.fill_buf().map(|start| start.iter().take(64).copied().collect::<Vec<u8>>());
        let table = match start.as_deref() {
            Ok(start) if safetensors::has_header(start) => safetensors::tensors(reader, length),
            Ok([b'P', b'K', ..]) => torch_zip::table(reader, length),
            Ok([0x80, ..]) => torch_old::table(reader, length),
            Ok(start) => match describe_pointer(start) {
                Some(message) => Err(message),
                None => safetensors::tensors(reader, length),
            },
            Err(error) => Err(error.to_string()),
        };
        match table {
            Ok(table) => Ok(Self { file, sources: vec![source], table }),
            Err(message) => Err(ModelError::Format { file, message }),
        }
    }

    /// Returns the name of the file for error messages.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Returns the path of the file or index, or `None` if it is in memory.
    pub(crate) fn path(&self) -> Option<&Path> {
        if let Some(Source::File(path)) = self.sources.first() { Some(path) } else { None }
    }

    /// Returns the table of the tensors.
    pub fn tensors(&self) -> &[StoredTensor] {
        &self.table.tensors
    }

    /// Returns where the file holds the listed weights and where it holds others, such as those that were not averaged.
    /// Both are empty if it holds weights once.
    pub(crate) fn groups(&self) -> (&str, &[String]) {
        (&self.table.group, &self.table.unused_groups)
    }

    /// Reads the values of tensors and returns the file's SHA-256 in lowercase hexadecimal digits. For weights in shards,
    /// this is the SHA-256 of the index followed by all shards in the order of their names.
    ///
    /// `wanted` yields a key and some tensors at a time. `take` is called with the key and the values of these tensors,
    /// which are candle tensors on the CPU in their stored shapes and dtypes. Memory holds no values other than those
    /// passed to `take` and a copy of one tensor.
    ///
    /// # Errors
    /// Returns [`ModelError::Format`] if the file cannot be read to its end or repeats a few numbers to tensors of more
    /// than 2²⁸ elements, and the errors of `take`.
    pub fn read<'a, K>(
        &self,
        wanted: impl IntoIterator<Item = (K, &'a [StoredTensor])> + Send,
        mut take: impl FnMut(K, Vec<Tensor>) -> Result<(), ModelError> + Send,
    ) -> Result<String, ModelError> {
        let fail = |message: String| ModelError::Format { file: self.file.clone(), message };
        let values = || {
            let mut reader = ValueReader { sources: &self.sources, open: HashMap::new(), buffer: vec![], repeated: 0 };
            for (key, stored) in wanted {
                let tensors = stored.iter().map(|stored| reader.read(stored)).collect::<Result<_, _>>();
                take(key, tensors.map_err(fail)?)?;
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
        sha256_hex_of_reader(AllBytes { sources: self.sources.iter(), file: Box::new(io::empty()) })
    }
}

/// The bytes of all files, one after the other.
struct AllBytes<'a> {
    sources: std::slice::Iter<'a, Source>,
    /// The file that is being read.
    file: Box<dyn Read>,
}

impl Read for AllBytes<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match (self.file.read(buffer)?, self.sources.as_slice().is_empty()) {
                (0, false) if !buffer.is_empty() => {
                    if let Some(next) = self.sources.next() {
                        self.file = next.open()?;
                    }
                }
                (count, _) => return Ok(count),
            }
        }
    }
}

/// The number of elements that tensors may have in total of those that repeat the numbers in a file. Without this limit,
/// a file of a few bytes could take all memory. VGG's weights are half as many.
const MOST_REPEATED: usize = 1 << 28;

/// Reads values from the files of a checkpoint.
struct ValueReader<'a> {
    sources: &'a [Source],
    /// The open files by their index.
    open: HashMap<usize, Box<dyn Bytes>>,
    buffer: Vec<u8>,
    /// The elements so far of tensors that repeat the numbers in a file.
    repeated: usize,
}

impl ValueReader<'_> {
    fn read(&mut self, stored: &StoredTensor) -> Result<Tensor, String> {
        if stored.repeats() {
            self.repeated = self.repeated.saturating_add(stored.elements());
            if self.repeated > MOST_REPEATED {
                let StoredTensor { name, shape, .. } = stored;
                return Err(format!(
                    "its tensor {name:?} of shape {shape:?} repeats a few numbers too often to be a weight"
                ));
            }
        }
        let source = self.sources.get(stored.source).ok_or("a tensor is in none of its files")?;
        let file = match self.open.entry(stored.source) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(vacant) => vacant.insert(source.open().map_err(|error| error.to_string())?),
        };
        stored.read(file, &mut self.buffer).map_err(|error| match source {
            Source::File(path) if self.sources.len() > 1 => format!("{}: {error}", path.display()),
            _ => error.to_string(),
        })
    }
}

/// Describes a file that begins with these bytes if it is a pointer of Git LFS, which stands for the file in a clone that
/// was made without Git LFS.
pub(crate) fn describe_pointer(start: &[u8]) -> Option<String> {
    is_lfs_pointer(start).then(|| format!("it {LFS_POINTER}"))
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
