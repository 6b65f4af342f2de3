//! Compares results with reference outputs of the published code. Run by hand, because the outputs are not included.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a test may print and read its settings")]

use hard_imagenet_cpu::random::{fnv1a, splitmix64, unit};
use hard_imagenet_images::{Pixels, Rgb8, read_image, read_mask};
use hard_imagenet_masks::Mask;
use hard_imagenet_perturbations::{EmptyRegion, Noise, NoiseKey, Norm, Preset, Region, parse};
use safetensors::SafeTensors;
use sha2::{Digest, Sha256};
use std::path::PathBuf;

fn reference() -> PathBuf {
    PathBuf::from(std::env::var_os("HARD_IMAGENET_REFERENCE").expect("HARD_IMAGENET_REFERENCE names the folder"))
}

fn digest(values: &[f32]) -> String {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
#[ignore = "needs reference data: HARD_IMAGENET_REFERENCE=dir cargo test -p hard-imagenet-perturbations --test reference -- --ignored"]
fn ablations() {
    let root = reference();
    let text = std::fs::read_to_string(root.join("ablations.json")).unwrap();
    let table: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut cases = 0;
    for (name, case) in table["cases"].as_object().unwrap() {
        let (image, mask) = match name.strip_prefix("real_") {
            Some(real) => (format!("transforms/real256_{real}.png"), format!("transforms/real256_{real}_maskjpeg.png")),
            None => ("img/synth_h_tile_48x48.png".to_owned(), format!("masks/synth48_{name}.png")),
        };
        let image = Pixels::from(&read_image(&root.join(image)).unwrap());
        let mask = read_mask(&root.join(mask)).unwrap();
        let mask = Mask::from_vec(mask.height, mask.width, mask.data).unwrap();
        let variants = [
            ("gray", Preset::Paper, "gray"),
            ("gray-box", Preset::Paper, "bboxgray_original"),
            ("gray-box", Preset::Strict, "bboxgray_correct"),
            ("tile", Preset::Paper, "tile_original"),
            ("tile", Preset::Strict, "tile_correct"),
        ];
        for (id, preset, key) in variants {
            let changed = parse(id, preset).unwrap().apply(&image, &mask, NoiseKey(0));
            assert_eq!(digest(changed.as_slice()), case["sha256_f32"][key].as_str().unwrap(), "{name}: {key}");
            if id == "tile" {
                let want = read_image(&root.join(format!("ablations/{name}_{key}.png"))).unwrap();
                assert!(Rgb8::from(&changed) == want, "{name}: {key}");
            }
        }
        cases += 1;
    }
    println!("{cases} cases");
    assert_eq!(cases, 30);
}

#[test]
#[ignore = "needs reference data: HARD_IMAGENET_REFERENCE=dir cargo test -p hard-imagenet-perturbations --test reference -- --ignored"]
fn average_colors() {
    const SIDE: usize = 128;
    let root = reference();
    let bytes = std::fs::read(root.join("ablations.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let image = Pixels::from(&read_image(&root.join("ablations/avg_input.png")).unwrap());
    let mut compared = 0;
    for name in ["rect", "two", "top_row", "L"] {
        let mask = read_mask(&root.join(format!("ablations/avg_{name}_mask.png"))).unwrap();
        let mask = Mask::from_vec(SIDE, SIDE, mask.data).unwrap();
        for (id, preset, key) in [
            ("average", Preset::Strict, "correct_keep0_every4"),
            ("average:shape", Preset::Strict, "correct_keep1_every4"),
            ("average", Preset::Paper, "original_full_keep0"),
            ("average:shape", Preset::Paper, "original_full_keep1"),
        ] {
            // The published code stops with an error here, so there is nothing to compare.
            let Ok(tensor) = tensors.tensor(&format!("avg_{name}.{key}")) else { continue };
            let changed = parse(id, preset).unwrap().apply(&image, &mask, NoiseKey(0));
            let step = SIDE / tensor.shape()[1];
            let kept = |i: &usize| (i / SIDE % SIDE).is_multiple_of(step) && (i % SIDE).is_multiple_of(step);
            let got = (0..3 * SIDE * SIDE).filter(kept).map(|i| changed.as_slice()[i]);
            assert_eq!(got.clone().count(), tensor.data().len() / 4, "{name}: {key}");
            for (got, want) in got.zip(tensor.data().chunks_exact(4)) {
                let want = f32::from_le_bytes([want[0], want[1], want[2], want[3]]);
                assert!((got - want).abs() <= 1e-6, "{name}: {key}: {got} for {want}");
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 15);
}

#[test]
#[ignore = "needs reference data: HARD_IMAGENET_REFERENCE=dir cargo test -p hard-imagenet-perturbations --test reference -- --ignored"]
fn noise() {
    let bytes = std::fs::read(reference().join("noise.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let floats = |name: &str| -> Vec<f32> {
        let data = tensors.tensor(name).unwrap().data();
        data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    };
    let (plane, count) = (48 * 48, 3 * 48 * 48);
    let image = Pixels::from_vec(48, 48, floats("image")).unwrap();
    let masks: Vec<u8> = match tensors.tensor("masks").unwrap().dtype() {
        safetensors::Dtype::U8 | safetensors::Dtype::BOOL => tensors.tensor("masks").unwrap().data().to_vec(),
        _ => floats("masks").iter().map(|&v| u8::from(v > 0.0)).collect(),
    };
    let drawn = reference_noise("noise:small", 6 * count);
    for (norm, sigma, word) in [
        (Norm::Linf, 0.25, "linf_0.25"),
        (Norm::Linf, 0.75, "linf_0.75"),
        (Norm::L2, 30.0, "l2_30"),
        (Norm::L2, 90.0, "l2_90"),
    ] {
        for (region, side) in [(Region::Foreground, "fg"), (Region::Background, "bg")] {
            let want = floats(&format!("{word}.{side}"));
            for (sample, want) in want.chunks_exact(count).enumerate() {
                let mask = Mask::from_vec(48, 48, masks[sample * plane..(sample + 1) * plane].to_vec()).unwrap();
                let got = Noise { norm, sigma, region, empty: EmptyRegion::NotANumber }.add(
                    &image,
                    &mask,
                    &drawn[sample * count..(sample + 1) * count],
                );
                for (&got, &want) in got.as_slice().iter().zip(want) {
                    let tolerance = if norm == Norm::Linf { 1e-6 } else { 1e-6 * sigma };
                    let equal = (got.is_nan() && want.is_nan()) || (got - want).abs() <= tolerance;
                    assert!(equal, "{word}.{side} {sample}: {got} for {want}");
                }
            }
        }
    }
}

#[test]
#[ignore = "needs reference data: HARD_IMAGENET_REFERENCE=dir cargo test -p hard-imagenet-perturbations --test reference -- --ignored"]
fn noise_of_every_strength() {
    let root = reference();
    let image = Pixels::from(&read_image(&root.join("transforms/real256_n03218198_dogsled.png")).unwrap());
    let mask = read_mask(&root.join("transforms/real256_n03218198_dogsled_maskjpeg.png")).unwrap();
    let mask = Mask::from_vec(mask.height, mask.width, mask.data).unwrap();
    let count = image.as_slice().len();
    let drawn = reference_noise("noise/0/0", count);
    let text = std::fs::read_to_string(root.join("noise.json")).unwrap();
    let table: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cases = table["real224_dogsled"].as_object().unwrap();
    assert_eq!(cases.len(), 12);
    for (level, expected) in cases {
        for side in ["fg", "bg"] {
            let id = format!("noise:{}:{side}", level.replace('_', ":"));
            let perturb = parse(&id, Preset::Paper).unwrap();
            assert_eq!(perturb.id(), id);
            let (norm, sigma) = level.split_once('_').unwrap();
            let norm = if norm == "l2" { Norm::L2 } else { Norm::Linf };
            let region = if side == "fg" { Region::Foreground } else { Region::Background };
            let noise = Noise { norm, sigma: sigma.parse().unwrap(), region, empty: EmptyRegion::NotANumber };
            let got = noise.add(&image, &mask, &drawn);
            let got = got.as_slice();
            let mean = got.iter().map(|&v| f64::from(v)).sum::<f64>() / count as f64;
            let variance = got.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / (count - 1) as f64;
            let expected = &expected[side];
            let close = |got: f64, expected: &serde_json::Value, within: f64| {
                assert!((got - expected.as_f64().unwrap()).abs() <= within, "{id}: {got} for {expected}");
            };
            close(mean, &expected["mean"], 1e-6);
            close(variance.sqrt(), &expected["std"], 1e-5);
            close(got.iter().filter(|&&v| v == 0.0).count() as f64, &expected["n0"], 0.0);
            close(got.iter().filter(|&&v| v == 1.0).count() as f64, &expected["n1"], 0.0);
            for channel in 0..3 {
                let pixel = got[(channel * 224 + 100) * 224 + 50];
                close(f64::from(pixel), &expected["px_0_100_50"][channel], 1e-5);
            }
        }
    }
}

/// Returns the noise of the reference outputs: sums of twelve uniform numbers, hashed from a name.
fn reference_noise(name: &str, count: usize) -> Vec<f32> {
    let hash = fnv1a(name);
    (0..count as u64)
        .map(|i| ((0..12).map(|k| unit(splitmix64(hash.wrapping_add(12 * i + k)))).sum::<f64>() - 6.0) as f32)
        .collect()
}
