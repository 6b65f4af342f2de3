//! torch's format before 1.6: pickles of a magic number, a version, the machine, the object and the storages' keys;
//! then each storage, its number of elements before it.

use super::Stored;
use super::pickle::{Node, Pickle};
use super::torch::{self, Storages};
use std::collections::HashMap;
use std::io::{BufRead, Seek, SeekFrom};

/// torch's version of it; it never changed.
const VERSION: usize = 1001;

pub(super) fn tensors(file: &mut (impl BufRead + Seek), length: u64) -> Result<Vec<Stored>, String> {
    let _magic = Pickle::read(file)?;
    let version = Pickle::read(file).ok().and_then(|version| version.size(version.root()));
    if version != Some(VERSION) {
        return Err("it is a pickle, but not one of torch.save".into());
    }
    let machine = Pickle::read(file)?;
    let object = Pickle::read(file)?;
    let keys = Pickle::read(file)?;
    if is_big_endian(&machine) {
        return Err("it was written by a machine of the other byte order (\"big\"); save it on a usual one".into());
    }
    let persistent =
        |place| if let Node::Persistent(id) = object.node(place) { torch::storage(&object, *id) } else { None };
    let sizes: HashMap<&str, usize> = (0..object.len()).filter_map(persistent).map(|s| (s.key, s.size)).collect();
    let keys = keys.items(keys.root()).unwrap_or_default().iter().filter_map(|&key| keys.text(key));
    let mut storages = Storages::new();
    for key in keys {
        let mut elements = [0; 8];
        let truncated = |_| "it is truncated; get the file again".to_owned();
        file.read_exact(&mut elements).map_err(truncated)?;
        let size = sizes.get(key).ok_or("its pickle is damaged: a storage is not described")?;
        let bytes = u64::from_le_bytes(elements).checked_mul(*size as u64);
        let start = file.stream_position().map_err(|error| error.to_string())?;
        let end = bytes.and_then(|bytes| start.checked_add(bytes)).filter(|&end| end <= length);
        let end = end.ok_or("it is truncated; get the file again")?;
        storages.insert(key.to_owned(), (start, end - start));
        file.seek(SeekFrom::Start(end)).map_err(|error| error.to_string())?;
    }
    torch::tensors(&object, &storages)
}

fn is_big_endian(machine: &Pickle) -> bool {
    let entries = machine.entries(machine.root()).unwrap_or_default();
    let little = entries.iter().find(|(key, _)| machine.text(*key) == Some("little_endian"));
    little.is_some_and(|&(_, value)| matches!(machine.node(value), Node::False))
}
