use crate::limits::{MAX_BYTES, MAX_SIDE, TOO_LARGE};
use crate::orientation::{find_orientation, turn_image, turn_mask};
use crate::stored::{Colors, Stored};
use crate::{Gray8, ImageError, ImageFacts, MaskFacts, MaskReading, Orientation, Rgb8, gif, png, tiff};
use hard_imagenet_files::is_lfs_pointer;
use image::codecs::bmp::BmpDecoder;
use image::error::DecodingError;
use image::{DynamicImage, ImageFormat, ImageReader, Limits};
use std::collections::HashMap;
use std::io::Cursor;
use std::path::Path;

/// Decodes the bytes of a JPEG, PNG, GIF (first frame), BMP, WebP or TIFF (first page) file to RGB. The content decides
/// about the format.
///
/// Gray becomes three equal channels, CMYK is converted, alpha is dropped without blending, and palettes are resolved.
/// Channels of 16 bits keep their high byte, except that a single gray channel of 16 bits is clipped at 255; Pillow
/// does the same. An EXIF orientation is ignored because the masks of the datasets were drawn on unrotated pixels;
/// [`decode_image_with`] can apply it. The part of a GIF that its first frame does not cover has the transparent color
/// or the first one of the palette. A PNG file that lacks its end is decoded if all of its pixels are there.
///
/// # Errors
/// Returns an [`ImageError`] if the data are empty, damaged, truncated or of an unknown format, or if the image has
/// more than 65535 pixels per side or 512 MiB.
pub fn decode_image(bytes: &[u8]) -> Result<Rgb8, ImageError> {
    decode_image_with(bytes, Orientation::AsStored).map(|(image, _)| image)
}

/// Decodes an image like [`decode_image`], with a choice about its EXIF orientation. Also returns what was noticed.
///
/// The orientation is read from JPEG, PNG, WebP and TIFF files.
///
/// # Errors
/// As [`decode_image`].
pub fn decode_image_with(bytes: &[u8], orientation: Orientation) -> Result<(Rgb8, ImageFacts), ImageError> {
    let format = known_format(bytes)?;
    let stated = find_orientation(bytes, format);
    let (image, is_incomplete) = match format {
        ImageFormat::Png => {
            let (decoded, is_incomplete) = png::decode(bytes)?;
            (rgb(decoded), is_incomplete)
        }
        ImageFormat::Gif => (resolve_palette(gif::decode(bytes)?), false),
        ImageFormat::Tiff => (decode_tiff_image(bytes)?, false),
        format => (rgb(decode(bytes, format)?), false),
    };
    let turn = stated.filter(|&stated| orientation == Orientation::Upright && stated != 1);
    let image = match turn {
        Some(turn) => turn_image(image, turn),
        None => image,
    };
    Ok((image, ImageFacts { orientation: stated, is_turned: turn.is_some(), is_incomplete }))
}

/// Converts any decoded pixels to RGB.
fn rgb(decoded: DynamicImage) -> Rgb8 {
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
    Rgb8 { height, width, data }
}

/// Decodes the bytes of a mask file to one channel, as [`decode_mask_with`] does by default.
///
/// # Errors
/// As [`decode_image`].
pub fn decode_mask(bytes: &[u8]) -> Result<Gray8, ImageError> {
    decode_mask_with(bytes, &MaskReading::Auto, Orientation::AsStored).map(|(mask, _)| mask)
}

/// Decodes the bytes of a mask file to one channel, 0 to 255, not yet thresholded. Also returns what was noticed.
///
/// With [`MaskReading::Auto`], the first of these rules that applies decides about the values:
///
/// 1. An alpha channel that is not the same everywhere is the mask, read by rule 3, so soft edges stay soft. (If the
///    pixels that can be seen are black and white, both of them, then the white ones are the object.)
/// 2. JPEG (also in TIFF) and lossy WebP: the brightness as it is stored, which is the largest of the three color values. If the
///    brightest pixel is below 128, values are scaled so that it becomes 255.
/// 3. Gray files: black and white stay as they are. If the brightest value is below half of white, or if there are at
///    most 16 values, they are labels, and every value except 0 becomes 255. All other files are brightness. So are
///    files with few values whose values between black and the brightest one occur only at edges.
/// 4. Palettes: if all colors that are used are gray, rule 3 applies to them. Otherwise every pixel becomes 255 unless
///    it is black, or, if black is not used, unless its index is 0. If all indices have the same color, index 0 is
///    the background.
/// 5. Color files: every pixel that is not (0, 0, 0) becomes 255.
///
/// Values of 16 bits are those of 8 bits if none is above 255; otherwise brightness is their high byte. What is not
/// black never becomes black. The orientation is that of the mask file itself.
///
/// # Errors
/// As [`decode_image`].
pub fn decode_mask_with(
    bytes: &[u8],
    reading: &MaskReading,
    orientation: Orientation,
) -> Result<(Gray8, MaskFacts), ImageError> {
    let format = known_format(bytes)?;
    let stated = find_orientation(bytes, format);
    let (stored, is_incomplete) = match format {
        ImageFormat::Png => png::decode_stored(bytes)?,
        ImageFormat::Gif => (gif::decode(bytes)?, false),
        ImageFormat::Bmp => (decode_bmp(bytes)?, false),
        ImageFormat::Tiff => (decode_tiff(bytes)?, false),
        format => {
            let is_lossy = format == ImageFormat::Jpeg || bytes.windows(4).any(|kind| kind == b"VP8 ");
            (store(decode(bytes, format)?, is_lossy), false)
        }
    };
    let (height, width) = (stored.height, stored.width);
    let (data, kind, values) = stored.read(reading);
    let mask = Gray8 { height, width, data };
    let turn = stated.filter(|&stated| orientation == Orientation::Upright && stated != 1);
    let mask = match turn {
        Some(turn) => turn_mask(mask, turn),
        None => mask,
    };
    Ok((mask, MaskFacts { kind, values, orientation: stated, is_incomplete }))
}

/// Reads and decodes an image file like [`decode_image`].
///
/// # Errors
/// As [`decode_image`]; returns [`ImageError::Read`] if the file cannot be read. Errors name the file.
pub fn read_image(path: &Path) -> Result<Rgb8, ImageError> {
    decode_image(&read(path)?).map_err(|error| error.in_file(path))
}

/// Reads and decodes an image file like [`decode_image_with`].
///
/// # Errors
/// As [`read_image`].
pub fn read_image_with(path: &Path, orientation: Orientation) -> Result<(Rgb8, ImageFacts), ImageError> {
    decode_image_with(&read(path)?, orientation).map_err(|error| error.in_file(path))
}

/// Reads and decodes a mask file like [`decode_mask`].
///
/// # Errors
/// As [`decode_mask`]; returns [`ImageError::Read`] if the file cannot be read. Errors name the file.
pub fn read_mask(path: &Path) -> Result<Gray8, ImageError> {
    decode_mask(&read(path)?).map_err(|error| error.in_file(path))
}

/// Reads and decodes a mask file like [`decode_mask_with`].
///
/// # Errors
/// As [`read_mask`].
pub fn read_mask_with(
    path: &Path,
    reading: &MaskReading,
    orientation: Orientation,
) -> Result<(Gray8, MaskFacts), ImageError> {
    decode_mask_with(&read(path)?, reading, orientation).map_err(|error| error.in_file(path))
}

fn read(path: &Path) -> Result<Vec<u8>, ImageError> {
    std::fs::read(path).map_err(|source| ImageError::Read { path: path.to_owned(), source })
}

/// Finds out the format by the first bytes.
fn known_format(bytes: &[u8]) -> Result<ImageFormat, ImageError> {
    if bytes.is_empty() {
        return Err(ImageError::Empty);
    }
    if is_lfs_pointer(bytes) {
        return Err(ImageError::LfsPointer);
    }
    let format = image::guess_format(bytes).map_err(|_| ImageError::UnknownFormat)?;
    if format.reading_enabled() { Ok(format) } else { Err(ImageError::UnknownFormat) }
}

/// Decodes a format for which nothing more than the `image` crate is needed.
fn decode(bytes: &[u8], format: ImageFormat) -> Result<DynamicImage, ImageError> {
    // The decoder would fill the missing part with gray and report success.
    if format == ImageFormat::Jpeg && !jpeg_is_complete(bytes) {
        return Err(ImageError::Truncated);
    }
    #[cfg(feature = "turbojpeg")]
    if format == ImageFormat::Jpeg {
        return crate::turbo::decode(bytes);
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits());
    guarded(format, || reader.decode())
}

fn limits() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_BYTES);
    limits
}

/// Runs a decoder. The decoders belong to other crates. If one panics, the file counts as damaged and the run continues.
fn guarded<T>(
    format: ImageFormat,
    decode: impl FnOnce() -> Result<T, image::ImageError> + std::panic::UnwindSafe,
) -> Result<T, ImageError> {
    let decoded = std::panic::catch_unwind(decode);
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

/// Decodes a BMP file with its palette.
fn decode_bmp(bytes: &[u8]) -> Result<Stored, ImageError> {
    let palette =
        guarded(ImageFormat::Bmp, || Ok(BmpDecoder::new(Cursor::new(bytes))?.get_palette().map(<[[u8; 3]]>::to_vec)))?;
    let stored = store(decode(bytes, ImageFormat::Bmp)?, false);
    let (Some(palette), Colors::Rgb(colors)) = (palette, &stored.colors) else { return Ok(stored) };
    // The decoder resolves the palette. Of several indices with the same color, the first one is meant.
    let mut index_of = HashMap::new();
    for (index, &color) in (0..=255).zip(&palette) {
        index_of.entry(color).or_insert(index);
    }
    let indices = colors.iter().map(|color| index_of.get(color).copied().unwrap_or(0)).collect();
    Ok(Stored { colors: Colors::Palette { indices, palette }, ..stored })
}

/// Decodes a TIFF file with its palette.
fn decode_tiff(bytes: &[u8]) -> Result<Stored, ImageError> {
    let Some((gray, palette)) = tiff::split_palette(bytes) else {
        return Ok(store(decode(bytes, ImageFormat::Tiff)?, tiff::is_lossy(bytes)));
    };
    let DynamicImage::ImageLuma8(image) = decode(&gray, ImageFormat::Tiff)? else {
        return Err(ImageError::Damaged(decoding_error(ImageFormat::Tiff, "its palette has indices of 16 bits")));
    };
    let (height, width) = (image.height() as usize, image.width() as usize);
    let mut indices = image.into_raw();
    if palette.len() == 2 {
        // Single bits were decoded as black and white.
        indices.iter_mut().for_each(|index| *index = u8::from(*index > 0));
    }
    Ok(Stored { height, width, colors: Colors::Palette { indices, palette }, alpha: None, is_lossy: false })
}

/// Decodes a TIFF file to RGB.
fn decode_tiff_image(bytes: &[u8]) -> Result<Rgb8, ImageError> {
    if tiff::split_palette(bytes).is_some() {
        return Ok(resolve_palette(decode_tiff(bytes)?));
    }
    Ok(rgb(decode(bytes, ImageFormat::Tiff)?))
}

/// Replaces indices of a palette by their colors.
fn resolve_palette(stored: Stored) -> Rgb8 {
    let data = match &stored.colors {
        Colors::Palette { indices, palette } => {
            let color = |&i: &u8| palette.get(usize::from(i)).copied().unwrap_or_default();
            indices.iter().flat_map(color).collect()
        }
        Colors::Rgb(colors) => colors.as_flattened().to_vec(),
        Colors::Gray { values, .. } => replicate(&clip(values)),
    };
    Rgb8 { height: stored.height, width: stored.width, data }
}

/// Separates the colors of decoded pixels from their alpha.
fn store(decoded: DynamicImage, is_lossy: bool) -> Stored {
    let (height, width) = (decoded.height() as usize, decoded.width() as usize);
    let gray = |values: Vec<u16>, top| Colors::Gray { values, top };
    let colors =
        |values: &[u8], step: usize| Colors::Rgb(values.chunks_exact(step).map(|p| [p[0], p[1], p[2]]).collect());
    let wide = |values: &[u16]| values.iter().map(|&v| high(v).max(u8::from(v > 0))).collect::<Vec<u8>>();
    let every = |values: &[u8], step: usize| values.iter().skip(step - 1).step_by(step).copied().collect::<Vec<u8>>();
    let first = |values: &[u8]| values.iter().step_by(2).map(|&v| u16::from(v)).collect::<Vec<u16>>();
    let (colors, alpha) = match decoded {
        DynamicImage::ImageLuma8(image) => (gray(image.iter().map(|&v| v.into()).collect(), 255), None),
        DynamicImage::ImageLuma16(image) => (gray(image.into_raw(), u16::MAX), None),
        DynamicImage::ImageLumaA8(image) => (gray(first(image.as_raw()), 255), Some(every(image.as_raw(), 2))),
        DynamicImage::ImageLumaA16(image) => {
            let alpha = every(&wide(image.as_raw()), 2);
            (gray(image.iter().step_by(2).copied().collect(), u16::MAX), Some(alpha))
        }
        DynamicImage::ImageRgb8(image) => (colors(image.as_raw(), 3), None),
        DynamicImage::ImageRgb16(image) => (colors(&wide(image.as_raw()), 3), None),
        other if other.color().has_alpha() => {
            let values = match other {
                DynamicImage::ImageRgba8(image) => image.into_raw(),
                DynamicImage::ImageRgba16(image) => wide(image.as_raw()),
                other => other.into_rgba8().into_raw(),
            };
            (colors(&values, 4), Some(every(&values, 4)))
        }
        other => (colors(other.into_rgb8().as_raw(), 3), None),
    };
    Stored { height, width, colors, alpha, is_lossy }
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
