//! The tile kernel: the one loop in which products of networks spend their time.
//!
//! A tile is a few output pixels by a few vectors of output channels. All of its sums stay in registers. Each tap loads
//! one vector of weights per vector of channels, and one number of each pixel's input, which multiplies all of them.
//!
//! Each sum is one chain of fused multiply-adds in the order of the taps. Its bits therefore depend neither on the shape of
//! the tile nor on the instruction set.

use crate::simd::{LANES, Simd};

/// The largest number of strips in a tile.
pub(crate) const MOST_STRIPS: usize = 6;

/// The inputs of a window: runs of neighboring floats.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taps<'a> {
    /// Where each run starts, counted from the start of a pixel's window.
    pub(crate) offsets: &'a [usize],
    /// The number of floats in a run.
    pub(crate) run: usize,
}

impl Taps<'_> {
    /// Returns how many numbers after its start a window ends.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.offsets.iter().fold(0usize, |a, b| a.max(*b)).saturating_add(self.run)
    }
}

/// The places of a tile's pixels in a slice. Only the first strips have a meaning, as many as the tile has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Places {
    /// Where each strip starts.
    pub(crate) strips: [usize; MOST_STRIPS],
    /// The distance between neighboring pixels of a strip.
    pub(crate) pixel: usize,
}

impl Places {
    /// Returns where pixel `i` starts if strips have `strip` pixels.
    #[inline(always)]
    fn at(&self, i: usize, strip: usize) -> usize {
        self.strips[i / strip] + i % strip * self.pixel
    }

    /// Returns whether every pixel of the tile lies within a slice of `len` floats and is followed by `needed` of them.
    #[inline(always)]
    fn fit(&self, pixels: usize, strip: usize, needed: usize, len: usize) -> bool {
        // The last pixel of a strip lies furthest.
        let end = |i: usize| {
            let last = self.pixel.checked_mul(strip.min(pixels - i * strip) - 1)?;
            self.strips[i].checked_add(last)?.checked_add(needed)
        };
        (0..pixels.div_ceil(strip)).all(|i| end(i).is_some_and(|end| end <= len))
    }
}

/// What the sums of a tile start from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start<'a> {
    /// Zero.
    Zero,
    /// What the output holds.
    Output,
    /// Other values.
    Values(&'a [f32], Places),
}

/// What is done to the sums of a tile before they are stored.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Finish {
    /// Nothing.
    Nothing,
    /// max(x, 0), or NaN.
    Relu,
    /// x between two values, or NaN.
    Clamp(f32, f32),
}

/// How the numbers of a tile are stored and multiplied.
///
/// # Safety of its functions
/// The pointers must be followed by as many numbers as a function loads. They need not be aligned.
#[expect(unsafe_code, reason = "the tile kernel checks all places once")]
pub(crate) trait Multiply<S: Simd>: Copy {
    /// A stored input or weight.
    type Number: Copy;
    /// Weights of sixteen channels, or inputs in all lanes.
    type Vector: Copy;
    /// The number of taps that are multiplied at once. The weights of each run are filled up with zeros to a multiple of it.
    const TAPS: usize;

    /// Runs `f` compiled for the instructions.
    fn run<R>(self, s: S, f: impl FnOnce() -> R) -> R;
    /// Loads weights, `[16][TAPS]`.
    unsafe fn load(self, s: S, from: *const Self::Number) -> Self::Vector;
    /// Loads the inputs of `TAPS` taps.
    unsafe fn splat(self, s: S, from: *const Self::Number) -> Self::Vector;
    /// Loads one input, which is followed by zeros.
    unsafe fn splat_one(self, s: S, from: *const Self::Number) -> Self::Vector;
    /// Adds the products of inputs and weights to the sums.
    fn mul_add(self, s: S, x: Self::Vector, weights: Self::Vector, sums: S::F32) -> S::F32;
}

/// Numbers in `f32`.
#[derive(Clone, Copy)]
pub(crate) struct Single;

#[expect(unsafe_code, reason = "the caller has checked the places")]
impl<S: Simd> Multiply<S> for Single {
    type Number = f32;
    type Vector = S::F32;
    const TAPS: usize = 1;

    #[inline(always)]
    fn run<R>(self, s: S, f: impl FnOnce() -> R) -> R {
        s.run(f)
    }

    #[inline(always)]
    unsafe fn load(self, s: S, from: *const f32) -> S::F32 {
        // SAFETY: sixteen floats follow, says the caller.
        s.load(unsafe { &*from.cast() })
    }

    #[inline(always)]
    unsafe fn splat(self, s: S, from: *const f32) -> S::F32 {
        // SAFETY: a float follows, says the caller.
        s.splat(unsafe { *from })
    }

    #[inline(always)]
    unsafe fn splat_one(self, s: S, from: *const f32) -> S::F32 {
        // SAFETY: as above.
        s.splat(unsafe { *from })
    }

    #[inline(always)]
    fn mul_add(self, s: S, x: S::F32, weights: S::F32, sums: S::F32) -> S::F32 {
        s.mul_add(x, weights, sums)
    }
}

/// A tile: inputs, weights and outputs.
pub struct Tile<'a, N = f32> {
    /// The number of pixels.
    pub(crate) pixels: usize,
    /// The inputs.
    pub(crate) x: &'a [N],
    /// Where the window of each pixel starts in the inputs.
    pub(crate) from: Places,
    /// The inputs of a window.
    pub(crate) taps: Taps<'a>,
    /// The weights, `[taps][vectors · 16]`. Taps that are multiplied at once are neighbors: `[taps / 2][vectors · 16][2]`.
    pub(crate) weights: &'a [N],
    /// What is added to the sums, if anything, `[vectors · 16]`.
    pub(crate) bias: Option<&'a [f32]>,
    /// What the sums start from.
    pub(crate) start: Start<'a>,
    /// What follows the sums.
    pub(crate) finish: Finish,
    /// The number of output channels, at most `vectors · 16`. No others are stored.
    pub(crate) channels: usize,
    /// The outputs.
    pub(crate) y: &'a mut [f32],
    /// Where the channels of each pixel start in the outputs.
    pub(crate) to: Places,
}

/// Computes a tile of `PIXELS` pixels by `VECTORS` vectors of channels.
///
/// # Panics
/// Panics if a place lies outside its slice.
#[inline(always)]
#[expect(unsafe_code, reason = "a check of each of 28 loads per tap would take as long as the sums")]
pub(crate) fn compute<S: Simd, M: Multiply<S>, const PIXELS: usize, const VECTORS: usize>(
    s: S,
    multiply: M,
    t: Tile<'_, M::Number>,
) {
    const { assert!(PIXELS <= 14 && VECTORS <= 2 && M::TAPS <= 2) };
    assert!(t.from.fit(PIXELS, S::STRIP, t.taps.len(), t.x.len()), "the window of a pixel is outside the input");
    assert!(t.to.fit(PIXELS, S::STRIP, t.channels, t.y.len()), "a pixel is outside the output");
    assert!(
        t.weights.len() >= t.taps.offsets.len() * t.taps.run.next_multiple_of(M::TAPS) * VECTORS * LANES,
        "weights are missing"
    );
    assert!(
        t.channels <= VECTORS * LANES && t.bias.is_none_or(|bias| bias.len() >= VECTORS * LANES),
        "more channels than the tile has"
    );

    // Runs a block for each pixel with a literal index: a loop over the sums would keep them in memory.
    macro_rules! for_each_pixel {
        ($i:ident => $body:block) => {
            for_each_pixel!($i => $body; 0 1 2 3 4 5 6 7 8 9 10 11 12 13)
        };
        ($i:ident => $body:block; $($n:literal)*) => {
            {$({
                const $i: usize = $n;
                if $i < PIXELS { $body }
            })*}
        };
    }
    // Whole vectors are the usual case. They are loaded and stored without further checks; others go through an array.
    let whole = t.channels == VECTORS * LANES;
    let mut sums = [[s.splat(0.0); 2]; 14];
    let start = match t.start {
        Start::Zero => None,
        Start::Output => Some((&*t.y, t.to)),
        Start::Values(values, places) => Some((values, places)),
    };
    if let Some((values, places)) = start {
        assert!(places.fit(PIXELS, S::STRIP, t.channels, values.len()), "a pixel is outside the values that are added");
        if whole {
            for_each_pixel!(I => {
                let place = values.as_ptr().wrapping_add(places.at(I, S::STRIP));
                // SAFETY: the check above has shown that `VECTORS` vectors follow the place.
                sums[I][0] = s.load(unsafe { &*place.cast() });
                if VECTORS > 1 { sums[I][1] = s.load(unsafe { &*place.wrapping_add(LANES).cast() }); }
            });
        } else {
            let mut rows = [[[0.0; LANES]; VECTORS]; PIXELS];
            for (i, row) in rows.iter_mut().enumerate() {
                row.as_flattened_mut()[..t.channels].copy_from_slice(&values[places.at(i, S::STRIP)..][..t.channels]);
            }
            for_each_pixel!(I => {
                sums[I][0] = s.load(&rows[I][0]);
                if VECTORS > 1 { sums[I][1] = s.load(&rows[I][VECTORS - 1]); }
            });
        }
    }

    let pixel = t.from.pixel;
    let mut weights = t.weights.as_ptr();
    for &offset in t.taps.offsets {
        // Three bases a strip, three pixels apart: the pixels in between are reached by addressing modes of the processor.
        let base =
            |strip: usize, third: usize| t.x.as_ptr().wrapping_add(t.from.strips[strip] + offset + third * 3 * pixel);
        let bases: [[*const M::Number; 3]; MOST_STRIPS] =
            std::array::from_fn(|strip| [0, 1, 2].map(|third| base(strip, third)));
        // Adds the products of one tap, or of as many as are multiplied at once.
        macro_rules! step {
            ($k:expr, $splat:ident) => {
                // SAFETY: the weights have `VECTORS` vectors for each of the taps, as checked above.
                let (first, second) = unsafe {
                    let first = multiply.load(s, weights);
                    (first, if VECTORS > 1 { multiply.load(s, weights.wrapping_add(M::TAPS * LANES)) } else { first })
                };
                weights = weights.wrapping_add(VECTORS * M::TAPS * LANES);
                for_each_pixel!(I => {
                    let strip = const { I / S::STRIP };
                    let within = const { I % S::STRIP };
                    let place = bases[strip][within / 3].wrapping_add(within % 3 * pixel + $k);
                    // SAFETY: the place is `offset + k` numbers after the window of pixel `I`, and the check above has shown that
                    // the largest offset and all of its run lie within the input.
                    let x = unsafe { multiply.$splat(s, place) };
                    sums[I][0] = multiply.mul_add(s, x, first, sums[I][0]);
                    if VECTORS > 1 { sums[I][1] = multiply.mul_add(s, x, second, sums[I][1]); }
                });
            };
        }
        for step in 0..t.taps.run / M::TAPS {
            step!(step * M::TAPS, splat);
        }
        if M::TAPS > 1 && !t.taps.run.is_multiple_of(M::TAPS) {
            step!(t.taps.run - 1, splat_one);
        }
    }

    if let Some(bias) = t.bias {
        let bias = |v: usize| s.load(bias[v * LANES..].first_chunk().unwrap_or(&[0.0; LANES]));
        let (first, second) = (bias(0), bias(VECTORS - 1));
        for_each_pixel!(I => {
            sums[I][0] = s.add(sums[I][0], first);
            if VECTORS > 1 { sums[I][1] = s.add(sums[I][1], second); }
        });
    }
    let bounds = match t.finish {
        Finish::Nothing => None,
        Finish::Relu => Some((0.0, f32::INFINITY)),
        Finish::Clamp(low, high) => Some((low, high)),
    };
    if let Some((low, high)) = bounds {
        let (low, high) = (s.splat(low), s.splat(high));
        // NaN is the second operand, and stays.
        for_each_pixel!(I => {
            sums[I][0] = s.min(high, s.max(low, sums[I][0]));
            if VECTORS > 1 { sums[I][1] = s.min(high, s.max(low, sums[I][1])); }
        });
    }
    if whole {
        for_each_pixel!(I => {
            let place = t.y.as_mut_ptr().wrapping_add(t.to.at(I, S::STRIP));
            // SAFETY: the check at the beginning has shown that `VECTORS` vectors of the output follow the place.
            s.store(sums[I][0], unsafe { &mut *place.cast() });
            if VECTORS > 1 { s.store(sums[I][1], unsafe { &mut *place.wrapping_add(LANES).cast() }); }
        });
    } else {
        let mut rows = [[[0.0; LANES]; VECTORS]; PIXELS];
        for_each_pixel!(I => {
            s.store(sums[I][0], &mut rows[I][0]);
            if VECTORS > 1 { s.store(sums[I][1], &mut rows[I][VECTORS - 1]); }
        });
        for (i, row) in rows.iter().enumerate() {
            let to = &mut t.y[t.to.at(i, S::STRIP)..][..t.channels];
            to.copy_from_slice(&row.as_flattened()[..t.channels]);
        }
    }
}

/// Calls [`compute`] with the number of pixels and vectors as constants. Each combination is a function of its own, compiled
/// for the instruction set.
macro_rules! compute_tile {
    ($simd:expr, $multiply:expr, $tile:expr, $vectors:literal; $($pixels:literal)*) => {{
        use $crate::arch::tile::{Multiply, compute};
        let (simd, multiply, tile) = ($simd, $multiply, $tile);
        match tile.pixels {
            $($pixels => Multiply::run(multiply, simd, #[inline(always)] || compute::<_, _, $pixels, $vectors>(simd, multiply, tile)),)*
            pixels => panic!("a tile of {pixels} pixels"),
        }
    }};
}
pub(crate) use compute_tile;
