//! The attention of one head, without its matrix of scores: a few queries at a time pass through scores, softmax and the
//! weighted sum of values while their scores are in the first-level cache.

use crate::Isa;
use crate::product::{Panels, Positions, Residual, Strides, Window, product};
use crate::simd::{LANES, Simd, Vectorized};
use crate::softmax::softmax_row;

/// Rows of neighboring floats.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// The floats.
    pub values: &'a [f32],
    /// The distance between rows.
    pub row: usize,
}

/// The inputs of one head.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The queries, rows of `length` floats.
    pub q: Rows<'a>,
    /// The keys, rows of `length` floats.
    pub k: Rows<'a>,
    /// The values, rows of `value_length` floats.
    pub v: Rows<'a>,
    /// What is added to the scores: a row of `keys` floats for each query.
    pub added: [Option<Rows<'a>>; 2],
    /// The factor of the scores.
    pub scale: f32,
    /// The number of queries.
    pub queries: usize,
    /// The number of keys and values.
    pub keys: usize,
    /// The length of a query and of a key.
    pub length: usize,
    /// The length of a value.
    pub value_length: usize,
}

/// The number of queries whose scores are computed at a time: a few tiles, so that the scores of 197 keys take 45 KB.
const QUERIES: usize = 56;

/// Returns how many floats of scratch memory [`attention`] needs.
pub fn scratch_len(queries: usize, keys: usize, length: usize, value_length: usize) -> usize {
    let padded = keys.next_multiple_of(LANES);
    Panels::len(keys, length) + Panels::len(value_length, keys) + QUERIES.min(queries) * padded
}

/// Computes softmax(scale · q kᵀ + added) v. Row i of the output starts at `i · row` of `y`.
///
/// # Panics
/// Panics if a row lies outside its slice or the scratch memory is shorter than [`scratch_len`].
pub fn attention(isa: Isa, head: &Head<'_>, y: &mut [f32], row: usize, scratch: &mut [f32]) {
    let Head { q, k, v, added, scale, queries, keys, length, value_length } = *head;
    let padded = keys.next_multiple_of(LANES);
    let (key_panels, rest) = scratch.split_at_mut(Panels::len(keys, length));
    let (value_panels, scores) = rest.split_at_mut(Panels::len(value_length, keys));
    Panels::pack_rows(isa, keys, length, k.values, k.row, scale, key_panels);
    Panels::pack_columns(isa, value_length, keys, v.values, v.row, value_panels);
    let key_weights = Panels { isa, outputs: keys, taps: length, values: key_panels, bias: None };
    let value_weights = Panels { isa, outputs: value_length, taps: keys, values: value_panels, bias: None };
    let rows = |start, by| Strides { start, by: [0, 0, by] };
    for first in (0..queries).step_by(QUERIES) {
        let counts = [1, 1, QUERIES.min(queries - first)];
        let scores = &mut scores[..counts[2] * padded];
        let (x, y_places, residual) = (rows(first * q.row, q.row), rows(0, padded), Strides::default());
        let positions = Positions { counts, x, y: y_places, residual };
        product(q.values, Window::row(length), key_weights, &positions, Residual::None, None, scores);
        isa.vectorize(SoftmaxOfRows { scores, padded, keys, added, first });
        let (x, y_places) = (rows(0, padded), rows(first * row, row));
        let positions = Positions { counts, x, y: y_places, residual };
        product(scores, Window::row(keys), value_weights, &positions, Residual::None, None, y);
    }
}

/// Adds to the scores of some queries, from query `first` on, and applies the softmax to each row.
struct SoftmaxOfRows<'a> {
    scores: &'a mut [f32],
    padded: usize,
    keys: usize,
    added: [Option<Rows<'a>>; 2],
    first: usize,
}

impl Vectorized for SoftmaxOfRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (i, scores) in self.scores.chunks_exact_mut(self.padded).enumerate() {
            for added in self.added.iter().flatten() {
                let added = &added.values[(self.first + i) * added.row..][..self.keys];
                scores.iter_mut().zip(added).for_each(|(score, added)| *score += added);
            }
            softmax_row(s, scores, self.keys);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize, seed: u32) -> Vec<f32> {
        let hash = |i: u32| i.wrapping_mul(2_654_435_761).wrapping_add(seed.wrapping_mul(40_503));
        (0..len as u32).map(|i| (hash(i) % 2017) as f32 / 1008.5 - 1.0).collect()
    }

    #[test]
    fn attention_equals_its_definition() {
        for (queries, keys, length, value_length) in [(3, 5, 4, 4), (197, 197, 64, 64), (60, 49, 32, 17)] {
            let (q, k, v) =
                (noise(queries * 2 * length, 1), noise(keys * (length + 3), 2), noise(keys * value_length, 3));
            let bias = noise(queries * keys, 4);
            let head = Head {
                q: Rows { values: &q, row: 2 * length },
                k: Rows { values: &k, row: length + 3 },
                v: Rows { values: &v, row: value_length },
                added: [Some(Rows { values: &bias, row: keys }), None],
                scale: 0.7,
                queries,
                keys,
                length,
                value_length,
            };
            let mut first: Option<Vec<f32>> = None;
            for isa in Isa::available() {
                let mut scratch = vec![f32::NAN; scratch_len(queries, keys, length, value_length)];
                let mut y = vec![f32::NAN; queries * value_length];
                attention(isa, &head, &mut y, value_length, &mut scratch);
                assert_eq!(first.get_or_insert_with(|| y.clone()), &y, "{isa:?}");
            }
            let y = first.unwrap();
            for query in 0..queries {
                let score = |key: usize| -> f64 {
                    let dot: f64 = (0..length)
                        .map(|i| f64::from(q[query * 2 * length + i]) * f64::from(k[key * (length + 3) + i]))
                        .sum();
                    (0.7 * dot + f64::from(bias[query * keys + key])).exp()
                };
                let total: f64 = (0..keys).map(score).sum();
                for i in 0..value_length {
                    let want: f64 = (0..keys).map(|key| score(key) * f64::from(v[key * value_length + i])).sum();
                    let got = f64::from(y[query * value_length + i]);
                    assert!((got - want / total).abs() < 2e-5, "query {query}: {got} instead of {}", want / total);
                }
            }
        }
    }
}
