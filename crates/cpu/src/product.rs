//! Products of windows with weights: convolutions, linear layers and patch embeddings, which are all the same loop.
//!
//! With channels last, the inputs of a window are a few runs of neighboring floats: one for each row of the window, or a
//! single one for a 1 × 1 convolution and a linear layer. So a window is a list of offsets and the length of a run, and the
//! places of outputs are three nested counts with strides. Nothing else distinguishes the layers.

use crate::Isa;
use crate::activation::Activation;
use crate::aligned::Aligned;
use crate::arch::tile::{Finish, MOST_STRIPS, Places, Start, Taps, Tile};
use crate::simd::{LANES, Simd, Vectorized};

/// The inputs that one output reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window<'a> {
    /// Where each run of taps starts, counted from the start of the window.
    pub offsets: &'a [usize],
    /// The number of neighboring floats in a run.
    pub run: usize,
    /// The number of floats of the input that belong to one output, counting shared ones once: channels · stride².
    /// It decides how many outputs are computed from one part of the input that fits the cache.
    pub footprint: usize,
}

impl Window<'_> {
    /// Describes the window of a linear layer, or of a 1 × 1 convolution with stride 1.
    pub fn row(inputs: usize) -> Self {
        Self { offsets: &[0], run: inputs, footprint: inputs }
    }

    /// Returns the number of taps.
    pub fn taps(&self) -> usize {
        self.offsets.len() * self.run
    }
}

/// Where something lies for each position: at `start` plus the position's three indices times `by`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Strides {
    /// The place of position (0, 0, 0).
    pub start: usize,
    /// The distances between neighboring positions along each index.
    pub by: [usize; 3],
}

impl Strides {
    fn at(&self, index: [usize; 3]) -> usize {
        self.start + index[0] * self.by[0] + index[1] * self.by[1] + index[2] * self.by[2]
    }
}

/// The outputs of a product: images, rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Positions {
    /// How many there are along each index.
    pub counts: [usize; 3],
    /// Where the window of each starts in the input.
    pub x: Strides,
    /// Where the channels of each start in the output.
    pub y: Strides,
    /// Where the values that are added start, if there are any.
    pub residual: Strides,
}

impl Positions {
    /// Returns the same positions with neighboring indices joined where one is the continuation of the other.
    pub fn joined(mut self) -> Self {
        if self.joins(1) {
            self.join(1);
            // The images have moved to the middle.
            if self.joins(1) {
                self.join(1);
            }
        } else if self.joins(0) {
            self.join(0);
        }
        self
    }

    /// Returns whether index `outer` and the one after it can be counted as one.
    fn joins(&self, outer: usize) -> bool {
        let continues = |s: &Strides| s.by[outer] == self.counts[outer + 1] * s.by[outer + 1];
        let single = self.counts[outer] == 1 || self.counts[outer + 1] == 1;
        single || [&self.x, &self.y, &self.residual].into_iter().all(continues)
    }

    /// Counts index `outer` and the one after it as one, and moves the indices before them one further.
    fn join(&mut self, outer: usize) {
        let inner = outer + 1;
        for s in [&mut self.x, &mut self.y, &mut self.residual] {
            if self.counts[inner] == 1 {
                s.by[inner] = s.by[outer];
            }
            s.by.copy_within(0..outer, 1);
        }
        self.counts[inner] *= self.counts[outer];
        self.counts.copy_within(0..outer, 1);
        self.counts[0] = 1;
    }

    /// Returns the number of positions.
    pub fn len(&self) -> usize {
        self.counts.iter().product()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Divides the positions into at most `parts` parts of about equal size along one index. The outputs of each part lie
    /// after those of the part before.
    pub fn split(&self, parts: usize) -> Vec<Self> {
        let axis = (0..3).find(|&i| self.counts[i] >= parts).or((0..3).find(|&i| self.counts[i] > 1)).unwrap_or(2);
        let count = self.counts[axis];
        let parts = if self.counts[..axis].iter().all(|&n| n == 1) { parts.min(count) } else { 1 };
        let part = |i: usize| {
            let (from, to) = (count * i / parts, count * (i + 1) / parts);
            let mut part = *self;
            part.counts[axis] = to - from;
            for s in [&mut part.x, &mut part.y, &mut part.residual] {
                s.start += from * s.by[axis];
            }
            part
        };
        (0..parts).map(part).collect()
    }
}

/// Weights in the order in which the tile kernel reads them, for one instruction set.
///
/// Output channels form panels as wide as a tile. A panel is `[taps][width]`; the last one can be narrower.
#[derive(Clone, Copy, Debug)]
pub struct Panels<'a> {
    /// The instruction set that the order belongs to.
    pub isa: Isa,
    /// The number of output channels.
    pub outputs: usize,
    /// The number of taps of an output.
    pub taps: usize,
    /// The weights, as many as [`Panels::len`] says.
    pub values: &'a [f32],
    /// What is added to the sums, if anything: one number for each output, filled up to a multiple of 16.
    pub bias: Option<&'a [f32]>,
}

impl Panels<'_> {
    /// Returns how many floats the weights take.
    pub fn len(outputs: usize, taps: usize) -> usize {
        outputs.next_multiple_of(LANES) * taps
    }

    /// Writes the weights `weight(output, tap)` in the order of panels. Places without an output become zero.
    ///
    /// # Panics
    /// Panics if the length of `to` is not [`Panels::len`].
    pub fn pack(isa: Isa, outputs: usize, taps: usize, weight: impl Fn(usize, usize) -> f32, to: &mut [f32]) {
        assert_eq!(to.len(), Self::len(outputs, taps), "the length of packed weights");
        let widest = isa.vectorize(PanelWidth);
        for (i, panel) in to.chunks_mut((widest * taps).max(1)).enumerate() {
            let width = panel.len() / taps;
            let first = i * widest;
            let used = width.min(outputs - first);
            for (tap, row) in panel.chunks_exact_mut(width).enumerate() {
                row[..used].iter_mut().enumerate().for_each(|(o, value)| *value = weight(first + o, tap));
                row[used..].fill(0.0);
            }
        }
    }

    /// Writes weights that lie in rows, one row for each output, multiplied by a factor: the weight of output `o` and tap `t` is
    /// `factor · rows[o · stride + t]`.
    ///
    /// # Panics
    /// Panics if the length of `to` is not [`Panels::len`] or a row lies outside the slice.
    pub fn pack_rows(isa: Isa, outputs: usize, taps: usize, rows: &[f32], stride: usize, factor: f32, to: &mut [f32]) {
        assert_eq!(to.len(), Self::len(outputs, taps), "the length of packed weights");
        let widest = isa.vectorize(PanelWidth);
        for (i, panel) in to.chunks_mut((widest * taps).max(1)).enumerate() {
            let width = panel.len() / taps;
            for o in 0..width {
                let places = panel[o..].iter_mut().step_by(width);
                match i * widest + o {
                    output if output < outputs => {
                        let row = &rows[output * stride..][..taps];
                        places.zip(row).for_each(|(place, weight)| *place = weight * factor);
                    }
                    _ => places.for_each(|place| *place = 0.0),
                }
            }
        }
    }

    /// Writes weights that lie in rows, one row for each tap: the weight of output `o` and tap `t` is `rows[t · stride + o]`.
    ///
    /// # Panics
    /// Panics if the length of `to` is not [`Panels::len`] or a row lies outside the slice.
    pub fn pack_columns(isa: Isa, outputs: usize, taps: usize, rows: &[f32], stride: usize, to: &mut [f32]) {
        assert_eq!(to.len(), Self::len(outputs, taps), "the length of packed weights");
        let widest = isa.vectorize(PanelWidth);
        for (i, panel) in to.chunks_mut((widest * taps).max(1)).enumerate() {
            let width = panel.len() / taps;
            let (first, used) = (i * widest, width.min(outputs - i * widest));
            for (tap, places) in panel.chunks_exact_mut(width).enumerate() {
                places[..used].copy_from_slice(&rows[tap * stride + first..][..used]);
                places[used..].fill(0.0);
            }
        }
    }
}

/// [`Panels`] that own their weights.
#[derive(Clone, Debug)]
pub struct PackedWeights {
    isa: Isa,
    outputs: usize,
    taps: usize,
    values: Aligned,
    bias: Option<Aligned>,
}

impl PackedWeights {
    /// Packs the weights `weight(output, tap)` of `outputs` output channels with `taps` taps each, and what is added to the
    /// sums, one number for each output.
    ///
    /// # Panics
    /// Panics if the length of `bias` is not `outputs`.
    pub fn pack(
        isa: Isa,
        outputs: usize,
        taps: usize,
        weight: impl Fn(usize, usize) -> f32,
        bias: Option<&[f32]>,
    ) -> Self {
        let mut values = Aligned::zeros(Panels::len(outputs, taps));
        Panels::pack(isa, outputs, taps, weight, &mut values);
        let bias = bias.map(|bias| {
            let mut padded = Aligned::zeros(outputs.next_multiple_of(LANES));
            padded[..outputs].copy_from_slice(bias);
            padded
        });
        Self { isa, outputs, taps, values, bias }
    }

    /// Returns the panels.
    pub fn panels(&self) -> Panels<'_> {
        Panels {
            isa: self.isa,
            outputs: self.outputs,
            taps: self.taps,
            values: &self.values,
            bias: self.bias.as_deref(),
        }
    }

    /// Returns the number of bytes.
    pub fn bytes(&self) -> usize {
        4 * (self.values.len() + self.bias.as_ref().map_or(0, |bias| bias.len()))
    }
}

pub(crate) struct PanelWidth;

impl Vectorized for PanelWidth {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> usize {
        S::VECTORS * LANES
    }
}

/// What the sums of a product start from.
#[derive(Clone, Copy, Debug)]
pub enum Residual<'a> {
    /// Zero.
    None,
    /// What the output holds.
    Output,
    /// Values at the residual's places.
    Values(&'a [f32]),
}

/// Computes `y = activation(residual + Σ weights · window + bias)` at each position.
///
/// Each sum adds in the order (residual, taps, bias), with a fused multiply-add for each tap. So the bits of an output depend
/// on its own inputs only: not on the other positions, nor on the instruction set.
///
/// # Panics
/// Panics if a place lies outside its slice, or if the window does not have as many taps as the weights.
pub fn product(
    x: &[f32],
    window: Window<'_>,
    weights: Panels<'_>,
    positions: &Positions,
    residual: Residual<'_>,
    activation: Option<Activation>,
    y: &mut [f32],
) {
    assert_eq!(window.taps(), weights.taps, "taps of the window and of the weights");
    assert_eq!(weights.values.len(), Panels::len(weights.outputs, weights.taps), "the length of packed weights");
    let padded = weights.outputs.next_multiple_of(LANES);
    assert!(weights.bias.is_none_or(|bias| bias.len() == padded), "the length of the bias");
    let job = Job { window, positions, outputs: weights.outputs, bias: weights.bias, residual, activation };
    weights.isa.vectorize(Product { x, values: weights.values, job, y });
}

struct Product<'a> {
    x: &'a [f32],
    values: &'a [f32],
    job: Job<'a>,
    y: &'a mut [f32],
}

impl Vectorized for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        compute(s, SingleOperands { x: self.x, weights: self.values }, &self.job, self.y);
    }
}

/// The operands of a product, as the tile kernel reads them.
pub(crate) trait Operands<S: Simd> {
    /// A stored number.
    type Number: Copy;

    /// Makes the inputs before `end` ready. They are read afterwards.
    fn prepare(&mut self, s: S, end: usize);
    /// Returns the inputs.
    fn inputs(&self) -> &[Self::Number];
    /// Returns the panels of weights.
    fn weights(&self) -> &[Self::Number];
    /// Computes a tile, one vector of channels wide if `narrow`.
    fn tile(&self, s: S, tile: Tile<'_, Self::Number>, narrow: bool);
}

/// Operands in `f32`.
struct SingleOperands<'a> {
    x: &'a [f32],
    weights: &'a [f32],
}

impl<S: Simd> Operands<S> for SingleOperands<'_> {
    type Number = f32;

    #[inline(always)]
    fn prepare(&mut self, _: S, _: usize) {}

    #[inline(always)]
    fn inputs(&self) -> &[f32] {
        self.x
    }

    #[inline(always)]
    fn weights(&self) -> &[f32] {
        self.weights
    }

    #[inline(always)]
    fn tile(&self, s: S, tile: Tile<'_>, narrow: bool) {
        s.tile(tile, narrow);
    }
}

/// What a product computes, whatever its numbers are.
pub(crate) struct Job<'a> {
    pub(crate) window: Window<'a>,
    pub(crate) positions: &'a Positions,
    pub(crate) outputs: usize,
    pub(crate) bias: Option<&'a [f32]>,
    pub(crate) residual: Residual<'a>,
    pub(crate) activation: Option<Activation>,
}

/// The number of bytes of input from which all channels of a block of outputs are computed before the next block. They stay in
/// the second-level cache while one panel of weights after the other passes over them.
const BLOCK_BYTES: usize = 256 << 10;

/// Inputs at multiples of this distance share a set of the first-level cache, which holds 8 or 12 of them.
const ALIAS_BYTES: usize = 4096;

/// The largest number of tiles in a block.
const BLOCK_TILES: usize = 64;

/// The places of a tile's pixels.
#[derive(Clone, Copy, Default)]
struct TilePlaces {
    pixels: usize,
    x: Places,
    y: Places,
    residual: Places,
}

/// Forms tiles of positions: strips of neighbors along the last index, several strips to a tile.
struct Tiles<'a> {
    positions: &'a Positions,
    strip: usize,
    strips: usize,
    /// The first position that is in no tile yet.
    next: [usize; 3],
}

impl Tiles<'_> {
    #[inline(always)]
    fn next_tile(&mut self) -> Option<TilePlaces> {
        let p = self.positions;
        let mut tile = TilePlaces::default();
        for (places, strides) in [(&mut tile.x, &p.x), (&mut tile.y, &p.y), (&mut tile.residual, &p.residual)] {
            places.pixel = strides.by[2];
        }
        for strip in 0..self.strips {
            if self.next[0] == p.counts[0] {
                break;
            }
            tile.x.strips[strip] = p.x.at(self.next);
            tile.y.strips[strip] = p.y.at(self.next);
            tile.residual.strips[strip] = p.residual.at(self.next);
            let len = self.strip.min(p.counts[2] - self.next[2]);
            tile.pixels += len;
            self.next[2] += len;
            for index in [2, 1] {
                if self.next[index] == p.counts[index] {
                    self.next[index] = 0;
                    self.next[index - 1] += 1;
                }
            }
            // All strips of a tile but the last are whole.
            if len < self.strip {
                break;
            }
        }
        (tile.pixels > 0).then_some(tile)
    }
}

/// Computes a product.
#[inline(always)]
pub(crate) fn compute<S: Simd, O: Operands<S>>(s: S, mut operands: O, job: &Job<'_>, y: &mut [f32]) {
    let (finish, after) = match job.activation {
        None => (Finish::Nothing, None),
        Some(Activation::Relu) => (Finish::Relu, None),
        Some(Activation::Clamp(low, high)) => (Finish::Clamp(low, high), None),
        other => (Finish::Nothing, other),
    };
    let taps = Taps { offsets: job.window.offsets, run: job.window.run };
    let positions = job.positions;
    // Fourteen inputs in one set would evict each other.
    let alias = (positions.x.by[2] * size_of::<O::Number>()).is_multiple_of(ALIAS_BYTES);
    let strips = if alias && S::STRIP > 1 { 1 } else { S::STRIPS };
    let inputs = BLOCK_BYTES / size_of::<O::Number>() / job.window.footprint.max(1);
    let most = (inputs / (S::STRIP * strips)).clamp(1, BLOCK_TILES);
    let mut tiles = Tiles { positions, strip: S::STRIP, strips, next: [0; 3] };
    if positions.is_empty() {
        return;
    }
    let widest = S::VECTORS * LANES;
    // The numbers of a panel for each output, filled up to what the tile kernel multiplies at once.
    let rows = operands.weights().len() / job.outputs.next_multiple_of(LANES).max(1);
    let mut block = [TilePlaces::default(); BLOCK_TILES];
    loop {
        // A block of positions, whose inputs stay in the second-level cache ..
        let mut count = 0;
        let mut end = 0;
        while count < most
            && let Some(tile) = tiles.next_tile()
        {
            block[count] = tile;
            count += 1;
            end = end.max(tile.x.strips[..strips].iter().fold(0, |a, b| a.max(*b)));
        }
        if count == 0 {
            return;
        }
        operands.prepare(s, end + (S::STRIP - 1) * positions.x.by[2] + taps.len());
        // .. meets one panel of weights after the other, ..
        let panels = operands.weights().chunks((widest * rows).max(1)).enumerate();
        for (channel, weights) in panels.map(|(i, weights)| (i * widest, weights)) {
            let channels = (job.outputs - channel).min(widest);
            let narrow = weights.len() < widest * rows;
            let bias = job.bias.map(|bias| &bias[channel..]);
            let shift = |mut places: Places| {
                places.strips.iter_mut().for_each(|place| *place += channel);
                places
            };
            // .. each of which stays in the first- or second-level cache while all tiles of the block read it.
            for tile in &block[..count] {
                let to = shift(tile.y);
                let start = match job.residual {
                    Residual::None => Start::Zero,
                    Residual::Output => Start::Output,
                    Residual::Values(values) => Start::Values(values, shift(tile.residual)),
                };
                let (x, from, pixels) = (operands.inputs(), tile.x, tile.pixels);
                let y = &mut *y;
                let tile = Tile { pixels, x, from, taps, weights, bias, start, finish, channels, y, to };
                operands.tile(s, tile, narrow);
                if let Some(activation) = after {
                    // The tile is still in the first-level cache.
                    for pixel in 0..pixels {
                        let at = to.strips[pixel / S::STRIP] + pixel % S::STRIP * to.pixel;
                        activation.apply_to_row(s, &mut y[at..at + channels]);
                    }
                }
            }
        }
    }
}

const _: () = assert!(MOST_STRIPS >= 6);

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize, seed: u32) -> Vec<f32> {
        (0..len as u32)
            .map(|i| ((i.wrapping_mul(2_654_435_761) ^ seed.wrapping_mul(40_503)) % 2017) as f32 / 1008.5 - 1.0)
            .collect()
    }

    /// A convolution of bordered images with all the inconveniences: strides, several images, odd numbers of channels.
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
            let x = noise(images * h * w * inputs, 1);
            let weight = noise(outputs * kernel * kernel * inputs, 2);
            let bias = noise(outputs, 3);
            let r = noise(images * oh * ow * outputs, 4);
            let at = |o: usize, t: usize| weight[o * kernel * kernel * inputs + t];
            let window = Window {
                offsets: &(0..kernel).map(|ky| ky * w * inputs).collect::<Vec<_>>(),
                run: kernel * inputs,
                footprint: inputs * stride * stride,
            };
            let dense = Strides { start: 0, by: [oh * ow * outputs, ow * outputs, outputs] };
            let positions = Positions {
                counts: [images, oh, ow],
                x: Strides { start: 0, by: [h * w * inputs, stride * w * inputs, stride * inputs] },
                y: dense,
                residual: dense,
            };
            let mut want = vec![0.0; r.len()];
            for n in 0..images {
                for (y, x0) in (0..oh).flat_map(|y| (0..ow).map(move |x| (y, x))) {
                    for (o, bias) in bias.iter().enumerate() {
                        let place = ((n * oh + y) * ow + x0) * outputs + o;
                        let mut sum = if residual { r[place] } else { 0.0 };
                        for t in 0..kernel * kernel * inputs {
                            let (ky, rest) = (t / (kernel * inputs), t % (kernel * inputs));
                            let from = ((n * h + y * stride + ky) * w + x0 * stride) * inputs + rest;
                            sum = x[from].mul_add(at(o, t), sum);
                        }
                        want[place] = sum + bias;
                    }
                }
            }
            if let Some(activation) = activation {
                activation.apply_in_place(Isa::Portable, &mut want);
            }
            for isa in Isa::available() {
                let packed = PackedWeights::pack(isa, outputs, window.taps(), at, Some(&bias));
                for positions in [positions, positions.joined()] {
                    let mut y = vec![f32::NAN; want.len()];
                    let values = if residual { Residual::Values(&r) } else { Residual::None };
                    product(&x, window, packed.panels(), &positions, values, activation, &mut y);
                    assert_eq!(y, want, "{isa:?}");
                    if residual {
                        y.copy_from_slice(&r);
                        product(&x, window, packed.panels(), &positions, Residual::Output, activation, &mut y);
                        assert_eq!(y, want, "{isa:?}, in place");
                    }
                    // In parts, whose outputs follow each other.
                    let mut y = vec![f32::NAN; want.len()];
                    let parts = positions.split(3);
                    assert_eq!(parts.iter().map(Positions::len).sum::<usize>(), positions.len());
                    assert!(parts.windows(2).all(|pair| pair[0].y.start < pair[1].y.start));
                    for part in parts {
                        product(&x, window, packed.panels(), &part, values, activation, &mut y);
                    }
                    assert_eq!(y, want, "{isa:?}, in parts");
                }
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
            .check(false, Some(Activation::Gelu));
        Case { images: 1, side: (1, 1), inputs: 300, outputs: 1000, kernel: 1, stride: 1 }.check(false, None);
        // Inputs whose distance is a power of two.
        Case { images: 1, side: (3, 9), inputs: 1024, outputs: 20, kernel: 1, stride: 1 }.check(true, None);
    }

    #[test]
    #[should_panic(expected = "outside the input")]
    fn windows_outside_the_input_are_refused() {
        let packed = PackedWeights::pack(Isa::best(), 1, 4, |_, _| 1.0, None);
        let positions = Positions {
            counts: [1, 1, 2],
            x: Strides { start: 0, by: [0, 0, 4] },
            y: Strides { start: 0, by: [0, 0, 1] },
            residual: Strides::default(),
        };
        product(&[0.0; 7], Window::row(4), packed.panels(), &positions, Residual::None, None, &mut [0.0; 2]);
    }

    #[test]
    fn positions_are_joined_where_they_continue() {
        let strides = |by| Strides { start: 5, by };
        let dense = Positions {
            counts: [2, 3, 4],
            x: strides([24, 8, 2]),
            y: strides([12, 4, 1]),
            residual: strides([12, 4, 1]),
        };
        assert_eq!(dense.joined().counts, [1, 1, 24]);
        let rows_apart = Positions { y: strides([15, 5, 1]), ..dense };
        assert_eq!(rows_apart.joined().counts, [1, 6, 4]);
        let images_apart = Positions { x: strides([100, 8, 2]), ..dense };
        assert_eq!(images_apart.joined().counts, [1, 2, 12]);
    }
}
