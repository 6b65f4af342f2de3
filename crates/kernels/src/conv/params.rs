use candle_core::Tensor;

/// The movement of a convolution's window. The same values apply to rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dParams {
    /// The step between neighboring windows, in pixels.
    pub stride: usize,
    /// The number of zeros added on each side.
    pub padding: usize,
    /// The distance between neighboring taps of the window, in pixels.
    pub dilation: usize,
    /// The number of groups that channels are split into. Each output channel reads only the input channels of its
    /// group.
    pub groups: usize,
}

impl Default for Conv2dParams {
    fn default() -> Self {
        Self { stride: 1, padding: 0, dilation: 1, groups: 1 }
    }
}

impl Conv2dParams {
    /// Returns the length of an axis of `length` pixels after a window of `size` taps. It is 0 if the window does not fit
    /// or does not move.
    pub fn output_len(&self, length: usize, size: usize) -> usize {
        if size == 0 || self.stride == 0 {
            return 0;
        }
        let reach = self.dilation * (size - 1) + 1;
        (length + 2 * self.padding).checked_sub(reach).map_or(0, |room| room / self.stride + 1)
    }

    /// Returns whether each channel has a window of its own: `groups` outputs from one input channel each.
    pub(super) fn is_depthwise(self, weight: &Tensor) -> bool {
        weight.dims().first() == Some(&self.groups) && weight.dims().get(1) == Some(&1)
    }
}
