use crate::{ImageError, Pixels, SizeError};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use std::path::Path;

/// A decoded color image: `(H, W, 3)`, u8, interleaved RGB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rgb8 {
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
    /// `height * width * 3` values, row-major.
    pub data: Vec<u8>,
}

/// A decoded image with one channel, such as a mask file before it is thresholded: `(H, W)`, u8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gray8 {
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
    /// `height * width` values, row-major.
    pub data: Vec<u8>,
}

impl From<&Pixels> for Rgb8 {
    /// Converts values in [0, 1] to 0..=255, rounded half up, so 0.5 becomes 128. Other values are clipped, and NaN
    /// becomes 0.
    fn from(pixels: &Pixels) -> Self {
        let (height, width) = (pixels.height(), pixels.width());
        let (red, rest) = pixels.as_slice().split_at(height * width);
        let (green, blue) = rest.split_at(height * width);
        let byte = |value: f32| (value * 255.0 + 0.5) as u8; // the cast saturates
        let data = red.iter().zip(green).zip(blue).flat_map(|((&r, &g), &b)| [byte(r), byte(g), byte(b)]).collect();
        Self { height, width, data }
    }
}

impl Rgb8 {
    /// Creates an image from values `(H, W, 3)`, row-major, interleaved.
    ///
    /// # Errors
    /// Returns a [`SizeError`] unless there are `height * width * 3` values.
    pub fn from_vec(height: usize, width: usize, data: Vec<u8>) -> Result<Self, SizeError> {
        SizeError::check(height, width, 3, data.len())?;
        Ok(Self { height, width, data })
    }

    /// Encodes the image as a PNG file.
    ///
    /// # Errors
    /// Returns [`ImageError::Encode`] if the image has no pixels or does not hold `height * width * 3` values.
    pub fn encode_png(&self) -> Result<Vec<u8>, ImageError> {
        encode(&self.data, self.height, self.width, 3, Format::Png)
    }

    /// Encodes the image as a JPEG file with a quality from 1 to 100.
    ///
    /// For photographs and noise, the file has about a tenth of the size of a PNG file, but its pixels are not exact.
    ///
    /// # Errors
    /// As [`Rgb8::encode_png`].
    pub fn encode_jpeg(&self, quality: u8) -> Result<Vec<u8>, ImageError> {
        encode(&self.data, self.height, self.width, 3, Format::Jpeg(quality))
    }

    /// Writes the image to a PNG file, whatever the extension of `path`.
    ///
    /// # Errors
    /// As [`Rgb8::encode_png`]; returns [`ImageError::Write`] if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ImageError> {
        write(path, &self.encode_png()?)
    }
}

impl Gray8 {
    /// Creates an image from values `(H, W)`, row-major.
    ///
    /// # Errors
    /// Returns a [`SizeError`] unless there are `height * width` values.
    pub fn from_vec(height: usize, width: usize, data: Vec<u8>) -> Result<Self, SizeError> {
        SizeError::check(height, width, 1, data.len())?;
        Ok(Self { height, width, data })
    }

    /// Encodes the image as a PNG file.
    ///
    /// # Errors
    /// Returns [`ImageError::Encode`] if the image has no pixels or does not hold `height * width` values.
    pub fn encode_png(&self) -> Result<Vec<u8>, ImageError> {
        encode(&self.data, self.height, self.width, 1, Format::Png)
    }

    /// Writes the image to a PNG file, whatever the extension of `path`.
    ///
    /// # Errors
    /// As [`Gray8::encode_png`]; returns [`ImageError::Write`] if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ImageError> {
        write(path, &self.encode_png()?)
    }
}

enum Format {
    Png,
    /// With a quality from 1 to 100.
    Jpeg(u8),
}

fn encode(data: &[u8], height: usize, width: usize, channels: usize, format: Format) -> Result<Vec<u8>, ImageError> {
    let error = |reason: String| ImageError::Encode { height, width, reason };
    if data.is_empty() || data.len() != height * width * channels {
        return Err(error(format!("it has {} values, expected {channels} per pixel", data.len())));
    }
    let (Ok(rows), Ok(columns)) = (u32::try_from(height), u32::try_from(width)) else {
        return Err(error("a side has too many pixels for an image file".to_owned()));
    };
    let kind = if channels == 1 { ExtendedColorType::L8 } else { ExtendedColorType::Rgb8 };
    let mut bytes = Vec::new();
    let written = match format {
        Format::Png => PngEncoder::new(&mut bytes).write_image(data, columns, rows, kind),
        Format::Jpeg(quality) => {
            JpegEncoder::new_with_quality(&mut bytes, quality).write_image(data, columns, rows, kind)
        }
    };
    written.map_err(|source| error(source.to_string()))?;
    Ok(bytes)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ImageError> {
    std::fs::write(path, bytes).map_err(|source| ImageError::Write { path: path.to_owned(), source })
}
