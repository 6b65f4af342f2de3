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
        let last = |i: usize| self.strips[i] + (strip.min(pixels - i * strip) - 1) * self.pixel + needed <= len;
        (0..pixels.div_ceil(strip)).all(last)
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
    let furthest = t.taps.offsets.iter().fold(0, |a, b| a.max(*b)) + t.taps.run;
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
    // Returns the given vector of a pixel's channels, filled up with zeros.
    #[inline(always)]
    fn load_some<S: Simd>(s: S, from: &[f32], at: usize, channels: usize, vector: usize) -> S::F32 {
        let mut lanes = [0.0; LANES];
        let count = channels.saturating_sub(vector * LANES).min(LANES);
        if count == LANES {
            // Whole vectors are the usual case.
            return s.load(from[at + vector * LANES..].first_chunk().unwrap_or(&lanes));
        }
        lanes[..count].copy_from_slice(&from[at + vector * LANES..][..count]);
        s.load(&lanes)
    }

    let mut sums = [[s.splat(0.0); 2]; 14];
    match t.start {
        Start::Zero => {}
        Start::Output => for_each_pixel!(I => {
            let at = t.to.at(I, S::STRIP);
            sums[I][0] = load_some(s, t.y, at, t.channels, 0);
            if VECTORS > 1 { sums[I][1] = load_some(s, t.y, at, t.channels, 1); }
        }),
        Start::Values(values, places) => for_each_pixel!(I => {
            let at = places.at(I, S::STRIP);
            sums[I][0] = load_some(s, values, at, t.channels, 0);
            if VECTORS > 1 { sums[I][1] = load_some(s, values, at, t.channels, 1); }
        }),
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

    // -0 is what changes nothing.
    let bias = |v: usize| match t.bias.and_then(|bias| bias[v * LANES..].first_chunk()) {
        Some(bias) => s.load(bias),
        None => s.splat(-0.0),
    };
    let (first, second) = (bias(0), if VECTORS > 1 { bias(1) } else { s.splat(-0.0) });
    let (low, high) = match t.finish {
        Finish::Clamp(low, high) => (s.splat(low), s.splat(high)),
        _ => (s.splat(0.0), s.splat(f32::INFINITY)),
    };
    let unchanged = matches!(t.finish, Finish::Nothing);
    for_each_pixel!(I => {
        let at = t.to.at(I, S::STRIP);
        for v in 0..VECTORS {
            let mut sum = s.add(sums[I][v], if v == 0 { first } else { second });
            if !unchanged {
                // NaN is the second operand, and stays.
                sum = s.min(high, s.max(low, sum));
            }
            let count = t.channels.saturating_sub(v * LANES).min(LANES);
            if let (LANES, Some(to)) = (count, t.y[at + v * LANES..].first_chunk_mut()) {
                s.store(sum, to);
            } else if count > 0 {
                let mut lanes = [0.0; LANES];
                s.store(sum, &mut lanes);
                t.y[at + v * LANES..][..count].copy_from_slice(&lanes[..count]);
            }
        }
    });
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
