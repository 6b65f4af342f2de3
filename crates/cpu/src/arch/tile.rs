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

/// A tile: inputs, weights and outputs.
pub struct Tile<'a> {
    /// The number of pixels.
    pub(crate) pixels: usize,
    /// The inputs.
    pub(crate) x: &'a [f32],
    /// Where the window of each pixel starts in the inputs.
    pub(crate) from: Places,
    /// The inputs of a window.
    pub(crate) taps: Taps<'a>,
    /// The weights, `[taps][vectors · 16]`.
    pub(crate) weights: &'a [f32],
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
pub(crate) fn compute<S: Simd, const PIXELS: usize, const VECTORS: usize>(s: S, t: Tile<'_>) {
    const { assert!(PIXELS <= 14 && VECTORS <= 2) };
    let furthest = t.taps.offsets.iter().fold(0usize, |a, b| a.max(*b)).saturating_add(t.taps.run);
    assert!(t.from.fit(PIXELS, S::STRIP, furthest, t.x.len()), "the window of a pixel is outside the input");
    assert!(t.to.fit(PIXELS, S::STRIP, t.channels, t.y.len()), "a pixel is outside the output");
    assert!(t.weights.len() >= t.taps.offsets.len() * t.taps.run * VECTORS * LANES, "weights are missing");
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
        let bases: [[*const f32; 3]; MOST_STRIPS] =
            std::array::from_fn(|strip| [0, 1, 2].map(|third| base(strip, third)));
        for k in 0..t.taps.run {
            // SAFETY: the weights have `VECTORS` vectors for each of the taps, as checked above.
            let (first, second) = unsafe {
                let first = s.load(&*weights.cast());
                let second = if VECTORS > 1 { s.load(&*weights.wrapping_add(LANES).cast()) } else { first };
                (first, second)
            };
            weights = weights.wrapping_add(VECTORS * LANES);
            for_each_pixel!(I => {
                let strip = const { I / S::STRIP };
                let within = const { I % S::STRIP };
                let place = bases[strip][within / 3].wrapping_add(within % 3 * pixel + k);
                // SAFETY: the place is `offset + k` floats after the window of pixel `I`, and the check above has shown that the
                // largest offset and all of its run lie within the input.
                let x = s.splat(unsafe { *place });
                sums[I][0] = s.mul_add(x, first, sums[I][0]);
                if VECTORS > 1 { sums[I][1] = s.mul_add(x, second, sums[I][1]); }
            });
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
    ($simd:expr, $tile:expr, $vectors:literal; $($pixels:literal)*) => {{
        let (simd, tile) = ($simd, $tile);
        match tile.pixels {
            $($pixels => Simd::run(simd, #[inline(always)] || $crate::arch::tile::compute::<_, $pixels, $vectors>(simd, tile)),)*
            pixels => panic!("a tile of {pixels} pixels"),
        }
    }};
}
pub(crate) use compute_tile;
