use candle_core::{Result, Tensor};

/// How the axes of a value are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `(B, C, H, W)`.
    Nchw,
    /// `(B, H, W, C)`.
    Nhwc,
    /// `(B, prefix + h · w, C)`: tokens, the first `prefix` of which have no place in the picture.
    Tokens {
        /// Class and register tokens.
        prefix: usize,
        /// Rows of patches.
        h: usize,
        /// Columns of patches.
        w: usize,
    },
    /// `(B, C)`.
    Vector,
    /// Anything else (attention heads, say).
    Other,
}

/// A value's channels at each place of the picture.
#[derive(Clone, Debug)]
pub struct Positions {
    /// `(B, h · w, C)`, contiguous; places in row-major order.
    pub values: Tensor,
    /// Rows.
    pub h: usize,
    /// Columns.
    pub w: usize,
}

impl Layout {
    /// Has a value of this layout rows and columns?
    pub fn has_positions(self) -> bool {
        matches!(self, Self::Nchw | Self::Nhwc | Self::Tokens { .. })
    }

    /// The value by places; `None` where it has no rows and columns. Tokens without a place are left out.
    ///
    /// # Errors
    /// From candle, when the value is not of this layout.
    pub fn positions(self, value: &Tensor) -> Result<Option<Positions>> {
        let (values, h, w) = match self {
            Self::Nchw => {
                let (_, _, h, w) = value.dims4()?;
                (value.flatten_from(2)?.transpose(1, 2)?, h, w)
            }
            Self::Nhwc => {
                let (_, h, w, _) = value.dims4()?;
                (value.flatten(1, 2)?, h, w)
            }
            Self::Tokens { prefix, h, w } => (value.narrow(1, prefix, h * w)?, h, w),
            Self::Vector | Self::Other => return Ok(None),
        };
        Ok(Some(Positions { values: values.contiguous()?, h, w }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// The same two channels of a 2 × 3 picture, however they lie.
    #[test]
    fn places_of_every_layout() -> Result<()> {
        let want = Tensor::arange(0f32, 12., &Device::Cpu)?.reshape((1, 6, 2))?;
        let check = |layout: Layout, value: &Tensor| -> Result<()> {
            let places = layout.positions(value)?.unwrap();
            assert_eq!((places.h, places.w), (2, 3));
            assert_eq!(places.values.to_vec3::<f32>()?, want.to_vec3::<f32>()?, "{layout:?}");
            Ok(())
        };
        check(Layout::Nchw, &want.transpose(1, 2)?.reshape((1, 2, 2, 3))?)?;
        check(Layout::Nhwc, &want.reshape((1, 2, 3, 2))?)?;
        let class = Tensor::full(-1f32, (1, 1, 2), &Device::Cpu)?;
        check(Layout::Tokens { prefix: 1, h: 2, w: 3 }, &Tensor::cat(&[&class, &want], 1)?)?;
        assert!(Layout::Vector.positions(&want)?.is_none());
        Ok(())
    }
}
