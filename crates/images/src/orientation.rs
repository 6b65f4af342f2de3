use crate::{Gray8, Rgb8};
use image::ImageFormat;
use image::metadata::Orientation as Turn;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// What to do with the EXIF orientation of a file: cameras store the pixels as the sensor lay and state how to turn them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Orientation {
    /// Pixels stay as they are stored, as in Pillow and torchvision.
    #[default]
    AsStored,
    /// Pixels are turned, as viewers show them.
    Upright,
}

impl FromStr for Orientation {
    type Err = String;

    /// Parses "stored" or "upright".
    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "stored" | "as-stored" => Ok(Self::AsStored),
            "upright" => Ok(Self::Upright),
            _ => Err(format!("{word:?} is not an orientation; expected \"stored\" or \"upright\"")),
        }
    }
}

impl std::fmt::Display for Orientation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::AsStored => "stored",
            Self::Upright => "upright",
        })
    }
}

/// Finds the EXIF orientation that a file states, 1 to 8. Returns `None` if it states none.
pub(crate) fn find_orientation(bytes: &[u8], format: ImageFormat) -> Option<u8> {
    let exif = match format {
        ImageFormat::Jpeg => jpeg_exif(bytes),
        ImageFormat::Png => chunk(bytes.get(8..)?, b"eXIf", 4, u32::from_be_bytes, 4),
        ImageFormat::WebP => chunk(bytes.get(12..)?, b"EXIF", 0, u32::from_le_bytes, 0),
        ImageFormat::Tiff => Some(bytes),
        _ => None,
    }?;
    let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    Turn::from_exif_chunk(exif).map(Turn::to_exif)
}

/// Finds the EXIF block of a JPEG file: a segment before the pixels.
fn jpeg_exif(bytes: &[u8]) -> Option<&[u8]> {
    let mut at = 2;
    loop {
        match (bytes.get(at)?, bytes.get(at + 1)?) {
            (0xFF, 0xFF) => at += 1, // fill
            (0xFF, 0xDA | 0xD9) => return None,
            (0xFF, &kind) => {
                let length = usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]));
                let data = bytes.get(at + 4..at + 2 + length)?;
                if kind == 0xE1 && data.starts_with(b"Exif\0\0") {
                    return Some(data);
                }
                at += 2 + length;
            }
            _ => return None,
        }
    }
}

/// Finds a chunk of a PNG or WebP file by its kind.
///
/// In PNG, the length stands before the kind, and a checksum of 4 bytes follows the data. In WebP, the length stands
/// after the kind, and data of odd length are padded.
fn chunk<'a>(
    mut chunks: &'a [u8],
    wanted: &[u8; 4],
    kind_at: usize,
    length: fn([u8; 4]) -> u32,
    checksum: usize,
) -> Option<&'a [u8]> {
    loop {
        let (head, rest) = chunks.split_first_chunk::<8>()?;
        let kind = &head[kind_at..kind_at + 4];
        let size = &head[4 - kind_at..8 - kind_at];
        let size = length([size[0], size[1], size[2], size[3]]) as usize;
        if kind == wanted {
            return rest.get(..size);
        }
        let padding = if checksum == 0 { size % 2 } else { 0 };
        chunks = rest.get(size.checked_add(checksum + padding)?..)?;
    }
}

/// Turns an image as an EXIF orientation (1 to 8) asks for.
pub(crate) fn turn_image(image: Rgb8, orientation: u8) -> Rgb8 {
    let (height, width, data) = turn::<3>(&image.data, image.height, image.width, orientation);
    Rgb8 { height, width, data }
}

/// Turns a mask as an EXIF orientation (1 to 8) asks for.
pub(crate) fn turn_mask(mask: Gray8, orientation: u8) -> Gray8 {
    let (height, width, data) = turn::<1>(&mask.data, mask.height, mask.width, orientation);
    Gray8 { height, width, data }
}

fn turn<const C: usize>(data: &[u8], height: usize, width: usize, orientation: u8) -> (usize, usize, Vec<u8>) {
    let (tall, wide) = if orientation >= 5 { (width, height) } else { (height, width) };
    let mut turned = Vec::with_capacity(data.len());
    for row in 0..tall {
        for column in 0..wide {
            // The stored pixel that is shown here.
            let (y, x) = match orientation {
                2 => (row, width - 1 - column),
                3 => (height - 1 - row, width - 1 - column),
                4 => (height - 1 - row, column),
                5 => (column, row),
                6 => (height - 1 - column, row),
                7 => (height - 1 - column, width - 1 - row),
                8 => (column, width - 1 - row),
                _ => (row, column),
            };
            turned.extend_from_slice(&data[(y * width + x) * C..][..C]);
        }
    }
    (tall, wide, turned)
}

#[cfg(test)]
mod tests {
    use super::turn;

    #[test]
    fn pixels_are_turned_like_pillow() {
        // PIL.ImageOps.exif_transpose of [[1, 2, 3], [4, 5, 6]].
        let check = |orientation, expected: (usize, usize, [u8; 6])| {
            let (height, width, data) = turn::<1>(&[1, 2, 3, 4, 5, 6], 2, 3, orientation);
            assert_eq!((height, width, &data[..]), (expected.0, expected.1, &expected.2[..]), "{orientation}");
        };
        check(1, (2, 3, [1, 2, 3, 4, 5, 6]));
        check(2, (2, 3, [3, 2, 1, 6, 5, 4]));
        check(3, (2, 3, [6, 5, 4, 3, 2, 1]));
        check(4, (2, 3, [4, 5, 6, 1, 2, 3]));
        check(5, (3, 2, [1, 4, 2, 5, 3, 6]));
        check(6, (3, 2, [4, 1, 5, 2, 6, 3]));
        check(7, (3, 2, [6, 3, 5, 2, 4, 1]));
        check(8, (3, 2, [3, 6, 2, 5, 1, 4]));
    }
}
