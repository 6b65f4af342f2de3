//! Times ablations and noise: `cargo bench -p hard-imagenet-benches --bench perturbations`.
//!
//! `python/perturbations.py` times the same work done by the published code and its libraries, under the same names.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Mask;
use hard_imagenet_perturbations::{
    EmptyRegion, Noise, NoiseKey, Norm, Preset, Region, background, normal, normals, parse, paste,
};
use image::{ImageBuffer, Rgb, imageops};
use std::hint::black_box;

const SIDES: [usize; 3] = [64, 224, 384];

fn scene(side: usize) -> (Pixels, Mask) {
    let values = (0..3 * side * side).map(|i| (i * 7919 % 256) as f32 / 255.0).collect();
    let mask = Mask::from_fn(side, side, |row, column| {
        let inside = |at: usize, from: usize, to: usize| (side * from / 8..side * to / 8).contains(&at);
        (inside(row, 2, 5) && inside(column, 1, 3)) || (inside(row, 4, 6) && inside(column, 5, 7))
    });
    (Pixels::from_vec(side, side, values).unwrap(), mask)
}

fn perturb(c: &mut Criterion) {
    let fixed = ["gray", "gray-box", "tile", "average:shape"];
    let strict = ["average", "mean", "no-fg", "only-fg", "only-bg-b", "only-bg-t", "blur:4", "blur:16", "shuffle:1"];
    let random = ["shuffle:16", "noise-fill", "noise:linf:0.25:fg", "noise:l2:90:bg"];
    let words = fixed.map(|id| (Preset::Paper, id)).into_iter();
    let words = words.chain([&fixed[..], &strict[..], &random[..]].concat().into_iter().map(|id| (Preset::Strict, id)));
    let words: Vec<(Preset, &str)> = words.collect();
    for preset in [Preset::Paper, Preset::Strict] {
        let mut group = c.benchmark_group(format!("perturb {preset:?}"));
        for side in SIDES {
            let (image, mask) = scene(side);
            group.throughput(Throughput::Elements((3 * side * side) as u64));
            // A copy is the least that any perturbation can cost.
            group.bench_function(BenchmarkId::new("copy", side), |b| b.iter(|| black_box(&image).clone()));
            for (_, id) in words.iter().filter(|(of, _)| *of == preset) {
                let perturb = parse(id, preset).expect("a known word");
                group.bench_function(BenchmarkId::new(*id, side), |b| {
                    b.iter(|| perturb.apply(black_box(&image), black_box(&mask), NoiseKey::new(0, "a", 0)));
                });
            }
        }
        group.finish();
    }
}

/// Blurs the object's box, compared with blurring the whole image by the crate `image`.
fn blur(c: &mut Criterion) {
    let mut group = c.benchmark_group("blur");
    for side in SIDES {
        let (image, mask) = scene(side);
        let values =
            (0..side * side).flat_map(|i| [0, 1, 2].map(|channel| image.as_slice()[channel * side * side + i]));
        let buffer: ImageBuffer<Rgb<f32>, Vec<f32>> =
            ImageBuffer::from_raw(side as u32, side as u32, values.collect()).expect("as many values as pixels");
        group.throughput(Throughput::Elements((3 * side * side) as u64));
        for (name, mask) in [("the object", &mask), ("the whole image", &Mask::new(side, side).complement())] {
            let perturb = parse("blur:4", Preset::Strict).expect("a known word");
            group.bench_function(BenchmarkId::new(name, side), |b| {
                b.iter(|| perturb.apply(black_box(&image), black_box(mask), NoiseKey(0)));
            });
        }
        group.bench_function(BenchmarkId::new("the crate image", side), |b| {
            b.iter(|| imageops::blur(black_box(&buffer), 4.0));
        });
    }
    group.finish();
}

/// Puts the object before another background, whose own object is covered first.
fn mix(c: &mut Criterion) {
    let mut group = c.benchmark_group("mix");
    for side in SIDES {
        let (image, mask) = scene(side);
        let other = Pixels::from_vec(side, side, image.as_slice().iter().rev().copied().collect()).unwrap();
        group.throughput(Throughput::Elements((3 * side * side) as u64));
        group.bench_function(BenchmarkId::new("background", side), |b| {
            b.iter(|| background(black_box(&other), black_box(&mask)));
        });
        group.bench_function(BenchmarkId::new("paste", side), |b| {
            b.iter(|| paste(black_box(&image), black_box(&mask), black_box(&other)));
        });
        group.bench_function(BenchmarkId::new("pixel by pixel", side), |b| {
            b.iter(|| {
                let mut mixed = other.clone();
                for row in 0..side {
                    for column in 0..side {
                        for channel in 0..3 {
                            if mask.get(row, column) {
                                let place = (channel * side + row) * side + column;
                                mixed.as_mut_slice()[place] = image.as_slice()[place];
                            }
                        }
                    }
                }
                mixed
            });
        });
    }
    group.finish();
}

fn noise(c: &mut Criterion) {
    let mut group = c.benchmark_group("standard normals");
    for side in SIDES {
        let count = 3 * side * side;
        let key = NoiseKey::new(0, "a", 0);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::new("a tensor at once", side), |b| b.iter(|| normals(black_box(key), count)));
        group.bench_function(BenchmarkId::new("one by one", side), |b| {
            b.iter(|| (0..count as u64).map(|i| normal(black_box(key), i)).collect::<Vec<_>>());
        });
    }
    group.finish();

    // One draw of noise, applied to the object and around it. A trial of the paper does this in both norms at six strengths.
    let mut group = c.benchmark_group("noisy pair");
    for side in SIDES {
        let (image, mask) = scene(side);
        group.throughput(Throughput::Elements((6 * side * side) as u64));
        for (name, norm, sigma) in [("linf", Norm::Linf, 0.25), ("l2", Norm::L2, 90.0)] {
            group.bench_function(BenchmarkId::new(name, side), |b| {
                b.iter(|| {
                    let drawn = normals(black_box(NoiseKey(7)), image.as_slice().len());
                    [Region::Foreground, Region::Background].map(|region| {
                        Noise { norm, sigma, region, empty: EmptyRegion::Unchanged }.add(&image, &mask, &drawn)
                    })
                });
            });
        }
        group.throughput(Throughput::Elements((12 * 6 * side * side) as u64));
        group.bench_function(BenchmarkId::new("trial", side), |b| {
            let linf = [0.125, 0.25, 0.375, 0.5, 0.625, 0.75].map(|sigma| (Norm::Linf, sigma));
            let l2 = [30.0, 60.0, 90.0, 120.0, 150.0, 180.0].map(|sigma| (Norm::L2, sigma));
            b.iter(|| {
                let drawn = normals(black_box(NoiseKey(7)), image.as_slice().len());
                for (norm, sigma) in [linf, l2].into_iter().flatten() {
                    for region in [Region::Foreground, Region::Background] {
                        let noise = Noise { norm, sigma, region, empty: EmptyRegion::Unchanged };
                        black_box(noise.add(&image, &mask, &drawn));
                    }
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, perturb, blur, mix, noise);
criterion_main!(benches);
