//! Connected components compared with SciPy (golden/make.py) and with a flood fill.

use hard_imagenet_masks::{Components, Connectivity, Mask, Rect};
use proptest::prelude::*;

mod golden;

#[test]
fn areas_and_boxes_equal_scipy() {
    for (name, case) in &golden::cases() {
        let mask = golden::mask(case);
        for (connectivity, key) in [(Connectivity::Four, "four"), (Connectivity::Eight, "eight")] {
            let got: Vec<[usize; 5]> = mask
                .components(connectivity)
                .iter()
                .map(|c| [c.area, c.bounds.top, c.bounds.left, c.bounds.bottom, c.bounds.right])
                .collect();
            assert_eq!(serde_json::json!(got), case[key], "{name}, {key}\n{mask:?}");
        }
    }
}

/// Labels components in raster order of their first pixel by a flood fill.
fn flood_fill(mask: &Mask, connectivity: Connectivity) -> Vec<u32> {
    let (height, width) = (mask.height() as isize, mask.width() as isize);
    let mut labels = vec![0; mask.as_slice().len()];
    let mut count = 0;
    for start in 0..labels.len() {
        if mask.as_slice()[start] == 0 || labels[start] != 0 {
            continue;
        }
        count += 1;
        let mut stack = vec![start];
        while let Some(at) = stack.pop() {
            if labels[at] != 0 {
                continue;
            }
            labels[at] = count;
            let (row, column) = (at as isize / width, at as isize % width);
            for (down, right) in [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)] {
                let (r, c) = (row + down, column + right);
                let counts = connectivity == Connectivity::Eight || down * right == 0;
                if counts && (0..height).contains(&r) && (0..width).contains(&c) && mask.get(r as usize, c as usize) {
                    stack.push((r * width + c) as usize);
                }
            }
        }
    }
    labels
}

fn masks() -> impl Strategy<Value = Mask> {
    (0usize..24, 0usize..24).prop_flat_map(|(height, width)| {
        prop::collection::vec(prop::bool::weighted(0.55), height * width)
            .prop_map(move |pixels| Mask::from_fn(height, width, |row, column| pixels[row * width + column]))
    })
}

proptest! {
    #[test]
    fn labels_equal_a_flood_fill(mask in masks()) {
        for connectivity in [Connectivity::Four, Connectivity::Eight] {
            let components: Components = mask.components(connectivity);
            prop_assert_eq!(components.labels(), flood_fill(&mask, connectivity));
            prop_assert_eq!(components.iter().map(|c| c.area).sum::<usize>(), mask.area());
            for (index, component) in components.iter().enumerate() {
                let alone = components.mask(index);
                prop_assert_eq!(alone.area(), component.area);
                prop_assert_eq!(alone.bounding_box(), Some(component.bounds));
                prop_assert_eq!(alone.centroid(), Some(component.centroid()));
            }
            let largest = components.iter().map(|c| c.area).max();
            prop_assert_eq!(components.largest().map(|c| c.area), largest);
        }
    }

    #[test]
    fn the_box_contains_exactly_the_components(mask in masks()) {
        let corners = |pick: fn(&Rect) -> usize| {
            let components = mask.components(Connectivity::Four);
            components.iter().map(|c| pick(&c.bounds)).collect::<Vec<_>>()
        };
        let expected = (!mask.is_empty()).then(|| Rect {
            top: *corners(|r| r.top).iter().min().unwrap(),
            left: *corners(|r| r.left).iter().min().unwrap(),
            bottom: *corners(|r| r.bottom).iter().max().unwrap(),
            right: *corners(|r| r.right).iter().max().unwrap(),
        });
        prop_assert_eq!(mask.bounding_box(), expected);
    }

    #[test]
    fn overlap_scores_agree(a in masks(), seed: u64) {
        let b = Mask::from_fn(a.height(), a.width(), |row, column| (row as u64 * 31 + column as u64 * 17 + seed % 97).is_multiple_of(3));
        prop_assert_eq!(a.iou(&b), b.iou(&a));
        if let (Some(iou), Some(dice)) = (a.iou(&b), a.dice(&b)) {
            prop_assert!((dice - 2.0 * iou / (1.0 + iou)).abs() < 1e-12);
            prop_assert!((0.0..=1.0).contains(&iou));
        }
    }
}
