//! Salient ImageNet in its published layout.

use hard_imagenet_datasets::{Dataset, DatasetError, FeatureKind, SalientImageNet};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn write(path: impl AsRef<Path>, image: image::DynamicImage) {
    std::fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    image.save_with_format(path, image::ImageFormat::Png).unwrap();
}

/// Creates a map of 224 × 224 that is 0 in the left half and `value` in the right half.
fn map(value: u8) -> image::DynamicImage {
    image::GrayImage::from_fn(224, 224, |x, _| image::Luma([if x < 112 { 0 } else { value }])).into()
}

fn plain_image(height: u32, width: u32) -> image::DynamicImage {
    image::RgbImage::from_pixel(width, height, image::Rgb([9; 3])).into()
}

/// Returns five answers for each of four features: 595, 7 and 8 of tench and 3 of goldfish. Of the five answers, two
/// call 7 spurious and three 8.
fn votes() -> String {
    let mut text = "WorkerId,Input.wordnet_id,Input.class_index,Input.feature_index,Input.feature_rank,Answer.main,\
                    Answer.confidence,Answer.reasons\n"
        .to_owned();
    let mut add = |wnid: &str, feature: u32, answers: [&str; 5]| {
        for (worker, answer) in answers.iter().enumerate() {
            text += &format!("{worker},{wnid},0,{feature},1,{answer},5.0,\"the \"\"core\"\", or not\"\n");
        }
    };
    let (main, other, back) = ("main_object", "separate_object", "background");
    add("n01440764", 595, [main; 5]);
    add("n01440764", 7, [main, other, main, back, main]);
    add("n01440764", 8, [other, main, back, main, back]);
    add("n01443537", 3, [back; 5]);
    text
}

fn tree() -> (TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let (masks, images) = (dir.path().join("salient_imagenet_dataset"), dir.path().join("imagenet"));
    write(masks.join("n01440764/feature_595/n01440764_10.JPEG"), map(80));
    write(masks.join("n01440764/feature_595/n01440764_11.JPEG"), map(90));
    write(masks.join("n01440764/feature_7/n01440764_11.JPEG"), map(200));
    write(masks.join("n01440764/feature_8/n01440764_12.JPEG"), map(70));
    write(masks.join("n01443537/feature_3/n01443537_4.JPEG"), map(60));
    std::fs::write(masks.join("discover_spurious_features.csv"), votes()).unwrap();
    for (name, height, width) in [("n01440764_10", 50, 70), ("n01440764_11", 64, 64), ("n01440764_12", 70, 50)] {
        write(images.join(format!("train/n01440764/{name}.JPEG")), plain_image(height, width));
    }
    (dir, masks, images)
}

fn ids(data: &SalientImageNet) -> Vec<&str> {
    (0..data.len()).map(|i| data.id(i)).collect()
}

#[test]
fn the_answers_decide_which_features_are_core() {
    let (_dir, masks, images) = tree();
    let core = SalientImageNet::open(&masks, &images, FeatureKind::Core).unwrap();
    assert_eq!(ids(&core), ["train/n01440764/n01440764_10", "train/n01440764/n01440764_11"]);
    assert_eq!(core.info().name, "salient-imagenet");
    let classes = &core.info().classes;
    assert_eq!((classes.len(), classes[0].name.as_str(), classes[0].imagenet), (1, "tench", Some(0)));

    let spurious = SalientImageNet::open(&masks, &images, FeatureKind::Spurious).unwrap();
    assert_eq!(spurious.info().name, "salient-imagenet-spurious");
    assert_eq!(ids(&spurious), ["train/n01440764/n01440764_12", "train/n01443537/n01443537_4"]);
    assert_eq!((spurious.class(0), spurious.class(1), spurious.info().classes[1].imagenet), (0, 1, Some(1)));
}

#[test]
fn the_largest_value_of_all_features_stays_soft() {
    let (_dir, masks, images) = tree();
    let data = SalientImageNet::open(&masks, &images, FeatureKind::Core).unwrap();
    let sample = data.get(1).unwrap();
    assert_eq!((sample.mask.height, sample.mask.width), (256, 256));
    assert_eq!(sample.mask.data.iter().filter(|&&v| v == 200).count(), 224 * 112);
    assert_eq!(sample.mask.data.iter().filter(|&&v| v == 0).count(), 256 * 256 - 224 * 112);
}

#[test]
fn maps_are_placed_where_the_network_looked() {
    let check = |i: usize, (height, width): (usize, usize), (top, left): (usize, usize)| {
        let (_dir, masks, images) = tree();
        let data = if i < 2 { FeatureKind::Core } else { FeatureKind::Spurious };
        let data = SalientImageNet::open(&masks, &images, data).unwrap();
        let mask = data.get(i % 2).unwrap().mask;
        assert_eq!((mask.height, mask.width), (height, width));
        let at = |row: usize, column: usize| mask.data[row * width + column] > 0;
        assert!(at(top, left + 112) && at(top + 223, left + 223) && !at(top, left + 111));
        assert!(!at(top - 1, left + 112) && !at(top + 224, left + 112) && !at(top, left + 224));
    };
    // An image of 50 × 70 becomes 256 × 358, and its center crop starts at (16, 67); upright at (67, 16).
    check(0, (256, 358), (16, 67));
    check(1, (256, 256), (16, 16));
    check(2, (358, 256), (67, 16));
}

#[test]
fn missing_and_damaged_files_are_named() {
    let (_dir, masks, images) = tree();
    let message = |result: Result<SalientImageNet, DatasetError>| result.err().expect("an error").to_string();
    let error = message(SalientImageNet::open(&masks, masks.join("images"), FeatureKind::Core));
    assert!(error.contains("images: no such folder"), "{error}");
    let spurious = SalientImageNet::open(&masks, &images, FeatureKind::Spurious).unwrap();
    let error = spurious.get(1).unwrap_err().to_string();
    assert!(error.contains("there is no image n01443537_4.JPEG of class n01443537"), "{error}");

    write(images.join("train/n01443537/n01443537_4.JPEG"), plain_image(1, 100));
    // Folders are listed when the dataset is opened, so it is opened again.
    let spurious = SalientImageNet::open(&masks, &images, FeatureKind::Spurious).unwrap();
    let error = spurious.get(1).unwrap_err().to_string();
    assert!(error.contains("1 × 100, which is too thin"), "{error}");

    write(masks.join("n01440764/feature_8/n01440764_12.JPEG"), plain_image(256, 256));
    let error = spurious.get(0).unwrap_err().to_string();
    assert!(error.contains("feature_8/n01440764_12.JPEG") && error.contains("224 × 224"), "{error}");

    let check = |text: String, words: &str| {
        std::fs::write(masks.join("discover_spurious_features.csv"), text).unwrap();
        let error = message(SalientImageNet::open(&masks, &images, FeatureKind::Core));
        assert!(error.contains("discover_spurious_features.csv") && error.contains(words), "{error}");
    };
    check(votes().replace("Answer.main", "Answer"), "no column \"Answer.main\"");
    check(votes().replacen("main_object", "whatever", 1), "line 2: ");
    check(votes().replacen("n01440764", "../../etc", 1), "line 2: ");
    check(votes().replacen("595", "a", 1), "line 2: ");
    std::fs::remove_file(masks.join("discover_spurious_features.csv")).unwrap();
    let error = message(SalientImageNet::open(&masks, &images, FeatureKind::Core));
    assert!(error.contains("mturk_results/discover_spurious_features.csv"), "{error}");
    std::fs::write(masks.join("discover_spurious_features.csv"), votes().lines().next().unwrap()).unwrap();
    let error = message(SalientImageNet::open(&masks, &images, FeatureKind::Core));
    assert!(error.contains("no map of a core feature"), "{error}");
}
