use serde::{Deserialize, Serialize};
use std::f64::consts::PI;
use std::str::FromStr;

/// A resampling filter, as Pillow defines it.
///
/// All filters except `Nearest` are antialiased: their support grows with the reduction. These are all the filters that
/// torchvision and timm offer for PIL images. A resize to the same size leaves the image as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filter {
    /// The source sample under the center of the output sample.
    Nearest,
    /// The mean of the samples under the output sample, support 0.5.
    Box,
    /// A triangle, support 1.
    Bilinear,
    /// A sinc windowed by a raised cosine, support 1.
    Hamming,
    /// Keys' cubic with a = -0.5, support 2.
    Bicubic,
    /// A sinc windowed by a wider sinc, support 3.
    Lanczos,
}

impl Filter {
    /// All filters.
    pub const ALL: [Self; 6] = [Self::Nearest, Self::Box, Self::Bilinear, Self::Hamming, Self::Bicubic, Self::Lanczos];

    /// Returns the word for the filter, as timm writes it: "bilinear".
    pub fn word(self) -> &'static str {
        match self {
            Self::Nearest => "nearest",
            Self::Box => "box",
            Self::Bilinear => "bilinear",
            Self::Hamming => "hamming",
            Self::Bicubic => "bicubic",
            Self::Lanczos => "lanczos",
        }
    }

    /// Returns half the width of the kernel, in samples. `Nearest` has no kernel.
    pub(crate) fn support(self) -> f64 {
        match self {
            Self::Nearest => 0.0,
            Self::Box => 0.5,
            Self::Bilinear | Self::Hamming => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    /// Returns the kernel at `x` samples from its center, before the weights are divided by their sum.
    pub(crate) fn weight(self, x: f64) -> f64 {
        const A: f64 = -0.5;
        let r = x.abs();
        match self {
            // Asymmetric, so a sample on the border of two boxes counts once.
            Self::Box if -0.5 < x && x <= 0.5 => 1.0,
            Self::Bilinear if r < 1.0 => 1.0 - r,
            // Pillow writes these two numbers in single precision.
            Self::Hamming if r < 1.0 => sinc(r) * (f64::from(0.54f32) + f64::from(0.46f32) * (r * PI).cos()),
            Self::Bicubic if r < 1.0 => ((A + 2.0) * r - (A + 3.0)) * r * r + 1.0,
            Self::Bicubic if r < 2.0 => (((r - 5.0) * r + 8.0) * r - 4.0) * A,
            Self::Lanczos if (-3.0..3.0).contains(&x) => sinc(x) * sinc(x / 3.0),
            _ => 0.0,
        }
    }
}

impl FromStr for Filter {
    type Err = String;

    /// Finds the filter with that [word](Filter::word).
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|filter| filter.word() == text).ok_or_else(|| {
            let words = Self::ALL.map(Self::word).join(", ");
            format!("there is no filter {text:?}; the filters are {words}")
        })
    }
}

/// Returns `sin(πx) / πx`.
///
/// The sine comes from the system. Coefficients are rounded to 22 bits, which hides a difference in its last bit.
fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (x * PI).sin() / (x * PI) }
}
