use crate::isa::Isa;
use crate::row::{has_tail, load_last, map_in_place, map2_in_place, store_last};
use crate::simd::{LANES, Simd, Vectorized};
use crate::view::ImageView;
use std::ops::Range;

/// A square window that moves over an image.
///
/// The size of the output says how many windows there are. Windows may reach beyond the padding, as the last ones do in
/// torch's `ceil_mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// The side of the window, in pixels.
    pub size: usize,
    /// The step between neighboring windows, in pixels.
    pub stride: usize,
    /// The number of rows and columns added on each side.
    pub padding: usize,
}

impl Pool {
    /// Returns the pixels of window `i` along an axis of `length` pixels, without padding.
    #[inline(always)]
    fn window(&self, i: usize, length: usize) -> Range<usize> {
        let end = (i * self.stride + self.size).saturating_sub(self.padding).min(length);
        (i * self.stride).saturating_sub(self.padding).min(end)..end
    }

    /// Returns the number of pixels of window `i` including padding, but not what reaches beyond that.
    #[inline(always)]
    fn padded_len(&self, i: usize, length: usize) -> usize {
        (i * self.stride + self.size).min(length + 2 * self.padding) - i * self.stride
    }
}

/// Writes the largest value of each window of one image, channel by channel.
///
/// Computes the given `rows` of the output that `to` describes. `to.start` is where row `rows.start` begins in `y`, so that
/// threads can work on disjoint bands of one image. Padding is never the maximum, and a window that contains NaN yields NaN.
///
/// # Panics
/// Panics if the numbers of channels differ or a pixel lies outside its slice.
pub fn max_pool(isa: Isa, x: &[f32], from: ImageView, y: &mut [f32], to: ImageView, pool: Pool, rows: Range<usize>) {
    assert_eq!(from.channels, to.channels);
    isa.vectorize(MaxPool(Windows { x, from, y, to, pool, rows }));
}

/// Writes the mean of each window of one image, channel by channel.
///
/// With `count_padding`, padding counts as zeros; without it, the mean is over the pixels of the image. What lies beyond the
/// padding never counts. The pixels are added in the order of rows. `rows` and `to` have the meaning they have in
/// [`max_pool`].
///
/// # Panics
/// Panics if the numbers of channels differ or a pixel lies outside its slice.
#[expect(clippy::too_many_arguments, reason = "two images, each with its place, and how to compute one from the other")]
pub fn average_pool(
    isa: Isa,
    x: &[f32],
    from: ImageView,
    y: &mut [f32],
    to: ImageView,
    pool: Pool,
    count_padding: bool,
    rows: Range<usize>,
) {
    assert_eq!(from.channels, to.channels);
    isa.vectorize(AveragePool { windows: Windows { x, from, y, to, pool, rows }, count_padding });
}

/// How a channel of an image becomes one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// The mean.
    Mean,
    /// The sum. Each row of the image is added up from left to right, and then the sums of the rows.
    Sum,
    /// The largest value, or NaN if there is one.
    Max,
}

/// Writes the mean, the sum or the maximum over all pixels for each channel to `y`, as global pooling does.
///
/// # Panics
/// Panics if the length of `y` is not the number of channels or a pixel lies outside `x`.
pub fn reduce_pixels(isa: Isa, how: Reduction, x: &[f32], from: ImageView, y: &mut [f32]) {
    assert_eq!(y.len(), from.channels);
    isa.vectorize(Pixels { how, x, from, y });
}

/// Some rows and columns of an image.
struct Region<'a> {
    x: &'a [f32],
    from: ImageView,
    rows: Range<usize>,
    columns: Range<usize>,
}

impl Region<'_> {
    /// Combines the values of each channel, starting with `start`, and writes what `finish` makes of the result.
    #[inline(always)]
    fn fold<S: Simd>(
        &self,
        s: S,
        start: f32,
        combine: impl Fn(S::F32, S::F32) -> S::F32,
        finish: impl Fn(S::F32) -> S::F32,
        to: &mut [f32],
    ) {
        let start = s.splat(start);
        // Four vectors of channels at a time stay in registers while the pixels pass by.
        let (blocks, rest) = to.as_chunks_mut::<{ 4 * LANES }>();
        let rest_start = blocks.len() * 4 * LANES;
        for (i, to) in blocks.iter_mut().enumerate() {
            let mut values = [start; 4];
            self.for_each_pixel(
                i * 4 * LANES,
                4 * LANES,
                #[inline(always)]
                |x| {
                    for (value, x) in values.iter_mut().zip(x.as_chunks().0) {
                        *value = combine(*value, s.load(x));
                    }
                },
            );
            for (value, to) in values.into_iter().zip(to.as_chunks_mut().0) {
                s.store(finish(value), to);
            }
        }
        for (i, to) in rest.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let mut value = start;
            self.for_each_pixel(
                rest_start + i * LANES,
                LANES,
                #[inline(always)]
                |x| value = combine(value, load_last(s, x)),
            );
            s.store(finish(value), to);
        }
        if has_tail(to) {
            let mut value = start;
            self.for_each_pixel(
                0,
                to.len(),
                #[inline(always)]
                |x| value = combine(value, load_last(s, x)),
            );
            store_last(s, finish(value), to);
        }
    }

    /// Calls `f` with `count` channels of each pixel, from left to right and row by row.
    #[inline(always)]
    fn for_each_pixel(&self, first: usize, count: usize, mut f: impl FnMut(&[f32])) {
        for row in self.rows.clone() {
            for column in self.columns.clone() {
                f(&self.x[self.from.at(row, column) + first..][..count]);
            }
        }
    }
}

/// The windows of some rows of the output.
struct Windows<'a> {
    x: &'a [f32],
    from: ImageView,
    y: &'a mut [f32],
    to: ImageView,
    pool: Pool,
    rows: Range<usize>,
}

impl Windows<'_> {
    /// Returns the pixels of a window and its place in the output.
    #[inline(always)]
    fn window(&mut self, row: usize, column: usize) -> (Region<'_>, &mut [f32]) {
        let rows = self.pool.window(row, self.from.height);
        let columns = self.pool.window(column, self.from.width);
        let at = self.to.at(row - self.rows.start, column);
        (Region { x: self.x, from: self.from, rows, columns }, &mut self.y[at..][..self.to.channels])
    }

    #[inline(always)]
    fn write_maxima<S: Simd>(&mut self, s: S, row: usize, maximum: impl Fn(S::F32, S::F32) -> S::F32) {
        for column in 0..self.to.width {
            let (region, to) = self.window(row, column);
            region.fold(
                s,
                f32::NEG_INFINITY,
                &maximum,
                #[inline(always)]
                |value| value,
                to,
            );
        }
    }
}

/// Returns the larger of two numbers, or NaN if one of them is.
#[inline(always)]
fn maximum_or_nan<S: Simd>(s: S, a: S::F32, b: S::F32) -> S::F32 {
    // `max` returns `b` if one is NaN. The comparison fails only if `a` is.
    let finite = s.min(s.splat(f32::MAX), a);
    s.select_less(finite, s.splat(f32::INFINITY), s.max(a, b), a)
}

struct MaxPool<'a>(Windows<'a>);

impl Vectorized for MaxPool<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let mut windows = self.0;
        let mut sums = vec![0.0; windows.from.channels];
        for row in windows.rows.clone() {
            // The plain maximum forgets NaN. A sum of all values is NaN if one of them is, and is found much faster than
            // maxima that keep NaN, because windows overlap.
            let all = Region {
                x: windows.x,
                from: windows.from,
                rows: windows.pool.window(row, windows.from.height),
                columns: 0..windows.from.width,
            };
            all.fold(
                s,
                0.0,
                #[inline(always)]
                |a, b| s.add(a, b),
                #[inline(always)]
                |sum| sum,
                &mut sums,
            );
            if sums.iter().any(|sum| sum.is_nan()) {
                windows.write_maxima(
                    s,
                    row,
                    #[inline(always)]
                    |a, b| maximum_or_nan(s, a, b),
                );
            } else {
                windows.write_maxima(
                    s,
                    row,
                    #[inline(always)]
                    |a, b| s.max(a, b),
                );
            }
        }
    }
}

struct AveragePool<'a> {
    windows: Windows<'a>,
    count_padding: bool,
}

impl Vectorized for AveragePool<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let mut windows = self.windows;
        let (pool, from) = (windows.pool, windows.from);
        for row in windows.rows.clone() {
            for column in 0..windows.to.width {
                let (region, to) = windows.window(row, column);
                let count = match self.count_padding {
                    true => pool.padded_len(row, from.height) * pool.padded_len(column, from.width),
                    false => region.rows.len() * region.columns.len(),
                };
                let share = s.splat(1.0 / count as f32);
                region.fold(
                    s,
                    0.0,
                    #[inline(always)]
                    |a, b| s.add(a, b),
                    #[inline(always)]
                    |sum| s.mul(sum, share),
                    to,
                );
            }
        }
    }
}

struct Pixels<'a> {
    how: Reduction,
    x: &'a [f32],
    from: ImageView,
    y: &'a mut [f32],
}

impl Vectorized for Pixels<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        match self.how {
            Reduction::Sum => self.fold_rows(
                s,
                0.0,
                1.0,
                #[inline(always)]
                |a, b| s.add(a, b),
            ),
            Reduction::Mean => {
                let share = 1.0 / (self.from.height * self.from.width) as f32;
                self.fold_rows(
                    s,
                    0.0,
                    share,
                    #[inline(always)]
                    |a, b| s.add(a, b),
                );
            }
            Reduction::Max => self.fold_rows(
                s,
                f32::NEG_INFINITY,
                1.0,
                #[inline(always)]
                |a, b| maximum_or_nan(s, a, b),
            ),
        }
    }
}

impl Pixels<'_> {
    /// Combines the pixels of each row, and then the rows.
    #[inline(always)]
    fn fold_rows<S: Simd>(self, s: S, start: f32, factor: f32, combine: impl Fn(S::F32, S::F32) -> S::F32) {
        let mut of_row = vec![0.0; self.y.len()];
        self.y.fill(start);
        for row in 0..self.from.height {
            let region = Region { x: self.x, from: self.from, rows: row..row + 1, columns: 0..self.from.width };
            region.fold(
                s,
                start,
                &combine,
                #[inline(always)]
                |value| value,
                &mut of_row,
            );
            map2_in_place(s, self.y, &of_row, &combine);
        }
        map_in_place(
            s,
            self.y,
            #[inline(always)]
            |value| s.mul(value, s.splat(factor)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, assert_same_bits, sample};

    /// An image with gaps between its pixels and rows.
    fn scattered(height: usize, width: usize, channels: usize) -> (Vec<f32>, ImageView) {
        let pixel = channels + 3;
        let view = ImageView { start: 5, height, width, channels, pixel, row: width * pixel + 2 };
        (sample(view.at(height, width)), view)
    }

    /// The pixels of a window as the definition says: each tap that lies inside the image.
    fn taps(pool: Pool, (oy, ox): (usize, usize), from: ImageView) -> Vec<(usize, usize)> {
        let inside =
            |o: usize, k: usize, len: usize| (o * pool.stride + k).checked_sub(pool.padding).filter(|i| *i < len);
        let all = (0..pool.size).flat_map(|ky| (0..pool.size).map(move |kx| (ky, kx)));
        all.filter_map(|(ky, kx)| Some((inside(oy, ky, from.height)?, inside(ox, kx, from.width)?))).collect()
    }

    const POOLS: [(Pool, bool); 6] = [
        (Pool { size: 3, stride: 2, padding: 1 }, false),
        (Pool { size: 2, stride: 2, padding: 0 }, false),
        (Pool { size: 3, stride: 1, padding: 1 }, false),
        (Pool { size: 2, stride: 2, padding: 0 }, true),
        (Pool { size: 3, stride: 2, padding: 1 }, true),
        (Pool { size: 3, stride: 2, padding: 0 }, true),
    ];

    fn output_len(pool: Pool, length: usize, ceil: bool) -> usize {
        let room = length + 2 * pool.padding - pool.size;
        if !ceil {
            return room / pool.stride + 1;
        }
        let windows = room.div_ceil(pool.stride) + 1;
        if (windows - 1) * pool.stride >= length + pool.padding { windows - 1 } else { windows }
    }

    /// Runs a pool on every instruction set, whole and in bands of rows, and returns the values in the order (y, x, channel).
    fn everywhere(to: ImageView, run: impl Fn(Isa, &mut [f32], ImageView, Range<usize>)) -> Vec<f32> {
        let collect = |y: &[f32]| {
            let pixels = (0..to.height).flat_map(|row| (0..to.width).map(move |column| to.at(row, column)));
            pixels.flat_map(|at| y[at..][..to.channels].to_vec()).collect::<Vec<_>>()
        };
        let mut results = Isa::available().into_iter().flat_map(|isa| {
            let mut whole = vec![0.0; to.at(to.height, 0)];
            run(isa, &mut whole, to, 0..to.height);
            let mut bands = vec![0.0; to.at(to.height, 0)];
            for start in (0..to.height).step_by(2) {
                run(isa, &mut bands[start * to.row..], to, start..(start + 2).min(to.height));
            }
            [collect(&whole), collect(&bands)]
        });
        let want = results.next().unwrap();
        results.for_each(|got| assert_same_bits(&got, &want));
        want
    }

    fn for_each_case(mut check: impl FnMut(Pool, ImageView, ImageView, &[f32])) {
        for (pool, ceil) in POOLS {
            for channels in [1, 3, 16, 20, 64, 150] {
                let (x, from) = scattered(7, 8, channels);
                let (height, width) = (output_len(pool, 7, ceil), output_len(pool, 8, ceil));
                let pixel = channels + 1;
                let to = ImageView { start: 2, height, width, channels, pixel, row: pixel * width + 3 };
                check(pool, from, to, &x);
            }
        }
    }

    #[test]
    fn maxima() {
        for_each_case(|pool, from, to, x| {
            for spoiled in [false, true] {
                let mut x = x.to_vec();
                if spoiled {
                    x[from.at(3, 3)] = f32::NAN;
                    x[from.at(3, 4)] = f32::INFINITY;
                    x[from.at(6, 7)] = f32::NEG_INFINITY;
                }
                let got = everywhere(to, |isa, y, to, rows| max_pool(isa, &x, from, y, to, pool, rows));
                let mut got = got.into_iter();
                for oy in 0..to.height {
                    for ox in 0..to.width {
                        for channel in 0..to.channels {
                            let values = taps(pool, (oy, ox), from).into_iter().map(|(y, x)| from.at(y, x) + channel);
                            let want = values.map(|at| x[at]).reduce(|a, b| if a > b || a.is_nan() { a } else { b });
                            let (got, want) = (got.next().unwrap(), want.unwrap_or(f32::NEG_INFINITY));
                            assert!(got == want || got.is_nan() && want.is_nan(), "{pool:?}: {got} is not {want}");
                        }
                    }
                }
            }
        });
    }

    #[test]
    fn means() {
        for_each_case(|pool, from, to, x| {
            for count_padding in [false, true] {
                let got = everywhere(to, |isa, y, to, rows| {
                    average_pool(isa, x, from, y, to, pool, count_padding, rows);
                });
                let mut want = Vec::new();
                for oy in 0..to.height {
                    for ox in 0..to.width {
                        let taps = taps(pool, (oy, ox), from);
                        let padded = |o: usize, len: usize| {
                            (0..pool.size).filter(|k| o * pool.stride + k < len + 2 * pool.padding).count()
                        };
                        let count = match count_padding {
                            true => padded(oy, from.height) * padded(ox, from.width),
                            false => taps.len(),
                        };
                        for channel in 0..to.channels {
                            let sum: f64 = taps.iter().map(|(y, x_)| f64::from(x[from.at(*y, *x_) + channel])).sum();
                            want.push(sum / count as f64);
                        }
                    }
                }
                assert_close(&got, &want, 1e-6);
            }
        });
    }

    /// Windows over the image 0 1 2 / 3 4 5 / 6 7 8, with the values of torch's `avg_pool2d`.
    #[test]
    fn means_are_those_of_torch() {
        let x: Vec<f32> = (0..9u8).map(f32::from).collect();
        let check = |pool: Pool, count_padding, side, want: &[f64]| {
            let mut y = vec![0.0; side * side];
            let (from, to) = (ImageView::dense(3, 3, 1), ImageView::dense(side, side, 1));
            average_pool(Isa::best(), &x, from, &mut y, to, pool, count_padding, 0..side);
            assert_close(&y, want, 1e-6);
        };
        let two = Pool { size: 2, stride: 2, padding: 0 };
        check(two, true, 1, &[2.]);
        check(two, true, 2, &[2., 3.5, 6.5, 8.]);
        check(Pool { padding: 1, ..two }, true, 2, &[0., 0.75, 2.25, 6.]);
        check(Pool { padding: 1, ..two }, false, 2, &[0., 1.5, 4.5, 6.]);
        check(Pool { size: 3, stride: 2, padding: 1 }, true, 2, &[8. / 9., 12. / 9., 20. / 9., 24. / 9.]);
    }

    #[test]
    fn pixels_are_reduced() {
        for channels in [1, 3, 16, 20, 64, 150] {
            let (mut x, from) = scattered(5, 6, channels);
            let places: Vec<usize> = (0..5).flat_map(|y| (0..6).map(move |x| from.at(y, x))).collect();
            let reduce = |how: Reduction, x: &[f32]| {
                let all = Isa::available().into_iter().map(|isa| {
                    let mut y = vec![0.0; channels];
                    reduce_pixels(isa, how, x, from, &mut y);
                    y
                });
                all.reduce(|want, got| {
                    assert_same_bits(&got, &want);
                    want
                })
                .unwrap()
            };
            let values = |channel: usize| places.iter().map(move |at| at + channel);
            let sums: Vec<f64> = (0..channels).map(|c| values(c).map(|at| f64::from(x[at])).sum()).collect();
            assert_close(&reduce(Reduction::Sum, &x), &sums, 1e-5);
            let means: Vec<f64> = sums.iter().map(|sum| sum / 30.0).collect();
            assert_close(&reduce(Reduction::Mean, &x), &means, 1e-6);
            let most = |x: &[f32]| -> Vec<f64> {
                (0..channels).map(|c| values(c).map(|at| f64::from(x[at])).fold(f64::NEG_INFINITY, f64::max)).collect()
            };
            assert_close(&reduce(Reduction::Max, &x), &most(&x), 0.0);
            x[from.at(2, 2)] = f32::NAN;
            assert!(reduce(Reduction::Max, &x)[0].is_nan());
        }
    }
}
