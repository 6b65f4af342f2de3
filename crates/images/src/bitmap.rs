/// A decoded colour picture: `(H, W, 3)`, u8, interleaved RGB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rgb8 {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `height * width * 3` values.
    pub data: Vec<u8>,
}

/// A decoded single-channel picture, such as a mask file before it is thresholded: `(H, W)`, u8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gray8 {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `height * width` values.
    pub data: Vec<u8>,
}
