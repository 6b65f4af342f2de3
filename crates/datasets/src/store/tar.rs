use super::name::{UNSAFE_NAME, safe_name};
use super::part::Part;
use super::{Files, SkippedEntry};
use std::io::{Error, ErrorKind, Result};

const BLOCK: u64 = 512;
/// The size of the longest extended header or long name that is read, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Returns whether this is the first header of a tar.
pub(super) fn is_tar(header: &[u8]) -> bool {
    header.len() == BLOCK as usize && checksum_holds(header)
}

/// Finds where the files of a tar lie in it. Only headers are read; the data between them are skipped.
///
/// The formats are ustar, GNU (long names, sizes of base 256) and pax (`path` and `size`). Links, devices and folders
/// have no data of their own. Of two entries with the same name, the last one counts, as when unpacking.
///
/// # Errors
/// Returns an error if a header is damaged or if the tar ends within an entry.
pub(super) fn index(tar: &Part) -> Result<Files<(u64, u64)>> {
    let mut files = Files::default();
    let mut at = 0;
    // Values from extended headers apply to the next entry.
    let (mut long_name, mut long_size) = (None, None);
    let mut header = [0; BLOCK as usize];
    loop {
        match tar.read_at(at, &mut header)? {
            0 => return Ok(files), // some writers omit the two empty blocks at the end
            n if n < header.len() => return Err(ErrorKind::UnexpectedEof.into()),
            _ if header.iter().all(|&byte| byte == 0) => return Ok(files),
            _ if !checksum_holds(&header) => {
                return Err(Error::new(ErrorKind::InvalidData, format!("there is no tar header at byte {at}")));
            }
            _ => at += BLOCK,
        }
        let kind = header[156];
        let extends = matches!(kind, b'L' | b'K' | b'x' | b'g');
        let own = number(&header[124..136]);
        let size = if extends { own } else { long_size.take().or(own) };
        let size =
            size.ok_or_else(|| Error::new(ErrorKind::InvalidData, format!("the header before byte {at} has no size")))?;
        // A link has no data, whatever size it claims.
        let size = if matches!(kind, b'1'..=b'6') { 0 } else { size };
        let data = tar.part(at, size)?;
        match kind {
            b'L' | b'x' if size > LONGEST => {
                return Err(Error::new(ErrorKind::InvalidData, format!("a name of {size} bytes at byte {at}")));
            }
            b'L' => long_name = Some(until_nul(&bytes(&data)?).to_owned()),
            b'x' => {
                let records = bytes(&data)?;
                long_name = record(&records, b"path").map(<[u8]>::to_owned).or(long_name);
                let text = record(&records, b"size").and_then(|value| std::str::from_utf8(value).ok());
                long_size = text.and_then(|text| text.parse().ok());
            }
            b'K' | b'g' => {}
            _ => {
                let raw = long_name.take().unwrap_or_else(|| name(&header));
                let regular = matches!(kind, b'0' | 0 | b'7') && !raw.ends_with(b"/");
                match safe_name(&raw) {
                    _ if kind == b'5' || raw.ends_with(b"/") => {}
                    Some(name) if regular => drop(files.by_name.insert(name, (at, size))),
                    Some(_) => {
                        files.skipped.push(SkippedEntry::new(&raw, "it is a link or a device, which is never followed"))
                    }
                    None => files.skipped.push(SkippedEntry::new(&raw, UNSAFE_NAME)),
                }
            }
        }
        at = size.checked_next_multiple_of(BLOCK).and_then(|n| at.checked_add(n)).ok_or(ErrorKind::UnexpectedEof)?;
    }
}

/// Checks the checksum: the sum of all bytes, with its own field counted as spaces.
fn checksum_holds(header: &[u8]) -> bool {
    let sum: u64 =
        header.iter().enumerate().map(|(i, &b)| if (148..156).contains(&i) { 32 } else { u64::from(b) }).sum();
    number(&header[148..156]) == Some(sum)
}

/// Parses octal digits, or base 256 if the first bit is set.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let first = u64::from(field[0] & 0x7f);
        return field[1..].iter().try_fold(first, |n, &byte| n.checked_mul(256)?.checked_add(u64::from(byte)));
    }
    let text = std::str::from_utf8(until_nul(field)).ok()?.trim();
    u64::from_str_radix(text, 8).ok()
}

/// Joins the prefix and the name of a ustar header.
fn name(header: &[u8]) -> Vec<u8> {
    let name = until_nul(&header[..100]);
    let prefix = if &header[257..263] == b"ustar\0" { until_nul(&header[345..500]) } else { b"" };
    if prefix.is_empty() { name.to_owned() } else { [prefix, b"/", name].concat() }
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// Returns the value of the last record with a keyword. A record is `<length> <keyword>=<value>\n`, where the length
/// counts all of it.
fn record<'a>(mut records: &'a [u8], keyword: &[u8]) -> Option<&'a [u8]> {
    let mut found = None;
    while let Some(space) = records.iter().position(|&byte| byte == b' ') {
        let length: usize = std::str::from_utf8(&records[..space]).ok()?.parse().ok()?;
        let text = records.get(space + 1..length.checked_sub(1)?)?;
        if let Some(value) = text.strip_prefix(keyword).and_then(|rest| rest.strip_prefix(b"=")) {
            found = Some(value);
        }
        records = records.get(length..)?;
    }
    found
}

fn bytes(part: &Part) -> Result<Vec<u8>> {
    let mut bytes = vec![0; part.len() as usize];
    let read = part.read_at(0, &mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}
