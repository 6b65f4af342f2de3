//! ImageNet as Hugging Face packs it: parquet files with a column of encoded pictures and a column of their names.

use super::labels::{Labels, class_of};
use crate::files::is_wnid;
use crate::store::{Part, file_stem};
use crate::{DatasetError, Split};
use bytes::Bytes;
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

/// The shards of one split, and in which row of which each picture lies.
///
/// Only the names are read when it is opened. Reading a picture decodes the one page of its column that holds it
/// (about a megabyte), so memory does not grow with the shards; the index takes about 100 bytes a picture.
pub(super) struct Shards {
    shards: Vec<(PathBuf, SerializedFileReader<Part>)>,
    rows: BTreeMap<String, Row>,
}

#[derive(Clone, Copy)]
struct Row {
    shard: u32,
    group: u32,
    row: u32,
    /// The digits of its WordNet id, where the name tells it.
    wnid: Option<u32>,
}

impl Shards {
    /// Reads the names of all pictures in the parquet files of the split, `validation-00000-of-00014.parquet`, in the
    /// folder or its `data`, or in the one file.
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
            let section = Part::whole(&path).map_err(|e| fail(e.to_string()))?;
            let reader = undamaged(|| SerializedFileReader::new(section).map_err(words)).map_err(&fail)?;
            for group in 0..reader.num_row_groups() {
                undamaged(|| column(&reader, group, BYTES)).map_err(&fail)?;
                for (row, name) in undamaged(|| names(&reader, group)).map_err(&fail)?.into_iter().enumerate() {
                    let (stem, wnid) = picture_name(&name);
                    let row = Row { shard: shard as u32, group: group as u32, row: row as u32, wnid };
                    if rows.insert(stem.clone(), row).is_some() {
                        return Err(fail(format!("the picture {stem} is there twice")));
                    }
                }
            }
            shards.push((path, reader));
        }
        Ok(Self { shards, rows })
    }

    /// For a person; `None` if there are no shards.
    pub(super) fn words(&self) -> Option<String> {
        let (path, _) = self.shards.first()?;
        Some(format!("{} parquet shards in {}", self.shards.len(), path.parent().unwrap_or(path).display()))
    }

    pub(super) fn has(&self, stem: &str) -> bool {
        self.rows.contains_key(stem)
    }

    /// The shard and the picture in it, for people.
    pub(super) fn place(&self, stem: &str) -> PathBuf {
        self.rows.get(stem).map(|row| self.shards[row.shard as usize].0.join(stem)).unwrap_or_default()
    }

    /// The picture as it was encoded.
    pub(super) fn read(&self, stem: &str) -> Result<Vec<u8>, DatasetError> {
        let fail = |problem: String| DatasetError::Archive { path: self.place(stem), problem };
        let &Row { shard, group, row, .. } = self.rows.get(stem).ok_or_else(|| fail("no such picture".into()))?;
        let reader = &self.shards[shard as usize].1;
        let bytes = undamaged(|| {
            let mut column = column(reader, group as usize, BYTES)?;
            let (mut values, mut levels) = (Vec::new(), Vec::new());
            column.skip_records(row as usize).map_err(words)?;
            column.read_records(1, Some(&mut levels), None, &mut values).map_err(words)?;
            let value: Option<&ByteArray> = values.first();
            Ok(value.ok_or("the picture's cell is empty")?.data().to_vec())
        });
        bytes.map_err(fail)
    }

    /// (WordNet id, file stem) of the pictures whose class is known by their name or the list.
    pub(super) fn pictures<'a>(&'a self, labels: &'a Labels) -> impl Iterator<Item = (String, String)> + 'a {
        self.rows.iter().filter_map(|(stem, row)| {
            let wnid = row.wnid.map(|digits| format!("n{digits:08}"));
            Some((wnid.or_else(|| class_of(stem, labels))?, stem.clone()))
        })
    }
}

/// The shards of the split in a folder; all, if none is named by a split.
fn shard_files(folder: &Path, split: Split) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|e| e == "parquet"));
    files.sort_unstable();
    let of = |file: &PathBuf, split: &str| file.file_name().is_some_and(|n| n.to_string_lossy().starts_with(split));
    if files.iter().any(|file| ["train", "val", "test"].iter().any(|split| of(file, split))) {
        files.retain(|file| of(file, split.name()));
    }
    files
}

/// "ILSVRC2012_val_00000293_n01440764.JPEG" to ("ILSVRC2012_val_00000293", the digits of n01440764); training
/// pictures have their class in front as well.
fn picture_name(name: &str) -> (String, Option<u32>) {
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

fn names(reader: &SerializedFileReader<Part>, group: usize) -> Result<Vec<String>, String> {
    let rows = usize::try_from(reader.metadata().row_group(group).num_rows()).map_err(|e| e.to_string())?;
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    column(reader, group, PATH)?.read_records(rows, Some(&mut levels), None, &mut values).map_err(words)?;
    if values.len() != rows {
        return Err(format!("row group {group} has {rows} rows, but {} names", values.len()));
    }
    values.iter().map(|name: &ByteArray| name.as_utf8().map(str::to_owned).map_err(words)).collect()
}

/// A column of byte strings, one in a row.
fn column(
    reader: &SerializedFileReader<Part>,
    group: usize,
    name: &str,
) -> Result<ColumnReaderImpl<ByteArrayType>, String> {
    let columns = reader.metadata().row_group(group).columns();
    let at = columns.iter().position(|column| column.column_path().string() == name);
    let at = at.ok_or_else(|| format!("column {name} is missing"))?;
    if columns[at].column_type() != parquet::basic::Type::BYTE_ARRAY || columns[at].column_descr().max_rep_level() > 0 {
        return Err(format!("column {name} is not one byte string in a row"));
    }
    readable(columns[at].compression())?;
    let pages = reader.get_row_group(group).and_then(|group| group.get_column_reader(at)).map_err(words)?;
    Ok(get_typed_column_reader(pages))
}

/// Whether pages compressed in this way are read; if not, what to do. The decoders of gzip and of the deprecated lz4 would
/// follow a page of a few bytes to gigabytes, those that are taken stop at the page's length.
fn readable(codec: Compression) -> Result<(), String> {
    let name = match codec {
        Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::LZ4_RAW => return Ok(()),
        Compression::ZSTD(_) if cfg!(feature = "zstd") => return Ok(()),
        Compression::ZSTD(_) => "zstd (the feature zstd of this crate reads it)".to_owned(),
        Compression::GZIP(_) => "gzip".to_owned(),
        Compression::BROTLI(_) => "brotli".to_owned(),
        other => other.to_string(),
    };
    Err(format!(
        "its pages are compressed by {name}; write it anew by pyarrow: \
         pq.write_table(pq.read_table(FILE), FILE, compression=\"snappy\")"
    ))
}

/// The crate's decoders panic on some damaged pages: here that is an error like any other. All that `read` touches is
/// made anew for each call, so nothing half done is seen again. (The panic hook still tells the damage on stderr.)
fn undamaged<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err("a page is damaged; get the shard again".into()))
}

fn words(error: ParquetError) -> String {
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
        // Checked before memory is asked for: a damaged file may claim any length.
        let mut part = self.part(start, length as u64)?;
        let mut bytes = Vec::with_capacity(length);
        part.read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }
}
