//! Palettes and kinds of compression of TIFF files, which the decoder does not tell.

use std::ops::Range;

const PHOTOMETRIC: u16 = 262;
const COMPRESSION: u16 = 259;
const COLOR_MAP: u16 = 320;
/// Values of PHOTOMETRIC.
const BLACK_IS_ZERO: u16 = 1;
const PALETTE: u16 = 3;
/// Values of COMPRESSION: both ways to store JPEG data.
const JPEG: [u16; 2] = [6, 7];

/// Returns a copy of the file that states its indices as gray values, and the palette. Returns `None` if the file has no
/// palette.
pub(crate) fn split_palette(bytes: &[u8]) -> Option<(Vec<u8>, Vec<[u8; 3]>)> {
    let file = File { bytes, is_little: bytes.starts_with(b"II*\0") };
    let kind = file.entry(PHOTOMETRIC)?;
    if file.short(kind.start + 8)? != PALETTE {
        return None;
    }
    let map = file.entry(COLOR_MAP)?;
    let (count, at) = (file.long(map.start + 4)? as usize, file.long(map.start + 8)? as usize);
    let colors = (count / 3).min(256);
    // All red values, then all green ones, then all blue ones, of 16 bits each.
    let value = |channel: usize, i: usize| file.short(at.checked_add(2 * (channel * (count / 3) + i))?);
    let all = || (0..3).flat_map(|channel| (0..colors).map(move |i| (channel, i)));
    let wide = all().map(|(channel, i)| value(channel, i)).collect::<Option<Vec<u16>>>()?;
    // Some programs write values of 8 bits.
    let shift = if wide.iter().all(|&value| value < 256) { 0 } else { 8 };
    let palette = (0..colors).map(|i| [0, 1, 2].map(|channel| (wide[channel * colors + i] >> shift) as u8)).collect();
    let mut gray = bytes.to_vec();
    let stated = if file.is_little { BLACK_IS_ZERO.to_le_bytes() } else { BLACK_IS_ZERO.to_be_bytes() };
    gray.get_mut(kind.start + 8..kind.start + 10)?.copy_from_slice(&stated);
    Some((gray, palette))
}

/// Returns whether the pixels are JPEG data.
pub(crate) fn is_lossy(bytes: &[u8]) -> bool {
    let file = File { bytes, is_little: bytes.starts_with(b"II*\0") };
    let compression = file.entry(COMPRESSION).and_then(|entry| file.short(entry.start + 8));
    compression.is_some_and(|compression| JPEG.contains(&compression))
}

struct File<'a> {
    bytes: &'a [u8],
    is_little: bool,
}

impl File<'_> {
    /// Finds the twelve bytes of an entry in the directory of the first image.
    fn entry(&self, tag: u16) -> Option<Range<usize>> {
        let start = self.long(4)? as usize;
        let entries = usize::from(self.short(start)?);
        let first = start.checked_add(2)?;
        let mut places = (0..entries).map_while(|i| first.checked_add(12 * i));
        places.find(|&at| self.short(at) == Some(tag)).map(|at| at..at + 12)
    }

    fn short(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes.get(at..at.checked_add(2)?)?.first_chunk().copied()?;
        Some(if self.is_little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    fn long(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..at.checked_add(4)?)?.first_chunk().copied()?;
        Some(if self.is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }
}
