//! Depthwise convolution on the CPU: every channel has a window of its own, so there is no product of matrices in it.
//!
//! A channel's plane is copied with its frame of zeros and divided into stride × stride phases (every stride-th row and
//! column). A step of the window is then one place in each phase, and what a tap sees is a run of a phase: one run for
//! the whole plane, rows after rows. The few sums that straddle the end of a row belong to no output and are dropped.

use crate::conv::Conv2dParams;
use crate::cpu_gemm::apply;
use candle_core::{DType, Result, Tensor};
use multiversion::multiversion;
use rayon::prelude::*;

/// Sums computed side by side, in vector registers.
const LANES: usize = 32;

/// How the planes of one convolution lie; all lengths in elements.
struct Plan {
    channels: usize,
    height: usize,
    width: usize,
    out_height: usize,
    out_width: usize,
    p: Conv2dParams,
    /// A row of a phase.
    row: usize,
    /// A phase, up to the next multiple of `LANES`.
    phase: usize,
    /// For each tap of the window its phase, and the place in it that the first output sees.
    taps: Vec<(usize, usize)>,
}

impl Plan {
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
            out_height: p.output(height, kernel_height),
            out_width: p.output(width, kernel_width),
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

    fn phases(&self) -> usize {
        self.p.stride * self.p.stride
    }

    /// The sums of a plane: its outputs, and what lies between their rows.
    fn sums(&self) -> usize {
        (self.out_height * self.row).next_multiple_of(LANES)
    }

    /// All phases of a plane, and as many zeros as a run may reach beyond them.
    fn scratch(&self) -> Vec<f32> {
        vec![0.0; (self.phases() + 1) * self.phase]
    }

    /// The farthest place of any tap.
    fn reach(&self) -> usize {
        self.taps.iter().map(|(_, place)| *place).max().unwrap_or(0)
    }

    /// Calls `f(first element in the plane, place in the phases, how many)` for every run of a row that lies in one
    /// phase; the elements of a run are a stride apart in the plane, side by side in the phase.
    fn for_runs(&self, mut f: impl FnMut(usize, usize, usize)) {
        let (stride, padding) = (self.p.stride, self.p.padding);
        for y in 0..self.height {
            let (phase, row) = ((y + padding) % stride, (y + padding) / stride);
            for x in 0..stride.min(self.width) {
                let (column_phase, column) = ((x + padding) % stride, (x + padding) / stride);
                let place = (phase * stride + column_phase) * self.phase + row * self.row + column;
                f(y * self.width + x, place, (self.width - x).div_ceil(stride));
            }
        }
    }

    /// Copies a plane to its phases. The frame is zero already and stays so.
    fn lay_out(&self, plane: &[f32], phases: &mut [f32]) {
        self.for_runs(|first, place, count| {
            let to = &mut phases[place..][..count];
            if self.p.stride == 1 {
                to.copy_from_slice(&plane[first..][..count]);
            } else {
                to.iter_mut().zip(plane[first..].iter().step_by(self.p.stride)).for_each(|(to, from)| *to = *from);
            }
        });
    }

    /// The reverse of [`Self::lay_out`]; the frame is dropped.
    fn take_back(&self, phases: &[f32], plane: &mut [f32]) {
        self.for_runs(|first, place, count| {
            let from = &phases[place..][..count];
            plane[first..].iter_mut().step_by(self.p.stride).zip(from).for_each(|(to, from)| *to = *from);
        });
    }

    /// Copies an output plane to rows of a phase's length, the first at `start`. What lies between is zero and stays so.
    fn lay_out_gradient(&self, dy: &[f32], to: &mut [f32], start: usize) {
        for (to, dy) in to[start..].chunks_mut(self.row).zip(dy.chunks(self.out_width)) {
            to[..self.out_width].copy_from_slice(dy);
        }
    }

    /// Planes of a task: enough to hide its cost.
    fn planes_of_a_task(&self) -> usize {
        (1 << 16) / (self.taps.len() * self.phases() * self.phase) + 1
    }
}

/// out[i] = `start` + Σ over (place, weight) of weight · source[place + i]
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn correlate(source: &[f32], taps: &[(usize, f32)], start: f32, out: &mut [f32]) {
    for (block, out) in out.chunks_exact_mut(LANES).enumerate() {
        let source = &source[block * LANES..];
        let mut sums = [start; LANES];
        for (place, weight) in taps {
            for (sum, x) in sums.iter_mut().zip(&source[*place..][..LANES]) {
                *sum += weight * x;
            }
        }
        out.copy_from_slice(&sums);
    }
}

/// Σ a b, over the length of `a`, a multiple of `LANES`.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0f32; LANES];
    for (a, b) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

/// `(B, C, H, W)` and `(C, 1, kh, kw)` to `(B, C, H', W')`.
pub(crate) fn forward(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, p: Conv2dParams) -> Result<Tensor> {
    let plan = Plan::new(x, weight, p)?;
    let bias = match bias {
        Some(bias) => bias.detach().to_dtype(DType::F32)?.to_vec1::<f32>()?,
        None => vec![0.0; plan.channels],
    };
    let shape = (x.dim(0)?, plan.channels, plan.out_height, plan.out_width);
    apply(x, weight, shape, |x, weight| {
        let mut y = vec![0f32; x.len() / plan.plane() * plan.out_plane()];
        let scratch = || (plan.scratch(), vec![0f32; plan.sums()], Vec::new());
        y.par_chunks_mut(plan.out_plane())
            .zip(x.par_chunks(plan.plane()))
            .enumerate()
            .with_min_len(plan.planes_of_a_task())
            .for_each_init(scratch, |(phases, sums, taps), (i, (y, x))| {
                let channel = i % plan.channels;
                let weight = &weight[channel * plan.taps.len()..];
                taps.clear();
                taps.extend(plan.taps.iter().zip(weight).map(|((phase, place), w)| (phase * plan.phase + place, *w)));
                plan.lay_out(x, phases);
                correlate(phases, taps, bias[channel], sums);
                for (y, sums) in y.chunks_mut(plan.out_width).zip(sums.chunks(plan.row)) {
                    y.copy_from_slice(&sums[..plan.out_width]);
                }
            });
        y
    })
}

/// The same sums backwards: what a place of a phase gets is what the taps that see it saw.
pub(crate) fn input_gradient(x: &Tensor, weight: &Tensor, dy: &Tensor, p: Conv2dParams) -> Result<Tensor> {
    let plan = Plan::new(x, weight, p)?;
    let reach = plan.reach();
    apply(dy, weight, x.shape(), |dy, weight| {
        let mut dx = vec![0f32; dy.len() / plan.out_plane() * plan.plane()];
        let scratch = || (plan.scratch(), vec![0f32; reach + plan.phase], Vec::new());
        dx.par_chunks_mut(plan.plane())
            .zip(dy.par_chunks(plan.out_plane()))
            .enumerate()
            .with_min_len(plan.planes_of_a_task())
            .for_each_init(scratch, |(phases, rows, taps), (i, (dx, dy))| {
                let weight = &weight[i % plan.channels * plan.taps.len()..];
                plan.lay_out_gradient(dy, rows, reach);
                for (phase, out) in phases.chunks_mut(plan.phase).take(plan.phases()).enumerate() {
                    let own = plan.taps.iter().zip(weight).filter(|((of, _), _)| *of == phase);
                    taps.clear();
                    taps.extend(own.map(|((_, place), w)| (reach - place, *w)));
                    correlate(rows, taps, 0.0, out);
                }
                plan.take_back(phases, dx);
            });
        dx
    })
}

/// For each tap, Σ over images of dy · what the tap saw.
pub(crate) fn weight_gradient(x: &Tensor, weight: &Tensor, dy: &Tensor, p: Conv2dParams) -> Result<Tensor> {
    let plan = Plan::new(x, weight, p)?;
    apply(dy, x, weight.shape(), |dy, x| {
        let mut dw = vec![0f32; plan.channels * plan.taps.len()];
        let scratch = || (plan.scratch(), vec![0f32; plan.sums()]);
        dw.par_chunks_mut(plan.taps.len()).enumerate().for_each_init(scratch, |(phases, rows), (channel, dw)| {
            let x = x.chunks(plan.plane()).skip(channel).step_by(plan.channels);
            let dy = dy.chunks(plan.out_plane()).skip(channel).step_by(plan.channels);
            for (x, dy) in x.zip(dy) {
                plan.lay_out(x, phases);
                plan.lay_out_gradient(dy, rows, 0);
                for (dw, (phase, place)) in dw.iter_mut().zip(&plan.taps) {
                    *dw += dot(rows, &phases[phase * plan.phase + place..]);
                }
            }
        });
        dw
    })
}
