//! Depthwise convolution: every channel has a window of its own.
//!
//! With channels last, sixteen neighboring channels are a vector, and the weights of a tap are a vector too. There is no
//! product of matrices to use, but neighboring windows share most of their inputs. The kernels keep the sums of several
//! neighboring outputs in registers, load each input of a row once, and add its products to all windows that contain it.

use crate::activation::{Activation, Bounds, split};
use crate::aligned::Aligned;
use crate::arch::window::{AddRow, ImageRow, OUTPUTS, Sums, Taps, unroll};
use crate::isa::Isa;
use crate::simd::{LANES, Simd, Vectorized};
use crate::view::ImageView;
use std::ops::Range;

/// The weights of a depthwise convolution in the order in which the kernels read them.
#[derive(Clone, Debug)]
pub struct DepthwiseWeights {
    channels: usize,
    kernel: (usize, usize),
    /// For each panel of sixteen channels, `[tap][16]`. The last panel ends with the last channel, and overlaps with the one
    /// before if the channels are not a multiple of sixteen.
    taps: Aligned,
    /// One number for each channel of each panel.
    bias: Aligned,
}

impl DepthwiseWeights {
    /// Packs weights `(C, 1, kh, kw)`, row-major, and the bias `(C)`.
    ///
    /// # Panics
    /// Panics if there are no channels or taps, or if a length does not match.
    pub fn pack(weight: &[f32], bias: Option<&[f32]>, kh: usize, kw: usize) -> Self {
        let taps = kh * kw;
        assert!(taps > 0 && !weight.is_empty() && weight.len().is_multiple_of(taps), "windows of {kh} × {kw} taps");
        let channels = weight.len() / taps;
        assert!(bias.is_none_or(|bias| bias.len() == channels), "a bias of {channels} channels");
        let panels = channels.div_ceil(LANES);
        let mut packed = Self {
            channels,
            kernel: (kh, kw),
            taps: Aligned::zeros(panels * taps * LANES),
            bias: Aligned::zeros(panels * LANES),
        };
        for panel in 0..panels {
            let first = packed.first_channel(panel);
            for (lane, channel) in (first..channels.min(first + LANES)).enumerate() {
                for tap in 0..taps {
                    packed.taps[(panel * taps + tap) * LANES + lane] = weight[channel * taps + tap];
                }
                packed.bias[panel * LANES + lane] = bias.map_or(0.0, |bias| bias[channel]);
            }
        }
        packed
    }

    /// Returns the bias of a panel and its taps.
    #[inline(always)]
    fn panel(&self, panel: usize) -> (&[f32; LANES], &[[f32; LANES]]) {
        let taps = self.kernel.0 * self.kernel.1;
        (&self.bias.as_chunks().0[panel], &self.taps.as_chunks().0[panel * taps..][..taps])
    }

    /// Returns the first channel of a panel.
    #[inline(always)]
    fn first_channel(&self, panel: usize) -> usize {
        (panel * LANES).min(self.channels.saturating_sub(LANES))
    }
}

/// Computes a convolution of one image in which each channel has its own window, and applies an activation.
///
/// Windows are `stride` pixels apart, and their taps `dilation` pixels. `from` is the image without a border: the `padding` zeros
/// on each side are not stored. There are as many outputs as inputs.
///
/// Computes the given `rows` of the output that `to` describes. `to.start` is where row `rows.start` begins in `y`, so that
/// threads can work on disjoint bands of one image.
///
/// A sum starts with the bias and adds the taps row by row, with one rounding each. Taps outside the image are left out. So
/// the bits depend neither on the bands nor on the instruction set.
///
/// # Panics
/// Panics if the numbers of channels differ or a pixel lies outside its slice.
#[expect(clippy::too_many_arguments, reason = "two images, each with its place, and how to compute one from the other")]
pub fn depthwise(
    isa: Isa,
    x: &[f32],
    from: ImageView,
    y: &mut [f32],
    to: ImageView,
    weights: &DepthwiseWeights,
    stride: usize,
    padding: usize,
    dilation: usize,
    activation: Option<Activation>,
    rows: Range<usize>,
) {
    assert_eq!((from.channels, to.channels), (weights.channels, weights.channels));
    let movement = Movement { stride, padding, dilation };
    if from.channels >= LANES {
        isa.vectorize(Depthwise { x, from, y, to, weights, movement, activation, rows });
        return;
    }
    // Fewer channels than a vector has are rare. Copies of the images give each pixel a whole vector.
    let (wide_from, wide_to) =
        (ImageView::dense(from.height, from.width, LANES), ImageView::dense(rows.len(), to.width, LANES));
    let mut wide_x = vec![0.0; wide_from.at(from.height, 0)];
    copy_pixels(x, from, &mut wide_x, wide_from, from.channels);
    let mut wide_y = vec![0.0; wide_to.at(rows.len(), 0)];
    let (y_of_rows, to_of_rows) = (&mut wide_y, ImageView { height: rows.len(), ..to });
    isa.vectorize(Depthwise {
        x: &wide_x,
        from: wide_from,
        y: y_of_rows,
        to: wide_to,
        weights,
        movement,
        activation,
        rows,
    });
    copy_pixels(&wide_y, wide_to, y, to_of_rows, to.channels);
}

/// Copies some channels of all pixels of an image to another one of the same size.
fn copy_pixels(x: &[f32], from: ImageView, y: &mut [f32], to: ImageView, channels: usize) {
    for row in 0..to.height {
        for column in 0..to.width {
            y[to.at(row, column)..][..channels].copy_from_slice(&x[from.at(row, column)..][..channels]);
        }
    }
}

/// How the window moves over the image.
#[derive(Clone, Copy)]
struct Movement {
    stride: usize,
    padding: usize,
    dilation: usize,
}

struct Depthwise<'a> {
    x: &'a [f32],
    from: ImageView,
    y: &'a mut [f32],
    to: ImageView,
    weights: &'a DepthwiseWeights,
    movement: Movement,
    activation: Option<Activation>,
    rows: Range<usize>,
}

impl Vectorized for Depthwise<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let panels = self.weights.bias.len() / LANES;
        let (bounds, rest) = split(s, self.activation);
        for row in self.rows.clone() {
            let mut panel = 0;
            // Where there are registers for two vectors of each output, all else serves twice.
            while S::VECTORS > 1 && panel + 2 <= panels {
                self.write_row::<S, 2>(s, row, panel, bounds);
                panel += 2;
            }
            while panel < panels {
                self.write_row::<S, 1>(s, row, panel, bounds);
                panel += 1;
            }
            if let Some(rest) = rest {
                self.activate_row(s, row, rest);
            }
        }
    }
}

impl Depthwise<'_> {
    /// Applies an activation to a row that has just been written.
    #[inline(always)]
    fn activate_row<S: Simd>(&mut self, s: S, row: usize, activation: Activation) {
        let ImageView { width, channels, pixel, .. } = self.to;
        let row = &mut self.y[self.to.at(row - self.rows.start, 0)..];
        if pixel == channels {
            activation.apply_to_row(s, &mut row[..width * channels]);
        } else {
            (0..width).for_each(|column| activation.apply_to_row(s, &mut row[column * pixel..][..channels]));
        }
    }

    /// Writes `VECTORS` panels of a row.
    #[inline(always)]
    fn write_row<S: Simd, const VECTORS: usize>(&mut self, s: S, row: usize, panel: usize, bounds: Bounds<S::F32>) {
        let Movement { stride, dilation, .. } = self.movement;
        match (self.weights.kernel.1, stride, dilation) {
            (3, 1, 1) => self.write_blocks::<S, VECTORS>(s, Taps::<3, 1>, row, panel, bounds),
            (3, 2, 1) => self.write_blocks::<S, VECTORS>(s, Taps::<3, 2>, row, panel, bounds),
            (5, 1, 1) => self.write_blocks::<S, VECTORS>(s, Taps::<5, 1>, row, panel, bounds),
            (5, 2, 1) => self.write_blocks::<S, VECTORS>(s, Taps::<5, 2>, row, panel, bounds),
            (7, 1, 1) => self.write_blocks::<S, VECTORS>(s, Taps::<7, 1>, row, panel, bounds),
            _ => self.write_blocks::<S, VECTORS>(s, AnyTaps { stride, dilation }, row, panel, bounds),
        }
    }

    /// Writes `VECTORS` panels of a row in blocks of neighboring outputs, whose sums stay in registers.
    #[inline(always)]
    fn write_blocks<S: Simd, const VECTORS: usize>(
        &mut self,
        s: S,
        taps: impl AddRow,
        row: usize,
        panel: usize,
        bounds: Bounds<S::F32>,
    ) {
        let Movement { stride, padding, dilation } = self.movement;
        let (kh, kw) = self.weights.kernel;
        let channels: [usize; VECTORS] = std::array::from_fn(|v| self.weights.first_channel(panel + v));
        let weights: [_; VECTORS] = std::array::from_fn(|v| self.weights.panel(panel + v));
        for column in (0..self.to.width).step_by(OUTPUTS) {
            let mut sums = [[s.splat(0.0); VECTORS]; OUTPUTS];
            unroll!(V < VECTORS, 0 1 => {
                let bias = s.load(weights[V].0);
                unroll!(I < OUTPUTS, 0 1 2 3 4 5 6 => { sums[I][V] = bias; });
            });
            for ky in 0..kh {
                let y = (row * stride + ky * dilation).wrapping_sub(padding);
                if y >= self.from.height {
                    continue;
                }
                let input = ImageRow {
                    x: self.x,
                    starts: channels.map(|channel| self.from.at(y, 0) + channel),
                    pixel: self.from.pixel,
                    width: self.from.width,
                    left: (column * stride).wrapping_sub(padding),
                };
                taps.add(s, input, weights.map(|(_, taps)| &taps[ky * kw..][..kw]), &mut sums);
            }
            let to = self.to.at(row - self.rows.start, column);
            unroll!(I < OUTPUTS, 0 1 2 3 4 5 6 => {
                if column + I < self.to.width {
                    unroll!(V < VECTORS, 0 1 => {
                        let at = to + I * self.to.pixel + channels[V];
                        s.store(bounds.clamp(s, sums[I][V]), self.y[at..].first_chunk_mut().unwrap());
                    });
                }
            });
        }
    }
}

/// Taps of any number and distance, for the rare windows.
#[derive(Clone, Copy)]
struct AnyTaps {
    stride: usize,
    dilation: usize,
}

impl AddRow for AnyTaps {
    #[inline(always)]
    fn add<S: Simd, const VECTORS: usize>(
        self,
        s: S,
        row: ImageRow<'_, VECTORS>,
        weights: [&[[f32; LANES]]; VECTORS],
        sums: &mut Sums<S, VECTORS>,
    ) {
        unroll!(V < VECTORS, 0 1 => {
            for (kx, weight) in weights[V].iter().enumerate() {
                // The weights of one tap stay in a register while all outputs take it.
                let weight = s.load(weight);
                let left = row.left.wrapping_add(kx * self.dilation);
                unroll!(I < OUTPUTS, 0 1 2 3 4 5 6 => {
                    let column = left.wrapping_add(I * self.stride);
                    if column < row.width {
                        let x = s.load(row.x[row.starts[V] + column * row.pixel..].first_chunk().unwrap());
                        sums[I][V] = s.mul_add(x, weight, sums[I][V]);
                    }
                });
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_same_bits, sample};

    struct Case {
        kernel: (usize, usize),
        stride: usize,
        padding: usize,
        dilation: usize,
        channels: usize,
        size: (usize, usize),
        activation: Option<Activation>,
    }

    impl Case {
        /// Compares all instruction sets with the definition, on images with gaps between their pixels and rows, computed whole
        /// and in bands of rows.
        fn check(&self) {
            let &Case { kernel: (kh, kw), stride, padding, dilation, channels, size: (height, width), activation } =
                self;
            let view = |height, width, gap| {
                let pixel = channels + gap;
                ImageView { start: 3, height, width, channels, pixel, row: width * pixel + gap }
            };
            let from = view(height, width, 2);
            let output_len = |len: usize, taps: usize| (len + 2 * padding - (taps - 1) * dilation - 1) / stride + 1;
            let (x, weight, bias) = (sample(from.at(height, 0)), sample(channels * kh * kw), sample(channels));
            let packed = DepthwiseWeights::pack(&weight, Some(&bias), kh, kw);
            let mut portable: Option<Vec<f32>> = None;
            for (isa, gap, band) in Isa::available().into_iter().flat_map(|isa| [(isa, 0, 100), (isa, 5, 2)]) {
                let to = view(output_len(height, kh), output_len(width, kw), gap);
                let mut y = vec![f32::MAX; to.at(to.height, 0)];
                for first in (0..to.height).step_by(band) {
                    let (y, rows) = (&mut y[first * to.row..], first..(first + band).min(to.height));
                    depthwise(isa, &x, from, y, to, &packed, stride, padding, dilation, activation, rows);
                }
                let places: Vec<usize> =
                    (0..to.height).flat_map(|oy| (0..to.width).map(move |ox| to.at(oy, ox))).collect();
                let got: Vec<f32> = places.iter().flat_map(|at| y[*at..][..channels].to_vec()).collect();
                // Nothing is written between the pixels.
                places.iter().for_each(|at| y[*at..][..channels].fill(f32::MAX));
                assert!(y.iter().all(|y| *y == f32::MAX));

                match &portable {
                    Some(want) => assert_same_bits(&got, want),
                    None => self.compare(&got, &x, from, to, &weight, &bias),
                }
                portable.get_or_insert(got);
            }
        }

        fn compare(&self, got: &[f32], x: &[f32], from: ImageView, to: ImageView, weight: &[f32], bias: &[f32]) {
            let (kh, kw) = self.kernel;
            let inside = |o: usize, k: usize, len: usize| {
                (o * self.stride + k * self.dilation).checked_sub(self.padding).filter(|i| *i < len)
            };
            let mut got = got.iter();
            for (oy, ox, channel) in (0..to.height)
                .flat_map(|y| (0..to.width).map(move |x| (y, x)))
                .flat_map(|(y, x)| (0..self.channels).map(move |channel| (y, x, channel)))
            {
                let mut sum = f64::from(bias[channel]);
                for (ky, kx) in (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx))) {
                    if let (Some(iy), Some(ix)) = (inside(oy, ky, from.height), inside(ox, kx, from.width)) {
                        let weight = weight[(channel * kh + ky) * kw + kx];
                        sum += f64::from(x[from.at(iy, ix) + channel]) * f64::from(weight);
                    }
                }
                let want = match self.activation {
                    None => sum,
                    Some(Activation::Relu) => sum.max(0.0),
                    Some(_) => sum / (1.0 + (-sum).exp()),
                };
                let got = f64::from(*got.next().unwrap());
                assert!((got - want).abs() < 2e-5, "({oy}, {ox}, {channel}): {got} is not {want}");
            }
        }
    }

    const CASE: Case =
        Case { kernel: (3, 3), stride: 1, padding: 1, dilation: 1, channels: 20, size: (9, 17), activation: None };

    #[test]
    fn all_windows() {
        for side in 1..=9 {
            for stride in 1..=3 {
                for padding in [0, side / 2] {
                    Case { kernel: (side, side), stride, padding, size: (10, 16), ..CASE }.check();
                }
            }
        }
        Case { kernel: (1, 7), padding: 3, ..CASE }.check();
        Case { kernel: (5, 3), padding: 2, ..CASE }.check();
        Case { dilation: 2, padding: 2, ..CASE }.check();
        Case { dilation: 3, padding: 1, stride: 2, ..CASE }.check();
    }

    #[test]
    fn all_numbers_of_channels() {
        for channels in [1, 3, 15, 16, 17, 32, 40, 48, 64, 72] {
            for activation in [None, Some(Activation::Relu), Some(Activation::Silu)] {
                Case { channels, activation, ..CASE }.check();
            }
        }
    }

    /// Images smaller than the window and smaller than a block of outputs.
    #[test]
    fn small_images() {
        for size in [(1, 1), (2, 3), (3, 1), (7, 7), (1, 8), (4, 15)] {
            for side in [3, 5, 7] {
                Case { kernel: (side, side), padding: side / 2, channels: 32, size, ..CASE }.check();
            }
        }
    }
}
