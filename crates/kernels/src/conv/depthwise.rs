//! Depthwise convolution on the CPU. Every channel has a window of its own, so there is no matrix product to use.
//!
//! A channel's plane is copied with its frame of zeros and divided into stride × stride *phases*: phase (a, b) holds the rows
//! a, a + stride, .. and the columns b, b + stride, .. When the window moves by one step, each of its taps moves by one
//! element of its phase. So what a tap reads for the whole output is one contiguous run of a phase, rows after rows, and
//! the convolution is a weighted sum of such runs. The few sums that straddle the end of a row belong to no output and
//! are dropped.

use super::params::Conv2dParams;
use crate::slices::map_slices;
use candle_core::{DType, Result, Tensor};
use hard_imagenet_cpu::dispatch;
use rayon::prelude::*;

/// The number of sums that are computed side by side in vector registers.
const LANES: usize = 32;

/// The division of a convolution's planes into phases. All lengths are in elements.
struct Phases {
    channels: usize,
    height: usize,
    width: usize,
    out_height: usize,
    out_width: usize,
    p: Conv2dParams,
    /// The length of a row of a phase.
    row: usize,
    /// The length of a phase, rounded up to a multiple of `LANES`.
    phase: usize,
    /// For each tap of the window its phase and the offset in it that the first output reads.
    taps: Vec<(usize, usize)>,
}

impl Phases {
    fn new(x: &Tensor, weight: &Tensor, p: Conv2dParams) -> Result<Self> {
        let (_, channels, height, width) = x.dims4()?;
        let (_, _, kernel_height, kernel_width) = weight.dims4()?;
        let row = (width + 2 * p.padding).div_ceil(p.stride);
        let rows = (height + 2 * p.padding).div_ceil(p.stride);
        let window = (0..kernel_height).flat_map(|ky| (0..kernel_width).map(move |kx| (ky, kx)));
        let taps = window.map(|(ky, kx)| {
            let (y, x) = (ky * p.dilation, kx * p.dilation);
            (y % p.stride * p.stride + x % p.stride, y / p.stride * row + x / p.stride)
        });
        Ok(Self {
            channels,
            height,
            width,
            out_height: p.output_len(height, kernel_height),
            out_width: p.output_len(width, kernel_width),
            p,
            row,
            phase: (rows * row).next_multiple_of(LANES),
            taps: taps.collect(),
        })
    }

    fn plane(&self) -> usize {
        self.height * self.width
    }

    fn out_plane(&self) -> usize {
        self.out_height * self.out_width
    }

    /// The number of phases of a plane.
    fn count(&self) -> usize {
        self.p.stride * self.p.stride
    }

    /// The number of sums of a plane: its outputs and the unused sums between their rows.
    fn sums(&self) -> usize {
        (self.out_height * self.row).next_multiple_of(LANES)
    }

    /// Returns room for all phases of a plane, and for as many zeros behind them as a run may reach into.
    fn scratch(&self) -> Vec<f32> {
        vec![0.0; (self.count() + 1) * self.phase]
    }

    /// The largest offset of any tap.
    fn reach(&self) -> usize {
        self.taps.iter().map(|(_, offset)| *offset).max().unwrap_or(0)
    }

    /// Calls `f(first element in the plane, offset in the phases, length)` for every run of a row that lies in one phase.
    /// The elements of a run are a stride apart in the plane and side by side in the phase.
    fn for_each_run(&self, mut f: impl FnMut(usize, usize, usize)) {
        let (stride, padding) = (self.p.stride, self.p.padding);
        for y in 0..self.height {
            let (phase, row) = ((y + padding) % stride, (y + padding) / stride);
            for x in 0..stride.min(self.width) {
                let (column_phase, column) = ((x + padding) % stride, (x + padding) / stride);
                let offset = (phase * stride + column_phase) * self.phase + row * self.row + column;
                f(y * self.width + x, offset, (self.width - x).div_ceil(stride));
            }
        }
    }

    /// Copies a plane into its phases. The frame is zero already and stays so.
    fn split_plane(&self, plane: &[f32], phases: &mut [f32]) {
        self.for_each_run(|first, offset, count| {
            let to = &mut phases[offset..][..count];
            if self.p.stride == 1 {
                to.copy_from_slice(&plane[first..][..count]);
            } else {
                to.iter_mut().zip(plane[first..].iter().step_by(self.p.stride)).for_each(|(to, from)| *to = *from);
            }
        });
    }

    /// Copies the phases back into a plane, without the frame.
    fn join_plane(&self, phases: &[f32], plane: &mut [f32]) {
        self.for_each_run(|first, offset, count| {
            let from = &phases[offset..][..count];
            plane[first..].iter_mut().step_by(self.p.stride).zip(from).for_each(|(to, from)| *to = *from);
        });
    }

    /// Copies an output plane into rows of the length of a phase's rows, the first at `start`. The elements between are zero
    /// already and stay so.
    fn widen_output(&self, dy: &[f32], to: &mut [f32], start: usize) {
        for (to, dy) in to[start..].chunks_mut(self.row).zip(dy.chunks(self.out_width)) {
            to[..self.out_width].copy_from_slice(dy);
        }
    }

    /// The number of planes in a task: enough to hide its cost.
    fn planes_per_task(&self) -> usize {
        (1 << 16) / (self.taps.len() * self.count() * self.phase) + 1
    }
}

/// Computes out[i] = `start` + Σ weight · source[offset + i] over the (offset, weight) in `taps`.
fn correlate(source: &[f32], taps: &[(usize, f32)], start: f32, out: &mut [f32]) {
    dispatch!(correlate_blocks(source, taps, start, out));
}

#[inline(always)]
fn correlate_blocks(source: &[f32], taps: &[(usize, f32)], start: f32, out: &mut [f32]) {
    // Blocks of the output: their sums stay in registers while all taps are added, so that each output is written once.
    for (block, out) in out.chunks_exact_mut(LANES).enumerate() {
        let source = &source[block * LANES..];
        let mut sums = [start; LANES];
        // Taps in the order of the window, which fixes the order of the additions. Their runs overlap, so that the source
        // comes from the first-level cache for all taps but the first.
        for (offset, weight) in taps {
            // A block of sums side by side, one vector operation per register.
            for (sum, x) in sums.iter_mut().zip(&source[*offset..][..LANES]) {
                *sum += weight * x;
            }
        }
        out.copy_from_slice(&sums);
    }
}

/// Returns Σ a b over the length of `a`, a multiple of `LANES`.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    // Lane i adds up every 32nd product from i on, whatever the instruction set.
    let mut sums = [0f32; LANES];
    for (a, b) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

/// Returns the convolution of `x` `(B, C, H, W)` with `weight` `(C, 1, kh, kw)` plus `bias` `(C)`, `(B, C, H', W')`.
pub(super) fn forward(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, p: Conv2dParams) -> Result<Tensor> {
    let layout = Phases::new(x, weight, p)?;
    let bias = match bias {
        Some(bias) => bias.detach().to_dtype(DType::F32)?.to_vec1::<f32>()?,
        None => vec![0.0; layout.channels],
    };
    let shape = (x.dim(0)?, layout.channels, layout.out_height, layout.out_width);
    map_slices(x, weight, shape, |x, weight| {
        let mut y = vec![0f32; x.len() / layout.plane() * layout.out_plane()];
        let scratch = || (layout.scratch(), vec![0f32; layout.sums()], Vec::new());
        y.par_chunks_mut(layout.out_plane())
            .zip(x.par_chunks(layout.plane()))
            .enumerate()
            .with_min_len(layout.planes_per_task())
            .for_each_init(scratch, |(phases, sums, taps), (i, (y, x))| {
                let channel = i % layout.channels;
                let weight = &weight[channel * layout.taps.len()..];
                taps.clear();
                taps.extend(
                    layout.taps.iter().zip(weight).map(|((phase, offset), w)| (phase * layout.phase + offset, *w)),
                );
                layout.split_plane(x, phases);
                correlate(phases, taps, bias[channel], sums);
                for (y, sums) in y.chunks_mut(layout.out_width).zip(sums.chunks(layout.row)) {
                    y.copy_from_slice(&sums[..layout.out_width]);
                }
            });
        y
    })
}

/// Returns the gradient with respect to `x`. It is the same kind of sum: an element of a phase receives the gradients of
/// the outputs whose taps read it, so the offsets of the taps are counted backwards.
pub(super) fn input_gradient(x: &Tensor, weight: &Tensor, dy: &Tensor, p: Conv2dParams) -> Result<Tensor> {
    let layout = Phases::new(x, weight, p)?;
    let reach = layout.reach();
    map_slices(dy, weight, x.shape(), |dy, weight| {
        let mut dx = vec![0f32; dy.len() / layout.out_plane() * layout.plane()];
        let scratch = || (layout.scratch(), vec![0f32; reach + layout.phase], Vec::new());
        dx.par_chunks_mut(layout.plane())
            .zip(dy.par_chunks(layout.out_plane()))
            .enumerate()
            .with_min_len(layout.planes_per_task())
            .for_each_init(scratch, |(phases, rows, taps), (i, (dx, dy))| {
                let weight = &weight[i % layout.channels * layout.taps.len()..];
                layout.widen_output(dy, rows, reach);
                for (phase, out) in phases.chunks_mut(layout.phase).take(layout.count()).enumerate() {
                    let own = layout.taps.iter().zip(weight).filter(|((tap_phase, _), _)| *tap_phase == phase);
                    taps.clear();
                    taps.extend(own.map(|((_, offset), w)| (reach - offset, *w)));
                    correlate(rows, taps, 0.0, out);
                }
                layout.join_plane(phases, dx);
            });
        dx
    })
}

/// Returns the gradient with respect to `weight`: for each tap the sum over all images of `dy` times what the tap read.
pub(super) fn weight_gradient(x: &Tensor, weight: &Tensor, dy: &Tensor, p: Conv2dParams) -> Result<Tensor> {
    let layout = Phases::new(x, weight, p)?;
    map_slices(dy, x, weight.shape(), |dy, x| {
        let mut dw = vec![0f32; layout.channels * layout.taps.len()];
        let scratch = || (layout.scratch(), vec![0f32; layout.sums()]);
        dw.par_chunks_mut(layout.taps.len()).enumerate().for_each_init(scratch, |(phases, rows), (channel, dw)| {
            // One channel: its images one after the other, so that the sum has one order.
            let x = x.chunks(layout.plane()).skip(channel).step_by(layout.channels);
            let dy = dy.chunks(layout.out_plane()).skip(channel).step_by(layout.channels);
            for (x, dy) in x.zip(dy) {
                layout.split_plane(x, phases);
                layout.widen_output(dy, rows, 0);
                for (dw, (phase, offset)) in dw.iter_mut().zip(&layout.taps) {
                    *dw += dot(rows, &phases[phase * layout.phase + offset..]);
                }
            }
        });
        dw
    })
}
