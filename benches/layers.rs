//! Prints the speed of layers of ResNet-50 and DeiT-S on one thread, for each instruction set, and the processor's peak:
//! `cargo bench -p hard-imagenet-benches --bench layers`.
//!
//! It fails if a layer whose operands fit the first-level cache stays below 70 % of the peak. That happens when the compiler
//! keeps the sums of a tile in memory instead of registers, which no test of results can see.
#![allow(clippy::disallowed_macros, reason = "a program prints")]

use hard_imagenet_cpu::product::{PackedWeights, Positions, Residual, Strides, Window, product};
use hard_imagenet_cpu::{Aligned, Isa, Simd, Vectorized};
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

/// The share of the peak below which the layer that fits the cache fails.
const FLOOR: f64 = 0.7;

/// Chains of fused multiply-adds, enough of them to hide the latency and few enough for the registers.
struct Chains(u64);

const CHAINS: usize = 6;

impl Vectorized for Chains {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f32 {
        let (a, b) = (s.splat(black_box(0.999)), s.splat(black_box(0.001)));
        let [mut c0, mut c1, mut c2, mut c3, mut c4, mut c5] = [s.splat(1.0); CHAINS];
        for _ in 0..self.0 {
            c0 = s.mul_add(c0, a, b);
            c1 = s.mul_add(c1, a, b);
            c2 = s.mul_add(c2, a, b);
            c3 = s.mul_add(c3, a, b);
            c4 = s.mul_add(c4, a, b);
            c5 = s.mul_add(c5, a, b);
        }
        s.sum([c1, c2, c3, c4, c5].into_iter().fold(c0, |sum, c| s.add(sum, c)))
    }
}

/// Returns the least seconds of several runs.
fn least_seconds(mut f: impl FnMut()) -> f64 {
    f();
    let (start, mut least) = (Instant::now(), f64::MAX);
    while start.elapsed().as_secs_f64() < 0.3 {
        let run = Instant::now();
        f();
        least = least.min(run.elapsed().as_secs_f64());
    }
    least
}

/// A convolution: its name, the side of the image, the window, the stride, input and output channels. Linear layers of 197
/// tokens are 1 × 1 convolutions of an image of one row.
type Layer = (&'static str, (usize, usize), usize, usize, usize, usize);

/// The first one fits the first-level cache.
const LAYERS: [Layer; 13] = [
    ("1x1 6x7 96->32", (6, 7), 1, 1, 96, 32),
    ("7x7/2 224 3->64", (224, 224), 7, 2, 3, 64),
    ("1x1 56 64->256", (56, 56), 1, 1, 64, 256),
    ("1x1 56 256->64", (56, 56), 1, 1, 256, 64),
    ("3x3 56 64", (56, 56), 3, 1, 64, 64),
    ("3x3 28 128", (28, 28), 3, 1, 128, 128),
    ("1x1 28 512->128", (28, 28), 1, 1, 512, 128),
    ("3x3 14 256", (14, 14), 3, 1, 256, 256),
    ("1x1 14 1024->256", (14, 14), 1, 1, 1024, 256),
    ("3x3 7 512", (7, 7), 3, 1, 512, 512),
    ("linear 384->1152", (1, 197), 1, 1, 384, 1152),
    ("linear 384->1536", (1, 197), 1, 1, 384, 1536),
    ("linear 1536->384", (1, 197), 1, 1, 1536, 384),
];

/// Returns GFLOP/s of a layer.
fn speed(isa: Isa, (_, (h, w), k, stride, inputs, outputs): Layer) -> f64 {
    let pad = k / 2;
    let (oh, ow) = (h / stride, w / stride);
    let row = (w + 2 * pad) * inputs;
    let x: Vec<f32> = (0..(h + 2 * pad) * row).map(|i| (i % 17) as f32 / 17.0).collect();
    let x = Aligned::from(x.as_slice());
    let offsets: Vec<usize> = (0..k).map(|y| y * row).collect();
    let window = Window { offsets: &offsets, run: k * inputs, footprint: inputs * stride * stride };
    let weights = PackedWeights::pack(isa, outputs, window.taps(), |o, t| ((o + t) % 13) as f32 / 13.0, None);
    let dense = Strides { start: 0, by: [oh * ow * outputs, ow * outputs, outputs] };
    let from = Strides { start: 0, by: [0, stride * row, stride * inputs] };
    let positions = Positions { counts: [1, oh, ow], x: from, y: dense, residual: dense }.joined();
    let mut y = Aligned::zeros(oh * ow * outputs);
    let seconds = least_seconds(|| {
        product(&x, window, weights.panels(), &positions, Residual::None, None, black_box(&mut y));
    });
    2.0 * (oh * ow * outputs * window.taps()) as f64 / seconds / 1e9
}

fn main() -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    // Without vector instructions there is no peak to compare with.
    for isa in Isa::available().into_iter().skip(1) {
        let steps = 2_000_000;
        let seconds = least_seconds(|| {
            black_box(isa.vectorize(Chains(black_box(steps))));
        });
        let peak = (steps as usize * CHAINS * 32) as f64 / seconds / 1e9;
        println!("{isa:?}: peak {peak:.0} GFLOP/s");
        for (i, layer) in LAYERS.into_iter().enumerate() {
            let speed = speed(isa, layer);
            let failed = i == 0 && speed < FLOOR * peak;
            let note = if failed { "  too slow: are the sums in registers?" } else { "" };
            println!("  {:18} {speed:6.1} GFLOP/s {:4.0} %{note}", layer.0, 100.0 * speed / peak);
            if failed {
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}
