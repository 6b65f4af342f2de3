//! Sums and counts over a map and its mask. They are compiled for several instruction sets, and the widest one that the
//! machine has is used. Every version does the same operations in the same order on more values at a time, so the bits
//! are the same.

use hard_imagenet_cpu::dispatch;

/// The number of partial sums that are kept side by side. Each adds every sixteenth value in order, and they are added
/// up at the end. This order is guaranteed: it makes a sum the same on every machine.
const LANES: usize = 16;

/// The number of pixels in a block: as many as the bytes of a widest register.
const BLOCK: usize = 32;

/// Returns the sums of the map on the object and off it.
pub(super) fn sums(map: &[f32], mask: &[u8]) -> (f64, f64) {
    let (inside, outside) = sums_of(map, mask, |value| value);
    if inside.is_nan() || outside.is_nan() {
        // NaN is rare, so test the sums for it instead of each value.
        return sums_of(map, mask, number);
    }
    (inside, outside)
}

fn sums_of(map: &[f32], mask: &[u8], number: impl Fn(f32) -> f32) -> (f64, f64) {
    assert_same_length(map, mask);
    dispatch!(add_all(map, mask, &number))
}

#[inline(always)]
fn add_all(map: &[f32], mask: &[u8], number: &impl Fn(f32) -> f32) -> (f64, f64) {
    let (mut inside, mut outside) = ([0.0; LANES], [0.0; LANES]);
    let ((values, last_values), (pixels, last_pixels)) = (map.as_chunks::<BLOCK>(), mask.as_chunks::<BLOCK>());
    for (values, pixels) in values.iter().zip(pixels) {
        add_block(&mut inside, &mut outside, values, pixels, number);
    }
    // Fill up the remaining values with zeros.
    let (mut values, mut pixels) = ([0.0; BLOCK], [0; BLOCK]);
    values[..last_values.len()].copy_from_slice(last_values);
    pixels[..last_pixels.len()].copy_from_slice(last_pixels);
    add_block(&mut inside, &mut outside, &values, &pixels, number);
    (inside.iter().sum(), outside.iter().sum())
}

/// Adds a block to the sums. Objects are mostly of one piece, so most blocks lie entirely on one side. Those are added
/// to one of the sums only; adding zeros to the other would change nothing.
#[inline(always)]
fn add_block(
    inside: &mut [f64; LANES],
    outside: &mut [f64; LANES],
    values: &[f32; BLOCK],
    pixels: &[u8; BLOCK],
    number: &impl Fn(f32) -> f32,
) {
    let (mut any, mut all) = (0, 1);
    for pixel in pixels {
        any |= u8::from(*pixel != 0);
        all &= u8::from(*pixel != 0);
    }
    if any == 0 {
        add(outside, values, number);
    } else if all == 1 {
        add(inside, values, number);
    } else {
        let (mut on, mut off) = ([0.0; BLOCK], [0.0; BLOCK]);
        for i in 0..BLOCK {
            on[i] = if pixels[i] != 0 { values[i] } else { 0.0 };
            off[i] = if pixels[i] != 0 { 0.0 } else { values[i] };
        }
        add(inside, &on, number);
        add(outside, &off, number);
    }
}

#[inline(always)]
fn add(sums: &mut [f64; LANES], values: &[f32; BLOCK], number: &impl Fn(f32) -> f32) {
    for values in values.as_chunks::<LANES>().0 {
        for (sum, &value) in sums.iter_mut().zip(values) {
            *sum += f64::from(number(value));
        }
    }
}

/// Counts the pixels that are on in both, on in the map, and on in the mask.
pub(super) fn counts(map: &[f32], mask: &[u8], is_on: impl Fn(f32) -> bool) -> (f64, f64, f64) {
    assert_same_length(map, mask);
    dispatch!(count_all(map, mask, &is_on))
}

#[inline(always)]
fn count_all(map: &[f32], mask: &[u8], is_on: &impl Fn(f32) -> bool) -> (f64, f64, f64) {
    let mut totals = [0usize; 3];
    // Counters of one byte process the most pixels at once. A part is short enough that they cannot overflow.
    for (values, pixels) in map.chunks(255 * BLOCK).zip(mask.chunks(255 * BLOCK)) {
        let (mut both, mut map, mut mask) = ([0u8; BLOCK], [0u8; BLOCK], [0u8; BLOCK]);
        let ((values, last_values), (pixels, last_pixels)) = (values.as_chunks::<BLOCK>(), pixels.as_chunks::<BLOCK>());
        for (values, pixels) in values.iter().zip(pixels) {
            let mut on = [0u8; BLOCK];
            for i in 0..BLOCK {
                on[i] = u8::from(is_on(values[i]));
            }
            for i in 0..BLOCK {
                let object = u8::from(pixels[i] != 0);
                both[i] += on[i] & object;
                map[i] += on[i];
                mask[i] += object;
            }
        }
        for (total, counts) in totals.iter_mut().zip([both, map, mask]) {
            *total += counts.iter().map(|&count| usize::from(count)).sum::<usize>();
        }
        for (&value, &pixel) in last_values.iter().zip(last_pixels) {
            let (on, object) = (usize::from(is_on(value)), usize::from(pixel != 0));
            totals[0] += on & object;
            totals[1] += on;
            totals[2] += object;
        }
    }
    totals.map(|total| total as f64).into()
}

/// Returns the value, or 0 if it is NaN.
#[inline(always)]
pub(super) fn number(value: f32) -> f32 {
    if value.is_nan() { 0.0 } else { value }
}

pub(super) fn assert_same_length(map: &[f32], mask: &[u8]) {
    assert_eq!(map.len(), mask.len(), "a map and its mask have as many pixels as each other");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tests masks of one piece, of no pixel, of all pixels, and of scattered pixels, with maps that contain NaN.
    fn check(length: usize, test: impl Fn(&[f32], &[u8])) {
        let map: Vec<f32> =
            (0..length).map(|i| if i % 29 == 3 { f32::NAN } else { (i * 7919 % 1009) as f32 / 1009.0 - 0.1 }).collect();
        for object in [|_, _| 0, |_, _| 9, |i, n| u8::from(i > n / 3 && i < n / 2), |i, _| (i * 31 % 7) as u8 / 4] {
            test(&map, &(0..length).map(|i| object(i, length)).collect::<Vec<u8>>());
        }
    }

    const LENGTHS: [usize; 8] = [0, 1, 7, 31, 32, 33, 1000, 3 * 255 * BLOCK + 5];

    #[test]
    fn sums_are_every_sixteenth_value_in_order_to_the_bit() {
        for length in LENGTHS {
            check(length, |map, mask| {
                let sum = |on: bool| -> f64 {
                    let lane = |lane: usize| -> f64 {
                        let values = map.iter().zip(mask).skip(lane).step_by(LANES);
                        values
                            .map(|(&v, &m)| if (m != 0) == on { f64::from(number(v)) } else { 0.0 })
                            .fold(0.0, |sum, value| sum + value)
                    };
                    (0..LANES).map(lane).sum()
                };
                let (inside, outside) = sums(map, mask);
                assert_eq!((inside.to_bits(), outside.to_bits()), (sum(true).to_bits(), sum(false).to_bits()));
            });
        }
    }

    #[test]
    fn counts_are_pixel_by_pixel() {
        for length in LENGTHS {
            check(length, |map, mask| {
                let count = |on: &dyn Fn(f32, bool) -> bool| {
                    map.iter().zip(mask).filter(|(v, m)| on(**v, **m != 0)).count() as f64
                };
                let expected = (count(&|v, m| v >= 0.5 && m), count(&|v, _| v >= 0.5), count(&|_, m| m));
                assert_eq!(counts(map, mask, |v| v >= 0.5), expected);
            });
        }
    }
}
