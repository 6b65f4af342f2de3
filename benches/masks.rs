//! Times mask kernels: `cargo bench -p hard-imagenet-benches --bench masks`. The comparators are plain loops over pixels and
//! `imageproc`; `python/masks.py` times the same kernels in Python packages on the same inputs, under the same names.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hard_imagenet_masks::{Connectivity, Element, Heatmap, Mask, Rle};
use image::{GrayImage, Luma};
use imageproc::distance_transform::Norm;
use imageproc::region_labelling::{self, connected_components};
use std::hint::black_box;

const SIDES: [usize; 3] = [224, 512, 1024];

/// Makes three ellipses and a stripe, moved to the right by a share of the width.
fn mask(side: usize, shift: f64) -> Mask {
    let at = |index: usize| (index as f64 + 0.5) / side as f64;
    let ellipse = |y: f64, x: f64, height: f64, width: f64| (y / height).powi(2) + (x / width).powi(2) <= 1.0;
    Mask::from_fn(side, side, |row, column| {
        let (y, x) = (at(row), at(column) - shift);
        ellipse(y - 0.4, x - 0.4, 0.25, 0.2)
            || ellipse(y - 0.7, x - 0.65, 0.12, 0.25)
            || ellipse(y - 0.15, x - 0.85, 0.08, 0.08)
            || (0.48..0.52).contains(&y)
    })
}

/// Returns a star with 64 corners.
fn star(side: usize) -> Vec<[f64; 2]> {
    let corner = |index: usize| {
        let angle = index as f64 / 64.0 * std::f64::consts::TAU;
        let radius = (0.3 + 0.1 * (5.0 * angle).sin()) * side as f64;
        [side as f64 / 2.0 + radius * angle.cos(), side as f64 / 2.0 + radius * angle.sin()]
    };
    (0..64).map(corner).collect()
}

fn gray(mask: &Mask) -> GrayImage {
    let values = mask.as_slice().iter().map(|&v| v * 255).collect();
    GrayImage::from_raw(mask.width() as u32, mask.height() as u32, values).expect("as many values as pixels")
}

/// Times one kernel in several libraries at one size.
fn compare(c: &mut Criterion, kernel: &str, side: usize, contenders: &[(&str, &dyn Fn())]) {
    let mut group = c.benchmark_group(kernel);
    group.throughput(Throughput::Elements((side * side) as u64));
    for (library, run) in contenders {
        group.bench_function(BenchmarkId::new(*library, side), |b| b.iter(run));
    }
    group.finish();
}

/// Returns the pixels one by one, as `(row, column)`.
fn pixels(mask: &Mask) -> impl Iterator<Item = (usize, usize)> {
    let places = (0..mask.height()).flat_map(|row| (0..mask.width()).map(move |column| (row, column)));
    places.filter(|&(row, column)| mask.get(row, column))
}

fn measures(c: &mut Criterion) {
    for side in SIDES {
        let (a, b) = (&mask(side, 0.0), &mask(side, 0.1));
        compare(
            c,
            "area",
            side,
            &[
                ("ours", &|| _ = black_box(black_box(a).area())),
                ("pixel by pixel", &|| _ = black_box(pixels(black_box(a)).count())),
            ],
        );
        let hull = |mut all: [usize; 4], (row, column): (usize, usize)| {
            all = [all[0].min(row), all[1].min(column), all[2].max(row), all[3].max(column)];
            all
        };
        compare(
            c,
            "bounding-box",
            side,
            &[
                ("ours", &|| _ = black_box(black_box(a).bounding_box())),
                ("pixel by pixel", &|| _ = black_box(pixels(black_box(a)).fold([side, side, 0, 0], hull))),
            ],
        );
        let sums = |(n, rows, columns): (usize, usize, usize), (row, column)| (n + 1, rows + row, columns + column);
        compare(
            c,
            "centroid",
            side,
            &[
                ("ours", &|| _ = black_box(black_box(a).centroid())),
                ("pixel by pixel", &|| _ = black_box(pixels(black_box(a)).fold((0, 0, 0), sums))),
            ],
        );
        compare(
            c,
            "iou",
            side,
            &[
                ("ours", &|| _ = black_box(black_box(a).iou(black_box(b)))),
                ("pixel by pixel", &|| {
                    let both = pixels(black_box(a)).filter(|&(row, column)| b.get(row, column)).count();
                    let either = a.area() + b.area() - both;
                    black_box(both as f64 / either as f64);
                }),
            ],
        );
    }
}

fn components(c: &mut Criterion) {
    for side in SIDES {
        let mask = &mask(side, 0.0);
        let image = &gray(mask);
        let kinds = [
            ("components-4", Connectivity::Four, region_labelling::Connectivity::Four),
            ("components-8", Connectivity::Eight, region_labelling::Connectivity::Eight),
        ];
        for (kernel, ours, theirs) in kinds {
            let labels = connected_components(image, theirs, Luma([0]));
            assert_eq!(labels.as_raw(), &mask.components(ours).labels(), "{kernel}");
            compare(
                c,
                kernel,
                side,
                &[
                    ("ours", &|| _ = black_box(black_box(mask).components(ours).labels())),
                    ("ours, areas and boxes", &|| _ = black_box(black_box(mask).components(ours))),
                    ("imageproc", &|| _ = black_box(connected_components(black_box(image), theirs, Luma([0])))),
                ],
            );
        }
    }
}

fn morphology(c: &mut Criterion) {
    for side in SIDES {
        let mask = &mask(side, 0.0);
        let image = &gray(mask);
        let kinds = [
            ("dilate-diamond-1", Element::Diamond(1), Norm::L1, 1),
            ("dilate-diamond-8", Element::Diamond(8), Norm::L1, 8),
            ("dilate-square-8", Element::Square(8), Norm::LInf, 8),
            ("dilate-disk-8", Element::Disk(8), Norm::L2, 8),
        ];
        for (kernel, element, norm, reach) in kinds {
            let theirs = || imageproc::morphology::dilate(black_box(image), norm, reach);
            assert_eq!(theirs(), gray(&mask.dilate(element)), "{kernel}");
            compare(
                c,
                kernel,
                side,
                &[
                    ("ours", &|| _ = black_box(black_box(mask).dilate(element))),
                    ("imageproc", &|| _ = black_box(theirs())),
                ],
            );
        }
    }
}

/// The comparator goes column by column.
fn runs(mask: &Mask) -> Vec<u32> {
    let (mut counts, mut value) = (vec![0], false);
    for column in 0..mask.width() {
        for row in 0..mask.height() {
            if mask.get(row, column) != value {
                value = !value;
                counts.push(0);
            }
            *counts.last_mut().expect("never empty") += 1;
        }
    }
    counts
}

fn coco(c: &mut Criterion) {
    for side in SIDES {
        let (a, b) = (&mask(side, 0.0), &mask(side, 0.1));
        let (code, other) = (&a.to_rle().to_compressed(), &b.to_rle().to_compressed());
        let parse = |text: &str| Rle::from_compressed(side, side, black_box(text)).expect("a code");
        assert_eq!(runs(a), a.to_rle().counts());
        compare(
            c,
            "rle-encode",
            side,
            &[
                ("ours", &|| _ = black_box(black_box(a).to_rle().to_compressed())),
                ("ours, runs only", &|| _ = black_box(black_box(a).to_rle())),
                ("runs only, pixel by pixel", &|| _ = black_box(runs(black_box(a)))),
            ],
        );
        compare(
            c,
            "rle-decode",
            side,
            &[("ours", &|| _ = black_box(parse(code).to_mask())), ("ours, runs only", &|| _ = black_box(parse(code)))],
        );
        compare(
            c,
            "rle-iou",
            side,
            &[
                ("ours", &|| _ = black_box(parse(code).iou(&parse(other)))),
                ("ours, of masks", &|| _ = black_box(black_box(a).iou(black_box(b)))),
            ],
        );
        let star = &star(side);
        let corners: Vec<_> = star.iter().map(|[x, y]| imageproc::point::Point::new(*x as i32, *y as i32)).collect();
        compare(
            c,
            "polygon",
            side,
            &[
                ("ours", &|| {
                    _ = black_box(Rle::from_polygon(side, side, black_box(star)).map(|rle| rle.to_compressed()))
                }),
                ("imageproc", &|| {
                    let mut image = GrayImage::new(side as u32, side as u32);
                    imageproc::drawing::draw_polygon_mut(&mut image, black_box(&corners), Luma([1]));
                    black_box(image);
                }),
            ],
        );
    }
}

/// The comparator computes each output pixel from its four neighbors.
fn resized(map: &Heatmap, side: usize) -> Vec<f32> {
    let (height, width, values) = (map.height(), map.width(), map.as_slice());
    let place = |output: usize, from: usize| {
        let at = ((output as f32 + 0.5) * from as f32 / side as f32 - 0.5).clamp(0.0, (from - 1) as f32);
        (at as usize, (at as usize + 1).min(from - 1), at.fract())
    };
    let mut out = Vec::with_capacity(side * side);
    for row in 0..side {
        let (top, bottom, down) = place(row, height);
        for column in 0..side {
            let (left, right, share) = place(column, width);
            let line = |row: usize| values[row * width + left] * (1.0 - share) + values[row * width + right] * share;
            out.push(line(top) * (1.0 - down) + line(bottom) * down);
        }
    }
    out
}

fn heatmaps(c: &mut Criterion) {
    for side in SIDES {
        let map = &Heatmap::from_vec(7, 7, (0..49).map(|i| (i * 31 % 17) as f32 / 16.0).collect()).unwrap();
        let off = map
            .resize(side, side)
            .as_slice()
            .iter()
            .zip(resized(map, side))
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(off < 1e-4, "{off}");
        // Resizes a network's map to the size of an image and scales it to [0, 1], as after GradCAM.
        let scaled = || black_box(map).min_max_scale().resize(side, side).min_max_scale();
        compare(c, "saliency-map", side, &[("ours", &|| _ = black_box(scaled()))]);
        compare(
            c,
            "heatmap-resize",
            side,
            &[
                ("ours", &|| _ = black_box(black_box(map).resize(side, side))),
                ("pixel by pixel", &|| _ = black_box(resized(black_box(map), side))),
            ],
        );
    }
}

criterion_group!(benches, measures, components, morphology, coco, heatmaps);
criterion_main!(benches);
