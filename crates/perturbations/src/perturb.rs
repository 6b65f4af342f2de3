use crate::{NoiseKey, PerturbationKind, Region};
use hard_imagenet_cpu::dispatch;
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::{Mask, Rect};
use std::ops::Range;

/// A change to one image, given the mask of its object.
///
/// A perturbation needs an id and [`apply`](Self::apply). The other methods state what records, tables and pages say
/// about it; their defaults are what [`KINDS`](crate::KINDS) declares for the id of a built-in perturbation. A
/// perturbation written elsewhere should choose an id that is not built in, and should override what applies.
///
/// ```
/// use hard_imagenet_images::Pixels;
/// use hard_imagenet_masks::Mask;
/// use hard_imagenet_perturbations::{NoiseKey, Perturb};
///
/// /// Inverts the colors of the object.
/// struct Invert;
///
/// impl Perturb for Invert {
///     fn id(&self) -> String {
///         "invert".to_owned()
///     }
///
///     fn apply(&self, image: &Pixels, mask: &Mask, _: NoiseKey) -> Pixels {
///         let mut inverted = image.clone();
///         let plane = mask.as_slice().len();
///         for (i, value) in inverted.as_mut_slice().iter_mut().enumerate() {
///             if mask.as_slice()[i % plane] == 1 {
///                 *value = 1.0 - *value;
///             }
///         }
///         inverted
///     }
///
///     fn title(&self) -> String {
///         "object inverted".to_owned()
///     }
///
///     fn keeps_object(&self) -> bool {
///         true
///     }
/// }
///
/// let image = Pixels::from_vec(1, 2, vec![0.25; 6])?;
/// let mask = Mask::from_fn(1, 2, |_, column| column == 0);
/// assert_eq!(Invert.apply(&image, &mask, NoiseKey(0)).as_slice()[..2], [0.75, 0.25]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Perturb: Send + Sync {
    /// Returns the word that names the perturbation in records, options and tables: `gray`, `noise:linf:0.25:fg`.
    ///
    /// Two perturbations that change an image differently must have different ids.
    fn id(&self) -> String;

    /// Returns the perturbed image. `image` is `(3, H, W)` in [0, 1], `mask` is `(H, W)`; the result has the size of the
    /// image.
    ///
    /// The result must be a function of the three arguments alone: whatever is random must be drawn from `key`.
    ///
    /// # Panics
    /// Panics if image and mask differ in size.
    fn apply(&self, image: &Pixels, mask: &Mask, key: NoiseKey) -> Pixels;

    /// Returns whether the result depends on the key, so that several trials make sense.
    fn is_random(&self) -> bool {
        PerturbationKind::find(&self.id()).is_some_and(|kind| kind.is_random)
    }

    /// Returns a short title for table heads, such as "object gray". The default for other than built-in perturbations is
    /// the id.
    fn title(&self) -> String {
        let id = self.id();
        PerturbationKind::find(&id).map_or_else(|| id.clone(), |kind| kind.title(&id))
    }

    /// Returns what happens to the image, in a sentence or two, for the method section of a page.
    fn sentence(&self) -> String {
        PerturbationKind::find(&self.id()).map_or_else(String::new, |kind| kind.sentence.to_owned())
    }

    /// Returns whether the object's own pixels stay in the image, possibly disordered or in front of another background.
    /// Accuracy under such a condition is not accuracy without the object.
    fn keeps_object(&self) -> bool {
        PerturbationKind::find(&self.id()).is_some_and(|kind| kind.keeps_object)
    }

    /// Returns the version of what [`apply`](Self::apply) computes. Change it whenever results change: a run that was
    /// started under one version is not resumed under another.
    fn version(&self) -> String {
        "1".to_owned()
    }

    /// Returns whether the perturbation is made from the standard normal tensor of its key, which then is drawn once
    /// for all such perturbations of a sample and trial and passed to
    /// [`apply_with_normals`](Self::apply_with_normals).
    fn uses_normals(&self) -> bool {
        false
    }

    /// Returns the same image as [`apply`](Self::apply), given the standard normal tensor `(3, H, W)` that
    /// [`normals`](crate::normals) draws for the key. Only called if [`uses_normals`](Self::uses_normals).
    ///
    /// # Panics
    /// Panics if image and mask differ in size, or if there is not one normal for each value of the image.
    fn apply_with_normals(&self, image: &Pixels, mask: &Mask, key: NoiseKey, normals: &[f32]) -> Pixels {
        assert_eq!(normals.len(), image.as_slice().len(), "one standard normal for each value of the image");
        self.apply(image, mask, key)
    }
}

/// Panics if image and mask differ in size.
pub(crate) fn assert_one_size(image: &Pixels, mask: &Mask) {
    let (image, mask) = ((image.height(), image.width()), (mask.height(), mask.width()));
    assert_eq!(image, mask, "an image and its mask must have the same (height, width)");
}

/// Returns the image with new values for some runs of its pixels. `write` is called for each channel and run, and appends
/// the new values.
///
/// Every value of the result is written exactly once, because copies are limited by memory bandwidth.
pub(crate) fn rewritten<F>(image: &Pixels, runs: &[Range<usize>], mut write: F) -> Pixels
where
    F: FnMut(&mut Vec<f32>, usize, Range<usize>),
{
    let (height, width) = (image.height(), image.width());
    let mut changed = Vec::with_capacity(image.as_slice().len());
    dispatch!({
        for (channel, plane) in image.as_slice().chunks_exact((height * width).max(1)).enumerate() {
            let mut end = 0;
            for run in runs {
                append(&mut changed, &plane[end..run.start]);
                write(&mut changed, channel, run.clone());
                end = run.end;
            }
            append(&mut changed, &plane[end..]);
        }
    });
    Pixels::from_vec(height, width, changed).expect("three values per pixel")
}

/// Copies in blocks of a kilobyte, as [`Pixels`] are cloned: long copies are much slower on some processors.
pub(crate) fn append(to: &mut Vec<f32>, from: &[f32]) {
    from.chunks(BLOCK).for_each(|block| to.extend_from_slice(block));
}

/// The number of values in a kilobyte.
const BLOCK: usize = 256;

/// Returns the image with some runs of its pixels in one color.
pub(crate) fn painted(image: &Pixels, runs: &[Range<usize>], color: [f32; 3]) -> Pixels {
    rewritten(image, runs, |changed, channel, run| changed.resize(changed.len() + run.len(), color[channel]))
}

/// Copies some runs of pixels in all channels, in blocks like [`append`].
pub(crate) fn copy_runs(to: &mut [f32], from: &[f32], plane: usize, runs: &[Range<usize>]) {
    for (to, from) in to.chunks_exact_mut(plane.max(1)).zip(from.chunks_exact(plane.max(1))) {
        for run in runs {
            let blocks = to[run.clone()].chunks_mut(BLOCK).zip(from[run.clone()].chunks(BLOCK));
            blocks.for_each(|(to, from)| to.copy_from_slice(from));
        }
    }
}

/// Returns the runs of all other pixels of a plane.
pub(crate) fn between(runs: &[Range<usize>], plane: usize) -> Vec<Range<usize>> {
    let starts = std::iter::once(0).chain(runs.iter().map(|run| run.end));
    let ends = runs.iter().map(|run| run.start).chain(std::iter::once(plane));
    starts.zip(ends).map(|(start, end)| start..end).filter(|run| !run.is_empty()).collect()
}

/// Counts the pixels of some runs.
pub(crate) fn pixels(runs: &[Range<usize>]) -> usize {
    runs.iter().map(ExactSizeIterator::len).sum()
}

/// Returns the pixels of a region as runs of consecutive indices in row-major order. A run may continue in the next row.
///
/// Most objects are in one piece, so a few long runs are faster to walk through than a mask.
pub(crate) fn runs(mask: &Mask, region: Region) -> Vec<Range<usize>> {
    dispatch!(find_runs(mask, region))
}

/// Implements [`runs`] for the instruction set that it is inlined into.
#[inline(always)]
fn find_runs(mask: &Mask, region: Region) -> Vec<Range<usize>> {
    let pixels = mask.as_slice();
    let turned = if region.value() == 1 { 0 } else { u64::MAX };
    let mut runs = Vec::new();
    // The start of the current run, and the last pixel of the previous block.
    let (mut start, mut before) = (None, 0);
    // Pixels are examined 64 at a time: a bit of `edges` is set where a run begins or ends.
    let mut add = |block: usize, on: u64| {
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
    };
    let (blocks, rest) = pixels.as_chunks::<64>();
    blocks.iter().enumerate().for_each(|(block, pixels)| add(block, bits(pixels) ^ turned));
    if !rest.is_empty() {
        let mut last = [0; 64];
        last[..rest.len()].copy_from_slice(rest);
        add(blocks.len(), (bits(&last) ^ turned) & (u64::MAX >> (64 - rest.len())));
    }
    runs.extend(start.map(|start| start..pixels.len()));
    runs
}

/// Packs 64 pixels into bits, the first pixel into the lowest bit.
#[inline(always)]
fn bits(pixels: &[u8; 64]) -> u64 {
    let mut bits = 0;
    for (place, &pixel) in pixels.iter().enumerate() {
        bits |= u64::from(pixel != 0) << place;
    }
    bits
}

/// Returns Σ f(value) in f64 over some runs of a channel, where f(0) must be 0.
///
/// Sixteen partial sums are kept: the first adds values 0, 16, 32, ... of each run, the second values 1, 17, 33, ..., and
/// so on. At the end they are added up in order. This order is a promise, because noise depends on its rounding. A single
/// sum would have to wait for each addition.
pub(crate) fn sum<F: Fn(f64) -> f64>(plane: &[f32], runs: &[Range<usize>], f: F) -> f64 {
    dispatch!(sum_in_lanes(plane, runs, &f))
}

/// [`sum`], for whatever instruction set it is inlined into.
#[inline(always)]
fn sum_in_lanes<F: Fn(f64) -> f64>(plane: &[f32], runs: &[Range<usize>], f: &F) -> f64 {
    let mut sums = [0f64; 16];
    for run in runs {
        let (whole, rest) = plane[run.clone()].as_chunks::<16>();
        let mut last = [0f32; 16];
        last[..rest.len()].copy_from_slice(rest);
        for values in whole {
            for (sum, &value) in sums.iter_mut().zip(values) {
                *sum += f(f64::from(value));
            }
        }
        for (sum, &value) in sums.iter_mut().zip(&last) {
            *sum += f(f64::from(value));
        }
    }
    sums.iter().sum()
}

/// Replaces each value of some runs, in all channels, by a function of it and of the other value at the same place.
pub(crate) fn merge_runs<F>(values: &mut [f32], others: &[f32], plane: usize, runs: &[Range<usize>], f: F)
where
    F: Fn(f32, f32) -> f32,
{
    dispatch!(merge_each(values, others, plane, runs, &f));
}

/// [`merge_runs`], for whatever instruction set it is inlined into.
#[inline(always)]
fn merge_each<F>(values: &mut [f32], others: &[f32], plane: usize, runs: &[Range<usize>], f: &F)
where
    F: Fn(f32, f32) -> f32,
{
    for (values, others) in values.chunks_exact_mut(plane.max(1)).zip(others.chunks_exact(plane.max(1))) {
        for run in runs {
            let pairs = values[run.clone()].iter_mut().zip(&others[run.clone()]);
            pairs.for_each(|(value, &other)| *value = f(*value, other));
        }
    }
}

/// Fills a rectangle of all channels with one value.
pub(crate) fn fill(image: &mut Pixels, area: Rect, value: f32) {
    fill_color(image, area, [value; 3]);
}

/// Fills a rectangle with a color.
pub(crate) fn fill_color(image: &mut Pixels, area: Rect, color: [f32; 3]) {
    let (height, width) = (image.height(), image.width());
    for (plane, value) in image.as_mut_slice().chunks_exact_mut((height * width).max(1)).zip(color) {
        for row in area.top..area.bottom {
            plane[row * width + area.left..row * width + area.right].fill(value);
        }
    }
}

/// Returns the mean color of some runs of pixels, or gray if there are none.
pub(crate) fn mean_color(image: &Pixels, runs: &[Range<usize>]) -> [f32; 3] {
    let count = pixels(runs);
    let mut color = [GRAY; 3];
    if count > 0 {
        let planes = image.as_slice().chunks_exact(image.height() * image.width());
        for (plane, mean) in planes.zip(&mut color) {
            *mean = (sum(plane, runs, |value| value) / count as f64) as f32;
        }
    }
    color
}

/// Middle gray, the color of removed objects.
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
                assert!(found.windows(2).all(|pair| pair[0].end < pair[1].start), "runs are as long as possible");
                let others = [Region::Background, Region::Foreground][usize::from(region.value() == 0)];
                assert_eq!(between(&found, mask.as_slice().len()), runs(mask, others));
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
    fn sums_are_added_in_the_promised_order() {
        let values: Vec<f32> = (0..400).map(|i| (i * 7919 % 1009) as f32 / 1009.0).collect();
        let all = std::iter::once(0..400);
        for runs in [vec![], all.collect(), vec![3..4, 5..20, 21..37, 40..57, 100..399]] {
            let mut sums = [0.0; 16];
            for run in &runs {
                values[run.clone()].iter().enumerate().for_each(|(i, &v)| sums[i % 16] += f64::from(v) * f64::from(v));
            }
            assert_eq!(sum(&values, &runs, |v| v * v).to_bits(), sums.iter().sum::<f64>().to_bits());
        }
    }

    #[test]
    fn a_region_of_any_size_is_painted_once() {
        for size in [0, 1, 9, 40] {
            let image = Pixels::from_vec(size, size, (0..3 * size * size).map(|i| i as f32).collect()).unwrap();
            for rows in [0, 1, size / 3, size * 2 / 3, size] {
                let mask = Mask::from_fn(size, size, |row, column| row < rows && column != 2);
                for region in [Region::Foreground, Region::Background] {
                    let changed = painted(&image, &runs(&mask, region), [0.25, 0.5, 0.75]);
                    let value = |i: usize| match mask.as_slice()[i % (size * size)] == region.value() {
                        true => [0.25, 0.5, 0.75][i / (size * size)],
                        false => image.as_slice()[i],
                    };
                    assert_eq!(changed.as_slice(), (0..3 * size * size).map(value).collect::<Vec<_>>());
                }
            }
        }
    }
}
