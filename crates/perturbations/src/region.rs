/// Which part of an image is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Region {
    /// The object.
    Foreground,
    /// All else.
    Background,
}

impl Region {
    /// The value of a mask there.
    pub(crate) fn value(self) -> u8 {
        match self {
            Self::Foreground => 1,
            Self::Background => 0,
        }
    }
}
