//! Compares tests, corrections and sample sizes with SciPy and their formulas (golden/make_statistics.py).

use hard_imagenet_metrics::*;
use serde_json::Value;

fn golden(name: &str) -> Vec<Value> {
    let golden: Value = serde_json::from_str(include_str!("golden/statistics.json")).unwrap();
    golden[name].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn close(value: Option<f64>, expected: Option<f64>) {
    match (value, expected) {
        (None, None) => (),
        (Some(a), Some(b)) if (a - b).abs() <= 1e-9 * b.abs() => (),
        _ => panic!("{value:?} is not {expected:?}"),
    }
}

#[test]
fn mcnemar_agrees_with_scipy() {
    for case in golden("mcnemar") {
        let pair = numbers(&case["discordant"]);
        let test = mcnemar(pair[0] as usize, pair[1] as usize);
        close(Some(test.exact_p), case["exact"].as_f64());
        close(test.chi_square, case["chi_square"].as_f64());
        close(test.chi_square_p, case["p"].as_f64());
    }
}

#[test]
fn corrections_agree_with_scipy() {
    for case in golden("correction") {
        let check = |corrected: Vec<f64>, expected: &Value| {
            let expected = numbers(expected);
            assert_eq!(corrected.len(), expected.len());
            corrected.into_iter().zip(expected).for_each(|(value, expected)| close(Some(value), Some(expected)));
        };
        let p_values = numbers(&case["p"]);
        check(holm(&p_values), &case["holm"]);
        check(benjamini_hochberg(&p_values), &case["benjamini_hochberg"]);
    }
    assert!(holm(&[]).is_empty() && benjamini_hochberg(&[]).is_empty());
}

#[test]
fn exact_permutations_agree_with_scipy() {
    for case in golden("sign_flip") {
        close(sign_flip_p(&numbers(&case["differences"]), 1000, 0), case["p"].as_f64());
    }
}

#[test]
fn sample_sizes_agree_with_their_formulas() {
    for case in golden("power") {
        let effect = numbers(&case["effect"]);
        let check = |needed: Option<ImagesNeeded>, expected: &Value| {
            let needed = needed.unwrap();
            assert_eq!([needed.power_80 as f64, needed.power_90 as f64], numbers(expected)[..], "{effect:?}");
        };
        check(ImagesNeeded::mean(effect[0], effect[1]), &case["mean"]);
        check(ImagesNeeded::accuracy(effect[0], effect[1]), &case["accuracy"]);
    }
    assert_eq!(ImagesNeeded::accuracy(0.0, 0.1), None);
}
