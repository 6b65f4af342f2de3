/// The part of an image that is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Region {
    /// The object.
    Foreground,
    /// Everything except the object.
    Background,
}

impl Region {
    /// Returns the value of a mask in this region.
    pub(crate) fn value(self) -> u8 {
        match self {
            Self::Foreground => 1,
            Self::Background => 0,
        }
    }
}
