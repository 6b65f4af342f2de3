//! Reads the golden file that make.py writes.

use hard_imagenet_masks::Mask;
use serde_json::{Map, Value};

pub(crate) fn cases() -> Map<String, Value> {
    let golden: Value = serde_json::from_str(include_str!("golden.json")).unwrap();
    let cases = golden.as_object().unwrap().clone();
    assert_eq!(cases.len(), 24);
    cases
}

pub(crate) fn mask(case: &Value) -> Mask {
    let digits = case["mask"].as_str().unwrap();
    let bit = |at: usize| u8::from_str_radix(&digits[at / 4..=at / 4], 16).unwrap() >> (3 - at % 4) & 1 == 1;
    Mask::from_fn(48, 48, |row, column| bit(row * 48 + column))
}
