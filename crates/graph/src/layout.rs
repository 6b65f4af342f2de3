use candle_core::{Result, Tensor};

/// The meaning of a value's axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `(B, C, H, W)`.
    Nchw,
    /// `(B, H, W, C)`.
    Nhwc,
    /// `(B, prefix + h · w, C)`: tokens, of which the first `prefix` have no position in the image.
    Tokens {
        /// The number of class and register tokens.
        prefix: usize,
        /// The number of rows of patches.
        h: usize,
        /// The number of columns of patches.
        w: usize,
    },
    /// `(B, C)`.
    Vector,
    /// Anything else, such as attention heads.
    Other,
}

/// A value's channels at each position of the image.
#[derive(Clone, Debug)]
pub struct Positions {
    /// The channels, `(B, h · w, C)`, contiguous, with positions in row-major order.
    pub values: Tensor,
    /// The number of rows.
    pub h: usize,
    /// The number of columns.
    pub w: usize,
}

impl Layout {
    /// Returns whether a value of this layout has rows and columns.
    pub fn has_positions(self) -> bool {
        matches!(self, Self::Nchw | Self::Nhwc | Self::Tokens { .. })
    }

    /// Returns a value's channels by position, or `None` if it has no rows and columns. Tokens without a position are
    /// omitted. The dtype stays and the gradient flows to `value`.
    ///
    /// # Errors
    /// Returns an error if the shape of the value does not match the layout.
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

    /// The same two channels of a 2 × 3 image in every layout.
    #[test]
    fn every_layout_has_the_same_positions() -> Result<()> {
        let want = Tensor::arange(0f32, 12., &Device::Cpu)?.reshape((1, 6, 2))?;
        let check = |layout: Layout, value: &Tensor| -> Result<()> {
            let positions = layout.positions(value)?.unwrap();
            assert_eq!((positions.h, positions.w), (2, 3));
            assert_eq!(positions.values.to_vec3::<f32>()?, want.to_vec3::<f32>()?, "{layout:?}");
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
