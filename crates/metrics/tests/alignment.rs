//! Compares saliency alignment with NumPy and scikit-learn (golden/make.py).

use hard_imagenet_metrics::alignment::*;
use proptest::prelude::*;
use serde_json::Value;

/// Returns a map of make.py.
fn map(name: &str) -> Vec<f32> {
    let value = |i: i32| -> f32 {
        let (row, column) = (i / 16, i % 16);
        match name {
            "ramp" => i as f32 / 256.0,
            "scatter" => (i * 7919 % 1009) as f32 / 1024.0,
            "ties" => (i * 31 % 5) as f32 / 4.0,
            "dim" => (i * 13 % 64) as f32 / 128.0,
            "blob" => 0.max(64 - (row - 5).pow(2) - (column - 6).pow(2)) as f32 / 64.0,
            "half" => 0.5,
            "zeros" => 0.0,
            _ => panic!("no map {name}"),
        }
    };
    (0..256).map(value).collect()
}

fn mask(name: &str) -> Vec<u8> {
    let object = |i: i32| match name {
        "square" => (4..10).contains(&(i / 16)) && (4..12).contains(&(i % 16)),
        "stripes" => i * 31 % 7 < 3,
        "pixel" => i == 100,
        "full" => true,
        "empty" => false,
        _ => panic!("no mask {name}"),
    };
    (0..256).map(|i| u8::from(object(i))).collect()
}

#[test]
fn numpy_and_scikit_learn_agree() {
    let golden: Value = serde_json::from_str(include_str!("golden/alignment.json")).unwrap();
    for (map_name, case) in golden.as_object().unwrap() {
        let map = map(map_name);
        let check = |what: &str, value: Option<f64>, expected: &Value| match (value, expected.as_f64()) {
            (None, None) => (),
            (Some(value), Some(expected)) if (value - expected).abs() < 1e-12 => (),
            _ => panic!("{map_name} {what}: {value:?}, expected {expected}"),
        };
        let shares = [0.25, 0.5, 0.75];
        let thresholds = mass_thresholds(&map, shares, RunningSum::F64);
        assert_eq!(serde_json::json!(thresholds), case["thresholds"], "{map_name}");
        assert_eq!(serde_json::json!(mass_thresholds(&map, shares, RunningSum::F32)), case["thresholds_f32"]);
        for (name, expected) in case["masks"].as_object().unwrap() {
            let mask = mask(name);
            let divided = divided_by_max(&map);
            check("iou", Some(iou(&map, &mask, 0.5)), &expected["overlap"][0]);
            check("dice", Some(dice(&map, &mask, 0.5)), &expected["overlap"][1]);
            check("delta density", delta_density(&map, &mask), &expected["delta_density"]);
            check("iou, divided", Some(iou(&divided, &mask, 0.5)), &expected["overlap_divided"][0]);
            check("dice, divided", Some(dice(&divided, &mask, 0.5)), &expected["overlap_divided"][1]);
            check("inside", inside_fraction(&map, &mask), &expected["inside_fraction"]);
            for (index, threshold) in thresholds.into_iter().enumerate() {
                check("coverage", coverage(&map, &mask, threshold), &expected["coverage"][index]);
            }
            check("average precision", average_precision(&map, &mask), &expected["average_precision"]);
            check("auc", auc(&map, &mask), &expected["auc"]);
            check("rank accuracy", rank_accuracy(&map, &mask), &expected["rank_accuracy"]);
            check("pointing", pointing(&map, &mask), &expected["pointing"]);
            for (index, curve) in [iou_curve, dice_curve].into_iter().enumerate() {
                let curve = curve(&map, &mask, &THRESHOLDS);
                let mean = curve.iter().sum::<f64>() / curve.len() as f64;
                check("mean of the curve", Some(mean), &expected["curve_mean"][index]);
                let best = curve.into_iter().reduce(f64::max);
                check("best of the curve", best, &expected["curve_best"][index]);
            }
            check("mean iou", Some(iou_mean(&map, &mask)), &expected["curve_mean"][0]);
            check("best iou", Some(iou_best(&map, &mask)), &expected["curve_best"][0]);
        }
    }
}

proptest! {
    /// Computes the score by its definition: precision and recall of the pixels at or above each distinct value.
    #[test]
    fn average_precision_is_a_sum_over_values(pixels in prop::collection::vec((-4i8..5, any::<bool>()), 1..40)) {
        let map: Vec<f32> = pixels.iter().map(|p| f32::from(p.0) / 4.0).collect();
        let mask: Vec<u8> = pixels.iter().map(|p| u8::from(p.1)).collect();
        let object = pixels.iter().filter(|p| p.1).count();
        let (mut sum, mut recall) = (0.0, 0.0);
        for value in (-4i8..5).rev() {
            let above = pixels.iter().filter(|p| p.0 >= value);
            let (found, seen) = (above.clone().filter(|p| p.1).count() as f64, above.count() as f64);
            if seen > 0.0 && object > 0 {
                sum += (found / object as f64 - recall) * found / seen;
                recall = found / object as f64;
            }
        }
        match average_precision(&map, &mask) {
            Some(value) => prop_assert!((value - sum).abs() < 1e-12),
            None => prop_assert_eq!(object, 0),
        }
    }

    #[test]
    fn regions_add_up(values in prop::collection::vec((0.0f32..1.0, any::<bool>()), 0..70), threshold in 0.0f32..1.0) {
        let (map, mask): (Vec<f32>, Vec<u8>) = values.iter().map(|&(v, m)| (v, u8::from(m))).unzip();
        let rest: Vec<u8> = mask.iter().map(|m| 1 - m).collect();
        if let (Some(a), Some(b)) = (delta_density(&map, &mask), delta_density(&map, &rest)) {
            prop_assert!((a + b).abs() < 1e-12);
        }
        if let (Some(a), Some(b)) = (inside_fraction(&map, &mask), inside_fraction(&map, &rest)) {
            prop_assert!((a + b - 1.0).abs() < 1e-12);
        }
        let object = mask.iter().filter(|&&m| m != 0).count();
        let both = values.iter().filter(|&&(v, m)| m && v >= threshold).count() as f64;
        let either = values.iter().filter(|&&(v, m)| m || v >= threshold).count() as f64;
        prop_assert!((iou(&map, &mask, threshold) - (both + 1e-10) / (either + 1e-10)).abs() < 1e-12);
        if threshold > 0.0 && object > 0 {
            prop_assert!((coverage(&map, &mask, threshold).unwrap() - both / object as f64).abs() < 1e-12);
        }
    }
}
