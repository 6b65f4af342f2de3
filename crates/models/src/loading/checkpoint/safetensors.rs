//! The safetensors format: eight bytes that hold a length, a JSON header of that length, and the tensors.

use super::Table;
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

/// Returns whether a file that begins with these bytes has the length of a header and the first byte of JSON after it.
pub(super) fn has_header(start: &[u8]) -> bool {
    let length = start.first_chunk().copied().map(u64::from_le_bytes);
    length.is_some_and(|length| length <= LONGEST_HEADER) && start.get(8) == Some(&b'{')
}

/// The bits of an element of each type of the format.
fn bits(dtype: &str) -> Option<u64> {
    Some(match dtype {
        "F4" => 4,
        "F6_E2M3" | "F6_E3M2" => 6,
        "BOOL" | "U8" | "I8" | "F8_E5M2" | "F8_E4M3" | "F8_E8M0" | "F8_E4M3FNUZ" | "F8_E5M2FNUZ" => 8,
        "U16" | "I16" | "F16" | "BF16" => 16,
        "U32" | "I32" | "F32" => 32,
        "U64" | "I64" | "F64" | "C64" => 64,
        _ => return None,
    })
}

/// Reads the table of a file of `length` bytes. Only tensors of floating-point numbers are listed.
///
/// Like the reference implementation, this refuses files whose tensors overlap, leave gaps or have other numbers of bytes
/// than their shapes.
pub(super) fn tensors(file: &mut impl Read, length: u64) -> Result<Table, String> {
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
    let from = 8 + header_length;
    let mut table = Table::default();
    let mut places = Vec::new();
    for (name, entry) in entries {
        let Entry { dtype, shape, data_offsets: (start, end) } = serde_json::from_value(entry)
            .map_err(|error| format!("the header's entry of {name:?} is invalid: {error}"))?;
        if start > end || end > length - from {
            return Err(format!("the file ends before its tensor {name:?}; download or copy the file again"));
        }
        let total = shape.iter().try_fold(1u64, |count, &length| count.checked_mul(length as u64));
        let total = bits(&dtype).map(|bits| total.and_then(|count| count.checked_mul(bits)));
        if total.is_some_and(|total| total != Some(8 * (end - start))) {
            return Err(format!(
                "its tensor {name:?} of shape {shape:?} lies outside its data of {} bytes; download or copy the file \
                 again",
                end - start
            ));
        }
        places.push((start, end));
        let dtype = match dtype.as_str() {
            "F16" => DType::F16,
            "BF16" => DType::BF16,
            "F32" => DType::F32,
            "F64" => DType::F64,
            _ => {
                table.others.push(name);
                continue;
            }
        };
        let elements = (end - start) / dtype.size_in_bytes() as u64;
        let elements = usize::try_from(elements).map_err(|error| error.to_string())?;
        table.tensors.push(StoredTensor::within((from + start, elements), 0, (name, dtype, shape), None)?);
    }
    places.sort_unstable();
    let end = places.iter().try_fold(0, |reached, &(start, end)| (start == reached).then_some(end));
    match end == Some(length - from) {
        true => Ok(table),
        false => Err("its tensors overlap or leave gaps; download or copy the file again".into()),
    }
}
