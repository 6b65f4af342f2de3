//! Properties that planted cues guarantee.

use hard_imagenet_datasets::{Dataset, DatasetError, PlantedConfig, PlantedCues, Sample, Scene, Silhouette};
use proptest::prelude::*;

fn object_pixels(sample: &Sample) -> usize {
    sample.mask.data.iter().filter(|&&v| v >= 128).count()
}

/// Hashes pixels by FNV-1a, so that one number pins an image.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn images_are_pinned() {
    // Records of old runs refer to these images by id, so their pixels must never change, on any machine.
    let data = PlantedCues::hard(1, 16, 32);
    let (mut image, mut mask) = (Vec::new(), Vec::new());
    for i in 0..data.len() {
        let sample = data.get(i).unwrap();
        image.extend(sample.image.data);
        mask.extend(sample.mask.data);
    }
    assert_eq!((hash(&image), hash(&mask)), (12_246_105_738_767_677_535, 3_246_231_120_367_330_164));
}

#[test]
fn names_and_classes() {
    let data = PlantedCues::easy(3, 20, 16);
    assert_eq!(data.info().name, "planted-easy");
    assert_eq!(data.info().classes.len(), 8);
    assert_eq!(data.id(19), "easy/triangle/00019");
    assert_eq!(data.info().classes[data.class(19)].name, "triangle");
    assert_eq!(data.get(19).unwrap().class, 3);
    assert_eq!(PlantedCues::hard(3, 1, 16).id(0), "hard/star/00000");
}

#[test]
fn the_own_scene_is_as_frequent_as_configured() {
    let n = 8000;
    for cue in [0.0, PlantedConfig::CHANCE, 0.5, 0.9, 1.0] {
        let config = PlantedConfig { cue, ..PlantedConfig::hard() };
        let data = PlantedCues::new(config, 11, n, 8).unwrap();
        let own = (0..n).filter(|&i| data.has_own_scene(i)).count() as f64;
        // Five standard deviations of a binomial count: a fair generator fails once in two million runs.
        let bound = 5.0 * (n as f64 * cue * (1.0 - cue)).sqrt();
        assert!((own - n as f64 * cue).abs() <= bound, "cue {cue}: {own} of {n}");
    }
}

#[test]
fn at_chance_scene_and_class_are_independent() {
    let n = 16_000;
    let data = PlantedCues::new(PlantedConfig::train(PlantedConfig::CHANCE), 5, n, 8).unwrap();
    let mut table = [[0usize; 8]; 8];
    for i in 0..n {
        let scene = Scene::ALL.iter().position(|&s| s == data.scene(i)).unwrap();
        table[data.class(i)][scene] += 1;
    }
    let expected = n as f64 / 64.0;
    let chi2: f64 = table.iter().flatten().map(|&c| (c as f64 - expected).powi(2) / expected).sum();
    // Chi-square with 56 degrees of freedom has the mean 56 and exceeds 110 with probability 1/30,000.
    assert!(chi2 < 110.0, "{chi2}: {table:?}");
}

#[test]
fn colors_say_nothing_about_the_class() {
    // Compare the mean brightness of the object in each class with the spread of single samples.
    let n = 1600;
    let data = PlantedCues::easy(2, n, 24);
    let mut values = vec![Vec::new(); 8];
    for i in 0..n {
        let sample = data.get(i).unwrap();
        let inside: Vec<f64> = (0..24 * 24)
            .filter(|&k| sample.mask.data[k] == 255)
            .map(|k| sample.image.data[3 * k..3 * k + 3].iter().map(|&v| f64::from(v)).sum::<f64>() / 3.0)
            .collect();
        values[sample.class].push(inside.iter().sum::<f64>() / inside.len() as f64);
    }
    let all: Vec<f64> = values.concat();
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let std = (all.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / all.len() as f64).sqrt();
    for (class, of_class) in values.iter().enumerate() {
        let here = of_class.iter().sum::<f64>() / of_class.len() as f64;
        let bound = 5.0 * std / (of_class.len() as f64).sqrt();
        assert!((here - mean).abs() < bound, "class {class}: {here} against {mean}, bound {bound}");
    }
}

#[test]
fn another_size_gives_the_same_image() {
    // The size of the object and the mean value agree between resolutions.
    let (small, large) = (PlantedCues::hard(9, 16, 48), PlantedCues::hard(9, 16, 192));
    for i in 0..16 {
        let [a, b] = [small.get(i).unwrap(), large.get(i).unwrap()];
        let area =
            |s: &Sample| s.mask.data.iter().map(|&v| f64::from(v)).sum::<f64>() / 255.0 / s.mask.data.len() as f64;
        assert!((area(&a) - area(&b)).abs() < 0.002, "sample {i}: {} and {}", area(&a), area(&b));
        let mean = |s: &Sample| s.image.data.iter().map(|&v| f64::from(v)).sum::<f64>() / s.image.data.len() as f64;
        assert!((mean(&a) - mean(&b)).abs() < 3.0, "sample {i}: {} and {}", mean(&a), mean(&b));
    }
}

#[test]
fn invalid_configurations_name_the_field() {
    let check = |config: PlantedConfig, word: &str| {
        let error = PlantedCues::new(config, 0, 8, 16).err().expect("refused").to_string();
        assert!(error.contains(word), "{error}");
    };
    check(PlantedConfig { cue: 1.5, ..PlantedConfig::hard() }, "cue");
    check(PlantedConfig { cue: f64::NAN, ..PlantedConfig::hard() }, "cue");
    check(PlantedConfig { radius: (0.3, 0.2), ..PlantedConfig::hard() }, "radius");
    check(PlantedConfig { radius: (0.3, 0.6), ..PlantedConfig::hard() }, "radius");
    check(PlantedConfig { offset: (-0.1, 0.2), ..PlantedConfig::hard() }, "offset");
    check(PlantedConfig { extent: (0.5, 1.5), ..PlantedConfig::hard() }, "extent");
    let error = PlantedCues::new(PlantedConfig::easy(), 0, 8, 0).err();
    assert!(matches!(error, Some(DatasetError::Config { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_sample_depends_only_on_seed_and_index(seed: u64, i in 0usize..40, more in 0usize..40, size in 1usize..40) {
        let one = PlantedCues::hard(seed, i + 1, size).get(i).unwrap();
        let other = PlantedCues::hard(seed, i + 1 + more, size).get(i).unwrap();
        prop_assert_eq!(one, other);
    }

    #[test]
    fn the_object_lies_inside_and_has_the_configured_size(
        seed: u64,
        i in 0usize..8,
        low in 0.12f32..0.5,
        spread in 0.0f32..0.2,
        offset in 0.0f32..0.7,
    ) {
        let size = 96;
        let radius = (low, (low + spread).min(0.5));
        let config = PlantedConfig { name: "p".into(), cue: 0.5, radius, offset: (0.0, offset), ..PlantedConfig::hard() };
        let sample = PlantedCues::new(config, seed, 8, size).unwrap().get(i).unwrap();
        // Silhouettes cover between a fifth and four fifths of the square around their circle.
        let share = object_pixels(&sample) as f32 / (size * size) as f32;
        let square = |r: f32| 4.0 * r * r;
        prop_assert!(share > 0.18 * square(radius.0) && share < 0.82 * square(radius.1), "{share}");
        // The bounding box is not higher than the circle.
        let rows: Vec<usize> = (0..size * size).filter(|&k| sample.mask.data[k] > 0).map(|k| k / size).collect();
        let height = rows.iter().max().unwrap() - rows.iter().min().unwrap() + 1;
        prop_assert!(height as f32 <= 2.0 * radius.1 * size as f32 + 2.0);
        // Nothing is cut off: the same object in the center of the image has the same area.
        let config = PlantedConfig { name: "p".into(), cue: 0.5, radius, offset: (0.0, 0.0), ..PlantedConfig::hard() };
        let middle = PlantedCues::new(config, seed, 8, size).unwrap().get(i).unwrap();
        let area = |s: &Sample| s.mask.data.iter().map(|&v| f64::from(v)).sum::<f64>() / 255.0;
        prop_assert!((area(&sample) - area(&middle)).abs() < 0.02 * area(&middle) + 1.0);
    }

    #[test]
    fn classes_are_balanced(n in 0usize..100) {
        let data = PlantedCues::easy(0, n, 8);
        let mut counts = [0; 8];
        (0..n).for_each(|i| counts[data.class(i)] += 1);
        prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1);
        prop_assert_eq!(data.is_empty(), n == 0);
        prop_assert_eq!(Silhouette::ALL.len(), data.info().classes.len());
    }
}

/// A scene that fills only a part of the image does not change the object or its own part.
#[test]
fn two_scenes_share_the_image() {
    let with = |extent| PlantedCues::new(PlantedConfig { extent, ..PlantedConfig::hard() }, 3, 40, 32).unwrap();
    let (whole, mixed) = (with((1.0, 1.0)), with((0.0, 1.0)));
    for i in 0..40 {
        let (one, two) = (whole.get(i).unwrap(), mixed.get(i).unwrap());
        assert_eq!(one.mask.data, two.mask.data);
        let extent = mixed.extent(i);
        assert_eq!(mixed.cue_strength(i), if mixed.has_own_scene(i) { extent } else { 0.0 });
        // The unchanged columns lie on one side, as many as the extent says.
        let same = |x: usize| {
            (0..32)
                .all(|y| (0..3).all(|c| one.image.data[3 * (32 * y + x) + c] == two.image.data[3 * (32 * y + x) + c]))
        };
        let columns: Vec<bool> = (0..32).map(same).collect();
        let from_left = columns.iter().take_while(|&&same| same).count();
        let from_right = columns.iter().rev().take_while(|&&same| same).count();
        let kept = from_left.max(from_right) as f32;
        assert!((kept - 32.0 * extent).abs() <= 1.0, "{i}: {kept} columns, extent {extent}");
    }
    let extents: Vec<f32> = (0..40).map(|i| mixed.extent(i)).collect();
    assert!(extents.iter().any(|s| *s < 0.2) && extents.iter().any(|s| *s > 0.8));
}
