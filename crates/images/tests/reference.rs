//! Compares with reference outputs of the published code. Run by hand.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a test may print and read its settings")]

use hard_imagenet_images::{
    CropAndFlip, MaskRule, Preprocessing, RandomResizedCrop, Resize, Rgb8, decode_image, read_image, read_mask,
};
use std::path::PathBuf;

fn reference() -> PathBuf {
    PathBuf::from(std::env::var_os("HARD_IMAGENET_REFERENCE").expect("HARD_IMAGENET_REFERENCE names the folder"))
}

#[test]
#[ignore = "needs reference data: HARD_IMAGENET_REFERENCE=dir cargo test -p hard-imagenet-images --test reference -- --ignored"]
fn transforms() {
    let root = reference();
    let text = std::fs::read_to_string(root.join("transforms.json")).unwrap();
    let table: serde_json::Value = serde_json::from_str(&text).unwrap();
    let (mut images, mut masks, mut jpegs) = (0, 0, 0);
    for (name, case) in table["cases"].as_object().unwrap() {
        let resize = match case["fn"].as_str() {
            Some("resize256x256_crop224") => Resize::Squash(256, 256),
            Some("resize224x224_crop224") => Resize::Squash(224, 224),
            _ => continue,
        };
        let paired = |rule| Preprocessing { resize, ..Preprocessing::imagenet() }.paired_transform(rule);
        let source = case["img"].as_str().unwrap();
        let files = [format!("img/{source}.png"), format!("img/decoded_{source}.png")];
        if let Some(file) = files.iter().map(|file| root.join(file)).find(|file| file.exists()) {
            let got = Rgb8::from(&paired(MaskRule::AnyInk).apply_to_image(&read_image(&file).unwrap()));
            let want = read_image(&root.join(format!("transforms/{name}.png"))).unwrap();
            assert!(got == want, "{name}");
            images += 1;
        }
        let mask = read_mask(&root.join("masks").join(case["mask"].as_str().unwrap())).unwrap();
        let got = paired(MaskRule::AnyInk).apply_to_mask(&mask);
        assert_eq!(got.area() as u64, case["mask_on"].as_u64().unwrap(), "{name}");
        assert_eq!(
            paired(MaskRule::Half).apply_to_mask(&mask).area() as u64,
            case["mask_ge_half"].as_u64().unwrap(),
            "{name}"
        );
        let want = read_mask(&root.join(format!("transforms/{name}_mask.png"))).unwrap();
        assert!(got.as_slice().iter().zip(&want.data).all(|(&a, &b)| (a > 0) == (b > 0)), "{name}");
        masks += 1;

        let jpeg = root.join(format!("transforms/{name}_maskjpeg.png"));
        if jpeg.exists() {
            let mask = read_mask(&root.join(format!("masks/{source}.JPEG"))).unwrap();
            let got = paired(MaskRule::AnyInk).apply_to_mask(&mask);
            let want = read_mask(&jpeg).unwrap();
            let differ = got.as_slice().iter().zip(&want.data).filter(|&(&a, &b)| (a > 0) != (b > 0)).count();
            let on = want.data.iter().filter(|&&v| v > 0).count();
            assert!(differ as f64 <= 0.005 * on as f64, "{name}: {differ} of {on}");
            println!("{name}: {differ} of {on} mask pixels from JPEG differ");
            jpegs += 1;
        }
    }
    println!("{images} images, {masks} masks, {jpegs} JPEG masks");
    assert!(images >= 20 && masks >= 40 && jpegs >= 15);
}

#[test]
#[ignore = "needs reference data: HARD_IMAGENET_REFERENCE=dir cargo test -p hard-imagenet-images --test reference -- --ignored"]
fn crops_with_given_boxes() {
    let root = reference();
    let text = std::fs::read_to_string(root.join("transforms.json")).unwrap();
    let table: serde_json::Value = serde_json::from_str(&text).unwrap();
    let crop = RandomResizedCrop::imagenet();
    let (mut images, mut masks) = (0, 0);
    for (name, case) in table["cases"].as_object().unwrap() {
        let Some(corners) = case["top_left_h_w"].as_array() else { continue };
        let [top, left, height, width] = [0, 1, 2, 3].map(|at: usize| corners[at].as_u64().unwrap() as usize);
        let drawn = CropAndFlip { top, left, height, width, flip: case["hflip"].as_bool().unwrap() };
        let source = case["img"].as_str().unwrap();
        let files = [format!("img/synth_{source}.png"), format!("img/decoded_{source}.png")];
        if let Some(file) = files.iter().map(|file| root.join(file)).find(|file| file.exists()) {
            let got = Rgb8::from(&crop.apply_to_image(&read_image(&file).unwrap(), &drawn));
            assert!(got == read_image(&root.join(format!("transforms/{name}.png"))).unwrap(), "{name}");
            images += 1;
        }
        let mask_file = case["mask"].as_str().unwrap();
        let files = [mask_file.to_owned(), format!("{mask_file}.png"), format!("synth_{mask_file}.png")];
        if let Some(file) = files.iter().map(|file| root.join("masks").join(file)).find(|file| file.exists()) {
            let mask = read_mask(&file).unwrap();
            let got = crop.apply_to_mask(&mask, &drawn);
            assert_eq!(got.area() as u64, case["mask_on"].as_u64().unwrap(), "{name}");
            let half = RandomResizedCrop { mask_rule: MaskRule::Half, ..crop }.apply_to_mask(&mask, &drawn);
            assert_eq!(half.area() as u64, case["mask_ge_half"].as_u64().unwrap(), "{name}");
            masks += 1;
        }
    }
    println!("{images} images, {masks} masks");
    assert!(images >= 2 && masks >= 4);
}

#[test]
#[ignore = "needs reference data: HARD_IMAGENET_REFERENCE=dir cargo test -p hard-imagenet-images --test reference -- --ignored"]
fn cmyk_and_mask_modes() {
    let root = reference();
    let got = read_image(&root.join("img/cmyk_breastplate.JPEG")).unwrap();
    let want = read_image(&root.join("img/decoded_cmyk_convert_rgb.png")).unwrap();
    let differences: Vec<u8> = got.data.iter().zip(&want.data).map(|(&a, &b)| a.abs_diff(b)).collect();
    let mean = differences.iter().map(|&d| f64::from(d)).sum::<f64>() / differences.len() as f64;
    println!("CMYK: at most {:?}, mean {mean}", differences.iter().max());
    assert!(mean < 0.5);
    let paired = Preprocessing::imagenet().squash().paired_transform(MaskRule::AnyInk);
    for name in ["rgb_tusker", "rgba_tusker"] {
        let mask = read_mask(&root.join(format!("masks/{name}.png"))).unwrap();
        assert_eq!(paired.apply_to_mask(&mask).area(), 13841, "{name}");
    }
}

#[test]
#[ignore = "needs photographs: HARD_IMAGENET_PHOTOGRAPHS=dir cargo test -p hard-imagenet-images --test reference -- --ignored"]
fn photographs_decode() {
    let folder = PathBuf::from(std::env::var_os("HARD_IMAGENET_PHOTOGRAPHS").expect("HARD_IMAGENET_PHOTOGRAPHS"));
    let (mut stack, mut count) = (vec![folder], 0);
    while let Some(folder) = stack.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                stack.push(path);
            } else if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("jpeg") || e == "jpg" || e == "png") {
                let bytes = std::fs::read(&path).unwrap();
                if let Err(error) = decode_image(&bytes) {
                    println!("{}: {error}", path.display());
                }
                count += 1;
            }
        }
    }
    println!("{count} files");
    assert!(count > 0);
}
