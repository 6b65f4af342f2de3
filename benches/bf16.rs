//! Prints GFLOP/s of products in bf16 and in `f32`, one thread: `cargo bench -p hard-imagenet-benches --bench bf16`.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a program prints and reads its arguments")]

use hard_imagenet_cpu::bf16::{Bf16, Bf16Weights, bf16_scratch_len, product_bf16};
use hard_imagenet_cpu::product::{PackedWeights, Positions, Residual, Strides, Window, product};
use hard_imagenet_cpu::{Aligned, Isa};
use std::hint::black_box;
use std::time::Instant;

/// Returns the shortest of several durations in seconds.
fn best(mut f: impl FnMut()) -> f64 {
    f();
    let mut best = f64::MAX;
    let start = Instant::now();
    while start.elapsed().as_secs_f64() < 0.2 {
        let t = Instant::now();
        f();
        best = best.min(t.elapsed().as_secs_f64());
    }
    best
}

fn main() {
    let count: usize = std::env::args().find_map(|n| n.parse().ok()).unwrap_or(1);
    for bf16 in Bf16::available().into_iter().skip(1) {
        println!("{bf16:?}");
        for (name, side, kernel, stride, inputs, outputs) in [
            ("stem 7x7/2", 224, 7, 2, 3, 64),
            ("1x1 56 64->64", 56, 1, 1, 64, 64),
            ("1x1 56 64->256", 56, 1, 1, 64, 256),
            ("1x1 56 256->64", 56, 1, 1, 256, 64),
            ("3x3 56 64", 56, 3, 1, 64, 64),
            ("3x3 28 128", 28, 3, 1, 128, 128),
            ("1x1 28 512->128", 28, 1, 1, 512, 128),
            ("3x3 14 256", 14, 3, 1, 256, 256),
            ("1x1 14 1024->256", 14, 1, 1, 1024, 256),
            ("1x1 14 256->1024", 14, 1, 1, 256, 1024),
            ("3x3 7 512", 7, 3, 1, 512, 512),
            ("1x1 7 2048->512", 7, 1, 1, 2048, 512),
            ("linear 197 384->1152", 0, 1, 1, 384, 1152),
            ("linear 197 384->1536", 0, 1, 1, 384, 1536),
            ("linear 197 1536->384", 0, 1, 1, 1536, 384),
            ("linear 197 768->3072", 0, 1, 1, 768, 3072),
        ] {
            let (h, w) = if side == 0 { (1, 197) } else { (side, side) };
            let padding = kernel / 2;
            let (oh, ow) = (h / stride, w / stride);
            let row = (w + 2 * padding) * inputs;
            let image = (h + 2 * padding) * row;
            let mut x = Aligned::zeros(count * image);
            x.iter_mut().enumerate().for_each(|(i, x)| *x = (i % 17) as f32 / 17.0);
            let offsets: Vec<_> = (0..kernel).map(|y| y * row).collect();
            let window = Window { offsets: &offsets, run: kernel * inputs, footprint: inputs * stride * stride };
            let weight = |o: usize, t: usize| ((o + t) % 13) as f32 / 13.0;
            let dense = Strides { start: 0, by: [oh * ow * outputs, ow * outputs, outputs] };
            let positions = Positions {
                counts: [count, oh, ow],
                x: Strides { start: 0, by: [image, stride * row, stride * inputs] },
                y: dense,
                residual: dense,
            }
            .joined();
            let mut y = Aligned::zeros(count * oh * ow * outputs);

            let packed = PackedWeights::pack(Isa::best(), outputs, window.taps(), weight, None);
            let single =
                best(|| product(&x, window, packed.panels(), &positions, Residual::None, None, black_box(&mut y)));
            let packed = Bf16Weights::pack(bf16, outputs, (kernel, kernel * inputs), weight, None);
            let mut scratch = vec![0; bf16_scratch_len(window, &positions)];
            let half = best(|| {
                let y = black_box(&mut y);
                product_bf16(&x, window, packed.panels(), &positions, Residual::None, None, y, &mut scratch);
            });
            let gflop = 2e-9 * (count * oh * ow * outputs * window.taps()) as f64;
            println!(
                "  {name:22} {:6.1} GFLOP/s, f32 {:6.1}, {:.2} times as fast",
                gflop / half,
                gflop / single,
                single / half
            );
        }
    }
}
