//! Decodes the first frame of GIF files like Pillow.

use crate::ImageError;
use crate::limits::{MAX_BYTES, TOO_LARGE, check_size};
use crate::stored::{Colors, Stored};
use gif::{ColorOutput, DecodeOptions, DecodingError as GifError, MemoryLimit};
use image::ImageFormat;
use image::error::DecodingError;
use std::num::NonZeroU64;

/// Decodes the first frame. Outside of it, the canvas has the transparent color or, without one, the first color of the
/// palette. A frame that reaches beyond the canvas enlarges it.
pub(crate) fn decode(bytes: &[u8]) -> Result<Stored, ImageError> {
    // The decoder belongs to another crate. If it panics, the file counts as damaged and the run continues.
    std::panic::catch_unwind(|| decode_frame(bytes)).unwrap_or_else(|_| Err(damaged("its decoder failed")))
}

fn decode_frame(bytes: &[u8]) -> Result<Stored, ImageError> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    if let Some(most) = NonZeroU64::new(MAX_BYTES) {
        options.set_memory_limit(MemoryLimit::Bytes(most));
    }
    let mut decoder = options.read_info(bytes).map_err(convert)?;
    let frame = decoder.next_frame_info().map_err(convert)?.ok_or_else(|| damaged("it has no frame"))?;
    let [left, top, columns, rows] = [frame.left, frame.top, frame.width, frame.height].map(usize::from);
    let transparent = frame.transparent;
    let width = usize::from(decoder.width()).max(left + columns);
    let height = usize::from(decoder.height()).max(top + rows);
    check_size(height, width, 3)?;
    let palette = match decoder.palette() {
        Ok(palette) => palette.as_chunks::<3>().0.to_vec(),
        Err(_) => (0..=255).map(|level| [level; 3]).collect(),
    };
    let mut pixels = vec![0; columns * rows];
    decoder.read_into_buffer(&mut pixels).map_err(convert)?;
    let mut indices = vec![transparent.unwrap_or(0); height * width];
    for (row, values) in pixels.chunks_exact(columns.max(1)).enumerate() {
        indices[(top + row) * width + left..][..columns].copy_from_slice(values);
    }
    let alpha = transparent.map(|index| indices.iter().map(|&i| if i == index { 0 } else { 255 }).collect());
    Ok(Stored { height, width, colors: Colors::Palette { indices, palette }, alpha, is_lossy: false })
}

fn convert(error: GifError) -> ImageError {
    match error {
        GifError::MemoryLimit | GifError::OutOfMemory => TOO_LARGE,
        GifError::UnexpectedEof => ImageError::Truncated,
        GifError::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => ImageError::Truncated,
        error => ImageError::Damaged(image::ImageError::Decoding(DecodingError::new(ImageFormat::Gif.into(), error))),
    }
}

fn damaged(what: &'static str) -> ImageError {
    ImageError::Damaged(image::ImageError::Decoding(DecodingError::new(ImageFormat::Gif.into(), what)))
}
