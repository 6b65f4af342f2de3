/// An image as a network sees it before normalisation: `(3, H, W)`, f32 in [0, 1].
#[derive(Clone, Debug, PartialEq)]
pub struct Pixels {
    height: usize,
    width: usize,
    data: Vec<f32>,
}

impl Pixels {
    /// Takes `3 * height * width` values, channel by channel.
    ///
    /// # Panics
    /// If the number of values is another.
    pub fn from_vec(height: usize, width: usize, data: Vec<f32>) -> Self {
        assert_eq!(data.len(), 3 * height * width, "pixels of 3 × {height} × {width}");
        Self { height, width, data }
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
