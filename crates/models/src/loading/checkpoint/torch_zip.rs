//! The format since torch 1.6: an uncompressed zip archive of `data.pkl` and one file for each storage.

use super::Table;
use super::torch::{self, Storages};
use hard_imagenet_pickle::Pickle;
use std::io::{BufReader, Read, Seek, SeekFrom};
use zip::{CompressionMethod, ZipArchive};

/// Reads the table of a file of `length` bytes.
pub(super) fn table(file: &mut (impl Read + Seek), length: u64) -> Result<Table, String> {
    let damaged = |error: zip::result::ZipError| format!("{error}; download or copy the file again");
    let mut archive = ZipArchive::new(&mut *file).map_err(damaged)?;
    let mut entries = Storages::new();
    for i in 0..archive.len() {
        let entry = archive.by_index_raw(i).map_err(damaged)?;
        if entry.compression() == CompressionMethod::Stored {
            let name = entry.name().map_err(damaged)?.into_owned();
            let start = entry.data_start().ok_or_else(|| format!("{name} has no place in the archive"))?;
            if start.checked_add(entry.size()).is_none_or(|end| end > length) {
                return Err(format!("the file ends before its entry {name}; download or copy the file again"));
            }
            entries.insert(name, (start, entry.size()));
        }
    }
    drop(archive);
    // All names begin with the name of the archive: "resnet50/data.pkl", "resnet50/data/0".
    let found = entries.iter().find_map(|(name, &place)| Some((name.strip_suffix("data.pkl")?.to_owned(), place)));
    let Some((root, (start, length))) = found else {
        return Err("it is a zip archive without data.pkl, so torch did not write it".into());
    };
    if entries.get(&format!("{root}byteorder")).is_some_and(|&(_, length)| length == 3) {
        return Err("it was written on a big-endian machine; save it on a little-endian one".into());
    }
    let folder = format!("{root}data/");
    let storages = entries.iter().filter_map(|(name, &place)| Some((name.strip_prefix(&folder)?.to_owned(), place)));
    let storages = storages.collect();
    file.seek(SeekFrom::Start(start)).map_err(|error| error.to_string())?;
    let pickle = Pickle::read_objects(&mut BufReader::new(file.take(length))).map_err(|error| error.to_string())?;
    torch::table(pickle.root(), &storages)
}
