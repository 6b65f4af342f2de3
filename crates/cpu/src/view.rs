/// Where the values of one image lie in a slice, channels last.
///
/// The channels of a pixel are neighbors. Pixel (y, x) starts at `start + y · row + x · pixel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageView {
    /// The index of the first channel of pixel (0, 0).
    pub start: usize,
    /// The number of rows.
    pub height: usize,
    /// The number of columns.
    pub width: usize,
    /// The number of channels.
    pub channels: usize,
    /// The distance between neighboring pixels of a row, at least `channels`.
    pub pixel: usize,
    /// The distance between neighboring rows.
    pub row: usize,
}

impl ImageView {
    /// Describes a slice that holds nothing but the image.
    pub fn dense(height: usize, width: usize, channels: usize) -> Self {
        Self { start: 0, height, width, channels, pixel: channels, row: width * channels }
    }

    /// Describes an image with `border` more pixels on each side, in a slice that holds nothing else.
    pub fn bordered(height: usize, width: usize, channels: usize, border: usize) -> Self {
        let row = (width + 2 * border) * channels;
        Self { start: border * (row + channels), height, width, channels, pixel: channels, row }
    }

    /// Returns the index of the first channel of a pixel.
    #[inline(always)]
    pub fn at(&self, y: usize, x: usize) -> usize {
        self.start + y * self.row + x * self.pixel
    }
}

/// Where the values of several images lie in a slice: image `n` starts `n · stride` after the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImagesView {
    /// The first image.
    pub image: ImageView,
    /// The number of images.
    pub count: usize,
    /// The distance between neighboring images.
    pub stride: usize,
}
