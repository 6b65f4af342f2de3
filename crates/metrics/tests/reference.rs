//! Compares saliency alignment and relative foreground sensitivity with outputs of the published code, which are not
//! part of the repository.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a test may print and read its settings")]

use hard_imagenet_metrics::alignment::*;
use hard_imagenet_metrics::rfs;
use safetensors::SafeTensors;
use std::path::PathBuf;

fn read(name: &str) -> Vec<u8> {
    let dir = std::env::var_os("HARD_IMAGENET_REFERENCE").expect("HARD_IMAGENET_REFERENCE names a folder");
    std::fs::read(PathBuf::from(dir).join(name)).unwrap()
}

#[test]
#[ignore = "needs reference data: HARD_IMAGENET_REFERENCE=dir cargo test -p hard-imagenet-metrics --test reference -- --ignored"]
fn sensitivity_of_the_whole_table() {
    let json: serde_json::Value = serde_json::from_slice(&read("rfs.json")).unwrap();
    let table = json["table_fg_bg_rfs"].as_array().unwrap();
    assert_eq!(table.len(), 100);
    for row in table {
        let [foreground, background, expected] = [0, 1, 2].map(|column| row[column].as_f64().unwrap());
        assert!((rfs(foreground, background) - expected).abs() < 1e-12, "{row}");
    }
}

#[test]
#[ignore = "needs reference data: HARD_IMAGENET_REFERENCE=dir cargo test -p hard-imagenet-metrics --test reference -- --ignored"]
fn published_code_agrees() {
    let bytes = read("saliency_maps.safetensors");
    let arrays = SafeTensors::deserialize(&bytes).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&read("saliency_metrics.json")).unwrap();
    let find = |kind: &str, name: &serde_json::Value| {
        arrays.tensor(&format!("{kind}.{}", name.as_str().unwrap())).unwrap().data().to_vec()
    };
    let rows = json["rows"].as_array().unwrap();
    let mut moved = 0;
    for row in rows {
        let map = find("map", &row["map"]);
        let map: Vec<f32> = map.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
        let mask = find("mask", &row["mask"]);
        let close = |expected: &serde_json::Value, value: Option<f64>, tolerance: f64| match value {
            Some(value) => assert!((value - expected.as_f64().unwrap()).abs() < tolerance, "{value} {expected} {row}"),
            None => assert_eq!(*expected, "NaN", "{row}"),
        };
        close(&row["iou"], Some(iou(&map, &mask, 0.5)), 1e-9);
        close(&row["dice"], Some(dice(&map, &mask, 0.5)), 1e-9);
        close(&row["delta_density"], delta_density(&map, &mask), 1e-5);
        let divided = divided_by_max(&map);
        close(&row["rival_iou"], Some(iou(&divided, &mask, 0.5)), 1e-9);
        close(&row["rival_dice"], Some(dice(&divided, &mask, 0.5)), 1e-9);
        close(&row["frac_inside"], inside_fraction(&map, &mask), 1e-5);
        // The published code returns 0 for an empty mask.
        close(&row["average_precision"], Some(average_precision(&map, &mask).unwrap_or(0.0)), 1e-6);

        let mut sorted: Vec<f32> = map.iter().copied().filter(|value| !value.is_nan()).collect();
        sorted.sort_unstable_by(f32::total_cmp);
        for (sum, suffix, tolerance) in [(RunningSum::F32, "", 1e-3), (RunningSum::F64, "_f64", 1e-6)] {
            let thresholds = mass_thresholds(&map, [0.25, 0.5, 0.75], sum);
            let (values, coverages) = (
                &row[format!("saliency_thresholds_25_50_75{suffix}")],
                &row[format!("mask_coverage_25_50_75{suffix}")],
            );
            for (index, threshold) in thresholds.into_iter().enumerate() {
                let expected = values[index].as_f64().unwrap() as f32;
                let steps = sorted.partition_point(|&v| v < threshold) as i64
                    - sorted.partition_point(|&v| v < expected) as i64;
                assert!(steps.abs() <= 1, "{threshold} is {steps} values from {expected}: {row}");
                moved += usize::from(steps != 0);
                close(&coverages[index], coverage(&map, &mask, threshold), tolerance);
            }
        }
    }
    println!("{moved} thresholds are one value off");
    assert_eq!(rows.len(), 70);
}
