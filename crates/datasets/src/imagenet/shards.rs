//! ImageNet as Hugging Face packs it: parquet files with a column of encoded images and a column of their names.

use super::labels::{Labels, class_of};
use crate::files::is_wnid;
use crate::store::{Part, file_stem, stamp};
use crate::{DatasetError, Split};
use bytes::Bytes;
use hard_imagenet_files::{LFS_POINTER, is_lfs_pointer};
use parquet::basic::Compression;
use parquet::column::reader::{ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, FileReader, Length, SerializedFileReader};
use std::collections::BTreeMap;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

const BYTES: &str = "image.bytes";
const PATH: &str = "image.path";

/// The shards of one split, and an index of the rows by image name.
///
/// Opening reads only the names. Reading an image decodes the one page of its column that holds it (about a megabyte),
/// so memory does not grow with the shards. The index takes about 100 bytes per image.
pub(super) struct Shards {
    shards: Vec<Shard>,
    rows: BTreeMap<String, Row>,
}

struct Shard {
    path: PathBuf,
    /// The state of the file when it was opened.
    stamp: String,
    reader: SerializedFileReader<Part>,
}

#[derive(Clone, Copy)]
struct Row {
    shard: u32,
    group: u32,
    row: u32,
    /// The digits of the WordNet id, if the name contains it.
    wnid: Option<u32>,
}

impl Shards {
    /// Reads the names of all images in the parquet files of the split (`validation-00000-of-00014.parquet`). They lie
    /// in the folder `path`, in its folder `data`, or `path` is such a file.
    pub(super) fn open(path: &Path, split: Split) -> Result<Self, DatasetError> {
        let files = if path.is_file() {
            if path.extension().is_some_and(|e| e == "parquet") { vec![path.to_owned()] } else { Vec::new() }
        } else {
            [path.to_owned(), path.join("data")].iter().flat_map(|folder| shard_files(folder, split)).collect()
        };
        let (mut shards, mut rows) = (Vec::new(), BTreeMap::new());
        for (shard, path) in files.into_iter().enumerate() {
            let fail = |problem: String| DatasetError::Archive {
                path: path.clone(),
                problem: format!("{problem}; expected Hugging Face's imagenet-1k, with the columns {BYTES} and {PATH}"),
            };
            let stamp = stamp(&path);
            let section = Part::whole(&path).map_err(|e| fail(e.to_string()))?;
            if is_pointer(&section) {
                return Err(DatasetError::Archive { path, problem: LFS_POINTER.into() });
            }
            let reader = catch_damage(|| SerializedFileReader::new(section).map_err(message)).map_err(&fail)?;
            for group in 0..reader.num_row_groups() {
                catch_damage(|| column(&reader, group, BYTES)).map_err(&fail)?;
                for (row, name) in catch_damage(|| names(&reader, group)).map_err(&fail)?.into_iter().enumerate() {
                    let (stem, wnid) = split_name(&name);
                    let row = Row { shard: shard as u32, group: group as u32, row: row as u32, wnid };
                    if rows.insert(stem.clone(), row).is_some() {
                        return Err(fail(format!("the image {stem} occurs twice")));
                    }
                }
            }
            shards.push(Shard { path, stamp, reader });
        }
        Ok(Self { shards, rows })
    }

    /// Describes the shards for people; `None` if there are none.
    pub(super) fn describe(&self) -> Option<String> {
        let Shard { path, .. } = self.shards.first()?;
        Some(format!("{} parquet shards in {}", self.shards.len(), path.parent().unwrap_or(path).display()))
    }

    pub(super) fn has(&self, stem: &str) -> bool {
        self.rows.contains_key(stem)
    }

    /// Returns the shard and the image in it, for people.
    pub(super) fn place(&self, stem: &str) -> PathBuf {
        self.rows.get(stem).map(|row| self.shards[row.shard as usize].path.join(stem)).unwrap_or_default()
    }

    /// Returns a text that changes when the shard of an image changes.
    pub(super) fn stamp(&self, stem: &str) -> String {
        let Some(&Row { shard, group, row, .. }) = self.rows.get(stem) else { return String::new() };
        format!("{} group {group} row {row}", self.shards[shard as usize].stamp)
    }

    /// Reads the encoded image.
    pub(super) fn read(&self, stem: &str) -> Result<Vec<u8>, DatasetError> {
        let fail = |problem: String| DatasetError::Archive { path: self.place(stem), problem };
        let &Row { shard, group, row, .. } = self.rows.get(stem).ok_or_else(|| fail("no such image".into()))?;
        let reader = &self.shards[shard as usize].reader;
        let bytes = catch_damage(|| {
            let mut column = column(reader, group as usize, BYTES)?;
            let (mut values, mut levels) = (Vec::new(), Vec::new());
            column.skip_records(row as usize).map_err(message)?;
            column.read_records(1, Some(&mut levels), None, &mut values).map_err(message)?;
            let value: Option<&ByteArray> = values.first();
            Ok(value.ok_or("the cell of the image is empty")?.data().to_vec())
        });
        bytes.map_err(fail)
    }

    /// Lists the (WordNet id, file stem) of the images whose class is known from their name or the labels.
    pub(super) fn images<'a>(&'a self, labels: &'a Labels) -> impl Iterator<Item = (String, String)> + 'a {
        self.rows.iter().filter_map(|(stem, row)| {
            let wnid = row.wnid.map(|digits| format!("n{digits:08}"));
            Some((wnid.or_else(|| class_of(stem, labels))?, stem.clone()))
        })
    }
}

/// Returns whether Git LFS has not downloaded the file yet.
fn is_pointer(file: &Part) -> bool {
    let mut start = [0; 64];
    file.read_at(0, &mut start).is_ok_and(|read| is_lfs_pointer(&start[..read]))
}

/// Lists the shards of the split in a folder, or all shards if none is named by a split.
fn shard_files(folder: &Path, split: Split) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|e| e == "parquet"));
    files.sort_unstable();
    let is_of = |file: &PathBuf, split: &str| file.file_name().is_some_and(|n| n.to_string_lossy().starts_with(split));
    if files.iter().any(|file| ["train", "val", "test"].iter().any(|split| is_of(file, split))) {
        files.retain(|file| is_of(file, split.name()));
    }
    files
}

/// Splits "ILSVRC2012_val_00000293_n01440764.JPEG" into "ILSVRC2012_val_00000293" and the digits of n01440764. Names of
/// training images also begin with their class.
fn split_name(name: &str) -> (String, Option<u32>) {
    let stem = file_stem(name);
    let digits = |wnid: &str| is_wnid(wnid).then(|| wnid[1..].parse().ok()).flatten();
    if let Some((rest, wnid)) = stem.rsplit_once('_')
        && let Some(digits) = digits(wnid)
    {
        return (rest.into(), Some(digits));
    }
    let wnid = stem.split_once('_').and_then(|(wnid, _)| digits(wnid));
    (stem.into(), wnid)
}

/// Reads the names in a row group.
fn names(reader: &SerializedFileReader<Part>, group: usize) -> Result<Vec<String>, String> {
    let rows = usize::try_from(reader.metadata().row_group(group).num_rows()).map_err(|e| e.to_string())?;
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    column(reader, group, PATH)?.read_records(rows, Some(&mut levels), None, &mut values).map_err(message)?;
    if values.len() != rows {
        return Err(format!("row group {group} has {rows} rows, but {} names", values.len()));
    }
    values.iter().map(|name: &ByteArray| name.as_utf8().map(str::to_owned).map_err(message)).collect()
}

/// Opens a column of byte strings, one per row.
fn column(
    reader: &SerializedFileReader<Part>,
    group: usize,
    name: &str,
) -> Result<ColumnReaderImpl<ByteArrayType>, String> {
    let columns = reader.metadata().row_group(group).columns();
    let at = columns.iter().position(|column| column.column_path().string() == name);
    let at = at.ok_or_else(|| format!("column {name} is missing"))?;
    if columns[at].column_type() != parquet::basic::Type::BYTE_ARRAY || columns[at].column_descr().max_rep_level() > 0 {
        return Err(format!("column {name} is not one byte string per row"));
    }
    check_codec(columns[at].compression())?;
    let pages = reader.get_row_group(group).and_then(|group| group.get_column_reader(at)).map_err(message)?;
    Ok(get_typed_column_reader(pages))
}

/// Checks that pages of this codec can be read safely; the error says what to do otherwise.
///
/// The decoders for gzip and the deprecated lz4 may expand a page of a few bytes to gigabytes. The accepted ones stop
/// at the length of the page.
fn check_codec(codec: Compression) -> Result<(), String> {
    let name = match codec {
        Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::LZ4_RAW => return Ok(()),
        Compression::ZSTD(_) if cfg!(feature = "zstd") => return Ok(()),
        Compression::ZSTD(_) => "zstd (the feature zstd of this crate reads it)".to_owned(),
        Compression::GZIP(_) => "gzip".to_owned(),
        Compression::BROTLI(_) => "brotli".to_owned(),
        other => other.to_string(),
    };
    Err(format!(
        "its pages are compressed by {name}; rewrite it with pyarrow: \
         pq.write_table(pq.read_table(FILE), FILE, compression=\"snappy\")"
    ))
}

/// Calls `read` and turns a panic into an error, because the parquet crate panics on some damaged pages.
///
/// Everything that `read` touches is created anew for each call, so no inconsistent state survives. The panic hook
/// still prints the panic.
fn catch_damage<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err("a page is damaged; get the shard again".into()))
}

fn message(error: ParquetError) -> String {
    error.to_string()
}

impl Length for Part {
    fn len(&self) -> u64 {
        Part::len(self)
    }
}

impl ChunkReader for Part {
    type T = BufReader<Part>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        let mut reader = self.clone();
        reader.seek(SeekFrom::Start(start))?;
        Ok(BufReader::new(reader))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        // The length is checked before memory is allocated, because a damaged file may claim any length.
        let mut part = self.part(start, length as u64)?;
        let mut bytes = Vec::with_capacity(length);
        part.read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }
}
