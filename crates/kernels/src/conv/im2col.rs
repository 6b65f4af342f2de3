//! Convolution on the CPU as a matrix product (im2col).
//!
//! Each output pixel has a *column*: the pixels under the window's taps, over all channels of its group. The product of the
//! weights (outputs × taps) with a block of columns (taps × pixels) gives all output channels of these pixels. Blocks of
//! columns are small enough for a core's second-level cache, and blocks or images run in parallel.

use super::params::Conv2dParams;
use crate::gemm::{View, multiply};
use crate::slices::map_slices;
use candle_core::{DType, Result, Tensor};
use rayon::prelude::*;
use std::cell::RefCell;

/// The number of columns (output pixels) in a block.
const BLOCK: usize = 512;

/// The sizes of one convolution; all lengths in elements.
#[derive(Clone, Copy)]
struct Sizes {
    batch: usize,
    /// The number of input channels in a group.
    inputs: usize,
    /// The number of output channels in a group.
    outputs: usize,
    height: usize,
    width: usize,
    kernel_height: usize,
    kernel_width: usize,
    out_height: usize,
    out_width: usize,
    p: Conv2dParams,
}

impl Sizes {
    fn new(x: &[usize], weight: &[usize], p: Conv2dParams) -> Result<Self> {
        let (&[batch, _, height, width], &[outputs, inputs, kernel_height, kernel_width]) = (x, weight) else {
            candle_core::bail!(
                "a convolution needs the shapes (B, C, H, W) and (O, I, kh, kw), got {x:?} and {weight:?}"
            );
        };
        Ok(Self {
            batch,
            inputs,
            outputs: outputs / p.groups,
            height,
            width,
            kernel_height,
            kernel_width,
            out_height: p.output_len(height, kernel_height),
            out_width: p.output_len(width, kernel_width),
            p,
        })
    }

    fn image(&self) -> usize {
        self.p.groups * self.inputs * self.height * self.width
    }

    fn out_image(&self) -> usize {
        self.p.groups * self.outputs * self.out_plane()
    }

    fn out_plane(&self) -> usize {
        self.out_height * self.out_width
    }

    /// The number of taps of a window over all channels of its group: the inner length of the product.
    fn taps(&self) -> usize {
        self.inputs * self.kernel_height * self.kernel_width
    }

    /// Whether the columns are the image itself, so that nothing needs to be gathered.
    fn is_pointwise(&self) -> bool {
        self.kernel_height == 1 && self.kernel_width == 1 && self.p.stride == 1 && self.p.padding == 0
    }

    /// The offset of a group's channels in an image.
    fn group_offset(&self, group: usize) -> usize {
        group * self.inputs * self.height * self.width
    }

    /// The output columns whose tap `kx` falls inside the image, as a half-open range.
    fn inside(&self, kx: usize) -> (usize, usize) {
        let offset = kx * self.p.dilation;
        let first = self.p.padding.saturating_sub(offset).div_ceil(self.p.stride);
        let last = (self.width + self.p.padding).saturating_sub(offset).div_ceil(self.p.stride);
        let last = last.min(self.out_width);
        (first.min(last), last)
    }

    /// Calls `f(tap, channel, input row, kx)` for each tap, for one output row. The input row is `None` in the padding.
    fn for_each_tap(&self, out_row: usize, mut f: impl FnMut(usize, usize, Option<usize>, usize)) {
        for channel in 0..self.inputs {
            for ky in 0..self.kernel_height {
                let row = (out_row * self.p.stride + ky * self.p.dilation).checked_sub(self.p.padding);
                let row = row.filter(|row| *row < self.height);
                for kx in 0..self.kernel_width {
                    f((channel * self.kernel_height + ky) * self.kernel_width + kx, channel, row, kx);
                }
            }
        }
    }

    /// Writes the columns of one output row into a block that is `stride` columns wide, from column `at` on.
    ///
    /// A row of the block is one tap, so that every copy is a run of an image row and the product reads rows.
    fn gather(&self, x: &[f32], out_row: usize, block: &mut [f32], at: usize, stride: usize) {
        self.for_each_tap(out_row, |tap, channel, row, kx| {
            let to = &mut block[tap * stride + at..][..self.out_width];
            let Some(row) = row else {
                to.fill(0.0);
                return;
            };
            let from = &x[(channel * self.height + row) * self.width..][..self.width];
            let (first, last) = self.inside(kx);
            to[..first].fill(0.0);
            to[last..].fill(0.0);
            if first == last {
                return;
            }
            let start = first * self.p.stride + kx * self.p.dilation - self.p.padding;
            if self.p.stride == 1 {
                to[first..last].copy_from_slice(&from[start..start + last - first]);
            } else {
                for (to, from) in to[first..last].iter_mut().zip(from[start..].iter().step_by(self.p.stride)) {
                    *to = *from;
                }
            }
        });
    }

    /// Adds the columns of one output row to the pixels they came from: the transpose of [`Self::gather`].
    fn scatter(&self, block: &[f32], at: usize, stride: usize, out_row: usize, x: &mut [f32]) {
        self.for_each_tap(out_row, |tap, channel, row, kx| {
            let (first, last) = self.inside(kx);
            let Some(row) = row.filter(|_| first < last) else { return };
            let from = &block[tap * stride + at..][..self.out_width];
            let to = &mut x[(channel * self.height + row) * self.width..][..self.width];
            let start = first * self.p.stride + kx * self.p.dilation - self.p.padding;
            for (to, from) in to[start..].iter_mut().step_by(self.p.stride).zip(&from[first..last]) {
                *to += from;
            }
        });
    }
}

thread_local! {
    /// Scratch memory that is kept between calls, because fresh pages cost more than the copies into them.
    static SCRATCH: RefCell<(Vec<f32>, Vec<f32>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

/// Runs `f` with two scratch slices of the given lengths and arbitrary contents.
fn with_scratch<R>(a: usize, b: usize, f: impl FnOnce(&mut [f32], &mut [f32]) -> R) -> R {
    // The buffers are taken out while in use: work that this thread steals in between then finds empty ones instead of
    // borrowed ones.
    let (mut first, mut second) = SCRATCH.take();
    if first.len() < a {
        first.resize(a, 0.0);
    }
    if second.len() < b {
        second.resize(b, 0.0);
    }
    let result = f(&mut first[..a], &mut second[..b]);
    SCRATCH.set((first, second));
    result
}

/// Returns the convolution of `x` `(B, I, H, W)` with `weight` `(O, I / groups, kh, kw)` plus `bias` `(O)`, `(B, O, H', W')`.
pub(super) fn forward(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, p: Conv2dParams) -> Result<Tensor> {
    let s = Sizes::new(x.dims(), weight.dims(), p)?;
    let bias = match bias {
        Some(bias) => Some(bias.detach().to_dtype(DType::F32)?.to_vec1::<f32>()?),
        None => None,
    };
    let shape = (s.batch, p.groups * s.outputs, s.out_height, s.out_width);
    map_slices(x, weight, shape, |x, weight| compute_batch(x, Conv { s, weight, bias: bias.as_deref() }))
}

/// A convolution's sizes, and its weights and bias for all groups.
struct Conv<'a> {
    s: Sizes,
    weight: &'a [f32],
    bias: Option<&'a [f32]>,
}

impl Conv<'_> {
    /// Returns the weights of `count` output channels of a group from channel `first` on, one row per channel.
    fn weight(&self, group: usize, first: usize, count: usize) -> View<'_> {
        let taps = self.s.taps();
        View { data: &self.weight[(group * self.s.outputs + first) * taps..][..count * taps], row: taps, column: 1 }
    }

    /// Turns sums of one output channel into outputs: adds the bias.
    fn finish(&self, group: usize, channel: usize, sums: &mut [f32]) {
        if let Some(bias) = self.bias {
            let bias = bias[group * self.s.outputs + channel];
            sums.iter_mut().for_each(|sum| *sum += bias);
        }
    }
}

/// Chooses how the batch is divided among the threads.
fn compute_batch(x: &[f32], conv: Conv<'_>) -> Vec<f32> {
    let s = conv.s;
    let mut y = vec![0f32; s.batch * s.out_image()];
    if y.is_empty() {
        return y;
    }
    let threads = rayon::current_num_threads();
    // Fewer images than threads: all threads share each image.
    if s.batch < threads {
        y.chunks_mut(s.out_image())
            .zip(x.chunks(s.image()))
            .for_each(|(y, x)| compute_shared_image(&conv, x, y, threads));
        return y;
    }
    // Otherwise each thread takes whole images, several at once if they are small, so that blocks are as wide as elsewhere.
    let images = if s.is_pointwise() { 1 } else { (BLOCK / s.out_plane()).clamp(1, s.batch / threads) };
    y.par_chunks_mut(images * s.out_image()).zip(x.par_chunks(images * s.image())).for_each(|(y, x)| match images {
        1 => compute_image(&conv, x, y),
        _ => compute_small_images(&conv, x, y),
    });
    y
}

/// Computes an image on this thread, block by block, each written straight to its place.
fn compute_image(conv: &Conv<'_>, x: &[f32], y: &mut [f32]) {
    let (s, plane) = (conv.s, conv.s.out_plane());
    let step = (BLOCK / s.out_width).max(1);
    for group in 0..s.p.groups {
        let x = &x[s.group_offset(group)..];
        let y = &mut y[group * s.outputs * plane..][..s.outputs * plane];
        // Blocks of whole output rows: a block of columns is gathered, multiplied and finished before the next one, so that
        // it and its outputs stay in the cache.
        for start in (0..s.out_height).step_by(step) {
            let rows = step.min(s.out_height - start);
            let (at, n) = (start * s.out_width, rows * s.out_width);
            let weight = conv.weight(group, 0, s.outputs);
            if s.is_pointwise() {
                let columns = View { data: &x[at..], row: plane, column: 1 };
                multiply((s.outputs, n, s.taps()), &mut y[at..], plane, false, weight, columns, 1);
            } else {
                with_scratch(s.taps() * n, 0, |columns, _| {
                    for row in 0..rows {
                        s.gather(x, start + row, columns, row * s.out_width, n);
                    }
                    let columns = View { data: columns, row: n, column: 1 };
                    multiply((s.outputs, n, s.taps()), &mut y[at..], plane, false, weight, columns, 1);
                });
            }
            // While the block is still in the cache.
            y.chunks_mut(plane).enumerate().for_each(|(channel, y)| conv.finish(group, channel, &mut y[at..][..n]));
        }
    }
}

/// Computes small images on this thread in blocks of whole output rows, which may cross from one image to the next.
fn compute_small_images(conv: &Conv<'_>, x: &[f32], y: &mut [f32]) {
    let (s, plane) = (conv.s, conv.s.out_plane());
    let all = y.len() / s.out_image() * s.out_height;
    let step = (BLOCK / s.out_width).max(1);
    for group in 0..s.p.groups {
        // Blocks of the output rows of all images, as if the images were one.
        for start in (0..all).step_by(step) {
            let rows = step.min(all - start);
            let n = rows * s.out_width;
            with_scratch(s.taps() * n, s.outputs * n, |columns, sums| {
                for row in 0..rows {
                    let (image, out_row) = ((start + row) / s.out_height, (start + row) % s.out_height);
                    s.gather(&x[image * s.image() + s.group_offset(group)..], out_row, columns, row * s.out_width, n);
                }
                let columns = View { data: columns, row: n, column: 1 };
                multiply((s.outputs, n, s.taps()), sums, n, false, conv.weight(group, 0, s.outputs), columns, 1);
                for (channel, sums) in sums.chunks_mut(n).enumerate() {
                    conv.finish(group, channel, sums);
                    // Rows of one image lie side by side in the output as well, so each run of them is one copy.
                    let mut row = 0;
                    while row < rows {
                        let (image, out_row) = ((start + row) / s.out_height, (start + row) % s.out_height);
                        let run = (s.out_height - out_row).min(rows - row);
                        let at = image * s.out_image() + (group * s.outputs + channel) * plane + out_row * s.out_width;
                        let from = &sums[row * s.out_width..][..run * s.out_width];
                        y[at..][..from.len()].copy_from_slice(from);
                        row += run;
                    }
                }
            });
        }
    }
}

/// Computes an image on all threads. Each thread takes blocks of rows if there are enough of them, otherwise some of the
/// output channels.
fn compute_shared_image(conv: &Conv<'_>, x: &[f32], y: &mut [f32], threads: usize) {
    let (s, plane) = (conv.s, conv.s.out_plane());
    for group in 0..s.p.groups {
        let x = &x[s.group_offset(group)..];
        let y = &mut y[group * s.outputs * plane..][..s.outputs * plane];
        if s.is_pointwise() || plane < LEAST * threads {
            divide_channels(conv, group, x, y, threads);
        } else {
            divide_rows(conv, group, x, y, threads);
        }
    }
}

/// Computes a group of an image with some of the output channels on each thread. The columns of the whole image are gathered
/// once, by all threads, and shared.
fn divide_channels(conv: &Conv<'_>, group: usize, x: &[f32], y: &mut [f32], threads: usize) {
    let (s, plane) = (conv.s, conv.s.out_plane());
    let mut columns = vec![0.0; if s.is_pointwise() { 0 } else { s.taps() * plane }];
    let window = s.kernel_height * s.kernel_width * plane;
    columns.par_chunks_mut(window).zip(x.par_chunks(s.height * s.width)).for_each(|(columns, x)| {
        let s = Sizes { inputs: 1, ..s };
        (0..s.out_height).for_each(|row| s.gather(x, row, columns, row * s.out_width, plane));
    });
    let columns = View { data: if s.is_pointwise() { x } else { &columns }, row: plane, column: 1 };
    let each = s.outputs.div_ceil(threads);
    y.par_chunks_mut(each * plane).enumerate().for_each(|(part, y)| {
        let (first, count) = (part * each, y.len() / plane);
        let weight = conv.weight(group, first, count);
        multiply((count, plane, s.taps()), y, plane, false, weight, columns, 1);
        y.chunks_mut(plane).enumerate().for_each(|(channel, y)| conv.finish(group, first + channel, y));
    });
}

/// Computes a group of an image with blocks of output rows on each thread. A block's sums are kept apart and copied into the
/// planes of the output afterwards, because a block writes to every plane.
fn divide_rows(conv: &Conv<'_>, group: usize, x: &[f32], y: &mut [f32], threads: usize) {
    let (s, plane) = (conv.s, conv.s.out_plane());
    // As many blocks as fill all threads equally often.
    let blocks = plane.div_ceil(BLOCK).next_multiple_of(threads).min(s.out_height);
    let step = s.out_height.div_ceil(blocks);
    let starts: Vec<usize> = (0..s.out_height).step_by(step).collect();
    let sums: Vec<Vec<f32>> = starts
        .par_iter()
        .map(|&start| {
            let rows = step.min(s.out_height - start);
            let n = rows * s.out_width;
            let mut sums = vec![0.0; s.outputs * n];
            with_scratch(s.taps() * n, 0, |columns, _| {
                (0..rows).for_each(|row| s.gather(x, start + row, columns, row * s.out_width, n));
                let columns = View { data: columns, row: n, column: 1 };
                let weight = conv.weight(group, 0, s.outputs);
                multiply((s.outputs, n, s.taps()), &mut sums, n, false, weight, columns, 1);
            });
            sums
        })
        .collect();
    y.par_chunks_mut(plane).enumerate().for_each(|(channel, y)| {
        for (y, sums) in y.chunks_mut(step * s.out_width).zip(&sums) {
            y.copy_from_slice(&sums[channel * y.len()..][..y.len()]);
            conv.finish(group, channel, y);
        }
    });
}

/// The least output pixels per thread for which an image is divided into blocks of rows.
const LEAST: usize = 256;

/// Returns the gradient with respect to `x`: the columns Wᵀ dy, added to the pixels they came from.
pub(super) fn input_gradient(x: &Tensor, weight: &Tensor, dy: &Tensor, p: Conv2dParams) -> Result<Tensor> {
    let s = Sizes::new(x.dims(), weight.dims(), p)?;
    map_slices(dy, weight, x.shape(), |dy, weight| {
        let mut dx = vec![0f32; s.batch * s.image()];
        let threads = rayon::current_num_threads();
        let shared = if s.batch >= threads { 1 } else { threads };
        let plane = s.out_plane();
        dx.par_chunks_mut(s.image()).enumerate().for_each(|(image, dx)| {
            for group in 0..s.p.groups {
                let weight = View { data: &weight[group * s.outputs * s.taps()..], row: 1, column: s.taps() };
                let dy = &dy[image * s.out_image() + group * s.outputs * plane..][..s.outputs * plane];
                let dx = &mut dx[s.group_offset(group)..];
                let step = if shared > 1 { s.out_height } else { (BLOCK / s.out_width).max(1) };
                for start in (0..s.out_height).step_by(step) {
                    let rows = step.min(s.out_height - start);
                    let n = rows * s.out_width;
                    with_scratch(s.taps() * n, 0, |columns, _| {
                        let dy = View { data: &dy[start * s.out_width..], row: plane, column: 1 };
                        multiply((s.taps(), n, s.outputs), columns, n, false, weight, dy, shared);
                        for row in 0..rows {
                            s.scatter(columns, row * s.out_width, n, start + row, dx);
                        }
                    });
                }
            }
        });
        dx
    })
}

/// Returns the gradient with respect to `weight`: Σ dy columnsᵀ over all images.
pub(super) fn weight_gradient(x: &Tensor, weight: &Tensor, dy: &Tensor, p: Conv2dParams) -> Result<Tensor> {
    let s = Sizes::new(x.dims(), weight.dims(), p)?;
    map_slices(dy, x, weight.shape(), |dy, x| {
        let length = s.p.groups * s.outputs * s.taps();
        // The batch is split in a fixed way and the parts are summed in order, so the result does not depend on the number
        // of threads.
        let per_part = s.batch.div_ceil(PARTS).max(1);
        let parts: Vec<Vec<f32>> = (0..s.batch.div_ceil(per_part))
            .into_par_iter()
            .map(|part| {
                let mut dw = vec![0f32; length];
                for image in part * per_part..((part + 1) * per_part).min(s.batch) {
                    add_weight_gradient(s, &x[image * s.image()..], &dy[image * s.out_image()..], &mut dw);
                }
                dw
            })
            .collect();
        let mut parts = parts.into_iter();
        let mut dw = parts.next().unwrap_or_else(|| vec![0f32; length]);
        for part in parts {
            dw.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        dw
    })
}

/// Adds one image's part of the weight gradient to `dw`.
fn add_weight_gradient(s: Sizes, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let plane = s.out_plane();
    for group in 0..s.p.groups {
        let x = &x[s.group_offset(group)..];
        let dy = &dy[group * s.outputs * plane..][..s.outputs * plane];
        let dw = &mut dw[group * s.outputs * s.taps()..][..s.outputs * s.taps()];
        let step = (BLOCK / s.out_width).max(1);
        // Blocks of whole output rows: the columns are gathered and multiplied while they are in the cache.
        for start in (0..s.out_height).step_by(step) {
            let rows = step.min(s.out_height - start);
            let n = rows * s.out_width;
            with_scratch(s.taps() * n, 0, |columns, _| {
                for row in 0..rows {
                    s.gather(x, start + row, columns, row * s.out_width, n);
                }
                let dy = View { data: &dy[start * s.out_width..], row: plane, column: 1 };
                let columns = View { data: columns, row: 1, column: n };
                multiply((s.outputs, s.taps(), n), dw, s.taps(), true, dy, columns, 1);
            });
        }
    }
}

/// The number of partial sums of a weight gradient.
const PARTS: usize = 8;
