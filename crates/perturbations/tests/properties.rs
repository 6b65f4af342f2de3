//! Properties of every image and mask of any size and shape.

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
        (Pixels::from_vec(height, width, values).unwrap(), mask)
    })
}

const IDS: [&str; 22] = [
    "none",
    "gray",
    "gray-box",
    "tile",
    "average",
    "average:shape",
    "mean",
    "imagenet-mean",
    "blur:0.3",
    "blur:5",
    "shuffle:1",
    "shuffle:3",
    "noise-fill",
    "no-fg",
    "only-fg",
    "gray-bg",
    "only-bg-b",
    "only-bg-t",
    "noise:linf:0.25:fg",
    "noise:linf:0.75:bg",
    "noise:l2:30:fg",
    "noise:l2:180:bg",
];

/// Perturbations whose published form produces values outside [0, 1].
const NO_IMAGES: [&str; 2] = ["average:shape", "noise-fill"];

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
                let any = preset == Preset::Paper && NO_IMAGES.contains(&id);
                let good = |v: &f32| any || (0.0..=1.0).contains(v) || (nan_is_due && v.is_nan());
                prop_assert!(changed.as_slice().iter().all(good), "{} {:?}", id, preset);
            }
        }
    }

    #[test]
    fn without_an_object_ablations_change_nothing((image, mask) in samples()) {
        let empty = Mask::new(mask.height(), mask.width());
        for id in IDS.into_iter().filter(|id| !matches!(*id, "only-fg" | "gray-bg") && !id.ends_with("bg")) {
            for preset in [Preset::Paper, Preset::Strict] {
                if id.starts_with("noise:l2") && preset == Preset::Paper {
                    continue; // Q9
                }
                prop_assert_eq!(&parse(id, preset).unwrap().apply(&image, &empty, NoiseKey(1)), &image, "{}", id);
            }
        }
    }

    #[test]
    fn changes_to_the_object_leave_the_background((image, mask) in samples(), seed: u64) {
        let plane = mask.as_slice().len().max(1);
        for id in ["gray", "mean", "imagenet-mean", "average:shape", "blur:2", "shuffle:1", "noise-fill", "no-fg"] {
            for preset in [Preset::Paper, Preset::Strict] {
                let changed = parse(id, preset).unwrap().apply(&image, &mask, NoiseKey(seed));
                for (i, (a, b)) in image.as_slice().iter().zip(changed.as_slice()).enumerate() {
                    prop_assert!(mask.as_slice()[i % plane] == 1 || a == b, "{}", id);
                }
            }
        }
    }

    #[test]
    fn shuffled_pixels_are_the_same_pixels((image, mask) in samples(), seed: u64, cell in 1usize..5) {
        let changed = parse(&format!("shuffle:{cell}"), Preset::Strict).unwrap().apply(&image, &mask, NoiseKey(seed));
        let plane = mask.as_slice().len();
        let pixels = |image: &Pixels| {
            let at = |i: usize| [0, 1, 2].map(|channel| image.as_slice()[channel * plane + i].to_bits());
            let mut pixels: Vec<[u32; 3]> = (0..plane).map(at).collect();
            pixels.sort_unstable();
            pixels
        };
        prop_assert_eq!(pixels(&image), pixels(&changed));
    }

    #[test]
    fn noise_stays_in_its_region((image, mask) in samples(), seed: u64) {
        let plane = mask.as_slice().len().max(1);
        for (id, on) in [("noise:linf:0.5:fg", 1), ("noise:linf:0.5:bg", 0), ("noise:l2:9:fg", 1), ("noise:l2:9:bg", 0)] {
            let changed = parse(id, Preset::Strict).unwrap().apply(&image, &mask, NoiseKey(seed));
            for (i, (a, b)) in image.as_slice().iter().zip(changed.as_slice()).enumerate() {
                prop_assert!(mask.as_slice()[i % plane] == on || a == b);
            }
        }
    }

    #[test]
    fn the_corrected_tile_leaves_only_background_or_gray((image, mask) in samples()) {
        let changed = parse("tile", Preset::Strict).unwrap().apply(&image, &mask, NoiseKey(0));
        // Every value of a covered pixel is gray, or the value of a background pixel in the same channel.
        let plane = mask.as_slice().len().max(1);
        for (before, after) in image.as_slice().chunks(plane).zip(changed.as_slice().chunks(plane)) {
            for (&value, &object) in after.iter().zip(mask.as_slice()) {
                let from_background = || before.iter().zip(mask.as_slice()).any(|(&v, &m)| m == 0 && v == value);
                prop_assert!(object == 0 || value == 0.5 || from_background());
            }
        }
    }
}
