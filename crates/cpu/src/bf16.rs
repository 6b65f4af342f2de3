//! Products whose factors are rounded to bf16 and whose sums are `f32`.
//!
//! bf16 is the upper half of an `f32`: its range with 8 significant bits. Processors with AVX-512 BF16 multiply two such numbers
//! for each `f32` at a time. Values stay `f32` in memory; a product rounds its inputs on the way, and its weights are rounded
//! when they are packed.
//!
//! The results are the same bits on every processor and for every division of the work, under one condition: no sum falls
//! below 1.2e-38 without being zero. There, the instruction flushes to zero.

use crate::activation::Activation;
use crate::aligned::Aligned;
use crate::arch::pairs::{PairTiles, Pairs};
#[cfg(target_arch = "x86_64")]
use crate::arch::{Avx2, Avx512, Avx512Bf16};
use crate::arch::{Portable, Tile};
use crate::isa::Isa;
use crate::product::{Job, Operands, Positions, Residual, Window, compute};
use crate::simd::{LANES, Simd};

/// How this processor computes products in bf16. Every way computes the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bf16 {
    /// In `f32`, with what every processor has.
    Portable,
    /// In `f32`, with AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// With AVX-512 BF16.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512Bf16),
}

impl Bf16 {
    /// Returns the best way that an instruction set allows.
    pub fn new(isa: Isa) -> Self {
        match isa {
            Isa::Portable => Self::Portable,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(avx2) => Self::Avx2(avx2),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(avx512) => Avx512Bf16::detect(avx512).map_or(Self::Avx2(avx512.avx2()), Self::Avx512),
        }
    }

    /// Returns all ways that this processor allows, the best one last.
    pub fn available() -> Vec<Self> {
        let mut all: Vec<_> = Isa::available().into_iter().map(Self::new).collect();
        all.dedup();
        all
    }

    /// Returns whether the processor has instructions for bf16. Otherwise, products in `f32` are faster.
    pub fn is_native(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => true,
            _ => false,
        }
    }

    /// Returns the width of a panel of weights.
    fn panel_width(self) -> usize {
        match self {
            Self::Portable => Portable::VECTORS * LANES,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => Avx2::VECTORS * LANES,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => Avx512::VECTORS * LANES,
        }
    }
}

/// Rounds to the nearest bf16 number, ties to even. Numbers below 1.2e-38, which have fewer digits, become zero.
#[inline(always)]
pub fn to_bf16(x: f32) -> u16 {
    let bits = x.to_bits();
    let upper = bits >> 16;
    let magnitude = bits & 0x7fff_ffff;
    let rounded = bits.wrapping_add(0x7fff + (upper & 1)) >> 16;
    let flushed = if magnitude < 0x0080_0000 { upper & 0x8000 } else { rounded };
    // NaN stays NaN: rounding could carry into the sign, and the upper half alone could be infinite.
    (if magnitude > 0x7f80_0000 { upper | 0x40 } else { flushed }) as u16
}

/// Returns the value of a bf16 number.
#[inline(always)]
pub fn from_bf16(x: u16) -> f32 {
    f32::from_bits(u32::from(x) << 16)
}

/// Weights in bf16, in the order in which the tile kernel reads them.
///
/// Output channels form panels as wide as a tile. A panel is `[taps / 2][width][2]`. Pairs of taps do not span two runs of a
/// window: a run with an odd number of taps is followed by one of zero.
#[derive(Clone, Copy, Debug)]
pub struct Bf16Panels<'a> {
    /// How the products are computed, to which the order belongs.
    pub bf16: Bf16,
    /// The number of output channels.
    pub outputs: usize,
    /// The number of runs of a window.
    pub runs: usize,
    /// The number of taps of a run.
    pub run: usize,
    /// The weights, as many as [`Bf16Panels::len`] says.
    pub values: &'a [u16],
    /// What is added to the sums, if anything: one number for each output, filled up to a multiple of 16.
    pub bias: Option<&'a [f32]>,
}

impl Bf16Panels<'_> {
    /// Returns how many numbers the weights take.
    pub fn len(outputs: usize, runs: usize, run: usize) -> usize {
        outputs.next_multiple_of(LANES) * runs * run.next_multiple_of(2)
    }

    /// Writes the weights `weight(output, tap)` in the order of panels. Taps are counted through all runs.
    ///
    /// # Panics
    /// Panics if the length of `to` is not [`Bf16Panels::len`].
    pub fn pack(
        bf16: Bf16,
        outputs: usize,
        (runs, run): (usize, usize),
        weight: impl Fn(usize, usize) -> f32,
        to: &mut [u16],
    ) {
        assert_eq!(to.len(), Self::len(outputs, runs, run), "the length of packed weights");
        to.fill(0);
        let pairs = run.div_ceil(2);
        let widest = bf16.panel_width();
        for (i, panel) in to.chunks_mut((widest * runs * pairs * 2).max(1)).enumerate() {
            let width = panel.len() / (runs * pairs * 2);
            let first = i * widest;
            for (row, values) in panel.chunks_exact_mut(width * 2).enumerate() {
                let (tap, within) = (row / pairs * run + row % pairs * 2, row % pairs * 2);
                for (o, pair) in values.as_chunks_mut::<2>().0.iter_mut().enumerate().take(outputs - first) {
                    pair[0] = to_bf16(weight(first + o, tap));
                    if within + 1 < run {
                        pair[1] = to_bf16(weight(first + o, tap + 1));
                    }
                }
            }
        }
    }
}

/// [`Bf16Panels`] that own their weights.
#[derive(Clone, Debug)]
pub struct Bf16Weights {
    bf16: Bf16,
    outputs: usize,
    runs: usize,
    run: usize,
    /// Two numbers in each place, so that they start at a cache line.
    values: Aligned,
    bias: Option<Aligned>,
}

impl Bf16Weights {
    /// Rounds and packs the weights `weight(output, tap)` of `outputs` output channels with a number of runs of `run` taps each,
    /// and what is added to the sums, one number for each output.
    ///
    /// # Panics
    /// Panics if the length of `bias` is not `outputs`.
    pub fn pack(
        bf16: Bf16,
        outputs: usize,
        (runs, run): (usize, usize),
        weight: impl Fn(usize, usize) -> f32,
        bias: Option<&[f32]>,
    ) -> Self {
        let mut values = Aligned::zeros(Bf16Panels::len(outputs, runs, run) / 2);
        Bf16Panels::pack(bf16, outputs, (runs, run), weight, bytemuck::cast_slice_mut(&mut values));
        let bias = bias.map(|bias| {
            let mut padded = Aligned::zeros(outputs.next_multiple_of(LANES));
            padded[..outputs].copy_from_slice(bias);
            padded
        });
        Self { bf16, outputs, runs, run, values, bias }
    }

    /// Returns the panels.
    pub fn panels(&self) -> Bf16Panels<'_> {
        Bf16Panels {
            bf16: self.bf16,
            outputs: self.outputs,
            runs: self.runs,
            run: self.run,
            values: bytemuck::cast_slice(&self.values),
            bias: self.bias.as_deref(),
        }
    }

    /// Returns the number of bytes.
    pub fn bytes(&self) -> usize {
        4 * (self.values.len() + self.bias.as_ref().map_or(0, |bias| bias.len()))
    }
}

/// Returns how many numbers of scratch memory [`product_bf16`] needs: one for each float between the first and the last input
/// that it reads.
pub fn bf16_scratch_len(window: Window<'_>, positions: &Positions) -> usize {
    let span = |(count, by): (&usize, &usize)| count.saturating_sub(1) * by;
    let furthest = window.offsets.iter().max().map_or(0, |offset| offset + window.run);
    positions.counts.iter().zip(&positions.x.by).map(span).sum::<usize>() + furthest
}

/// Computes `y = activation(residual + Σ weights · window + bias)` at each position, with inputs and weights in bf16.
///
/// Each sum adds in the order (residual, pairs of taps, bias). Of a pair, the product of the second tap is added first. Each
/// addition is rounded to `f32`, while the products are exact.
///
/// `scratch` has at least [`bf16_scratch_len`] numbers, whose values do not matter.
///
/// # Panics
/// Panics if a place lies outside its slice, if the window does not have the runs of the weights, or if `scratch` is too short.
#[expect(clippy::too_many_arguments, reason = "those of `product`, and scratch memory")]
pub fn product_bf16(
    x: &[f32],
    window: Window<'_>,
    weights: Bf16Panels<'_>,
    positions: &Positions,
    residual: Residual<'_>,
    activation: Option<Activation>,
    y: &mut [f32],
    scratch: &mut [u16],
) {
    let Bf16Panels { bf16, outputs, runs, run, values, bias } = weights;
    assert_eq!((window.offsets.len(), window.run), (runs, run), "runs of the window and of the weights");
    assert_eq!(values.len(), Bf16Panels::len(outputs, runs, run), "the length of packed weights");
    assert!(bias.is_none_or(|bias| bias.len() == outputs.next_multiple_of(LANES)), "the length of the bias");
    if positions.is_empty() {
        return;
    }
    // The rounded inputs lie in the scratch memory as the others in their slice, which starts at the first one that is read.
    let len = bf16_scratch_len(window, positions);
    let x = x.get(positions.x.start..).and_then(|x| x.get(..len)).expect("the window of a pixel is outside the input");
    let rounded = scratch.get_mut(..len).expect("too little scratch memory");
    let mut positions = *positions;
    positions.x.start = 0;
    let job = Job { window, positions: &positions, outputs, bias, residual, activation };
    let operands = Bf16Operands { x, rounded, ready: 0, weights: values };
    match bf16 {
        Bf16::Portable => compute(Portable, (Pairs, operands), &job, y),
        #[cfg(target_arch = "x86_64")]
        Bf16::Avx2(avx2) => avx2.run(
            #[inline(always)]
            || compute(avx2, (Pairs, operands), &job, y),
        ),
        #[cfg(target_arch = "x86_64")]
        Bf16::Avx512(bf16) => bf16.run(
            #[inline(always)]
            || compute(bf16.avx512(), (bf16, operands), &job, y),
        ),
    }
}

/// Inputs, which are rounded to bf16 shortly before they are read, and weights.
struct Bf16Operands<'a> {
    x: &'a [f32],
    rounded: &'a mut [u16],
    /// How many inputs are rounded.
    ready: usize,
    weights: &'a [u16],
}

impl<S: Simd, P: PairTiles<S>> Operands<S> for (P, Bf16Operands<'_>) {
    type Number = u16;

    #[inline(always)]
    fn prepare(&mut self, _: S, end: usize) {
        let Bf16Operands { x, rounded, ready, .. } = &mut self.1;
        let from = *ready;
        // A few more, so that the next call starts with a whole vector of two times sixteen.
        let end = end.next_multiple_of(2 * LANES).min(x.len());
        if end > from {
            self.0.round(&x[from..end], &mut rounded[from..end]);
            *ready = end;
        }
    }

    #[inline(always)]
    fn inputs(&self) -> &[u16] {
        self.1.rounded
    }

    #[inline(always)]
    fn weights(&self) -> &[u16] {
        self.1.weights
    }

    #[inline(always)]
    fn tile(&self, s: S, tile: Tile<'_, u16>, narrow: bool) {
        self.0.tile(s, tile, narrow);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::Strides;
    use crate::random::{Stream, normals};
    use crate::testing::{assert_close, assert_same_bits};

    /// Rounds with the code of one way.
    fn round_with(bf16: Bf16, x: &[f32]) -> Vec<u16> {
        let mut to = vec![0; x.len()];
        match bf16 {
            Bf16::Portable => PairTiles::<Portable>::round(Pairs, x, &mut to),
            #[cfg(target_arch = "x86_64")]
            Bf16::Avx2(avx2) => avx2.run(
                #[inline(always)]
                || PairTiles::<Avx2>::round(Pairs, x, &mut to),
            ),
            #[cfg(target_arch = "x86_64")]
            Bf16::Avx512(bf16) => bf16.run(
                #[inline(always)]
                || bf16.round(x, &mut to),
            ),
        }
        to
    }

    #[test]
    fn numbers_are_rounded_to_the_nearest() {
        for (x, want) in [
            (1.0, 1.0),
            (1.0 + 0.5 / 128.0, 1.0),
            (1.0 + 1.5 / 128.0, 1.0 + 2.0 / 128.0),
            (1.0 + 0.500_01 / 128.0, 1.0 + 1.0 / 128.0),
            (-3.140_625, -3.140_625),
            (f32::MAX, f32::INFINITY),
            (f32::NEG_INFINITY, f32::NEG_INFINITY),
            (f32::MIN_POSITIVE, f32::MIN_POSITIVE),
        ] {
            assert_eq!(from_bf16(to_bf16(x)), want, "{x}");
        }
        assert!(from_bf16(to_bf16(f32::NAN)).is_nan() && from_bf16(to_bf16(f32::from_bits(0xffff_ffff))).is_nan());
        assert_eq!([to_bf16(-1e-40), to_bf16(-0.0), to_bf16(1e-40)], [0x8000, 0x8000, 0]);
    }

    #[test]
    fn every_way_rounds_alike() {
        // All upper halves, with lower halves around the ties.
        let lower = [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff];
        let x: Vec<f32> = (0..=0xffffu32).flat_map(|bits| lower.map(|low| f32::from_bits(bits << 16 | low))).collect();
        let want: Vec<u16> = x.iter().map(|x| to_bf16(*x)).collect();
        for bf16 in Bf16::available() {
            assert!(round_with(bf16, &x) == want, "{bf16:?}");
            assert!(round_with(bf16, &x[..37]) == want[..37], "{bf16:?}");
        }
    }

    /// A convolution of images without borders.
    struct Case {
        images: usize,
        side: (usize, usize),
        inputs: usize,
        outputs: usize,
        kernel: usize,
        stride: usize,
    }

    impl Case {
        fn check(&self, residual: bool, activation: Option<Activation>) {
            let Self { images, side: (h, w), inputs, outputs, kernel, stride } = *self;
            let (oh, ow) = ((h - kernel) / stride + 1, (w - kernel) / stride + 1);
            let row = kernel * inputs;
            let x = normals(Stream::new(1), 3 + images * h * w * inputs);
            let weight = normals(Stream::new(2), outputs * kernel * row);
            let bias = normals(Stream::new(3), outputs);
            let r = normals(Stream::new(4), images * oh * ow * outputs);
            let offsets: Vec<usize> = (0..kernel).map(|ky| ky * w * inputs).collect();
            let window = Window { offsets: &offsets, run: row, footprint: inputs * stride * stride };
            let dense = Strides { start: 0, by: [oh * ow * outputs, ow * outputs, outputs] };
            let positions = Positions {
                counts: [images, oh, ow],
                // An odd start, so that pairs are not aligned.
                x: Strides { start: 3, by: [h * w * inputs, stride * w * inputs, stride * inputs] },
                y: dense,
                residual: dense,
            };

            // The definition, and the same sums in f64.
            let mut want = vec![0.0; r.len()];
            let mut exact = vec![0.0; r.len()];
            for place in 0..r.len() {
                let (pixel, o) = (place / outputs, place % outputs);
                let (n, y, x0) = (pixel / (oh * ow), pixel / ow % oh, pixel % ow);
                let mut sum = if residual { r[place] } else { 0.0 };
                let mut precise = f64::from(sum) + f64::from(bias[o]);
                for ky in 0..kernel {
                    let from = 3 + ((n * h + y * stride + ky) * w + x0 * stride) * inputs;
                    let factors: Vec<[f32; 2]> = (0..row)
                        .map(|t| [x[from + t], weight[(o * kernel + ky) * row + t]].map(|x| from_bf16(to_bf16(x))))
                        .collect();
                    for pair in factors.chunks(2) {
                        for [x, w] in pair.iter().rev() {
                            sum = x.mul_add(*w, sum);
                        }
                    }
                    precise += factors.iter().map(|[x, w]| f64::from(*x) * f64::from(*w)).sum::<f64>();
                }
                want[place] = sum + bias[o];
                exact[place] = precise;
            }
            assert_close(&want, &exact, 1e-6 * (kernel * row) as f64);
            if let Some(activation) = activation {
                activation.apply_in_place(Isa::Portable, &mut want);
            }

            for bf16 in Bf16::available() {
                let at = |o: usize, t: usize| weight[o * kernel * row + t];
                let packed = Bf16Weights::pack(bf16, outputs, (kernel, row), at, Some(&bias));
                let run = |positions: &Positions, residual: Residual<'_>, y: &mut [f32]| {
                    // NaN, to show that nothing is read that was not written before.
                    let mut scratch = vec![0xffff; bf16_scratch_len(window, positions)];
                    product_bf16(&x, window, packed.panels(), positions, residual, activation, y, &mut scratch);
                };
                let values = if residual { Residual::Values(&r) } else { Residual::None };
                let mut y = vec![f32::NAN; want.len()];
                run(&positions.joined(), values, &mut y);
                assert_same_bits(&y, &want);
                if residual {
                    y.copy_from_slice(&r);
                    run(&positions, Residual::Output, &mut y);
                    assert_same_bits(&y, &want);
                }
                y.fill(f32::NAN);
                positions.split(3).iter().for_each(|part| run(part, values, &mut y));
                assert_same_bits(&y, &want);
            }
        }
    }

    #[test]
    fn products_equal_their_definition_to_the_bit() {
        let case = Case { images: 2, side: (9, 16), inputs: 3, outputs: 40, kernel: 3, stride: 1 };
        case.check(false, None);
        case.check(true, Some(Activation::Relu));
        Case { images: 1, side: (15, 15), inputs: 4, outputs: 33, kernel: 3, stride: 2 }.check(true, None);
        Case { images: 3, side: (1, 29), inputs: 19, outputs: 100, kernel: 1, stride: 1 }
            .check(false, Some(Activation::Clamp(0.0, 0.5)));
        Case { images: 1, side: (8, 8), inputs: 3, outputs: 7, kernel: 4, stride: 4 }
            .check(true, Some(Activation::Gelu));
        Case { images: 1, side: (1, 20), inputs: 2048, outputs: 16, kernel: 1, stride: 1 }.check(false, None);
        // More than one block of inputs.
        Case { images: 1, side: (150, 20), inputs: 128, outputs: 16, kernel: 1, stride: 1 }.check(false, None);
    }

    /// A run with an odd number of taps ends in the middle of a pair. What follows it must not count, not even NaN.
    #[test]
    fn inputs_after_a_run_do_not_count() {
        let x = [1.0, 2.0, 3.0, f32::NAN, f32::INFINITY];
        let window = Window { offsets: &[0], run: 3, footprint: 3 };
        let positions =
            Positions { counts: [1, 1, 1], x: Strides::default(), y: Strides::default(), residual: Strides::default() };
        for bf16 in Bf16::available() {
            let packed = Bf16Weights::pack(bf16, 1, (1, 3), |_, tap| [1.0, 10.0, 100.0][tap], None);
            let mut y = [0.0];
            let mut scratch = [0xffff; 4];
            product_bf16(&x, window, packed.panels(), &positions, Residual::None, None, &mut y, &mut scratch);
            assert_eq!(y, [321.0]);
        }
    }

    #[test]
    #[should_panic(expected = "outside the input")]
    fn windows_outside_the_input_are_refused() {
        let packed = Bf16Weights::pack(Bf16::new(Isa::best()), 1, (1, 4), |_, _| 1.0, None);
        let positions = Positions {
            counts: [1, 1, 2],
            x: Strides { start: 0, by: [0, 0, 4] },
            y: Strides { start: 0, by: [0, 0, 1] },
            residual: Strides::default(),
        };
        let (panels, mut y, mut scratch) = (packed.panels(), [0.0; 2], [0; 8]);
        product_bf16(&[0.0; 7], Window::row(4), panels, &positions, Residual::None, None, &mut y, &mut scratch);
    }
}
