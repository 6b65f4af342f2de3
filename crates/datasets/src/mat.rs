//! Structure arrays of MATLAB 5 MAT-files, as far as the development kit's `meta.mat` needs them.

use flate2::read::ZlibDecoder;
use std::io::Read;

/// The largest size of one variable after decompression, in bytes.
const LONGEST: u64 = 64 << 20;
const HEADER: usize = 128;

/// Data types of elements and classes of arrays, as the format numbers them.
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;
const STRUCT: u8 = 2;
const CHAR: u8 = 4;
const NUMERIC: std::ops::RangeInclusive<u8> = 6..=15;

/// The value of one field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    /// A single number of any type.
    Number(f64),
    /// One row of characters.
    Text(String),
    /// Anything else: a matrix, a structure, or nothing.
    Other,
}

/// Reads some fields of each record of the structure array `variable`.
///
/// # Errors
/// Returns what is wrong if the file has another format or version or is truncated, or if the variable or a field is
/// missing.
pub(crate) fn records<const N: usize>(
    bytes: &[u8],
    variable: &str,
    fields: [&str; N],
) -> Result<Vec<[Cell; N]>, String> {
    let header = bytes.get(..HEADER).ok_or("it is shorter than the header of a MAT-file")?;
    if !header.starts_with(b"MATLAB 5.0") || header[124..] != [0, 1, b'I', b'M'] {
        return Err("expected a little-endian MATLAB 5.0 MAT-file (not version 7.3)".into());
    }
    let mut elements = Elements(&bytes[HEADER..]);
    while let Some((kind, data)) = elements.next()? {
        let mut inflated = Vec::new();
        let matrix = match kind {
            MATRIX => Matrix::parse(data)?,
            COMPRESSED => {
                let read = ZlibDecoder::new(data).take(LONGEST + 1).read_to_end(&mut inflated);
                read.map_err(|error| format!("a variable cannot be decompressed ({error})"))?;
                if inflated.len() as u64 > LONGEST {
                    return Err(format!("a variable has more than {} MiB", LONGEST >> 20));
                }
                match Elements(&inflated).next()? {
                    Some((MATRIX, data)) => Matrix::parse(data)?,
                    _ => continue,
                }
            }
            _ => continue,
        };
        if matrix.name == variable.as_bytes() {
            return matrix.records(fields);
        }
    }
    Err(format!("there is no variable {variable}"))
}

/// A sequence of elements. Each has a data type and bytes.
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    fn next(&mut self) -> Result<Option<(u32, &'a [u8])>, String> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let early = || "it ends within an element".to_owned();
        let (tag, rest) = self.0.split_first_chunk::<8>().ok_or_else(early)?;
        let [first, second] = [0, 4].map(|at| u32::from_le_bytes([tag[at], tag[at + 1], tag[at + 2], tag[at + 3]]));
        let (small, kind) = (first >> 16, first & 0xffff);
        if small > 0 {
            // Up to four bytes are stored in the tag itself.
            let data = self.0[4..8].get(..small as usize).ok_or("a short element has more than four bytes")?;
            self.0 = rest;
            return Ok(Some((kind, data)));
        }
        let data = rest.get(..second as usize).ok_or_else(early)?;
        // Elements begin at multiples of eight bytes, except after a compressed one.
        let next = if kind == COMPRESSED { data.len() } else { data.len().next_multiple_of(8) };
        self.0 = rest.get(next..).unwrap_or_default();
        Ok(Some((kind, data)))
    }

    fn must_next(&mut self) -> Result<(u32, &'a [u8]), String> {
        self.next()?.ok_or_else(|| "an array ends early".into())
    }
}

/// An array: the elements with which all arrays begin, and the elements after them.
struct Matrix<'a> {
    class: u8,
    /// The number of rows and the number of elements.
    size: (usize, usize),
    name: &'a [u8],
    rest: Elements<'a>,
}

impl<'a> Matrix<'a> {
    fn parse(data: &'a [u8]) -> Result<Self, String> {
        let mut rest = Elements(data);
        if data.is_empty() {
            return Ok(Self { class: 0, size: (0, 0), name: &[], rest }); // an empty field is written so
        }
        let class = rest.must_next()?.1.first().copied().ok_or("an array has no class")?;
        let (lengths, _) = rest.must_next()?.1.as_chunks::<4>();
        let lengths: Vec<usize> = lengths.iter().map(|&length| u32::from_le_bytes(length) as usize).collect();
        let count = lengths.iter().try_fold(1usize, |count, &length| count.checked_mul(length));
        let size = (lengths.first().copied().unwrap_or(0), count.ok_or("an array has too many elements")?);
        Ok(Self { class, size, name: rest.must_next()?.1, rest })
    }

    /// Reads fields, which are stored record by record.
    fn records<const N: usize>(mut self, fields: [&str; N]) -> Result<Vec<[Cell; N]>, String> {
        if self.class != STRUCT {
            return Err("the variable is not a structure array".into());
        }
        let length = self.rest.must_next()?.1.first_chunk().map_or(0, |&length| u32::from_le_bytes(length) as usize);
        let names: Vec<&[u8]> = self.rest.must_next()?.1.chunks(length.max(1)).map(until_nul).collect();
        let mut at = [0; N];
        for (at, field) in at.iter_mut().zip(fields) {
            let found = names.iter().position(|name| *name == field.as_bytes());
            *at = found.ok_or_else(|| format!("there is no field {field}"))?;
        }
        let mut records = Vec::new();
        for _ in 0..self.size.1 {
            let mut values = Vec::with_capacity(names.len());
            for _ in &names {
                values.push(self.rest.must_next()?);
            }
            let mut record = [const { Cell::Other }; N];
            for (cell, &at) in record.iter_mut().zip(&at) {
                if let (MATRIX, data) = values[at] {
                    *cell = Matrix::parse(data)?.cell()?;
                }
            }
            records.push(record);
        }
        Ok(records)
    }

    fn cell(mut self) -> Result<Cell, String> {
        let (kind, data) = match self.class {
            CHAR if self.size.0 == 1 => self.rest.must_next()?,
            class if NUMERIC.contains(&class) && self.size.1 == 1 => self.rest.must_next()?,
            _ => return Ok(Cell::Other),
        };
        let cell = if self.class == CHAR { text(kind, data).map(Cell::Text) } else { number(kind, data) };
        cell.ok_or_else(|| format!("a value has the type {kind} and {} bytes", data.len()))
    }
}

/// Decodes characters, which are UTF-8, UTF-16 or single bytes.
fn text(kind: u32, data: &[u8]) -> Option<String> {
    match kind {
        1 | 2 | 16 => String::from_utf8(data.to_vec()).ok(),
        4 | 17 => {
            let (units, []) = data.as_chunks::<2>() else { return None };
            String::from_utf16(&units.iter().map(|&unit| u16::from_le_bytes(unit)).collect::<Vec<_>>()).ok()
        }
        _ => None,
    }
}

/// Decodes a number, which is stored in the smallest type that can hold it, whatever its class.
fn number(kind: u32, data: &[u8]) -> Option<Cell> {
    Some(Cell::Number(match kind {
        1 => f64::from(i8::from_le_bytes(data.try_into().ok()?)),
        2 => f64::from(u8::from_le_bytes(data.try_into().ok()?)),
        3 => f64::from(i16::from_le_bytes(data.try_into().ok()?)),
        4 => f64::from(u16::from_le_bytes(data.try_into().ok()?)),
        5 => f64::from(i32::from_le_bytes(data.try_into().ok()?)),
        6 => f64::from(u32::from_le_bytes(data.try_into().ok()?)),
        7 => f64::from(f32::from_le_bytes(data.try_into().ok()?)),
        9 => f64::from_le_bytes(data.try_into().ok()?),
        _ => return None,
    }))
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPRESSED: &[u8] = include_bytes!("../tests/golden/devkit/meta.mat");
    const PLAIN: &[u8] = include_bytes!("../tests/golden/devkit/meta_plain.mat");

    fn synsets(bytes: &[u8]) -> Result<Vec<[Cell; 4]>, String> {
        records(bytes, "synsets", ["ILSVRC2012_ID", "WNID", "wordnet_height", "children"])
    }

    #[test]
    fn fields_of_every_record() {
        let ids = [(1, "n02119789"), (2, "n03218198"), (3, "n04356056"), (1000, "n07248320"), (1001, "n02084071")];
        let expected = ids
            .map(|(id, wnid)| [Cell::Number(f64::from(id)), Cell::Text(wnid.into()), Cell::Number(-3.0), Cell::Other]);
        for bytes in [COMPRESSED, PLAIN] {
            assert_eq!(synsets(bytes).unwrap(), expected);
        }
        let gloss = records(PLAIN, "synsets", ["gloss"]).unwrap();
        assert_eq!(gloss[2], [Cell::Other]); // an empty text
        assert_eq!(gloss[3], [Cell::Text("a paper jacket for a book – with its description".into())]);
    }

    #[test]
    fn characters_and_numbers_of_every_type() {
        assert_eq!(text(4, b"n\x000\x00").as_deref(), Some("n0")); // as MATLAB writes it
        assert_eq!(text(17, &[0x3d, 0xd8, 0x00, 0xde]).as_deref(), Some("😀"));
        assert_eq!((text(4, b"odd"), text(16, b"\xff"), text(9, b"")), (None, None, None));
        let check = |kind, data: &[u8], expected| assert_eq!(number(kind, data), Some(Cell::Number(expected)));
        check(1, &[0xfe], -2.0);
        check(2, &[0xfe], 254.0);
        check(3, &[0xfe, 0xff], -2.0);
        check(4, &[0xe8, 0x03], 1000.0);
        check(5, &[0xff; 4], -1.0);
        check(6, &[0xff; 4], 4_294_967_295.0);
        check(7, &1.5f32.to_le_bytes(), 1.5);
        check(9, &1.5f64.to_le_bytes(), 1.5);
        assert_eq!((number(2, &[1, 2]), number(9, &[]), number(12, &[0; 8])), (None, None, None));
    }

    #[test]
    fn missing_parts_are_named() {
        let check = |found: Result<Vec<[Cell; 1]>, String>, words: &str| {
            let message = found.unwrap_err();
            assert!(message.contains(words), "{message}");
        };
        check(records(PLAIN, "classes", ["WNID"]), "no variable classes");
        check(records(PLAIN, "synsets", ["wnid"]), "no field wnid");
        check(records(PLAIN, "notes", ["WNID"]), "not a structure array");
        check(records(b"", "synsets", ["WNID"]), "shorter");
        check(records(&[b"MATLAB 7.3 MAT-file", &[0u8; 4096][..]].concat(), "synsets", ["WNID"]), "version 7.3");
    }

    #[test]
    fn damage_never_panics() {
        for bytes in [COMPRESSED, PLAIN] {
            for end in 0..bytes.len() {
                assert!(synsets(&bytes[..end]).is_err(), "{end}");
            }
            for at in 0..bytes.len() {
                for value in [0, 0x7f, 0xff, bytes[at] ^ 1] {
                    let mut damaged = bytes.to_vec();
                    damaged[at] = value;
                    let _ = synsets(&damaged);
                }
            }
        }
    }

    #[test]
    fn a_bomb_is_refused() {
        let mut zeros = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut zeros, &vec![0; LONGEST as usize + 1]).unwrap();
        let zeros = zeros.finish().unwrap();
        let tag = [super::COMPRESSED.to_le_bytes(), (zeros.len() as u32).to_le_bytes()].concat();
        let message = synsets(&[&PLAIN[..HEADER], &tag, &zeros].concat()).unwrap_err();
        assert!(message.contains("64 MiB"), "{message}");
    }
}
