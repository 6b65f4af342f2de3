//! Sorting the values of a map.

use super::number;

/// Bits of a digit. Three digits hold the 32 bits of a value.
const BITS: u32 = 11;

/// Returns the values in ascending order, as integers that sort like the values. Both zeros and NaN become the same
/// integer.
///
/// This is a radix sort with three passes, however many values there are.
pub(super) fn ascending(values: impl Iterator<Item = f32>) -> Vec<u32> {
    let mut orders: Vec<u32> = values.map(order).collect();
    let digit = |order: u32, place: usize| (order >> (BITS * place as u32)) as usize & ((1 << BITS) - 1);
    let mut counts = [[0usize; 1 << BITS]; 3];
    for &order in &orders {
        (0..3).for_each(|place| counts[place][digit(order, place)] += 1);
    }
    let mut sorted = vec![0; orders.len()];
    for (place, mut next) in counts.into_iter().enumerate() {
        // Turn the number of values with each digit into the place of the first one.
        let mut start = 0;
        next.iter_mut().for_each(|count| (*count, start) = (start, start + *count));
        for &order in &orders {
            let next = &mut next[digit(order, place)];
            sorted[*next] = order;
            *next += 1;
        }
        std::mem::swap(&mut orders, &mut sorted);
    }
    orders
}

/// Maps a value to an integer of the same order: all bits of a negative value are inverted, and the sign bit of the
/// others is set.
fn order(value: f32) -> u32 {
    let bits = (number(value) + 0.0).to_bits();
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}

/// Returns the value of an integer made by [`order`].
pub(super) fn value(order: u32) -> f32 {
    f32::from_bits(if order >> 31 == 0 { !order } else { order & !(1 << 31) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_sorted() {
        let check = |values: &[f32]| {
            let mut expected: Vec<f32> = values.iter().map(|&v| number(v) + 0.0).collect();
            expected.sort_by(f32::total_cmp);
            let sorted: Vec<f32> = ascending(values.iter().copied()).into_iter().map(value).collect();
            assert_eq!(sorted, expected);
        };
        check(&[]);
        check(&[0.5]);
        check(&[1.0, -1.0, 0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, 1e-40, -1e-40, f32::NAN, 3.5, -7.25, 3.5]);
        check(&(0u32..3000).map(|i| f32::from_bits(i.wrapping_mul(0x9E37_79B9))).collect::<Vec<_>>());
    }
}
