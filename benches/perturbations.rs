//! Ablations and noise: `cargo bench -p hard-imagenet-benches --bench perturbations`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Mask;
use hard_imagenet_perturbations::{NoiseKey, Preset, normal, normals, parse};
use std::hint::black_box;

fn scene(side: usize) -> (Pixels, Mask) {
    let values = (0..3 * side * side).map(|i| (i * 7919 % 256) as f32 / 255.0).collect();
    let mask = Mask::from_fn(side, side, |row, column| {
        let inside = |at: usize, from: usize, to: usize| (side * from / 8..side * to / 8).contains(&at);
        (inside(row, 2, 5) && inside(column, 1, 3)) || (inside(row, 4, 6) && inside(column, 5, 7))
    });
    (Pixels::from_vec(side, side, values), mask)
}

fn perturb(c: &mut Criterion) {
    for preset in [Preset::Paper, Preset::Strict] {
        let mut group = c.benchmark_group(format!("perturb {preset:?}"));
        for side in [64, 224, 384] {
            let (image, mask) = scene(side);
            group.throughput(Throughput::Elements((3 * side * side) as u64));
            // A copy is the least that any perturbation can cost.
            group.bench_function(BenchmarkId::new("copy", side), |b| b.iter(|| black_box(&image).clone()));
            for id in ["gray", "gray-box", "tile", "noise:linf:0.25:fg", "noise:l2:90:bg"] {
                let perturb = parse(id, preset).expect("a known word");
                group.bench_function(BenchmarkId::new(id, side), |b| {
                    b.iter(|| perturb.apply(black_box(&image), black_box(&mask), NoiseKey::new(0, "a", 0)));
                });
            }
        }
        group.finish();
    }
}

fn noise(c: &mut Criterion) {
    let mut group = c.benchmark_group("standard normals");
    for side in [64, 224, 384] {
        let count = 3 * side * side;
        let key = NoiseKey::new(0, "a", 0);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::new("a tensor at once", side), |b| b.iter(|| normals(black_box(key), count)));
        group.bench_function(BenchmarkId::new("one by one", side), |b| {
            b.iter(|| (0..count as u64).map(|i| normal(black_box(key), i)).collect::<Vec<_>>());
        });
    }
    group.finish();
}

criterion_group!(benches, perturb, noise);
criterion_main!(benches);
