//! Compares whole transforms with timm, torchvision and a second implementation of the random crops in Python. The
//! table comes from golden/transforms.py.

use hard_imagenet_images::{
    CropAndFlip, CropMode, Filter, Gray8, MaskRule, Preprocessing, RandomResizedCrop, Resize, Rgb8,
};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt::Write;

#[derive(Deserialize)]
struct Table {
    timm: Vec<Timm>,
    torchvision: Vec<Preset>,
    crops: Vec<Crop>,
    draws: Vec<Draw>,
}

#[derive(Deserialize)]
struct Timm {
    size: (usize, usize),
    input: (usize, usize),
    crop_pct: f64,
    mode: CropMode,
    filter: Filter,
    mean: [f32; 3],
    resized: (usize, usize),
    image: String,
    mask: String,
}

#[derive(Deserialize)]
struct Preset {
    size: (usize, usize),
    resize: usize,
    crop: usize,
    filter: Filter,
    image: String,
}

#[derive(Deserialize)]
struct Crop {
    size: (usize, usize),
    #[serde(rename = "box")]
    corner_and_size: (usize, usize, usize, usize),
    flip: bool,
    filter: Filter,
    image: String,
    mask: String,
}

#[derive(Deserialize)]
struct Draw {
    key: String,
    size: (usize, usize),
    #[serde(rename = "box")]
    corner_and_size: (usize, usize, usize, usize),
    flip: bool,
}

fn table() -> Table {
    serde_json::from_str(include_str!("golden/transforms.json")).unwrap()
}

fn waves((height, width): (usize, usize)) -> Rgb8 {
    let value = |y: usize, x: usize, c: usize| (y * y * 3 + x * 7 + x * y / 5 + c * 85) as u8;
    let data = (0..height * width * 3).map(|i| value(i / 3 / width, i / 3 % width, i % 3)).collect();
    Rgb8 { height, width, data }
}

fn ink((height, width): (usize, usize)) -> Gray8 {
    let on = |y: usize, x: usize| (x / 9 + y / 7).is_multiple_of(3);
    let data = (0..height * width).map(|i| if on(i / width, i % width) { 255 } else { 0 }).collect();
    Gray8 { height, width, data }
}

fn digest(values: &[u8]) -> String {
    Sha256::digest(values).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn drawn((top, left, height, width): (usize, usize, usize, usize), flip: bool) -> CropAndFlip {
    CropAndFlip { top, left, height, width, flip }
}

#[test]
fn evaluation_transforms_of_timm() {
    for case in table().timm {
        let Timm { size, input, crop_pct, mode, filter, mean, .. } = case;
        let preprocess = Preprocessing::timm(input, crop_pct, mode, filter, mean, [0.5; 3]);
        let name = format!("{mode:?} {filter:?} of {size:?} to {input:?} at {crop_pct}");
        assert_eq!(preprocess.resize.size(size.0, size.1), case.resized, "{name}");
        let transform = preprocess.paired_transform(MaskRule::Half);
        let image = Rgb8::from(&transform.apply_to_image(&waves(size)));
        assert_eq!((image.height, image.width), input, "{name}");
        assert_eq!(digest(&image.data), case.image, "{name}");
        assert_eq!(digest(transform.apply_to_mask(&ink(size)).as_slice()), case.mask, "{name}");
    }
}

#[test]
fn presets_of_torchvision() {
    for Preset { size, resize, crop, filter, image } in table().torchvision {
        let transform = Preprocessing::torchvision(resize, crop, filter).paired_transform(MaskRule::Half);
        assert_eq!(transform.resize, Resize::ShorterSide(resize));
        let got = Rgb8::from(&transform.apply_to_image(&waves(size)));
        assert_eq!(digest(&got.data), image, "{size:?} to {resize}, {crop}");
    }
}

#[test]
fn crops_and_flips() {
    for Crop { size, corner_and_size, flip, filter, image, mask } in table().crops {
        let crop = RandomResizedCrop { size: (56, 48), filter, ..RandomResizedCrop::imagenet() };
        let drawn = drawn(corner_and_size, flip);
        let got = Rgb8::from(&crop.apply_to_image(&waves(size), &drawn));
        assert_eq!(digest(&got.data), image, "{drawn:?} {filter:?}");
        assert_eq!(digest(crop.apply_to_mask(&ink(size), &drawn).as_slice()), mask, "{drawn:?} {filter:?}");
    }
}

#[test]
fn random_crops() {
    let crop = RandomResizedCrop::imagenet();
    for Draw { key, size, corner_and_size, flip } in table().draws {
        let got = crop.draw(key.parse().unwrap(), size.0, size.1);
        assert_eq!(got, drawn(corner_and_size, flip), "key {key}, {size:?}");
    }
}
