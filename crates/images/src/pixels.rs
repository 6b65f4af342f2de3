use crate::{Rgb8, SizeError};
use hard_imagenet_cpu::dispatch;

/// An image as a network sees it before normalisation: `(3, H, W)`, f32 in [0, 1].
#[derive(Debug, PartialEq)]
pub struct Pixels {
    height: usize,
    width: usize,
    data: Vec<f32>,
}

impl Clone for Pixels {
    /// In parts of a kilobyte. A longer copy is one `rep movsb` in glibc, and on AMD's Zen 3 that takes seventeen times as
    /// long where the copy lies 16 bytes further within its page of memory, as it does after a picture that fills whole
    /// pages: 64 or 128 pixels a side.
    fn clone(&self) -> Self {
        let mut data = Vec::with_capacity(self.data.len());
        self.data.chunks(256).for_each(|part| data.extend_from_slice(part));
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

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// All values, `(3, H, W)` row-major.
    pub fn as_slice(&self) -> &[f32] {
        &self.data
    }

    /// All values, to change in place.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// Gives the values away.
    pub fn into_vec(self) -> Vec<f32> {
        self.data
    }
}

impl From<&Rgb8> for Pixels {
    /// Divides by 255.
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
