//! Mask kernels: `cargo bench -p hard-imagenet-benches --bench masks`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hard_imagenet_masks::{Connectivity, Mask};
use std::hint::black_box;

/// A disc, a ring around it, and a scatter of single pixels: every kernel has something to do.
fn mask(side: usize) -> Mask {
    let centre = side as f64 / 2.0;
    Mask::from_fn(side, side, |row, column| {
        let radius = (row as f64 - centre).hypot(column as f64 - centre) / centre;
        radius < 0.3 || (0.5..0.6).contains(&radius) || (row * 31 + column * 17) % 97 == 0
    })
}

/// The comparator: a flood fill with a stack, pixel by pixel.
fn flood_fill(mask: &Mask) -> usize {
    let (height, width) = (mask.height(), mask.width());
    let mut seen = vec![false; height * width];
    let mut count = 0;
    for start in 0..height * width {
        if seen[start] || mask.as_slice()[start] == 0 {
            continue;
        }
        count += 1;
        seen[start] = true;
        let mut stack = vec![start];
        while let Some(at) = stack.pop() {
            let (row, column) = (at / width, at % width);
            let mut visit = |next: usize| {
                if !seen[next] && mask.as_slice()[next] != 0 {
                    seen[next] = true;
                    stack.push(next);
                }
            };
            if row > 0 {
                visit(at - width);
            }
            if row + 1 < height {
                visit(at + width);
            }
            if column > 0 {
                visit(at - 1);
            }
            if column + 1 < width {
                visit(at + 1);
            }
        }
    }
    count
}

fn components(c: &mut Criterion) {
    let mut group = c.benchmark_group("components");
    for side in [64, 224, 500] {
        let mask = mask(side);
        assert_eq!(mask.components(Connectivity::Four).len(), flood_fill(&mask));
        group.throughput(Throughput::Elements((side * side) as u64));
        group.bench_with_input(BenchmarkId::new("ours", side), &mask, |b, mask| {
            b.iter(|| black_box(mask).components(Connectivity::Four));
        });
        group.bench_with_input(BenchmarkId::new("flood fill", side), &mask, |b, mask| {
            b.iter(|| flood_fill(black_box(mask)))
        });
    }
    group.finish();
}

fn overlap(c: &mut Criterion) {
    let mut group = c.benchmark_group("iou");
    for side in [64, 224, 500] {
        let (a, b) = (mask(side), mask(side).complement());
        group.throughput(Throughput::Elements((side * side) as u64));
        group.bench_function(BenchmarkId::new("ours", side), |bench| bench.iter(|| black_box(&a).iou(black_box(&b))));
        group.bench_function(BenchmarkId::new("pixel by pixel", side), |bench| {
            bench.iter(|| {
                let (a, b) = (black_box(&a), black_box(&b));
                let mut both = 0usize;
                let mut any = 0usize;
                for row in 0..side {
                    for column in 0..side {
                        both += usize::from(a.get(row, column) && b.get(row, column));
                        any += usize::from(a.get(row, column) || b.get(row, column));
                    }
                }
                both as f64 / any as f64
            });
        });
    }
    group.finish();
}

criterion_group!(benches, components, overlap);
criterion_main!(benches);
