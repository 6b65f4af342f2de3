use crate::coefficients::{Axis, BITS, Coefficients};
use crate::simd::isa;
use crate::transpose::transpose;
use crate::{Filter, Gray8, Rgb8};

impl Rgb8 {
    /// Resizes the image to `height` × `width`, equal to Pillow to the bit.
    ///
    /// The result is that of `Image.resize((width, height), resample)` in Pillow 2.7 to 12 for an image of mode "RGB":
    /// all filters except [`Filter::Nearest`] are antialiased, and each of the two passes is rounded to 8 bits. An
    /// image without pixels becomes black.
    ///
    /// ```
    /// use hard_imagenet_images::{Filter, Rgb8};
    ///
    /// // A red, a green and a blue pixel.
    /// let image = Rgb8::from_vec(1, 3, vec![255, 0, 0, 0, 255, 0, 0, 0, 255])?;
    /// // Image.fromarray(np.uint8([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]])).resize((2, 1), Image.Resampling.BICUBIC)
    /// let small = image.resize(1, 2, Filter::Bicubic);
    /// assert_eq!(small.data, [166, 99, 0, 0, 99, 166]);
    /// # Ok::<(), hard_imagenet_images::SizeError>(())
    /// ```
    ///
    /// # Panics
    /// If [`data`](Self::data) does not hold `height * width * 3` values.
    pub fn resize(&self, height: usize, width: usize, filter: Filter) -> Self {
        let data = resize::<3>(&self.data, (self.height, self.width), (height, width), filter);
        Self { height, width, data }
    }
}

impl Gray8 {
    /// Resizes the image to `height` × `width`, equal to Pillow to the bit for an image of mode "L"; see
    /// [`Rgb8::resize`].
    ///
    /// # Panics
    /// If [`data`](Self::data) does not hold `height * width` values.
    pub fn resize(&self, height: usize, width: usize, filter: Filter) -> Self {
        let data = resize::<1>(&self.data, (self.height, self.width), (height, width), filter);
        Self { height, width, data }
    }
}

/// Resamples whole images `(H, W, C)`; sizes are (height, width).
fn resize<const C: usize>(data: &[u8], from: (usize, usize), to: (usize, usize), filter: Filter) -> Vec<u8> {
    assert_eq!(data.len(), from.0 * from.1 * C, "an image of {} × {} with {C} values per pixel", from.0, from.1);
    if data.is_empty() {
        return vec![0; to.0 * to.1 * C];
    }
    resample::<C>(data, &Axis::whole(from.0, to.0), &Axis::whole(from.1, to.1), filter)
}

/// Resamples `(H, W, C)` u8 to `rows.to × columns.to` and returns the wanted window.
///
/// The result equals Pillow 2.7 to 12 to the bit: the horizontal pass comes first, values are rounded to u8 between the
/// passes, coefficients have 22 bits, and a pass is skipped if the size does not change. Pillow 13 runs the vertical
/// pass first for many portrait images, which changes a quarter of the values by one level (Q25).
pub(crate) fn resample<const C: usize>(data: &[u8], rows: &Axis, columns: &Axis, filter: Filter) -> Vec<u8> {
    if rows.window.is_empty() || columns.window.is_empty() {
        return Vec::new();
    }
    if filter == Filter::Nearest {
        return nearest::<C>(data, rows, columns);
    }
    let vertical = &Coefficients::new(rows, filter);
    // The horizontal pass computes only the rows that the vertical pass reads.
    let needed = vertical.reads();
    let source = &data[needed.start * columns.from * C..needed.end * columns.from * C];
    let width = columns.window.len();
    let mut out = vec![0; rows.window.len() * width * C];
    let mut wide = Vec::new();
    // The image is processed in strips of columns, so that the intermediate rows stay in the cache.
    let strip = width.div_ceil(width.div_ceil(STRIP));
    for left in (0..width).step_by(strip) {
        let strip = left..width.min(left + strip);
        let window = columns.window.start + strip.start..columns.window.start + strip.end;
        horizontal::<C>(source, &Axis { window, ..*columns }, filter, &mut wide);
        let (lines, stride) = (&wide, strip.len() * C);
        let (out, out_stride) = (&mut out[left * C..], width * C);
        sum_lines(lines, stride, needed.start, vertical, out, out_stride);
    }
    out
}

/// The largest number of columns in a strip.
const STRIP: usize = 64;

/// Resamples each row of `source` into a row of `out`.
///
/// Weighted sums are fast along lines. So blocks of rows are transposed, which makes each column a line, summed, and
/// transposed back.
fn horizontal<const C: usize>(source: &[u8], columns: &Axis, filter: Filter, out: &mut Vec<u8>) {
    let (before, after) = (columns.from * C, columns.window.len() * C);
    out.resize(source.len() / before * after, 0);
    if columns.from == columns.to {
        for (out, source) in out.chunks_exact_mut(after).zip(source.chunks_exact(before)) {
            out.copy_from_slice(&source[columns.window.start * C..columns.window.end * C]);
        }
        return;
    }
    let coefficients = &Coefficients::new(columns, filter);
    let reads = coefficients.reads();
    let (first, stride) = (reads.start, C * LANES);
    let mut turned = vec![0; reads.len() * stride];
    let mut summed = vec![0; after * LANES];
    for (source, out) in source.chunks(before * LANES).zip(out.chunks_mut(after * LANES)) {
        let (rows, columns) = (source.len() / before, reads.len() * C);
        let from = &source[first * C..];
        transpose(from, (rows, columns), before, &mut turned, LANES);
        let (lines, out_stride) = (&turned, stride);
        sum_lines(lines, stride, first, coefficients, &mut summed, out_stride);
        let (from, rows, columns) = (&summed, after, rows);
        transpose(from, (rows, columns), LANES, out, after);
    }
}

/// The number of samples that are summed at once. Their sums fit into the registers of common processors.
const LANES: usize = 32;

/// Writes each output line as a weighted sum of the lines below it.
///
/// `lines` has `stride` values each, and its first line has the number `first`.
///
/// Never inlined: where the compiler knows `stride`, it unrolls the loops instead of vectorizing them, which is four
/// times slower with AVX2.
#[inline(never)]
fn sum_lines(
    lines: &[u8],
    stride: usize,
    first: usize,
    coefficients: &Coefficients,
    out: &mut [u8],
    out_stride: usize,
) {
    isa().run(
        #[inline(always)]
        || sum_lines_in_lanes(lines, stride, first, coefficients, out, out_stride),
    );
}

#[inline(always)]
fn sum_lines_in_lanes(
    lines: &[u8],
    stride: usize,
    first: usize,
    coefficients: &Coefficients,
    out: &mut [u8],
    out_stride: usize,
) {
    for (line, (start, weights)) in out.chunks_mut(out_stride).zip(coefficients.iter()) {
        let line = &mut line[..stride];
        let lines = &lines[(start - first) * stride..];
        if stride < LANES {
            for (at, value) in line.iter_mut().enumerate() {
                [*value] = weighted(&lines[at..], stride, weights);
            }
            continue;
        }
        // If the line is no multiple of the lanes, its last lanes overlap the ones before and are computed twice.
        for at in (0..stride).step_by(LANES).map(|at| at.min(stride - LANES)) {
            let sums: [u8; LANES] = weighted(&lines[at..], stride, weights);
            line[at..at + LANES].copy_from_slice(&sums);
        }
    }
}

/// Returns the weighted sums of `N` neighboring samples over consecutive lines, rounded and clipped to u8.
#[inline(always)]
fn weighted<const N: usize>(lines: &[u8], stride: usize, weights: &[i32]) -> [u8; N] {
    // The sums start at one half, so that the shift below rounds.
    let mut sums = [1i32 << (BITS - 1); N];
    for (line, &weight) in lines.chunks(stride).zip(weights) {
        for (sum, &value) in sums.iter_mut().zip(&line[..N]) {
            *sum += i32::from(value) * weight;
        }
    }
    let mut bytes = [0; N];
    for (byte, sum) in bytes.iter_mut().zip(sums) {
        *byte = (sum >> BITS).clamp(0, 255) as u8;
    }
    bytes
}

/// Takes the source sample under the center of each output sample.
fn nearest<const C: usize>(data: &[u8], rows: &Axis, columns: &Axis) -> Vec<u8> {
    let columns_at = find_centers(columns);
    let mut out = vec![0; rows.window.len() * columns_at.len() * C];
    for (row, line) in find_centers(rows).into_iter().zip(out.chunks_exact_mut(columns_at.len() * C)) {
        // Whole pixels are checked and copied at once.
        let source = data[row * columns.from * C..(row + 1) * columns.from * C].as_chunks::<C>().0;
        for (pixel, &column) in line.as_chunks_mut::<C>().0.iter_mut().zip(&columns_at) {
            *pixel = source[column];
        }
    }
    out
}

/// Returns the source sample under the center of each output sample.
///
/// Positions are accumulated step by step, as Pillow does; multiplying would round differently.
fn find_centers(axis: &Axis) -> Vec<usize> {
    let scale = axis.from as f64 / axis.to as f64;
    let all = std::iter::successors(Some(scale * 0.5), |at| Some(at + scale)).map(|at| at as usize);
    all.take(axis.window.end).skip(axis.window.start).map(|at| at.min(axis.from - 1)).collect()
}
