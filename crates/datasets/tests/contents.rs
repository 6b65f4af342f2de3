//! What is reported about images and masks that can be decoded but may not mean what they seem to.

use hard_imagenet_datasets::{ContentCheck, Dataset, DatasetOptions, inspect, open};
use hard_imagenet_images::{
    Gray8, MaskReading, MaskRule, MaskValue, Orientation, PairedTransform, Preprocessing, Rgb8,
};
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use std::path::Path;
use tempfile::TempDir;

fn transform(mask_rule: MaskRule) -> PairedTransform {
    Preprocessing::imagenet().squash().paired_transform(mask_rule)
}

/// Writes samples "a/0", "a/1", ... from pairs of image and mask files.
fn folder(samples: &[(Vec<u8>, Vec<u8>)]) -> (TempDir, DatasetOptions) {
    let dir = tempfile::tempdir().unwrap();
    for (i, (image, mask)) in samples.iter().enumerate() {
        for (folder, bytes) in [("images/a", image), ("masks/a", mask)] {
            let folder = dir.path().join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(format!("{i}.png")), bytes).unwrap();
        }
    }
    let path = |name: &str| Some(dir.path().join(name));
    let options = DatasetOptions { images: path("images"), masks: path("masks"), ..DatasetOptions::default() };
    (dir, options)
}

/// Returns "severity kind count: examples" for every finding.
fn found(options: &DatasetOptions) -> Vec<String> {
    let data = open("masked-folder", options).unwrap();
    let findings = inspect(&*data, &transform(MaskRule::Half), |_| ());
    let line = |f: &hard_imagenet_findings::Finding| {
        format!("{} {} {}: {}", f.severity.word(), f.kind, f.count, f.examples.join(" | "))
    };
    findings.iter().map(line).collect()
}

fn areas(options: &DatasetOptions) -> Vec<usize> {
    let data = open("masked-folder", options).unwrap();
    let area = |i: usize| MaskRule::Half.binarize(&data.get(i).unwrap().mask).area();
    (0..data.len()).map(area).collect()
}

fn image(height: usize, width: usize) -> Vec<u8> {
    Rgb8 { height, width, data: vec![90; height * width * 3] }.encode_png().unwrap()
}

fn mask(height: usize, width: usize, value: impl Fn(usize, usize) -> u8) -> Vec<u8> {
    let data = (0..height * width).map(|i| value(i / width, i % width)).collect();
    Gray8 { height, width, data }.encode_png().unwrap()
}

/// An image with an EXIF orientation.
fn turned(height: usize, width: usize, orientation: u8) -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    encoder.set_exif_metadata(exif).unwrap();
    let data = vec![90; height * width * 3];
    encoder.write_image(&data, width as u32, height as u32, ExtendedColorType::Rgb8).unwrap();
    bytes
}

fn left(value: u8) -> impl Fn(usize, usize) -> u8 {
    move |_, column| if column < 10 { value } else { 0 }
}

#[test]
fn ordinary_masks_are_not_mentioned() {
    let scaled = (image(40, 60), mask(20, 30, left(255)));
    let (_dir, options) = folder(&[(image(40, 60), mask(40, 60, left(255))), scaled]);
    assert_eq!(found(&options), ["note scaled-mask 1: a/1"]);
    // Published masks are JPEG files with ringing at their edges.
    let data = (0..40 * 60).flat_map(|i| [if i % 60 < 13 { 255 } else { 0 }; 3]).collect();
    let jpeg = Rgb8 { height: 40, width: 60, data }.encode_jpeg(80).unwrap();
    let (_dir, options) = folder(&[(image(40, 60), jpeg)]);
    assert_eq!(found(&options), ["note gray-mask 1: a/0"]);
}

#[test]
fn labels_and_cut_outs() {
    let classes = mask(40, 60, |_, column| [0, 1, 2][column / 20]);
    let alpha = |_: usize| {
        let data: Vec<u8> = (0..40 * 60).flat_map(|i| [9, 9, 9, if i % 60 < 10 { 255 } else { 0 }]).collect();
        let mut bytes = Vec::new();
        PngEncoder::new(&mut bytes).write_image(&data, 60, 40, ExtendedColorType::Rgba8).unwrap();
        bytes
    };
    let data = (0..40 * 60).flat_map(|i| if i % 60 < 10 { [128, 0, 0] } else { [0; 3] }).collect();
    let colors = Rgb8 { height: 40, width: 60, data }.encode_png().unwrap();
    let (_dir, options) = folder(&[(image(40, 60), classes), (image(40, 60), alpha(0)), (image(40, 60), colors)]);
    let expected = ["warning label-mask 2: a/0: values 1, 2 | a/2: values 128,0,0", "warning alpha-mask 1: a/1"];
    assert_eq!(found(&options), expected);
    assert_eq!(areas(&options), [1600, 400, 400]);
    let chosen = |mask_reading| DatasetOptions { mask_reading, ..options.clone() };
    assert_eq!(areas(&chosen(MaskReading::Values(vec![MaskValue::Level(2)]))), [800, 0, 0]);
    assert_eq!(areas(&chosen(MaskReading::Values(vec![MaskValue::Color([128, 0, 0])]))), [0, 0, 400]);
    assert_eq!(areas(&chosen(MaskReading::Threshold(2))), [800, 2400, 400]);
    // Nothing is guessed, so nothing is warned of but the masks that come out empty.
    let quiet = found(&chosen(MaskReading::Values(vec![MaskValue::Level(2)])));
    assert_eq!(quiet, ["warning empty-mask 2: a/1 | a/2"]);
}

#[test]
fn masks_that_may_belong_to_the_turned_image() {
    let upright = mask(60, 40, left(255));
    let stored = mask(40, 60, left(255));
    let (_dir, options) = folder(&[
        (turned(40, 60, 6), upright.clone()),
        (turned(40, 60, 6), stored.clone()),
        (turned(40, 60, 3), stored.clone()),
        (turned(40, 60, 1), stored.clone()),
        (turned(50, 50, 8), mask(50, 50, left(255))),
        (turned(40, 60, 5), mask(30, 20, left(255))),
        (image(40, 60), upright),
    ]);
    let expected = [
        "warning sizes 1: a/6: image 40 × 60, mask 60 × 40",
        "warning exif-orientation 4: a/0: orientation 6 | a/2: orientation 3 | a/4: orientation 8",
    ];
    assert_eq!(found(&options), expected);
    let upright = DatasetOptions { orientation: Orientation::Upright, ..options.clone() };
    let expected = [
        "warning sizes 2: a/1: image 60 × 40, mask 40 × 60 | a/6: image 40 × 60, mask 60 × 40",
        "note scaled-mask 1: a/5",
    ];
    assert_eq!(found(&upright), expected);
    let sample = open("masked-folder", &upright).unwrap().get(0).unwrap();
    assert_eq!((sample.image.height, sample.image.width, sample.facts.image.is_turned), (60, 40, true));
    // A mask that states the same orientation was stored like its image.
    let (_dir, options) = folder(&[(turned(50, 50, 6), turned(50, 50, 6))]);
    assert!(found(&options).iter().all(|line| !line.contains("exif")), "{:?}", found(&options));
}

#[test]
fn inverted_empty_full_and_incomplete() {
    let inverted = || mask(40, 60, |row, column| if row.abs_diff(20) < 8 && column.abs_diff(30) < 8 { 0 } else { 255 });
    let close_up = (image(40, 60), inverted());
    let ordinary = || (image(40, 60), mask(40, 60, left(255)));
    let (_dir, options) = folder(&[close_up.clone(), ordinary(), ordinary()]);
    assert_eq!(found(&options), [] as [&str; 0], "one mask is no evidence");
    let (_dir, options) = folder(&[close_up.clone(), close_up.clone()]);
    assert_eq!(found(&options), [] as [&str; 0], "two masks are too few");
    let (_dir, options) = folder(&[close_up.clone(), close_up, ordinary()]);
    assert_eq!(found(&options), ["warning inverted-mask 2: a/0 | a/1"]);

    let cut = mask(40, 60, left(255));
    let cut = cut[..cut.len() - 12].to_vec();
    let blank = |value| (image(40, 60), mask(40, 60, move |_, _| value));
    let (_dir, options) = folder(&[blank(0), blank(255), (image(40, 60), cut)]);
    let expected = ["warning empty-mask 1: a/0", "warning full-mask 1: a/1", "warning incomplete-image 1: a/2"];
    assert_eq!(found(&options), expected);
}

#[test]
fn samples_that_are_decoded_anyway_give_the_same_findings() {
    let blank = (image(40, 60), mask(40, 60, |_, _| 0));
    let (_dir, options) = folder(&[blank, (vec![], image(4, 4)), (image(40, 60), mask(40, 60, left(1)))]);
    let data = open("masked-folder", &options).unwrap();
    let mut check = ContentCheck::new(transform(MaskRule::Half));
    assert!(check.is_empty());
    (0..data.len()).for_each(|i| check.add(data.id(i), &data.get(i)));
    assert_eq!(check.len(), 3);
    assert_eq!(check.findings(&*data), inspect(&*data, &transform(MaskRule::Half), |_| ()));
    let kinds: Vec<String> = check.findings(&*data).into_iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, ["unreadable", "empty-mask", "label-mask"]);
}

#[test]
fn images_of_every_kind_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let source = Rgb8 { height: 4, width: 6, data: vec![90; 72] };
    let jpeg = source.encode_jpeg(90).unwrap();
    let tiff = dir.path().join("source.tiff");
    let pixels = image::RgbImage::from_raw(6, 4, source.data.clone()).unwrap();
    pixels.save(&tiff).unwrap();
    let tiff = std::fs::read(tiff).unwrap();
    let files = [("0.jfif", &jpeg), ("1.jpe", &jpeg), ("2.tif", &tiff), ("3.TIFF", &tiff), ("4.JPG", &jpeg)];
    for (name, bytes) in files {
        for (folder, bytes) in [("images", bytes.clone()), ("masks", mask(4, 6, |_, _| 255))] {
            let path = dir.path().join(folder).join(name);
            let path = if folder == "masks" { path.with_extension("png") } else { path };
            write(&path, &bytes);
        }
    }
    let path = |name: &str| Some(dir.path().join(name));
    let options = DatasetOptions { images: path("images"), masks: path("masks"), ..DatasetOptions::default() };
    let data = open("masked-folder", &options).unwrap();
    assert_eq!(data.len(), 5);
    for i in 0..5 {
        assert_eq!(data.get(i).unwrap().image.width, 6, "{}", data.id(i));
    }
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}
