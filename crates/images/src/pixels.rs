use crate::{Rgb8, SizeError};
use hard_imagenet_cpu::dispatch;

/// An image as a network sees it before normalization: `(3, H, W)`, f32 in [0, 1].
#[derive(Debug, PartialEq)]
pub struct Pixels {
    height: usize,
    width: usize,
    data: Vec<f32>,
}

impl Clone for Pixels {
    /// Copies in blocks of a kilobyte.
    ///
    /// glibc copies longer blocks by `rep movsb`. On AMD's Zen 3 that takes seventeen times as long if the copy lies 16
    /// bytes further within its memory page than the original. This happens after an image that fills whole pages, such
    /// as one of 64 or 128 pixels per side.
    fn clone(&self) -> Self {
        let mut data = Vec::with_capacity(self.data.len());
        self.data.chunks(256).for_each(|block| data.extend_from_slice(block));
        Self { data, ..*self }
    }
}

impl Pixels {
    /// Creates an image from values `(3, H, W)`, channel by channel, each channel row-major.
    ///
    /// # Errors
    /// Returns a [`SizeError`] unless there are `3 * height * width` values.
    pub fn from_vec(height: usize, width: usize, data: Vec<f32>) -> Result<Self, SizeError> {
        SizeError::check(height, width, 3, data.len())?;
        Ok(Self { height, width, data })
    }

    /// Returns the number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Returns the number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns all values, `(3, H, W)` row-major.
    pub fn as_slice(&self) -> &[f32] {
        &self.data
    }

    /// Returns all values, to be changed in place.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// Returns the values without a copy.
    pub fn into_vec(self) -> Vec<f32> {
        self.data
    }
}

impl From<&Rgb8> for Pixels {
    /// Converts values from 0..=255 to [0, 1].
    fn from(image: &Rgb8) -> Self {
        let plane = image.height * image.width;
        let mut data = vec![0f32; 3 * plane];
        let (red, rest) = data.split_at_mut(plane);
        let (green, blue) = rest.split_at_mut(plane);
        dispatch!(split_channels(&image.data, red, green, blue));
        Self { height: image.height, width: image.width, data }
    }
}

/// Splits interleaved RGB into one plane for each channel, divided by 255.
#[inline(always)]
fn split_channels(source: &[u8], red: &mut [f32], green: &mut [f32], blue: &mut [f32]) {
    let planes = red.iter_mut().zip(green).zip(blue);
    for (pixel, ((r, g), b)) in source.chunks_exact(3).zip(planes) {
        *r = f32::from(pixel[0]) / 255.0;
        *g = f32::from(pixel[1]) / 255.0;
        *b = f32::from(pixel[2]) / 255.0;
    }
}
