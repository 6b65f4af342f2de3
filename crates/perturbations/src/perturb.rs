use crate::{NoiseKey, Region};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::{Mask, Rect};
use std::ops::Range;

/// Something done to an image given its mask.
pub trait Perturb: Send + Sync {
    /// The word that names it in records, options and tables: `gray`, `gray-box`, `tile`, `noise:linf:0.25:fg`.
    fn id(&self) -> String;

    /// Does the result depend on the key? Then trials make sense.
    fn is_random(&self) -> bool;

    /// The perturbed image. `image` is `(3, H, W)` in [0, 1], `mask` `(H, W)`.
    ///
    /// # Panics
    /// If image and mask differ in size.
    fn apply(&self, image: &Pixels, mask: &Mask, key: NoiseKey) -> Pixels;
}

/// What every perturbation relies on.
pub(crate) fn assert_one_size(image: &Pixels, mask: &Mask) {
    let (image, mask) = ((image.height(), image.width()), (mask.height(), mask.width()));
    assert_eq!(image, mask, "an image and its mask must be of one (height, width)");
}

/// The image with a region in one colour. A copy at once and then the runs: to copy what lies between them piece by piece
/// is quicker or, where both pictures lie alike within pages of memory, several times slower.
pub(crate) fn painted(image: &Pixels, mask: &Mask, region: Region, colour: [f32; 3]) -> Pixels {
    assert_one_size(image, mask);
    let runs = runs(mask, region);
    let mut changed = image.clone();
    for (plane, colour) in changed.as_mut_slice().chunks_exact_mut(mask.as_slice().len().max(1)).zip(colour) {
        runs.iter().for_each(|run| plane[run.clone()].fill(colour));
    }
    changed
}

/// The pixels of a region as runs of consecutive ones, row-major; a run may go on in the next row. Objects are of one
/// piece more or less, so a few long runs are quicker to go through than a mask.
pub(crate) fn runs(mask: &Mask, region: Region) -> Vec<Range<usize>> {
    let pixels = mask.as_slice();
    let turned = if region.value() == 1 { 0 } else { u64::MAX };
    let mut runs = Vec::new();
    // Where the run began that we are in, and the last pixel of the block before.
    let (mut start, mut before) = (None, 0);
    for (block, pixels) in pixels.chunks(64).enumerate() {
        let on = (bits(pixels) ^ turned) & (u64::MAX >> (64 - pixels.len()));
        let mut edges = on ^ (on << 1 | before);
        before = on >> 63;
        while edges != 0 {
            let at = 64 * block + edges.trailing_zeros() as usize;
            edges &= edges - 1;
            match start.take() {
                Some(start) => runs.push(start..at),
                None => start = Some(at),
            }
        }
    }
    runs.extend(start.map(|start| start..pixels.len()));
    runs
}

/// A bit for each of up to 64 pixels, the first the lowest.
fn bits(pixels: &[u8]) -> u64 {
    // Byte k, 0 or 1, moves down by 7 k bits.
    let byte = |pixels: [u8; 8]| {
        let ones = u64::from_le_bytes(pixels);
        let pairs = ones | ones >> 7;
        let fours = pairs | pairs >> 14;
        (fours | fours >> 28) & 0xff
    };
    let (eights, rest) = pixels.as_chunks::<8>();
    let mut bits = eights.iter().rev().fold(0, |bits, &eight| bits << 8 | byte(eight));
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        bits |= byte(last) << (8 * eights.len());
    }
    bits
}

/// Σ f(value) in f64: eight sums, of every eighth value each, and then their sum. The order is part of what is
/// promised; one sum after the other would wait for each addition.
pub(crate) fn sum(values: &[f32], f: impl Fn(f64) -> f64) -> f64 {
    let mut sums = [0f64; 8];
    let (whole, rest) = values.as_chunks::<8>();
    for chunk in whole {
        for (sum, &value) in sums.iter_mut().zip(chunk) {
            *sum += f(f64::from(value));
        }
    }
    for (sum, &value) in sums.iter_mut().zip(rest) {
        *sum += f(f64::from(value));
    }
    sums.iter().sum()
}

/// Fills a rectangle of all channels with one value.
pub(crate) fn fill(image: &mut Pixels, area: Rect, value: f32) {
    fill_colour(image, area, [value; 3]);
}

/// Fills a rectangle with one colour.
pub(crate) fn fill_colour(image: &mut Pixels, area: Rect, colour: [f32; 3]) {
    let (height, width) = (image.height(), image.width());
    for (plane, value) in image.as_mut_slice().chunks_exact_mut((height * width).max(1)).zip(colour) {
        for row in area.top..area.bottom {
            plane[row * width + area.left..row * width + area.right].fill(value);
        }
    }
}

/// The mean colour of some runs of pixels; gray where there are none.
pub(crate) fn mean_colour(image: &Pixels, runs: &[Range<usize>]) -> [f32; 3] {
    let count: usize = runs.iter().map(ExactSizeIterator::len).sum();
    let mut colour = [GRAY; 3];
    if count > 0 {
        let planes = image.as_slice().chunks_exact(image.height() * image.width());
        for (plane, mean) in planes.zip(&mut colour) {
            let total: f64 = runs.iter().map(|run| sum(&plane[run.clone()], |value| value)).sum();
            *mean = (total / count as f64) as f32;
        }
    }
    colour
}

/// What stands for "nothing to see": middle gray.
pub(crate) const GRAY: f32 = 0.5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_the_pixels_of_a_region() {
        let check = |mask: &Mask| {
            for region in [Region::Foreground, Region::Background] {
                let found = runs(mask, region);
                let pixels: Vec<usize> = found.iter().cloned().flatten().collect();
                let expected = (0..mask.as_slice().len()).filter(|&i| mask.as_slice()[i] == region.value());
                assert_eq!(pixels, expected.collect::<Vec<_>>(), "{mask:?}");
                assert!(found.windows(2).all(|pair| pair[0].end < pair[1].start), "runs are as long as can be");
            }
        };
        for size in [0, 1, 7, 8, 9, 16, 20] {
            check(&Mask::new(size, size));
            check(&Mask::new(size, size).complement());
            check(&Mask::from_fn(size, size, |row, column| (row + column) % 2 == 0));
            check(&Mask::from_fn(size, size, |row, column| row > 3 && column > 5));
            check(&Mask::from_fn(size, size, |row, _| row == size / 2));
            check(&Mask::from_fn(size, size, |row, column| (row * 31 + column * 17) % 7 < 3));
        }
    }

    #[test]
    fn sums_of_any_length() {
        for count in 0..40u8 {
            let values: Vec<f32> = (0..count).map(f32::from).collect();
            assert_eq!(sum(&values, |value| 2.0 * value), f64::from(count) * (f64::from(count) - 1.0));
        }
    }
}
