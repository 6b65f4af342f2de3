//! Prints GFLOP/s of 3 × 3 convolutions by Winograd's method and by the direct sum, one thread. Both are counted with the
//! operations of the direct sum: `cargo bench -p hard-imagenet-benches --bench winograd`.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a program prints and reads its arguments")]

use hard_imagenet_cpu::product::{PackedWeights, Positions, Residual, Strides, Window, product};
use hard_imagenet_cpu::winograd::{WinogradImages, WinogradWeights, pays, winograd};
use hard_imagenet_cpu::{Aligned, ImageView, ImagesView, Isa};
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

/// Measures one shape: images, side, input and output channels.
fn measure(isa: Isa, count: usize, side: usize, inputs: usize, outputs: usize) {
    let bordered = ImageView::bordered(side, side, inputs, 1);
    let from = ImagesView { image: bordered, count, stride: (side + 2) * bordered.row };
    let dense = ImageView::dense(side, side, outputs);
    let to = ImagesView { image: dense, count, stride: side * side * outputs };
    let mut x = Aligned::zeros(count * from.stride);
    x.iter_mut().enumerate().for_each(|(i, x)| *x = (i % 17) as f32 / 17.0);
    let mut y = Aligned::zeros(count * to.stride);
    let weight = |o: usize, y: usize, x: usize, c: usize| ((o + 3 * y + x + c) % 13) as f32 / 13.0;

    let weights = WinogradWeights::pack(isa, outputs, inputs, weight, None);
    let images = WinogradImages { from, to, residual: to, rows: 0..side };
    let mut scratch = Aligned::zeros(weights.scratch_len());
    let fast = best(|| winograd(&x, &weights, &images, Residual::None, None, black_box(&mut y), &mut scratch));

    let offsets = [0, bordered.row, 2 * bordered.row];
    let window = Window { offsets: &offsets, run: 3 * inputs, footprint: inputs };
    let taps = |o: usize, t: usize| weight(o, t / inputs / 3, t / inputs % 3, t % inputs);
    let packed = PackedWeights::pack(isa, outputs, window.taps(), taps, None);
    let strides = |view: &ImagesView| Strides { start: 0, by: [view.stride, view.image.row, view.image.pixel] };
    let positions =
        Positions { counts: [count, side, side], x: strides(&from), y: strides(&to), residual: strides(&to) };
    let direct = best(|| product(&x, window, packed.panels(), &positions, Residual::None, None, black_box(&mut y)));

    let gflop = 2e-9 * (count * side * side * outputs * window.taps()) as f64;
    println!(
        "  {count} x {side:3}^2, {inputs:4} ->{outputs:4}: {:6.1} GFLOP/s, direct {:6.1}, {:.2} times as fast{}",
        gflop / fast,
        gflop / direct,
        direct / fast,
        if pays(inputs, outputs, side, side) { "" } else { ", not used" },
    );
}

fn main() {
    let all = std::env::args().nth(1).is_some_and(|word| word == "all");
    for isa in Isa::available().into_iter().skip(1) {
        println!("{isa:?}");
        for (count, side, channels) in [
            (1, 56, 64),
            (4, 56, 64),
            (1, 28, 128),
            (4, 28, 128),
            (1, 14, 256),
            (4, 14, 256),
            (1, 7, 512),
            (4, 7, 512),
            (8, 7, 512),
        ] {
            measure(isa, count, side, channels, channels);
        }
        if all {
            for side in [112, 56, 28, 14, 8, 7, 4] {
                for (inputs, outputs) in
                    [(8, 8), (16, 16), (32, 32), (64, 16), (16, 64), (128, 32), (128, 128), (256, 256)]
                {
                    measure(isa, 1, side, inputs, outputs);
                }
            }
        }
    }
}
