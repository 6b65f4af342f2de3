use crate::limits::{MAX_BYTES, MAX_SIDE, TOO_LARGE};
use crate::{Gray8, ImageError, Rgb8};
use image::error::DecodingError;
use image::{DynamicImage, ImageFormat, ImageReader, Limits};
use std::io::Cursor;
use std::path::Path;

/// Decodes an image file by content (not by name) to RGB: JPEG, PNG, GIF (first frame), BMP or WebP.
///
/// Grey becomes three equal channels, CMYK is converted, alpha is dropped without blending, palettes are looked up.
/// Channels of 16 bits keep their high byte, but a single grey channel of 16 bits is clipped at 255: both as Pillow
/// does. An EXIF orientation is not applied, for the masks of the data sets were drawn on unrotated pixels.
///
/// # Errors
/// Empty, damaged, truncated or unknown data, and pictures of more than 16384 pixels a side or 512 MiB.
pub fn decode_image(bytes: &[u8]) -> Result<Rgb8, ImageError> {
    let decoded = decode(bytes)?;
    let (height, width) = (decoded.height() as usize, decoded.width() as usize);
    let data = match decoded {
        DynamicImage::ImageRgb8(image) => image.into_raw(),
        DynamicImage::ImageLuma8(image) => replicate(image.as_raw()),
        DynamicImage::ImageLuma16(image) => replicate(&clip(image.as_raw())),
        DynamicImage::ImageLumaA8(image) => image.as_raw().chunks_exact(2).flat_map(|p| [p[0]; 3]).collect(),
        DynamicImage::ImageLumaA16(image) => image.as_raw().chunks_exact(2).flat_map(|p| [high(p[0]); 3]).collect(),
        DynamicImage::ImageRgba8(image) => image.as_raw().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect(),
        DynamicImage::ImageRgb16(image) => image.as_raw().iter().map(|&v| high(v)).collect(),
        DynamicImage::ImageRgba16(image) => {
            image.as_raw().chunks_exact(4).flat_map(|p| [high(p[0]), high(p[1]), high(p[2])]).collect()
        }
        other => other.into_rgb8().into_raw(),
    };
    Ok(Rgb8 { height, width, data })
}

/// Decodes a mask file by content to one channel; the values are those of the file, not yet thresholded.
///
/// A grey file is taken as it is (16 bits are clipped at 255). Of a colour file each pixel gives the largest of its
/// three colour values, so that an object painted in any colour counts, and alpha is ignored: an opaque background
/// is not object. Palettes are looked up first.
///
/// # Errors
/// As [`decode_image`].
pub fn decode_mask(bytes: &[u8]) -> Result<Gray8, ImageError> {
    let decoded = decode(bytes)?;
    let (height, width) = (decoded.height() as usize, decoded.width() as usize);
    let data = match decoded {
        DynamicImage::ImageLuma8(image) => image.into_raw(),
        DynamicImage::ImageLuma16(image) => clip(image.as_raw()),
        DynamicImage::ImageLumaA8(image) => image.as_raw().chunks_exact(2).map(|p| p[0]).collect(),
        DynamicImage::ImageLumaA16(image) => image.as_raw().chunks_exact(2).map(|p| high(p[0])).collect(),
        DynamicImage::ImageRgb8(image) => image.as_raw().chunks_exact(3).map(largest).collect(),
        DynamicImage::ImageRgba8(image) => image.as_raw().chunks_exact(4).map(largest).collect(),
        DynamicImage::ImageRgb16(image) => image.as_raw().chunks_exact(3).map(|p| high(largest(p))).collect(),
        DynamicImage::ImageRgba16(image) => image.as_raw().chunks_exact(4).map(|p| high(largest(p))).collect(),
        other => other.into_rgb8().as_raw().chunks_exact(3).map(largest).collect(),
    };
    Ok(Gray8 { height, width, data })
}

/// [`decode_image`] of a file; errors name it.
///
/// # Errors
/// As [`decode_image`], and if the file cannot be read.
pub fn read_image(path: &Path) -> Result<Rgb8, ImageError> {
    decode_image(&read(path)?).map_err(|error| error.of_file(path))
}

/// [`decode_mask`] of a file; errors name it.
///
/// # Errors
/// As [`decode_mask`], and if the file cannot be read.
pub fn read_mask(path: &Path) -> Result<Gray8, ImageError> {
    decode_mask(&read(path)?).map_err(|error| error.of_file(path))
}

fn read(path: &Path) -> Result<Vec<u8>, ImageError> {
    std::fs::read(path).map_err(|source| ImageError::Read { path: path.to_owned(), source })
}

fn decode(bytes: &[u8]) -> Result<DynamicImage, ImageError> {
    if bytes.is_empty() {
        return Err(ImageError::Empty);
    }
    let format = image::guess_format(bytes).map_err(|_| ImageError::UnknownFormat)?;
    if !format.reading_enabled() {
        return Err(ImageError::UnknownFormat);
    }
    // Said here and not left to the decoder, which fills what is missing with grey and reports success.
    if format == ImageFormat::Jpeg && !jpeg_is_complete(bytes) {
        return Err(ImageError::Truncated);
    }
    #[cfg(feature = "turbojpeg")]
    if format == ImageFormat::Jpeg {
        return crate::turbo::decode(bytes);
    }
    // Its decoder panics on such a palette.
    if format == ImageFormat::Png && !png_palette_is_whole(bytes) {
        return Err(ImageError::Damaged(decoding_error(format, "its palette ends within a colour")));
    }
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    // The decoders are not ours. Should one panic on a file, then the file is damaged, and the run goes on.
    let decoded = std::panic::catch_unwind(|| reader.decode());
    decoded.unwrap_or_else(|_| Err(decoding_error(format, "its decoder gave up"))).map_err(|error| match error {
        image::ImageError::Limits(_) => TOO_LARGE,
        image::ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => ImageError::Truncated,
        image::ImageError::Unsupported(_) => ImageError::Unsupported(error),
        _ => ImageError::Damaged(error),
    })
}

fn decoding_error(format: ImageFormat, what: &'static str) -> image::ImageError {
    image::ImageError::Decoding(DecodingError::new(format.into(), what))
}

/// Has the palette of a PNG file, if there is one, three bytes a colour?
fn png_palette_is_whole(bytes: &[u8]) -> bool {
    let mut chunks = bytes.get(8..).unwrap_or_default();
    // Length, kind, data, checksum; the palette comes before the picture's data.
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

/// Does the file end with an end-of-image marker of its own, rather than in the middle of something?
///
/// Walks over the segments by their lengths (an embedded thumbnail's markers do not count) and over the entropy-coded
/// data by its byte stuffing.
fn jpeg_is_complete(bytes: &[u8]) -> bool {
    let mut at = 2; // after the start of image
    loop {
        // Entropy-coded data, or fill before a marker: look for the next 0xFF.
        while bytes.get(at).is_some_and(|&byte| byte != 0xFF) {
            at += 1;
        }
        match bytes.get(at + 1) {
            None => return false,
            Some(0xD9) => return true,
            Some(0xFF) => at += 1,                      // fill byte
            Some(0x00 | 0x01 | 0xD0..=0xD8) => at += 2, // stuffed 0xFF, restarts and others without a length
            Some(_) => match bytes.get(at + 2..at + 4) {
                None => return false,
                Some(length) => at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]])),
            },
        }
    }
}

fn high(value: u16) -> u8 {
    (value >> 8) as u8
}

fn clip(values: &[u16]) -> Vec<u8> {
    values.iter().map(|&v| v.min(255) as u8).collect()
}

fn replicate(grey: &[u8]) -> Vec<u8> {
    grey.iter().flat_map(|&v| [v; 3]).collect()
}

fn largest<T: Copy + Ord>(pixel: &[T]) -> T {
    pixel[0].max(pixel[1]).max(pixel[2])
}
