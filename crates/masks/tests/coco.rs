//! Run-length codes and polygons compared with pycocotools (golden/make_coco.py) and with pixels.
#![allow(clippy::disallowed_methods, reason = "a test may print and read its settings")]

use hard_imagenet_masks::{CocoCounts, CocoRle, Mask, Rle, RleError};
use proptest::prelude::*;
use serde_json::Value;

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn size(case: &Value) -> (usize, usize) {
    (case["size"][0].as_u64().unwrap() as usize, case["size"][1].as_u64().unwrap() as usize)
}

fn check_masks(cases: &[Value]) {
    for case in cases {
        let (height, width) = size(case);
        let read = |key: &str| Rle::from_compressed(height, width, text(&case[key])).unwrap();
        let rle = read("code");
        assert_eq!(serde_json::json!(rle.counts()), case["counts"]);
        assert_eq!(rle.to_compressed(), text(&case["code"]));
        assert_eq!(rle.area() as u64, case["area"].as_u64().unwrap());
        // The objects that pycocotools writes and reads.
        let object = CocoRle { size: [height, width], counts: CocoCounts::Compressed(text(&case["code"]).to_owned()) };
        assert_eq!(rle.to_coco(), object);
        assert_eq!(Rle::try_from(object).as_ref(), Ok(&rle));
        assert_eq!(Rle::try_from(rle.to_coco_uncompressed()).as_ref(), Ok(&rle));
        let corners = rle.bounding_box().map_or([0; 4], |r| [r.left, r.top, r.width(), r.height()]);
        assert_eq!(serde_json::json!(corners), case["box"]);

        let mask = rle.to_mask();
        assert_eq!((mask.area(), mask.bounding_box()), (rle.area(), rle.bounding_box()));
        assert_eq!(mask.to_rle(), rle);

        let other = read("other");
        assert_eq!(rle.union(&other), read("union"));
        assert_eq!(rle.intersection(&other), read("intersection"));
        assert_eq!(rle.iou(&other).unwrap_or(0.0), case["iou"].as_f64().unwrap());
        assert_eq!(rle.share_in_crowd(&other).unwrap_or(0.0), case["in_crowd"].as_f64().unwrap());
        assert_eq!(rle.iou(&other), mask.iou(&other.to_mask()));
    }
}

fn check_polygons(cases: &[Value]) {
    for case in cases {
        let (height, width) = size(case);
        let flat: Vec<f64> = case["corners"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        let rle = Rle::from_polygon(height, width, flat.as_chunks().0).unwrap();
        assert_eq!(rle.to_compressed(), text(&case["code"]), "{case}");
    }
}

#[test]
fn results_equal_pycocotools() {
    let golden: Value = serde_json::from_str(include_str!("golden/coco.json")).unwrap();
    let cases = |key: &str| golden[key].as_array().unwrap().clone();
    assert_eq!((cases("masks").len(), cases("polygons").len()), (40, 40));
    check_masks(&cases("masks"));
    check_polygons(&cases("polygons"));
}

/// Both JSON forms of every golden mask, as pycocotools writes them.
#[cfg(feature = "serde")]
#[test]
fn json_is_that_of_pycocotools() {
    let golden: Value = serde_json::from_str(include_str!("golden/coco.json")).unwrap();
    for case in golden["masks"].as_array().unwrap() {
        let compressed = serde_json::json!({"size": case["size"], "counts": case["code"]});
        let uncompressed = serde_json::json!({"size": case["size"], "counts": case["counts"]});
        let rle: Rle = serde_json::from_value(compressed.clone()).unwrap();
        assert_eq!(serde_json::from_value::<Rle>(uncompressed.clone()).unwrap(), rle);
        assert_eq!(serde_json::to_value(&rle).unwrap(), compressed);
        assert_eq!(serde_json::to_value(rle.to_coco_uncompressed()).unwrap(), uncompressed);
        assert_eq!(serde_json::from_value::<Mask>(compressed).unwrap(), rle.to_mask());
    }
}

#[test]
#[ignore = "needs many cases: run golden/make_coco.py 10000 FILE, then HARD_IMAGENET_COCO=FILE cargo test -p hard-imagenet-masks --test coco -- --ignored"]
fn results_equal_pycocotools_at_length() {
    let path = std::env::var_os("HARD_IMAGENET_COCO").expect("HARD_IMAGENET_COCO names the file");
    let golden: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    check_masks(golden["masks"].as_array().unwrap());
    check_polygons(golden["polygons"].as_array().unwrap());
}

#[test]
fn polygons_of_one_object_are_joined() {
    let square = |x: f64, y: f64| [[x, y], [x + 2.0, y], [x + 2.0, y + 2.0], [x, y + 2.0]];
    let mask = Rle::from_polygons(4, 4, [square(0.0, 0.0), square(1.0, 1.0)]).unwrap().to_mask();
    let expected = Mask::from_fn(4, 4, |row, column| {
        (row < 2 && column < 2) || ((1..3).contains(&row) && (1..3).contains(&column))
    });
    assert_eq!(mask, expected);
    let none: [[[f64; 2]; 3]; 0] = [];
    assert_eq!(Rle::from_polygons(4, 4, none).unwrap().counts(), [16]);
}

#[test]
fn corners_may_be_far_away_but_must_be_finite() {
    let far = [[-1e300, -1e300], [1e300, -1e300], [1e300, 1e300], [-1e300, 1e300]];
    assert_eq!(Rle::from_polygon(3, 5, &far).unwrap().area(), 15);
    for infinite in [f64::NAN, f64::INFINITY] {
        let error = Rle::from_polygon(3, 5, &[[0.0, 0.0], [infinite, 1.0]]).unwrap_err();
        assert!(matches!(error, RleError::Corner { index: 1, .. }), "{error}");
    }
}

#[test]
fn images_without_pixels() {
    for (height, width) in [(0, 0), (0, 7), (7, 0), (usize::MAX, 0)] {
        let rle = Rle::from_counts(height, width, &[]).unwrap();
        assert_eq!((rle.counts(), rle.area(), rle.bounding_box()), (&[0][..], 0, None));
        assert_eq!(rle.to_mask(), Mask::new(height, width));
        assert_eq!(rle.to_mask().to_rle(), rle);
        assert_eq!(Rle::from_polygon(height, width, &[[0.0, 0.0], [9.0, 0.0], [9.0, 9.0]]).unwrap(), rle);
    }
}

fn masks() -> impl Strategy<Value = Mask> {
    (0usize..24, 0usize..24, 0.0..1.0).prop_flat_map(|(height, width, share)| {
        prop::collection::vec(prop::bool::weighted(share), height * width)
            .prop_map(move |pixels| Mask::from_fn(height, width, |row, column| pixels[row * width + column]))
    })
}

proptest! {
    #[test]
    fn codes_contain_the_mask(mask in masks()) {
        let rle = mask.to_rle();
        let (height, width) = (mask.height(), mask.width());
        prop_assert!(rle.counts()[1..].iter().all(|&count| count > 0));
        prop_assert_eq!(&rle.to_mask(), &mask);
        prop_assert_eq!(rle.area(), mask.area());
        prop_assert_eq!(rle.bounding_box(), mask.bounding_box());
        prop_assert_eq!(&Rle::from_counts(height, width, rle.counts()).unwrap(), &rle);
        prop_assert_eq!(&Rle::from_compressed(height, width, &rle.to_compressed()).unwrap(), &rle);
        // Compare with a plain loop down the columns.
        let pixels: Vec<u8> = (0..width).flat_map(|x| (0..height).map(move |y| (y, x))).map(|(y, x)| mask.row(y)[x]).collect();
        let mut decoded = Vec::new();
        for (index, &count) in rle.counts().iter().enumerate() {
            decoded.resize(decoded.len() + count as usize, (index % 2) as u8);
        }
        prop_assert_eq!(decoded, pixels);
    }

    #[test]
    fn empty_runs_are_merged(counts in prop::collection::vec(0u32..3, 0..40)) {
        let pixels: u32 = counts.iter().sum();
        let rle = Rle::from_counts(1, pixels as usize, &counts).unwrap();
        let object: u32 = counts.iter().skip(1).step_by(2).sum();
        prop_assert_eq!(rle.area(), object as usize);
        prop_assert_eq!(rle.to_mask().to_rle(), rle);
    }

    #[test]
    fn any_text_is_an_error_or_a_mask(text in "[ -~]{0,24}", other in "[0-o]{0,24}", height in 0usize..9, width in 0usize..9) {
        for text in [text, other] {
            if let Ok(rle) = Rle::from_compressed(height, width, &text) {
                prop_assert_eq!(rle.to_mask().area(), rle.area());
            }
        }
    }
}
