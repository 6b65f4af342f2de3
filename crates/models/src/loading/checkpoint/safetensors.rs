//! The safetensors format: eight bytes that hold a length, a JSON header of that length, and the tensors.

use super::stored::StoredTensor;
use candle_core::DType;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read;

/// The header's entry of one tensor.
#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

/// The limit of the reference implementation.
const LONGEST_HEADER: u64 = 100_000_000;

/// Reads the table of a file of `length` bytes. Only tensors of floating-point numbers are returned.
pub(super) fn tensors(file: &mut impl Read, length: u64) -> Result<Vec<StoredTensor>, String> {
    let none = |what: &str| format!("it is neither safetensors nor a torch checkpoint: {what}");
    let mut header = [0; 8];
    file.read_exact(&mut header).map_err(|_| none("it has fewer than eight bytes"))?;
    let header_length = u64::from_le_bytes(header);
    if header_length > LONGEST_HEADER || header_length + 8 > length {
        return Err(none("it does not begin with a header, or is truncated; download or copy the file again"));
    }
    let mut header = Vec::new();
    file.take(header_length).read_to_end(&mut header).map_err(|error| error.to_string())?;
    let mut entries: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(&header).map_err(|error| none(&error.to_string()))?;
    entries.remove("__metadata__");
    let mut tensors = Vec::new();
    for (name, entry) in entries {
        let Entry { dtype, shape, data_offsets: (start, end) } = serde_json::from_value(entry)
            .map_err(|error| format!("the header's entry of {name:?} is invalid: {error}"))?;
        let dtype = match dtype.as_str() {
            "F16" => DType::F16,
            "BF16" => DType::BF16,
            "F32" => DType::F32,
            "F64" => DType::F64,
            _ => continue,
        };
        let from = 8 + header_length;
        if start > end || end > length - from {
            return Err(format!("the file ends before its tensor {name:?}; download or copy the file again"));
        }
        let elements = (end - start) / dtype.size_in_bytes() as u64;
        let elements = usize::try_from(elements).map_err(|error| error.to_string())?;
        tensors.push(StoredTensor::within((from + start, elements), 0, (name, dtype, shape), None)?);
    }
    Ok(tensors)
}
