//! Times scoring: `cargo bench -p hard-imagenet-benches --bench metrics`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hard_imagenet_metrics::alignment::{self, RunningSum};
use hard_imagenet_metrics::{MapScores, Options, Record, score};
use std::hint::black_box;

/// Makes the records of a run: 15 classes, the paper's 76 images per sample.
fn records(samples: usize) -> Vec<Record> {
    let mut conditions: Vec<(String, u32)> = ["none", "gray", "gray-box", "tile"].map(|id| (id.to_owned(), 1)).into();
    for (norm, strengths) in
        [("linf", [0.125, 0.25, 0.375, 0.5, 0.625, 0.75]), ("l2", [30.0, 60.0, 90.0, 120.0, 150.0, 180.0])]
    {
        for strength in strengths {
            conditions.push((format!("noise:{norm}:{strength}:fg"), 3));
            conditions.push((format!("noise:{norm}:{strength}:bg"), 3));
        }
    }
    let mut records = Vec::new();
    for sample in 0..samples {
        for (place, (condition, trials)) in conditions.iter().enumerate() {
            for trial in 0..*trials {
                let correct = !(sample * 31 + place * 17 + trial as usize * 7).is_multiple_of(5);
                let clean = place == 0;
                records.push(Record {
                    sample: format!("val/{:02}/{sample:05}", sample % 15),
                    label: (sample % 15) as u32,
                    class: format!("class {}", sample % 15),
                    condition: condition.clone(),
                    trial,
                    prediction: Some(if correct { (sample % 15) as u32 } else { 99 }),
                    correct: Some(correct),
                    confidence: Some(if correct { 0.8 } else { 0.1 }),
                    object_fraction: clean.then_some(0.2),
                    map: match clean {
                        true => [("iou", (sample % 10) as f32 / 10.0), ("delta_density", (sample % 7) as f32 / 10.0)]
                            .into_iter()
                            .collect(),
                        false => MapScores::default(),
                    },
                    ..Record::default()
                });
            }
        }
    }
    records
}

fn scores(c: &mut Criterion) {
    let mut group = c.benchmark_group("score with intervals");
    group.sample_size(10);
    for samples in [75, 750] {
        let records = records(samples);
        group.throughput(Throughput::Elements(records.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(samples), &records, |b, records| {
            b.iter(|| score(black_box(records), &Options::default()));
        });
    }
    group.finish();
}

/// Makes three ellipses and a stripe, as in `masks.rs`.
fn mask(side: usize) -> Vec<u8> {
    let at = |index: usize| (index as f64 + 0.5) / side as f64;
    let ellipse = |y: f64, x: f64, height: f64, width: f64| (y / height).powi(2) + (x / width).powi(2) <= 1.0;
    let object = |i: usize| {
        let (y, x) = (at(i / side), at(i % side));
        ellipse(y - 0.4, x - 0.4, 0.25, 0.2)
            || ellipse(y - 0.7, x - 0.65, 0.12, 0.25)
            || ellipse(y - 0.15, x - 0.85, 0.08, 0.08)
            || (0.48..0.52).contains(&y)
    };
    (0..side * side).map(|i| u8::from(object(i))).collect()
}

/// Makes a map with one bright spot off the middle.
fn blob(side: usize) -> Vec<f32> {
    let at = |index: usize| (index as f64 + 0.5) / side as f64;
    let value = |i: usize| 1.0 - ((at(i / side) - 0.45) / 0.5).powi(2) - ((at(i % side) - 0.4) / 0.4).powi(2);
    (0..side * side).map(|i| value(i).max(0.0) as f32).collect()
}

/// The comparator adds up the definition's sums, one pixel after the other.
fn means(map: &[f32], mask: &[u8]) -> f64 {
    let sum = |object: bool| -> (f64, f64) {
        let values = map.iter().zip(mask).filter(|(_, m)| (**m != 0) == object);
        values.fold((0.0, 0.0), |(n, sum), (value, _)| (n + 1.0, sum + f64::from(*value)))
    };
    let ((inside, inside_sum), (outside, outside_sum)) = (sum(true), sum(false));
    inside_sum / inside - outside_sum / outside
}

/// The comparator sorts the values with their positions and computes precision and recall at each of them.
fn precision(map: &[f32], mask: &[u8]) -> f64 {
    let mut places: Vec<usize> = (0..map.len()).collect();
    places.sort_by(|&a, &b| map[b].total_cmp(&map[a]));
    let (mut found, mut gained, mut sum) = (0.0, 0.0, 0.0);
    for (seen, &place) in places.iter().enumerate() {
        gained += f64::from(mask[place]);
        if places.get(seen + 1).is_none_or(|&next| map[next] != map[place]) {
            found += gained;
            sum += gained * found / (seen + 1) as f64;
            gained = 0.0;
        }
    }
    sum / found
}

/// Times the scores of a map, under the names of `python/masks.py`.
fn alignments(c: &mut Criterion) {
    for side in [224, 512, 1024] {
        let (map, mask) = (&blob(side)[..], &mask(side)[..]);
        let mut compare = |kernel: &str, contenders: &[(&str, &dyn Fn() -> f64)]| {
            let mut group = c.benchmark_group(kernel);
            group.throughput(Throughput::Elements((side * side) as u64));
            for (library, run) in contenders {
                assert!((run() - contenders[0].1()).abs() < 1e-9, "{kernel}");
                group.bench_function(BenchmarkId::new(*library, side), |b| b.iter(run));
            }
            group.finish();
        };
        let number = |value: Option<f64>| value.expect("an object and surroundings");
        compare(
            "alignment-iou",
            &[
                ("ours", &|| alignment::iou(black_box(map), black_box(mask), 0.5)),
                ("pixel by pixel", &|| {
                    let pixels =
                        || black_box(map).iter().zip(black_box(mask)).map(|(value, m)| (*value >= 0.5, *m != 0));
                    pixels().filter(|p| p.0 && p.1).count() as f64 / pixels().filter(|p| p.0 || p.1).count() as f64
                }),
            ],
        );
        compare(
            "delta-density",
            &[
                ("ours", &|| number(alignment::delta_density(black_box(map), black_box(mask)))),
                ("pixel by pixel", &|| means(black_box(map), black_box(mask))),
            ],
        );
        compare(
            "inside-fraction",
            &[
                ("ours", &|| number(alignment::inside_fraction(black_box(map), black_box(mask)))),
                ("pixel by pixel", &|| {
                    let inside = black_box(map).iter().zip(black_box(mask)).filter(|p| *p.1 != 0);
                    inside.map(|p| f64::from(*p.0)).sum::<f64>() / map.iter().copied().map(f64::from).sum::<f64>()
                }),
            ],
        );
        compare(
            "coverage",
            &[
                ("ours", &|| number(alignment::coverage(black_box(map), black_box(mask), 0.5))),
                ("pixel by pixel", &|| {
                    let object = || black_box(map).iter().zip(black_box(mask)).filter(|p| *p.1 != 0);
                    object().filter(|p| *p.0 >= 0.5).count() as f64 / object().count() as f64
                }),
            ],
        );
        let thresholds = |sum| alignment::mass_thresholds(black_box(map), [0.25, 0.5, 0.75], sum)[1].into();
        compare(
            "mass-thresholds",
            &[
                ("ours", &|| thresholds(RunningSum::F64)),
                ("pixel by pixel", &|| {
                    let mut values = black_box(map).to_vec();
                    values.sort_by(f32::total_cmp);
                    let total: f64 = values.iter().copied().map(f64::from).sum();
                    let mut running = 0.0;
                    let found = values.into_iter().find(|value| {
                        running += f64::from(*value);
                        running > 0.5 * total
                    });
                    number(found.map(f64::from))
                }),
            ],
        );
        compare(
            "mass-coverage",
            &[("ours", &|| {
                let thresholds = alignment::mass_thresholds(black_box(map), [0.25, 0.5, 0.75], RunningSum::F64);
                thresholds.iter().map(|&at| number(alignment::coverage(black_box(map), black_box(mask), at))).sum()
            })],
        );
        compare(
            "average-precision",
            &[
                ("ours", &|| number(alignment::average_precision(black_box(map), black_box(mask)))),
                ("pixel by pixel", &|| precision(black_box(map), black_box(mask))),
            ],
        );
    }
}

criterion_group!(benches, scores, alignments);
criterion_main!(benches);
