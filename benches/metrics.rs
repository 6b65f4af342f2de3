//! Scoring: `cargo bench -p hard-imagenet-benches --bench metrics`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hard_imagenet_metrics::{Options, Record, alignment, score};
use std::hint::black_box;

/// A run's records: 15 classes, the paper's 76 pictures a sample.
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
                    iou: clean.then_some((sample % 10) as f32 / 10.0),
                    delta_density: clean.then_some((sample % 7) as f32 / 10.0),
                    error: None,
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

fn alignments(c: &mut Criterion) {
    let mut group = c.benchmark_group("alignment");
    for side in [64, 224] {
        let map: Vec<f32> = (0..side * side).map(|i| (i * 7919 % 1000) as f32 / 1000.0).collect();
        let mask: Vec<u8> = (0..side * side).map(|i| u8::from(i % 3 == 0)).collect();
        group.throughput(Throughput::Elements((side * side) as u64));
        group.bench_function(BenchmarkId::new("iou", side), |b| {
            b.iter(|| alignment::iou(black_box(&map), black_box(&mask), 0.5))
        });
        group.bench_function(BenchmarkId::new("delta density", side), |b| {
            b.iter(|| alignment::delta_density(black_box(&map), black_box(&mask)));
        });
    }
    group.finish();
}

criterion_group!(benches, scores, alignments);
criterion_main!(benches);
