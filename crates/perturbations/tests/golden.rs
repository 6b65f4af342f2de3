//! Compares results with a second implementation in numpy, golden/make.py.

use hard_imagenet_images::{Pixels, read_image, read_mask};
use hard_imagenet_masks::Mask;
use hard_imagenet_perturbations::{
    EmptyRegion, Noise, NoiseKey, Norm, Preset, Region, background, normals, parse, paste,
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn golden() -> Value {
    serde_json::from_str(&std::fs::read_to_string(file("golden.json")).unwrap()).unwrap()
}

fn digest(values: &[f32]) -> String {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn ablations_equal_the_published_code_and_its_corrections() {
    const SIDE: usize = 48;
    let image = Pixels::from(&read_image(&file("image.png")).unwrap());
    let masks = read_mask(&file("masks.png")).unwrap();
    let golden = golden();
    let cases = golden["ablations"].as_object().unwrap();
    assert_eq!(cases.len(), masks.height / SIDE);
    for ((name, expected), values) in cases.iter().zip(masks.data.chunks_exact(SIDE * SIDE)) {
        let mask = Mask::from_vec(SIDE, SIDE, values.to_vec()).unwrap();
        let check = |id: &str, preset, key: &str| {
            let changed = parse(id, preset).unwrap().apply(&image, &mask, NoiseKey(0));
            assert_eq!(digest(changed.as_slice()), expected[key].as_str().unwrap(), "{name}: {key}");
        };
        check("gray", Preset::Paper, "gray");
        check("gray", Preset::Strict, "gray");
        check("gray-box", Preset::Paper, "gray-box paper");
        check("gray-box", Preset::Strict, "gray-box strict");
        check("tile", Preset::Paper, "tile paper");
        check("tile", Preset::Strict, "tile strict");
        for id in ["no-fg", "only-fg", "gray-bg", "only-bg-b", "only-bg-t", "shuffle:1", "shuffle:7"] {
            check(id, Preset::Strict, id);
        }
        let close = |id: &str, preset, key: &str| {
            let changed = parse(id, preset).unwrap().apply(&image, &mask, NoiseKey(0));
            let expected = expected[key].as_array().unwrap();
            for (got, expected) in changed.as_slice().iter().step_by(211).zip(expected) {
                assert!(
                    (f64::from(*got) - expected.as_f64().unwrap()).abs() < 2e-6,
                    "{name}: {key}: {got}, {expected}"
                );
            }
        };
        close("mean", Preset::Strict, "mean");
        close("blur:1.5", Preset::Strict, "blur:1.5");
        close("blur:20", Preset::Strict, "blur:20");
        close("average", Preset::Strict, "average");
        close("average:shape", Preset::Strict, "average:shape");
        close("noise-fill", Preset::Paper, "noise-fill paper");
        close("noise-fill", Preset::Strict, "noise-fill strict");
    }
}

#[test]
fn a_background_is_extracted_and_an_object_pasted() {
    // The background comes from the image turned upside down; the next mask is its object.
    const SIDE: usize = 48;
    let image = Pixels::from(&read_image(&file("image.png")).unwrap());
    let turned = Pixels::from_vec(SIDE, SIDE, image.as_slice().iter().rev().copied().collect()).unwrap();
    let masks = read_mask(&file("masks.png")).unwrap();
    let masks: Vec<Mask> =
        masks.data.chunks_exact(SIDE * SIDE).map(|v| Mask::from_vec(SIDE, SIDE, v.to_vec()).unwrap()).collect();
    let golden = golden();
    let cases = golden["mixed"].as_object().unwrap();
    assert_eq!(cases.len(), masks.len());
    for (at, (name, expected)) in cases.iter().enumerate() {
        let mixed = background(&turned, &masks[(at + 1) % masks.len()]).map(|b| paste(&image, &masks[at], &b));
        let mixed = mixed.map(|mixed| digest(mixed.as_slice()));
        assert_eq!(mixed.as_deref(), expected.as_str(), "{name}");
    }
}

#[test]
fn the_published_average_is_repeated_where_it_paints() {
    // The object has 12 rows at the top, from column 4 to 119, and below them a part that is skipped.
    let image =
        Pixels::from_vec(128, 128, (0..3 * 128 * 128).map(|i| (i * 7919 % 251) as f32 / 255.0).collect()).unwrap();
    let mask = Mask::from_fn(128, 128, |row, column| {
        (row < 12 && (4..120).contains(&column)) || ((40..60).contains(&row) && column < 110)
    });
    let changed = parse("average:shape", Preset::Paper).unwrap().apply(&image, &mask, NoiseKey(0));
    let golden = golden();
    let color: Vec<f64> = golden["published average"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    for (i, (&got, &before)) in changed.as_slice().iter().zip(image.as_slice()).enumerate() {
        let (channel, row, column) = (i / (128 * 128), i / 128 % 128, i % 128);
        if row < 12 && (4..119).contains(&column) {
            assert!((f64::from(got) - color[channel]).abs() < 1e-6, "{got} for {}", color[channel]);
        } else {
            assert_eq!(got, before);
        }
    }
    let boxes = parse("average", Preset::Paper).unwrap().apply(&image, &mask, NoiseKey(0));
    assert_eq!(boxes, image);
}

#[test]
fn normals_are_added_as_in_the_paper() {
    let (height, width) = (12, 10);
    let count = 3 * height * width;
    let image = Pixels::from_vec(height, width, (0..count).map(|i| (i * 37 % 256) as f32 / 255.0).collect()).unwrap();
    let normals: Vec<f32> = (0..count).map(|i| ((i * 7919 % 2001) as f32 - 1000.0) / 400.0).collect();
    let mask = Mask::from_fn(height, width, |row, column| (3..8).contains(&row) && (2..9).contains(&column));
    let check = |norm, sigma, region, id: &str| {
        let noise = Noise { norm, sigma, region, empty: EmptyRegion::Unchanged };
        let changed = noise.add(&image, &mask, &normals);
        let golden = golden();
        let expected = golden["noise"][id].as_array().unwrap();
        for (got, expected) in changed.as_slice().iter().step_by(5).zip(expected) {
            assert!((f64::from(*got) - expected.as_f64().unwrap()).abs() < 2e-6, "{id}: {got} for {expected}");
        }
    };
    check(Norm::Linf, 0.25, Region::Foreground, "noise:linf:0.25:fg");
    check(Norm::Linf, 0.25, Region::Background, "noise:linf:0.25:bg");
    check(Norm::Linf, 0.75, Region::Foreground, "noise:linf:0.75:fg");
    check(Norm::L2, 30.0, Region::Foreground, "noise:l2:30:fg");
    check(Norm::L2, 30.0, Region::Background, "noise:l2:30:bg");
    check(Norm::L2, 2.5, Region::Foreground, "noise:l2:2.5:fg");
    check(Norm::L2, 2.5, Region::Background, "noise:l2:2.5:bg");
}

#[test]
fn normals_have_the_bits_of_another_implementation() {
    let golden = golden();
    for (key, expected) in golden["normals"].as_object().unwrap() {
        let expected: Vec<u64> = expected.as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect();
        let got = normals(NoiseKey(key.parse().unwrap()), expected.len());
        let got: Vec<u64> = got.iter().map(|v| u64::from(v.to_bits())).collect();
        assert_eq!(got, expected, "key {key}");
    }
    for (key, expected) in golden["normals sha256 of 150528"].as_object().unwrap() {
        let got = digest(&normals(NoiseKey(key.parse().unwrap()), 150_528));
        assert_eq!(got, expected.as_str().unwrap(), "key {key}");
    }
}
