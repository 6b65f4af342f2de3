use crate::{Mask, SizeError};
use hard_imagenet_cpu::dispatch;

/// A real number for each pixel of an image: `(H, W)`, row-major, f32.
#[derive(Clone, Debug, PartialEq)]
pub struct Heatmap {
    height: usize,
    width: usize,
    data: Vec<f32>,
}

impl Heatmap {
    /// Creates a heatmap from row-major values, `(H, W)`.
    ///
    /// # Errors
    /// Returns a [`SizeError`] unless there are `height * width` values.
    pub fn from_vec(height: usize, width: usize, data: Vec<f32>) -> Result<Self, SizeError> {
        SizeError::check(height, width, 1, data.len())?;
        Ok(Self { height, width, data })
    }

    /// Creates a heatmap from as many row-major values as the size says.
    pub(crate) fn from_values(height: usize, width: usize, data: Vec<f32>) -> Self {
        debug_assert_eq!(data.len(), height * width);
        Self { height, width, data }
    }

    /// Returns the number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Returns the number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns all values, row-major.
    pub fn as_slice(&self) -> &[f32] {
        &self.data
    }

    /// Returns the values without a copy.
    pub fn into_vec(self) -> Vec<f32> {
        self.data
    }

    /// Resizes the map as OpenCV's `INTER_LINEAR` does: bilinear, with half-pixel centers and replicated borders,
    /// without antialiasing.
    ///
    /// A map without values becomes zeros.
    pub fn resize(&self, height: usize, width: usize) -> Self {
        if (height, width) == (self.height, self.width) {
            return self.clone();
        }
        if self.data.is_empty() {
            return Self { height, width, data: vec![0.0; height * width] };
        }
        let columns = taps(self.width, width);
        let rows = taps(self.height, height);
        let mut narrow = Vec::with_capacity(self.height * width);
        for line in self.data.chunks_exact(self.width) {
            narrow.extend(columns.iter().map(|tap| line[tap.low] * (1.0 - tap.share) + line[tap.high] * tap.share));
        }
        let mut data = Vec::with_capacity(height * width);
        for tap in &rows {
            let low = &narrow[tap.low * width..(tap.low + 1) * width];
            let high = &narrow[tap.high * width..(tap.high + 1) * width];
            blend(&mut data, low, high, tap.share);
        }
        Self { height, width, data }
    }

    /// Scales the values to [0, 1) as pytorch-grad-cam does: `(x - min) / (1e-7 + max(x - min))`.
    ///
    /// A constant map becomes zeros. NaN stays NaN and does not count for the minimum and the maximum.
    pub fn min_max_scale(&self) -> Self {
        let (least, greatest) = extremes(&self.data);
        let data = scale(&self.data, least, 1e-7 + (greatest - least));
        Self { height: self.height, width: self.width, data }
    }

    /// Returns the pixels whose value is at least `threshold`. NaN counts as below it.
    #[allow(clippy::missing_panics_doc, reason = "the values match the extents by construction")]
    pub fn threshold(&self, threshold: f32) -> Mask {
        let values = self.data.iter().map(|&v| u8::from(v >= threshold)).collect();
        Mask::from_binary(self.height, self.width, values)
    }
}

/// Appends a row that lies between two rows; `share` is the weight of `high`.
fn blend(rows: &mut Vec<f32>, low: &[f32], high: &[f32], share: f32) {
    dispatch!(rows.extend(low.iter().zip(high).map(|(&a, &b)| a * (1.0 - share) + b * share)));
}

/// Maps `least` to 0 and `least + range` to 1.
fn scale(values: &[f32], least: f32, range: f32) -> Vec<f32> {
    dispatch!(values.iter().map(|&value| (value - least) / range).collect())
}

/// Returns the least and the greatest value; without any number, positive and negative infinity.
fn extremes(values: &[f32]) -> (f32, f32) {
    dispatch!(extremes_in_lanes(values))
}

#[inline(always)]
fn extremes_in_lanes(values: &[f32]) -> (f32, f32) {
    // Comparisons with NaN are false, so NaN is skipped. With a single lane, each comparison would wait for the last.
    let less = |a: f32, b: f32| if a < b { a } else { b };
    let more = |a: f32, b: f32| if a > b { a } else { b };
    let (mut least, mut greatest) = ([f32::INFINITY; 64], [f32::NEG_INFINITY; 64]);
    let (whole, rest) = values.as_chunks::<64>();
    for values in whole {
        least.iter_mut().zip(values).for_each(|(least, &value)| *least = less(value, *least));
        greatest.iter_mut().zip(values).for_each(|(greatest, &value)| *greatest = more(value, *greatest));
    }
    let (least, greatest) = (least.iter().chain(rest), greatest.iter().chain(rest));
    let least = least.fold(f32::INFINITY, |least, &value| less(value, least));
    (least, greatest.fold(f32::NEG_INFINITY, |greatest, &value| more(value, greatest)))
}

/// The two source samples around an output sample, and the weight of the second one.
struct Tap {
    low: usize,
    high: usize,
    share: f32,
}

/// Computes the taps along one side.
fn taps(from: usize, to: usize) -> Vec<Tap> {
    let scale = from as f64 / to as f64;
    let tap = |output: usize| {
        let place = ((output as f64 + 0.5) * scale - 0.5) as f32;
        // Positions before the first center take the first sample.
        let (low, share) = if place < 0.0 { (0, 0.0) } else { (place as usize, place.fract()) };
        if low + 1 >= from {
            return Tap { low: from - 1, high: from - 1, share: 0.0 };
        }
        Tap { low, high: low + 1, share }
    };
    (0..to).map(tap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resizing() {
        let map = Heatmap::from_vec(2, 2, vec![0.0, 1.0, 2.0, 3.0]).unwrap();
        // OpenCV: cv2.resize(np.array([[0, 1], [2, 3]], np.float32), (4, 4))
        #[rustfmt::skip]
        let expected = [
            0.0, 0.25, 0.75, 1.0,
            0.5, 0.75, 1.25, 1.5,
            1.5, 1.75, 2.25, 2.5,
            2.0, 2.25, 2.75, 3.0,
        ];
        assert_eq!(map.resize(4, 4).as_slice(), expected);
        assert_eq!(map.resize(1, 1).as_slice(), [1.5]);
        assert_eq!(map.resize(2, 2), map);
        assert_eq!(map.resize(0, 3).as_slice(), [0f32; 0]);
        assert_eq!(Heatmap::from_vec(0, 0, vec![]).unwrap().resize(1, 2).as_slice(), [0.0, 0.0]);
    }

    #[test]
    fn scaling() {
        let check = |values: &[f32], expected: &[f32]| {
            let scaled = Heatmap::from_vec(1, values.len(), values.to_vec()).unwrap().min_max_scale();
            assert_eq!(scaled.as_slice(), expected);
        };
        check(&[-1.0, 0.0, 3.0], &[0.0, 1.0 / (1e-7 + 4.0), 4.0 / (1e-7 + 4.0)]);
        check(&[5.0, 5.0], &[0.0, 0.0]);
        check(&[], &[]);
        let with_nan = Heatmap::from_vec(1, 3, vec![f32::NAN, 0.0, 1.0]).unwrap().min_max_scale();
        assert!(with_nan.as_slice()[0].is_nan());
        assert_eq!(with_nan.as_slice()[1], 0.0);
    }

    #[test]
    fn extremes_of_long_maps() {
        for length in [1, 63, 64, 65, 200] {
            let mut values: Vec<f32> = (0..length).map(|i| (i * 7919 % 1009) as f32 / 504.5 - 1.0).collect();
            let check = |values: &[f32]| {
                let least = values.iter().copied().fold(f32::INFINITY, f32::min);
                let greatest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                assert_eq!(extremes(values), (least, greatest), "{length}");
            };
            check(&values);
            for place in 0..length as usize {
                let before = std::mem::replace(&mut values[place], [7.0, -7.0, f32::NAN][place % 3]);
                check(&values);
                values[place] = before;
            }
        }
    }

    #[test]
    fn the_threshold_is_inclusive() {
        let map = Heatmap::from_vec(1, 4, vec![0.4, 0.5, 0.6, f32::NAN]).unwrap();
        assert_eq!(map.threshold(0.5).as_slice(), [0, 1, 1, 0]);
    }
}
