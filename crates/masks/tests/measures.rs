//! Morphology and other measures compared with SciPy (golden/make.py) and with their definitions.

use hard_imagenet_cpu::random::Stream;
use hard_imagenet_masks::{Element, Mask, Rect};
use proptest::prelude::*;

mod golden;

/// The elements in the order of make.py.
const ELEMENTS: [Element; 5] =
    [Element::Diamond(1), Element::Diamond(5), Element::Square(1), Element::Square(4), Element::Disk(6)];

#[test]
fn results_equal_scipy() {
    for (name, case) in &golden::cases() {
        let mask = golden::mask(case);
        for (index, element) in ELEMENTS.into_iter().enumerate() {
            let (dilated, eroded) = (mask.dilate(element), mask.erode(element));
            assert_eq!(
                dilated.to_rle().to_compressed(),
                case["dilated"][index].as_str().unwrap(),
                "{name} {dilated:?}"
            );
            assert_eq!(eroded.to_rle().to_compressed(), case["eroded"][index].as_str().unwrap(), "{name} {eroded:?}");
        }
        match mask.centroid() {
            Some((row, column)) => {
                let expected = |axis: usize| case["centroid"][axis].as_f64().unwrap();
                assert!((row - expected(0)).hypot(column - expected(1)) < 1e-12, "{name}");
            }
            None => assert!(case["centroid"].is_null(), "{name}"),
        }
    }
}

#[test]
fn large_elements() {
    let corner = Mask::from_fn(40, 700, |row, column| (row, column) == (0, 0));
    for reach in [254, 255, 256, 600] {
        for element in [Element::Diamond(reach), Element::Square(reach), Element::Disk(reach)] {
            let expected = Mask::from_fn(40, 700, |row, column| holds(element, row as i64, column as i64));
            assert_eq!(corner.dilate(element), expected, "{element:?}");
        }
    }
    for element in [Element::Diamond(u16::MAX), Element::Square(u16::MAX), Element::Disk(u16::MAX)] {
        assert!(corner.dilate(element).is_full());
        assert!(corner.complement().erode(element).is_empty());
        assert!(Mask::new(40, 700).dilate(element).is_empty());
    }
}

/// Returns whether the element contains a pixel at this distance from its center.
fn holds(element: Element, down: i64, right: i64) -> bool {
    match element {
        Element::Diamond(reach) => down.abs() + right.abs() <= reach.into(),
        Element::Square(reach) => down.abs().max(right.abs()) <= reach.into(),
        Element::Disk(reach) => down * down + right * right <= i64::from(reach).pow(2),
    }
}

/// Computes by the definition the pixels from which the element reaches only object pixels (`all`), or any.
fn by_definition(mask: &Mask, element: Element, all: bool) -> Mask {
    let object = |row: i64, column: i64| {
        (0..mask.height() as i64).contains(&row)
            && (0..mask.width() as i64).contains(&column)
            && mask.get(row as usize, column as usize)
    };
    Mask::from_fn(mask.height(), mask.width(), |row, column| {
        let reached = (-12..=12).flat_map(|down| (-12..=12).map(move |right| (down, right)));
        let mut reached = reached.filter(|&(down, right)| holds(element, down, right));
        let is_object = |(down, right)| object(row as i64 + down, column as i64 + right);
        if all { reached.all(is_object) } else { reached.any(is_object) }
    })
}

fn masks(share: f64) -> impl Strategy<Value = Mask> {
    (0usize..14, 0usize..40).prop_flat_map(move |(height, width)| {
        prop::collection::vec(prop::bool::weighted(share), height * width)
            .prop_map(move |pixels| Mask::from_fn(height, width, |row, column| pixels[row * width + column]))
    })
}

fn elements() -> impl Strategy<Value = Element> {
    (0u16..12, 0..3).prop_map(|(reach, kind)| match kind {
        0 => Element::Diamond(reach),
        1 => Element::Square(reach),
        _ => Element::Disk(reach),
    })
}

proptest! {
    #[test]
    fn dilation_and_erosion_follow_the_definition(few in masks(0.04), most in masks(0.97), element in elements()) {
        for mask in [few, most] {
            prop_assert_eq!(mask.dilate(element), by_definition(&mask, element, false));
            prop_assert_eq!(mask.erode(element), by_definition(&mask, element, true));
        }
    }

    #[test]
    fn measures_are_sums_over_pixels(share in 0.0..1.0, seed: u64, height in 0usize..300, width in 0usize..70) {
        let hash = |at: usize| Stream::new(seed).at(at as u64) >> 40;
        let mask = Mask::from_fn(height, width, |row, column| (hash(row * width + column) as f64) < share * f64::from(1 << 24));
        let object = |row: &usize, column: &usize| mask.get(*row, *column);
        let pixels: Vec<(usize, usize)> = (0..height)
            .flat_map(|row| (0..width).map(move |column| (row, column)))
            .filter(|(row, column)| object(row, column))
            .collect();
        prop_assert_eq!(mask.area(), pixels.len());
        prop_assert_eq!(mask.is_empty(), pixels.is_empty());
        prop_assert_eq!(mask.is_full(), pixels.len() == height * width);
        let mean = |sum: usize| sum as f64 / pixels.len() as f64;
        let centroid = (mean(pixels.iter().map(|p| p.0).sum()), mean(pixels.iter().map(|p| p.1).sum()));
        prop_assert_eq!(mask.centroid(), (!pixels.is_empty()).then_some(centroid));
        let bounds = pixels.first().map(|first| Rect {
            top: first.0,
            left: pixels.iter().map(|p| p.1).min().unwrap(),
            bottom: pixels.last().unwrap().0 + 1,
            right: pixels.iter().map(|p| p.1).max().unwrap() + 1,
        });
        prop_assert_eq!(mask.bounding_box(), bounds);
    }
}
