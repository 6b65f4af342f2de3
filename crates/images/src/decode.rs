use crate::limits::{MAX_BYTES, MAX_SIDE, TOO_LARGE};
use crate::{Gray8, ImageError, Rgb8};
use image::error::DecodingError;
use image::{DynamicImage, ImageFormat, ImageReader, Limits};
use std::io::Cursor;
use std::path::Path;

/// Decodes the bytes of a JPEG, PNG, GIF (first frame), BMP or WebP file to RGB. The content decides about the format.
///
/// Gray becomes three equal channels, CMYK is converted, alpha is dropped without blending, and palettes are resolved.
/// Channels of 16 bits keep their high byte, except that a single gray channel of 16 bits is clipped at 255; Pillow
/// does the same. An EXIF orientation is ignored because the masks of the datasets were drawn on unrotated pixels.
///
/// # Errors
/// Returns an [`ImageError`] if the data are empty, damaged, truncated or of an unknown format, or if the image has
/// more than 16384 pixels per side or 512 MiB.
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

/// Decodes the bytes of a mask file to one channel. Values are those of the file and not yet thresholded.
///
/// A gray file is used as it is (16 bits are clipped at 255). In a color file, each pixel becomes the largest of its
/// three color values, so an object painted in any color counts. Alpha is ignored, so an opaque background is not
/// object. Palettes are resolved first.
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

/// Reads and decodes an image file like [`decode_image`].
///
/// # Errors
/// As [`decode_image`]; returns [`ImageError::Read`] if the file cannot be read. Errors name the file.
pub fn read_image(path: &Path) -> Result<Rgb8, ImageError> {
    decode_image(&read(path)?).map_err(|error| error.in_file(path))
}

/// Reads and decodes a mask file like [`decode_mask`].
///
/// # Errors
/// As [`decode_mask`]; returns [`ImageError::Read`] if the file cannot be read. Errors name the file.
pub fn read_mask(path: &Path) -> Result<Gray8, ImageError> {
    decode_mask(&read(path)?).map_err(|error| error.in_file(path))
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
    // The decoder would fill the missing part with gray and report success.
    if format == ImageFormat::Jpeg && !jpeg_is_complete(bytes) {
        return Err(ImageError::Truncated);
    }
    #[cfg(feature = "turbojpeg")]
    if format == ImageFormat::Jpeg {
        return crate::turbo::decode(bytes);
    }
    // The PNG decoder panics on a palette of incomplete colors.
    if format == ImageFormat::Png && !png_palette_is_whole(bytes) {
        return Err(ImageError::Damaged(decoding_error(format, "its palette ends within a color")));
    }
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    // The decoders belong to other crates. If one panics, the file counts as damaged and the run continues.
    let decoded = std::panic::catch_unwind(|| reader.decode());
    decoded.unwrap_or_else(|_| Err(decoding_error(format, "its decoder failed"))).map_err(|error| match error {
        image::ImageError::Limits(_) => TOO_LARGE,
        image::ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => ImageError::Truncated,
        image::ImageError::Unsupported(_) => ImageError::Unsupported(error),
        _ => ImageError::Damaged(error),
    })
}

fn decoding_error(format: ImageFormat, what: &'static str) -> image::ImageError {
    image::ImageError::Decoding(DecodingError::new(format.into(), what))
}

/// Returns whether the palette of a PNG file, if it has one, consists of whole colors.
fn png_palette_is_whole(bytes: &[u8]) -> bool {
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

/// Returns whether a JPEG file ends with its own end-of-image marker.
///
/// The check walks over the segments by their lengths, so markers of an embedded thumbnail do not count, and over the
/// entropy-coded data by its byte stuffing.
fn jpeg_is_complete(bytes: &[u8]) -> bool {
    let mut at = 2; // after the start-of-image marker
    loop {
        // Skip entropy-coded data, or fill before a marker, up to the next 0xFF.
        while bytes.get(at).is_some_and(|&byte| byte != 0xFF) {
            at += 1;
        }
        match bytes.get(at + 1) {
            None => return false,
            Some(0xD9) => return true,
            Some(0xFF) => at += 1,                      // fill byte
            Some(0x00 | 0x01 | 0xD0..=0xD8) => at += 2, // stuffed 0xFF, restart markers and others without a length
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

fn replicate(gray: &[u8]) -> Vec<u8> {
    gray.iter().flat_map(|&v| [v; 3]).collect()
}

fn largest<T: Copy + Ord>(pixel: &[T]) -> T {
    pixel[0].max(pixel[1]).max(pixel[2])
}
