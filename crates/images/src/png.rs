//! Decodes PNG files, also those that lack their end.

use crate::ImageError;
use crate::limits::{MAX_BYTES, MAX_SIDE, TOO_LARGE};
use crate::stored::{Colors, Stored};
use image::error::DecodingError;
use image::{DynamicImage, ImageBuffer, ImageFormat};
use png::{BitDepth, ColorType, Decoder, Limits, Reader, Transformations};
use std::io::Cursor;

/// The pixels of a PNG file.
struct Pixels {
    height: u32,
    width: u32,
    color: ColorType,
    depth: BitDepth,
    /// Rows of whole bytes; 16 bits are big-endian.
    data: Vec<u8>,
    palette: Vec<[u8; 3]>,
    /// The contents of the chunk tRNS.
    transparent: Option<Vec<u8>>,
}

/// Decodes to channels of 8 or 16 bits, with palettes resolved. Also returns whether the file lacks its end.
pub(crate) fn decode(bytes: &[u8]) -> Result<(DynamicImage, bool), ImageError> {
    let (Pixels { height, width, color, depth, data, .. }, is_incomplete) =
        decode_or_repair(bytes, Transformations::EXPAND)?;
    let wide = || data.as_chunks::<2>().0.iter().map(|&pair| u16::from_be_bytes(pair)).collect::<Vec<u16>>();
    let image = match (color, depth == BitDepth::Sixteen) {
        (ColorType::Grayscale, false) => ImageBuffer::from_raw(width, height, data).map(DynamicImage::ImageLuma8),
        (ColorType::GrayscaleAlpha, false) => ImageBuffer::from_raw(width, height, data).map(DynamicImage::ImageLumaA8),
        (ColorType::Rgb, false) => ImageBuffer::from_raw(width, height, data).map(DynamicImage::ImageRgb8),
        (ColorType::Rgba, false) => ImageBuffer::from_raw(width, height, data).map(DynamicImage::ImageRgba8),
        (ColorType::Grayscale, true) => ImageBuffer::from_raw(width, height, wide()).map(DynamicImage::ImageLuma16),
        (ColorType::GrayscaleAlpha, true) => {
            ImageBuffer::from_raw(width, height, wide()).map(DynamicImage::ImageLumaA16)
        }
        (ColorType::Rgb, true) => ImageBuffer::from_raw(width, height, wide()).map(DynamicImage::ImageRgb16),
        (ColorType::Rgba, true) => ImageBuffer::from_raw(width, height, wide()).map(DynamicImage::ImageRgba16),
        (ColorType::Indexed, _) => None,
    };
    Ok((image.ok_or_else(|| damaged("its pixels have an unknown layout"))?, is_incomplete))
}

/// Decodes the values as they are stored. Also returns whether the file lacks its end.
pub(crate) fn decode_stored(bytes: &[u8]) -> Result<(Stored, bool), ImageError> {
    let (pixels, is_incomplete) = decode_or_repair(bytes, Transformations::IDENTITY)?;
    let (height, width) = (pixels.height as usize, pixels.width as usize);
    let samples = samples(&pixels);
    let is_wide = pixels.depth == BitDepth::Sixteen;
    // What is not 0 must not become 0.
    let byte = |value: u16| if is_wide { ((value >> 8) as u8).max(u8::from(value > 0)) } else { value as u8 };
    let channels = pixels.color.samples();
    let color = |at: usize| samples.chunks_exact(channels).map(move |pixel| byte(pixel[at]));
    let rgb = || samples.chunks_exact(channels).map(|p| [byte(p[0]), byte(p[1]), byte(p[2])]).collect::<Vec<_>>();
    // A color that stands for transparent pixels. The decoder keeps one byte per channel unless they have 16 bits.
    let key = pixels.transparent.as_deref().unwrap_or_default();
    let key: Vec<u16> = match key.len() == channels {
        true => key.iter().map(|&value| value.into()).collect(),
        false => key.as_chunks::<2>().0.iter().map(|&pair| u16::from_be_bytes(pair)).collect(),
    };
    let keyed = || {
        let is_key = |pixel: &[u16]| if pixel == key { 0 } else { 255 };
        (key.len() == channels).then(|| samples.chunks_exact(channels).map(is_key).collect::<Vec<u8>>())
    };
    let top = u16::MAX >> (16 - pixels.depth as u16);
    let (colors, alpha) = match pixels.color {
        ColorType::Grayscale => (gray(&samples, top), keyed()),
        ColorType::GrayscaleAlpha => {
            let values: Vec<u16> = samples.chunks_exact(2).map(|pixel| pixel[0]).collect();
            (gray(&values, top), Some(color(1).collect()))
        }
        ColorType::Rgb => (Colors::Rgb(rgb()), keyed()),
        ColorType::Rgba => (Colors::Rgb(rgb()), Some(color(3).collect())),
        ColorType::Indexed => {
            let indices: Vec<u8> = samples.iter().map(|&value| value as u8).collect();
            let of = |alphas: &Vec<u8>| {
                indices.iter().map(|&i| alphas.get(usize::from(i)).copied().unwrap_or(255)).collect::<Vec<u8>>()
            };
            let alpha = pixels.transparent.as_ref().map(of);
            (Colors::Palette { indices, palette: pixels.palette }, alpha)
        }
    };
    Ok((Stored { height, width, colors, alpha, is_lossy: false }, is_incomplete))
}

fn gray(values: &[u16], top: u16) -> Colors {
    Colors::Gray { values: values.to_vec(), top }
}

/// Unpacks the samples of rows of whole bytes.
fn samples(pixels: &Pixels) -> Vec<u16> {
    if pixels.depth == BitDepth::Sixteen {
        return pixels.data.as_chunks::<2>().0.iter().map(|&pair| u16::from_be_bytes(pair)).collect();
    }
    if pixels.depth == BitDepth::Eight {
        return pixels.data.iter().map(|&value| value.into()).collect();
    }
    let depth = pixels.depth as usize;
    let per_row = pixels.width as usize * pixels.color.samples();
    let mask = u16::MAX >> (16 - depth);
    let rows = pixels.data.chunks_exact((per_row * depth).div_ceil(8).max(1)).take(pixels.height as usize);
    let sample = |row: &[u8], i: usize| (u16::from(row[i * depth / 8]) >> (8 - depth - i * depth % 8)) & mask;
    rows.flat_map(|row| (0..per_row).map(move |i| sample(row, i))).collect()
}

/// Decodes a file. If it lacks its end, adds what is missing, and decodes it if all of its pixels are there.
fn decode_or_repair(bytes: &[u8], transformations: Transformations) -> Result<(Pixels, bool), ImageError> {
    // The decoder panics on a palette of incomplete colors.
    if !palette_is_whole(bytes) {
        return Err(damaged("its palette ends within a color"));
    }
    let attempt = |bytes: &[u8], lacks_end| {
        // The decoder belongs to another crate. If it panics, the file counts as damaged and the run continues.
        let decoded = std::panic::catch_unwind(|| decode_pixels(bytes, transformations, lacks_end));
        decoded.unwrap_or_else(|_| Err(damaged("its decoder failed")))
    };
    match attempt(bytes, false) {
        Err(ImageError::Truncated) => {
            attempt(&with_end(bytes), true).map(|pixels| (pixels, true)).map_err(|error| match error {
                ImageError::TooLarge { .. } => error,
                _ => ImageError::Truncated,
            })
        }
        decoded => Ok((decoded?, !has_end(bytes))),
    }
}

fn decode_pixels(bytes: &[u8], transformations: Transformations, lacks_end: bool) -> Result<Pixels, ImageError> {
    let open = || -> Result<Reader<Cursor<&[u8]>>, ImageError> {
        let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: MAX_BYTES as usize });
        decoder.set_transformations(transformations);
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        let info = decoder.read_header_info().map_err(convert)?;
        if info.width.max(info.height) > MAX_SIDE {
            return Err(TOO_LARGE);
        }
        decoder.read_info().map_err(convert)
    };
    let mut reader = open()?;
    let (width, height) = reader.info().size();
    let length = reader.output_buffer_size().ok_or(TOO_LARGE)?;
    if length as u64 > MAX_BYTES {
        return Err(TOO_LARGE);
    }
    let mut data = vec![0; length];
    match reader.next_frame(&mut data) {
        Ok(_) => {}
        // The rows were all read if a second reader finds as many as the image has.
        Err(error) if lacks_end => {
            if !has_all_rows(&mut open()?) {
                return Err(convert(error));
            }
        }
        Err(error) => return Err(convert(error)),
    }
    let (color, depth) = reader.output_color_type();
    let info = reader.info();
    let palette = info.palette.as_deref().unwrap_or_default().as_chunks::<3>().0.to_vec();
    let transparent = info.trns.as_deref().map(<[u8]>::to_vec);
    Ok(Pixels { height, width, color, depth, data, palette, transparent })
}

/// Reads rows as long as there are any, and returns whether these are all rows.
fn has_all_rows(reader: &mut Reader<Cursor<&[u8]>>) -> bool {
    let (width, height) = reader.info().size();
    // The first pixel and the distances of each of the seven passes of an interlaced image: (row, column).
    let passes: [[u32; 4]; 7] =
        [[0, 0, 8, 8], [0, 4, 8, 8], [4, 0, 8, 4], [0, 2, 4, 4], [2, 0, 4, 2], [0, 1, 2, 2], [1, 0, 2, 1]];
    let rows =
        |[top, left, down, _]: [u32; 4]| if left < width { height.saturating_sub(top).div_ceil(down) } else { 0 };
    let expected = if reader.info().interlaced { passes.map(rows).iter().sum() } else { height };
    let mut found = 0;
    while found < expected && matches!(reader.next_interlaced_row(), Ok(Some(_))) {
        found += 1;
    }
    found == expected
}

/// Returns whether the chunk that ends a file is there.
fn has_end(bytes: &[u8]) -> bool {
    let mut chunks = bytes.get(8..).unwrap_or_default();
    while let Some((&[a, b, c, d, kind @ ..], data)) = chunks.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        match length.checked_add(4).and_then(|end| data.get(end..)) {
            Some(_) if &kind == b"IEND" => return true,
            Some(rest) => chunks = rest,
            None => return false,
        }
    }
    false
}

/// Closes the last chunk and adds the one that ends the file.
fn with_end(bytes: &[u8]) -> Vec<u8> {
    let mut whole = bytes.get(..8).unwrap_or_default().to_vec();
    let mut rest = bytes.get(8..).unwrap_or_default();
    while let Some((&[a, b, c, d, kind @ ..], data)) = rest.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if &kind == b"IEND" {
            break;
        }
        let present = length.min(data.len());
        if let Some(next) = length.checked_add(4).and_then(|end| data.get(end..)) {
            whole.extend_from_slice(&rest[..8 + length + 4]);
            rest = next;
            continue;
        }
        if &kind == b"IDAT" {
            push_chunk(&mut whole, kind, &data[..present]);
        }
        break;
    }
    push_chunk(&mut whole, *b"IEND", &[]);
    whole
}

fn push_chunk(file: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    file.extend_from_slice(&(data.len() as u32).to_be_bytes());
    let start = file.len();
    file.extend_from_slice(&kind);
    file.extend_from_slice(data);
    let checksum = crc32(&file[start..]);
    file.extend_from_slice(&checksum.to_be_bytes());
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}

/// Returns whether the palette of a file, if it has one, consists of whole colors.
fn palette_is_whole(bytes: &[u8]) -> bool {
    let mut chunks = bytes.get(8..).unwrap_or_default();
    // Each chunk has a length, a kind, data and a checksum. The palette comes before the pixels.
    while let Some((&[a, b, c, d, ref kind @ ..], rest)) = chunks.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        match kind {
            b"PLTE" => return length.is_multiple_of(3),
            b"IDAT" => return true,
            _ => chunks = length.checked_add(4).and_then(|length| rest.get(length..)).unwrap_or_default(),
        }
    }
    true
}

fn convert(error: png::DecodingError) -> ImageError {
    match error {
        png::DecodingError::LimitsExceeded => TOO_LARGE,
        png::DecodingError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            ImageError::Truncated
        }
        error => ImageError::Damaged(image::ImageError::Decoding(DecodingError::new(ImageFormat::Png.into(), error))),
    }
}

fn damaged(what: &'static str) -> ImageError {
    ImageError::Damaged(image::ImageError::Decoding(DecodingError::new(ImageFormat::Png.into(), what)))
}
