//! What holds for every image and mask, of any size and shape.

use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Mask;
use hard_imagenet_perturbations::{NoiseKey, Preset, normals, parse};
use proptest::prelude::*;

fn samples() -> impl Strategy<Value = (Pixels, Mask)> {
    (0usize..20, 0usize..20, 0u64..1000, 0u32..=10).prop_map(|(height, width, seed, density)| {
        let values =
            normals(NoiseKey(seed), 3 * height * width).iter().map(|v| (v * 0.2 + 0.5).clamp(0.0, 1.0)).collect();
        let draws = normals(NoiseKey(seed + 1000), height * width);
        let least = 2.5 - density as f32 * 0.5;
        let mask = Mask::from_fn(height, width, |row, column| draws[row * width + column] >= least);
        (Pixels::from_vec(height, width, values), mask)
    })
}

const IDS: [&str; 8] = [
    "none",
    "gray",
    "gray-box",
    "tile",
    "noise:linf:0.25:fg",
    "noise:linf:0.75:bg",
    "noise:l2:30:fg",
    "noise:l2:180:bg",
];

proptest! {
    #[test]
    fn results_are_images_of_the_same_size((image, mask) in samples(), seed: u64) {
        for id in IDS {
            for preset in [Preset::Paper, Preset::Strict] {
                let perturbation = parse(id, preset).unwrap();
                prop_assert_eq!(perturbation.id(), id);
                let changed = perturbation.apply(&image, &mask, NoiseKey(seed));
                prop_assert_eq!((changed.height(), changed.width()), (image.height(), image.width()));
                let nan_is_due = preset == Preset::Paper && id.starts_with("noise:l2") && (mask.is_empty() || mask.is_full());
                let good = |v: &f32| (0.0..=1.0).contains(v) || (nan_is_due && v.is_nan());
                prop_assert!(changed.as_slice().iter().all(good), "{} {:?}", id, preset);
            }
        }
    }

    #[test]
    fn without_an_object_ablations_change_nothing((image, mask) in samples()) {
        let empty = Mask::new(mask.height(), mask.width());
        for id in ["gray", "gray-box", "tile", "noise:linf:0.5:fg"] {
            for preset in [Preset::Paper, Preset::Strict] {
                prop_assert_eq!(&parse(id, preset).unwrap().apply(&image, &empty, NoiseKey(1)), &image);
            }
        }
    }

    #[test]
    fn noise_keeps_to_its_region((image, mask) in samples(), seed: u64) {
        let plane = mask.as_slice().len().max(1);
        for (id, on) in [("noise:linf:0.5:fg", 1), ("noise:linf:0.5:bg", 0), ("noise:l2:9:fg", 1), ("noise:l2:9:bg", 0)] {
            let changed = parse(id, Preset::Strict).unwrap().apply(&image, &mask, NoiseKey(seed));
            for (i, (a, b)) in image.as_slice().iter().zip(changed.as_slice()).enumerate() {
                prop_assert!(mask.as_slice()[i % plane] == on || a == b);
            }
        }
    }

    #[test]
    fn the_corrected_tile_leaves_no_object_pixel_but_where_it_is_gray((image, mask) in samples()) {
        let changed = parse("tile", Preset::Strict).unwrap().apply(&image, &mask, NoiseKey(0));
        // Every value of a covered pixel is gray or was that of a background pixel of the same channel.
        let plane = mask.as_slice().len().max(1);
        for (before, after) in image.as_slice().chunks(plane).zip(changed.as_slice().chunks(plane)) {
            for (&value, &object) in after.iter().zip(mask.as_slice()) {
                let from_background = || before.iter().zip(mask.as_slice()).any(|(&v, &m)| m == 0 && v == value);
                prop_assert!(object == 0 || value == 0.5 || from_background());
            }
        }
    }
}
