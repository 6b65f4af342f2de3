/// A map of real numbers over an image: `(H, W)`, row-major, f32.
#[derive(Clone, Debug, PartialEq)]
pub struct Heatmap {
    height: usize,
    width: usize,
    data: Vec<f32>,
}

impl Heatmap {
    /// Takes row-major values.
    ///
    /// # Panics
    /// Unless there are `height * width` values.
    pub fn from_vec(height: usize, width: usize, data: Vec<f32>) -> Self {
        assert_eq!(data.len(), height * width, "a heatmap of {height} × {width}");
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

    /// All values, row-major.
    pub fn as_slice(&self) -> &[f32] {
        &self.data
    }
}
