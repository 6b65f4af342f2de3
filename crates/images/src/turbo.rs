//! Decodes JPEG files with libjpeg-turbo, like Pillow and with its settings: an accurate inverse transform and smooth
//! upsampling.

use crate::ImageError;
use crate::limits::check_size;
use image::error::{DecodingError, ImageFormatHint};
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use turbojpeg::{Colorspace, Decompressor, Image, PixelFormat};

/// Decodes to gray or RGB with 8 bits per channel.
///
/// Invalid data and an early end, for which libjpeg-turbo only warns, are errors.
pub(crate) fn decode(bytes: &[u8]) -> Result<DynamicImage, ImageError> {
    let mut decoder = Decompressor::new().map_err(damaged)?;
    let header = decoder.read_header(bytes).map_err(damaged)?;
    let (width, height) = (header.width, header.height);
    let format = match header.colorspace {
        Colorspace::Gray => PixelFormat::GRAY,
        Colorspace::CMYK | Colorspace::YCCK => PixelFormat::CMYK,
        _ => PixelFormat::RGB,
    };
    check_size(height, width, format.size())?;
    let pitch = width * format.size();
    let mut pixels = vec![0; height * pitch];
    decoder.decompress(bytes, Image { pixels: &mut pixels[..], width, pitch, height, format }).map_err(damaged)?;
    let (columns, rows) = (width as u32, height as u32);
    let image = match format {
        PixelFormat::GRAY => GrayImage::from_raw(columns, rows, pixels).map(DynamicImage::from),
        PixelFormat::CMYK => {
            let pixels = pixels.chunks_exact(4).flat_map(rgb).collect();
            RgbImage::from_raw(columns, rows, pixels).map(DynamicImage::from)
        }
        _ => RgbImage::from_raw(columns, rows, pixels).map(DynamicImage::from),
    };
    Ok(image.expect("one byte per value"))
}

/// Converts a pixel of inverted CMYK, as Adobe writes it and Pillow expects it: the values are amounts of white, not
/// ink.
fn rgb(pixel: &[u8]) -> [u8; 3] {
    let white = u32::from(pixel[3]);
    std::array::from_fn(|c| {
        let product = u32::from(255 - pixel[c]) * white + 128;
        (white - (((product >> 8) + product) >> 8).min(white)) as u8
    })
}

fn damaged(error: turbojpeg::Error) -> ImageError {
    let format = ImageFormatHint::Exact(ImageFormat::Jpeg);
    ImageError::Damaged(image::ImageError::Decoding(DecodingError::new(format, error)))
}
