//! Prints GFLOP/s of each layer beside the peak of the processor's fused multiply-adds, one thread.
#![allow(clippy::disallowed_macros, missing_docs, unused)]
use hard_imagenet_cpu::product::*;
use hard_imagenet_cpu::*;
use std::hint::black_box;
use std::time::Instant;

struct Peak(u64);
impl Vectorized for Peak {
    type Output = f32;
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f32 {
        let (a, b) = (s.splat(black_box(0.999)), s.splat(black_box(0.001)));
        let mut acc = [s.splat(1.0); 12];
        for _ in 0..self.0 {
            macro_rules! go { ($($i:literal)*) => { $( acc[$i] = s.mul_add(acc[$i], a, b); )* } }
            go!(0 1 2 3 4 5 6 7 8 9 10 11);
        }
        let mut sum = s.splat(0.0);
        macro_rules! go { ($($i:literal)*) => { $( sum = s.add(sum, acc[$i]); )* } }
        go!(0 1 2 3 4 5 6 7 8 9 10 11);
        s.sum(sum)
    }
}
fn best(mut f: impl FnMut()) -> f64 {
    f();
    let mut best = f64::MAX;
    let start = Instant::now();
    while start.elapsed().as_secs_f64() < 0.4 {
        let t = Instant::now();
        f();
        best = best.min(t.elapsed().as_secs_f64());
    }
    best
}
fn main() {
    let n: usize = std::env::args().nth(1).map_or(1, |n| n.parse().unwrap());
    for isa in Isa::available().into_iter().skip(1) {
        let steps = 4_000_000;
        let t = best(|| {
            black_box(isa.vectorize(Peak(black_box(steps))));
        });
        let peak = steps as f64 * 12.0 * 32.0 / t / 1e9;
        println!("{isa:?}: peak {peak:.0} GFLOP/s");
        for (name, side, k, stride, cin, cout) in [
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
            let pad = k / 2;
            let (oh, ow) = (h / stride, w / stride);
            let pitch = (w + 2 * pad) * cin;
            let image = (h + 2 * pad) * pitch;
            let mut x = Aligned::zeros(n * image);
            x.iter_mut().enumerate().for_each(|(i, x)| *x = (i % 17) as f32 / 17.0);
            let offsets: Vec<usize> = (0..k).map(|y| y * pitch).collect();
            let window = Window { offsets: &offsets, run: k * cin, footprint: cin * stride * stride };
            let packed = PackedWeights::pack(isa, cout, window.taps(), |o, t| ((o + t) % 13) as f32 / 13.0, None);
            let dense = Strides { start: 0, by: [oh * ow * cout, ow * cout, cout] };
            let positions = Positions {
                counts: [n, oh, ow],
                x: Strides { start: 0, by: [image, stride * pitch, stride * cin] },
                y: dense,
                residual: dense,
            }
            .joined();
            let mut y = Aligned::zeros(n * oh * ow * cout);
            let t = best(|| product(&x, window, packed.panels(), &positions, Residual::None, None, black_box(&mut y)));
            let flops = 2.0 * (n * oh * ow * cout * window.taps()) as f64;
            println!("  {name:22} {:6.1} GFLOP/s  {:3.0} %", flops / t / 1e9, 100.0 * flops / t / 1e9 / peak);
        }
    }
}
