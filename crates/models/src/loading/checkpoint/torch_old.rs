//! The format before torch 1.6: pickles of a magic number, a version, the machine, the object and the keys of the
//! storages, and then the storages, each after its number of elements.

use super::Table;
use super::torch::{self, Storages};
use hard_imagenet_pickle::{Pickle, PickleError, Value};
use std::collections::HashMap;
use std::io::{BufRead, Seek, SeekFrom};

/// The version of the format, which never changed.
const VERSION: i64 = 1001;

/// Reads the table of a file of `length` bytes.
pub(super) fn table(file: &mut (impl BufRead + Seek), length: u64) -> Result<Table, String> {
    let mut read = || Pickle::read_objects(file).map_err(|error: PickleError| error.to_string());
    let _magic = read()?;
    let version = read().ok().and_then(|version| version.root().as_int());
    if version != Some(VERSION) {
        return Err("it is a pickle, but torch.save did not write it".into());
    }
    let machine = read()?;
    let object = read()?;
    let keys = read()?;
    if is_big_endian(machine.root()) {
        return Err("it was written on a big-endian machine; save it on a little-endian one".into());
    }
    let described = object.values().filter_map(Value::persistent_id).filter_map(torch::storage);
    let sizes: HashMap<&str, usize> = described.map(|storage| (storage.key, storage.size)).collect();
    let keys = keys.root().items().into_iter().flatten().filter_map(Value::as_text);
    let mut storages = Storages::new();
    for key in keys {
        let mut elements = [0; 8];
        let truncated = |_| "it is truncated; download or copy the file again".to_owned();
        file.read_exact(&mut elements).map_err(truncated)?;
        let size = sizes.get(key).ok_or("the pickle is damaged: it does not describe one of the storages")?;
        let bytes = u64::from_le_bytes(elements).checked_mul(*size as u64);
        let start = file.stream_position().map_err(|error| error.to_string())?;
        let end = bytes.and_then(|bytes| start.checked_add(bytes)).filter(|&end| end <= length);
        let end = end.ok_or("it is truncated; download or copy the file again")?;
        storages.insert(key.to_owned(), (start, end - start));
        file.seek(SeekFrom::Start(end)).map_err(|error| error.to_string())?;
    }
    torch::table(object.root(), &storages)
}

fn is_big_endian(machine: Value<'_>) -> bool {
    let little = machine.entries().into_iter().flatten().find(|(key, _)| key.as_text() == Some("little_endian"));
    little.is_some_and(|(_, value)| value.as_bool() == Some(false))
}
