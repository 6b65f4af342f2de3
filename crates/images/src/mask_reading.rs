use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The rule which pixels of a mask file are object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskReading {
    /// The content of the file decides: see [`decode_mask_with`](crate::decode_mask_with).
    #[default]
    Auto,
    /// The brightness as Pillow has it: the largest of the color values of each pixel. Alpha is ignored, and gray values
    /// of 16 bits are clipped at 255.
    Brightness,
    /// Pixels of exactly these values become 255 and all others 0.
    Values(Vec<MaskValue>),
    /// Pixels of at least this brightness (1 to 255) become 255 and all others 0.
    Threshold(u8),
}

/// A value of a pixel in a mask file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskValue {
    /// An index of a palette, or a gray value as it is stored. In a color file, it is the gray of that value.
    Level(u16),
    /// Red, green and blue.
    Color([u8; 3]),
}

impl FromStr for MaskValue {
    type Err = String;

    /// Parses a number ("1") or a color ("255,0,0").
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "{text:?} is not a value of a mask; expected a gray value or an index of a palette (0 to 65535), such as \
                 1, or a color (three numbers from 0 to 255), such as 255,0,0"
            )
        };
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let byte = |part: &str| part.parse::<u8>().map_err(|_| expected());
        match parts[..] {
            [level] => level.parse().map(Self::Level).map_err(|_| expected()),
            [red, green, blue] => Ok(Self::Color([byte(red)?, byte(green)?, byte(blue)?])),
            _ => Err(expected()),
        }
    }
}

impl fmt::Display for MaskValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level(level) => write!(f, "{level}"),
            Self::Color([red, green, blue]) => write!(f, "{red},{green},{blue}"),
        }
    }
}

impl FromStr for MaskReading {
    type Err = String;

    /// Parses what [`Display`](fmt::Display) writes: "auto", "brightness", "threshold 128" or "values 1 255,0,0".
    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let (kind, rest) = (words.next().unwrap_or_default(), words.collect::<Vec<_>>());
        match (kind, &rest[..]) {
            ("auto", []) => Ok(Self::Auto),
            ("brightness", []) => Ok(Self::Brightness),
            ("threshold", [least]) => match least.parse() {
                Ok(least) if least > 0 => Ok(Self::Threshold(least)),
                _ => Err(format!("{least:?} is not a threshold; expected a brightness from 1 to 255")),
            },
            ("values", [_, ..]) => rest.iter().map(|value| value.parse()).collect::<Result<_, _>>().map(Self::Values),
            _ => Err(format!(
                "{text:?} is no way to read a mask; expected auto, brightness, threshold N or values V.., such as \
                 \"values 1 2\""
            )),
        }
    }
}

impl fmt::Display for MaskReading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Brightness => f.write_str("brightness"),
            Self::Threshold(least) => write!(f, "threshold {least}"),
            Self::Values(values) => {
                f.write_str("values")?;
                values.iter().try_for_each(|value| write!(f, " {value}"))
            }
        }
    }
}

/// What a mask file turned out to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskKind {
    /// Only black and white.
    #[default]
    BlackAndWhite,
    /// Brightness from 0 to 255, with values in between.
    Brightness,
    /// Numbers or colors of classes, or a file that is dark everywhere. Every value except the background's is object.
    Labels,
    /// The object has a transparent background: the alpha channel is the mask.
    CutOut,
    /// The values were chosen by [`MaskReading::Values`] or [`MaskReading::Threshold`].
    Chosen,
}

/// What was noticed while a mask file was decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MaskFacts {
    /// What the file is.
    pub kind: MaskKind,
    /// For [`MaskKind::Labels`], the values that were taken as object: at most eight, in ascending order.
    pub values: Vec<MaskValue>,
    /// The EXIF orientation that the file states, 1 to 8.
    pub orientation: Option<u8>,
    /// Whether the file lacks its end, although all of its pixels are there.
    pub is_incomplete: bool,
}

/// What was noticed while an image file was decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageFacts {
    /// The EXIF orientation that the file states, 1 to 8.
    pub orientation: Option<u8>,
    /// Whether the pixels were turned accordingly.
    pub is_turned: bool,
    /// Whether the file lacks its end, although all of its pixels are there.
    pub is_incomplete: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_parsed_and_written() {
        for text in ["auto", "brightness", "threshold 1", "values 1", "values 1 255,0,0 65535"] {
            assert_eq!(text.parse::<MaskReading>().unwrap().to_string(), text);
        }
        for text in ["", "threshold 0", "threshold 256", "values", "values x", "auto 1"] {
            assert!(text.parse::<MaskReading>().is_err(), "{text}");
        }
        assert_eq!("255, 0,1".parse(), Ok(MaskValue::Color([255, 0, 1])));
        for text in ["", "-1", "65536", "1,2", "1,2,256", "1,2,3,4", "red"] {
            let error = text.parse::<MaskValue>().unwrap_err();
            assert!(error.contains("such as 255,0,0"), "{error}");
        }
    }
}
