//! What the published datasets report when they are opened, and what identifies the files of their samples.

mod archives;

use archives::{SHARD, image_file, parquet, tar, zip};
use hard_imagenet_datasets::{
    Dataset, DatasetOptions, PlantedConfig, PlantedCues, Rankings, Split, Store, Subset, check, open,
};
use hard_imagenet_findings::Finding;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

fn write(path: impl AsRef<Path>, bytes: &[u8]) {
    let path = path.as_ref();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn options(dir: &TempDir, images: &str, masks: &str) -> DatasetOptions {
    let at = |name: &str| Some(dir.path().join(name));
    DatasetOptions { images: at(images), masks: at(masks), ..DatasetOptions::default() }
}

/// Returns "kind count: examples" of each finding, without the temporary folder.
fn lines(dir: &TempDir, findings: &[Finding]) -> Vec<String> {
    let root = format!("{}/", dir.path().display());
    let line = |f: &Finding| format!("{} {}: {}", f.kind, f.count, f.examples.join(", ")).replace(&root, "");
    findings.iter().map(line).collect()
}

/// Two masks and their images of Hard ImageNet, three of RIVAL10 and one label map of ImageNet-S.
fn published() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let image = image_file(4, 5, 90);
    for name in [
        "hard/val/n03218198_ILSVRC2012_val_00000001.JPEG",
        "hard/val/n04356056_ILSVRC2012_val_00000002.JPEG",
        "rival/test/entire_object_masks/n02391049_ILSVRC2012_val_00000003.JPEG",
        "rival/train/entire_object_masks/n01531178_ILSVRC2012_val_00000004.JPEG",
        "s/validation-segmentation/n01440764/ILSVRC2012_val_00000005.png",
        "imagenet/val/n03218198/ILSVRC2012_val_00000001.JPEG",
        "imagenet/val/n04356056/ILSVRC2012_val_00000002.JPEG",
        "imagenet/val/n02391049/ILSVRC2012_val_00000003.JPEG",
        "imagenet/val/n01531178/ILSVRC2012_val_00000004.JPEG",
        "imagenet/val/n01440764/ILSVRC2012_val_00000005.JPEG",
        "imagenet/val/n01440764/ILSVRC2012_val_00000006.JPEG",
        "imagenet/train/n01440764/n01440764_1.JPEG",
        "salient/n01440764/feature_7/n01440764_1.JPEG",
    ] {
        write(dir.path().join(name), &image);
    }
    for name in
        ["hard/README.md", "hard/val/.DS_Store", "imagenet/val/valprep.sh", "rival/test/entire_object_masks/list.txt"]
    {
        write(dir.path().join(name), b"text");
    }
    dir
}

/// The words of the datasets with the folder of their masks and the mask of one of their samples.
const WORDS: [(&str, &str, &str); 5] = [
    ("hard-imagenet", "hard", "hard/val/n03218198_ILSVRC2012_val_00000001.JPEG"),
    ("rival20", "rival", "rival/test/entire_object_masks/n02391049_ILSVRC2012_val_00000003.JPEG"),
    ("rival10-pooled", "rival", "rival/test/entire_object_masks/n02391049_ILSVRC2012_val_00000003.JPEG"),
    ("rival10", "rival", "rival/test/entire_object_masks/n02391049_ILSVRC2012_val_00000003.JPEG"),
    ("imagenet-s", "s", "s/validation-segmentation/n01440764/ILSVRC2012_val_00000005.png"),
];

#[test]
fn a_part_of_the_published_data_has_no_findings() {
    let dir = published();
    for (word, masks, _) in WORDS {
        let data = open(word, &options(&dir, "imagenet", masks)).unwrap();
        assert_eq!(data.findings(), [], "{word}");
        let suspicious: Vec<Finding> = check(word, &options(&dir, "imagenet", masks), None, |_, _| ()).unwrap();
        assert!(suspicious.iter().all(|finding| !finding.severity.is_suspicious()), "{word}: {suspicious:?}");
    }
}

#[test]
fn files_that_are_left_out_are_reported() {
    let dir = published();
    let image = image_file(4, 5, 90);
    for (_, _, mask) in WORDS {
        write(dir.path().join(mask).with_file_name("n03218198_x_ILSVRC2012_val.heic"), &image);
    }
    std::fs::remove_file(dir.path().join("imagenet/val/n03218198/ILSVRC2012_val_00000001.JPEG")).unwrap();
    write(dir.path().join("hard/val/copy of a mask.png"), &image);
    let found =
        |word: &str, masks: &str| lines(&dir, &open(word, &options(&dir, "imagenet", masks)).unwrap().findings());
    let expected = [
        "no-image 1: hard/val/n03218198_ILSVRC2012_val_00000001.JPEG",
        "unread-kind 1: hard/val/n03218198_x_ILSVRC2012_val.heic",
        "odd-name 1: hard/val/copy of a mask.png",
    ];
    assert_eq!(found("hard-imagenet", "hard"), expected);
    let unread = "unread-kind 1: rival/test/entire_object_masks/n03218198_x_ILSVRC2012_val.heic";
    assert_eq!(found("rival20", "rival"), [unread]);
    assert_eq!(found("rival10", "rival"), [unread]);
    let unread = "unread-kind 1: s/validation-segmentation/n01440764/n03218198_x_ILSVRC2012_val.heic";
    assert_eq!(found("imagenet-s", "s"), [unread]);

    // Each kind is reported once by the check of the whole dataset, which looks at names in its own way.
    let all = check("hard-imagenet", &options(&dir, "imagenet", "hard"), None, |_, _| ()).unwrap();
    for kind in ["no-image", "unread-kind", "odd-name"] {
        assert_eq!(all.iter().filter(|finding| finding.kind == kind).count(), 1, "{kind}: {all:?}");
    }

    // Narrowing a dataset keeps what was noticed.
    let few = DatasetOptions { limit: Some(1), ..options(&dir, "imagenet", "hard") };
    assert_eq!(open("hard-imagenet", &few).unwrap().findings().len(), 3);
    std::fs::remove_file(dir.path().join("imagenet/val/n02391049/ILSVRC2012_val_00000003.JPEG")).unwrap();
    std::fs::remove_file(dir.path().join("imagenet/val/n01440764/ILSVRC2012_val_00000005.JPEG")).unwrap();
    assert!(found("rival20", "rival")[0].starts_with("no-image 1: "));
    assert!(found("rival10", "rival")[0].starts_with("no-image 1: "));
    assert!(found("imagenet-s", "s")[0].starts_with("no-image 1: "));
}

#[test]
fn listed_images_without_a_mask_are_reported() {
    let dir = published();
    let list = r#"{"train": [], "test": ["http://x/n02391049/ILSVRC2012_val_00000003.JPEG", "http://x/n02391049/ILSVRC2012_val_00000009.JPEG"]}"#;
    write(dir.path().join("rival/meta/train_test_split_by_url.json"), list.as_bytes());
    let data = open("rival10", &options(&dir, "imagenet", "rival")).unwrap();
    let expected = "mask-missing 1: rival/test/entire_object_masks/n02391049_ILSVRC2012_val_00000009.JPEG";
    assert_eq!(lines(&dir, &data.findings()), [expected]);
}

#[test]
fn stamps_change_with_image_and_mask() {
    let dir = published();
    let stamp = |word: &str, masks: &str| {
        let data = open(word, &options(&dir, "imagenet", masks)).unwrap();
        let at = (0..data.len()).find(|&i| !data.id(i).ends_with('2') && !data.id(i).ends_with('4')).unwrap();
        data.stamp(at).unwrap()
    };
    for (word, masks, mask) in WORDS {
        let first = stamp(word, masks);
        assert_eq!(first, stamp(word, masks), "{word}");
        assert!(first.contains("imagenet/val") && first.contains(mask), "{word}: {first}");
        write(dir.path().join(mask), &image_file(4, 6, 1));
        let second = stamp(word, masks);
        assert_ne!(first, second, "{word}");
        let line = second.lines().next().unwrap();
        let image = PathBuf::from(&line[..line.find(".JPEG").unwrap() + 5]);
        write(&image, &image_file(7, 7, 1));
        assert_ne!(stamp(word, masks), second, "{word}");
        std::fs::remove_file(&image).unwrap();
        assert!(stamp(word, masks).contains("missing"), "{word}");
        write(&image, &image_file(4, 5, 90));
    }
}

#[test]
fn stamps_of_archives_and_shards() {
    let dir = published();
    let (image, names) = (image_file(4, 5, 90), [1, 2].map(|i| format!("ILSVRC2012_val_0000000{i}")));
    let masks = ["n03218198_ILSVRC2012_val_00000001.JPEG", "n04356056_ILSVRC2012_val_00000002.JPEG"];
    let masks = masks.map(|name| (format!("hardImageNet/val/{name}"), image.clone()));
    let masks: Vec<(&str, Vec<u8>)> = masks.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    write(dir.path().join("masks.zip"), &zip(&masks));
    let files = names.each_ref().map(|name| (format!("{name}.JPEG"), image.clone()));
    let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    write(dir.path().join("tars/ILSVRC2012_img_val.tar"), &tar(&files));
    let cells = names.each_ref().map(|name| Some(format!("{name}_n03218198.JPEG").into_bytes())).to_vec();
    let shard = parquet(SHARD, &vec![Some(image.clone()), Some(image)], &cells);
    write(dir.path().join("shards/validation-00000-of-00001.parquet"), &shard);
    for (images, words) in [
        ("tars", ["ILSVRC2012_img_val.tar", "ILSVRC2012_val_00000001.JPEG"]),
        ("shards", ["validation-00000-of-00001.parquet", "row 0"]),
    ] {
        let data = open("hard-imagenet", &options(&dir, images, "masks.zip")).unwrap();
        assert_eq!(data.findings(), [], "{images}");
        let stamps = [data.stamp(0).unwrap(), data.stamp(1).unwrap()];
        assert!(words.iter().all(|word| stamps[0].contains(word)) && stamps[0] != stamps[1], "{stamps:?}");
        assert!(stamps[0].contains("masks.zip") && stamps[0].ends_with("n03218198_ILSVRC2012_val_00000001.JPEG"));
    }
}

#[test]
fn stamps_of_generated_images_hold_all_settings() {
    let stamp = |data: PlantedCues| data.stamp(3).unwrap();
    let config = |cue| PlantedConfig { cue, ..PlantedConfig::hard() };
    let base = stamp(PlantedCues::new(config(0.9), 1, 8, 16).unwrap());
    assert_eq!(base, stamp(PlantedCues::new(config(0.9), 1, 80, 16).unwrap()));
    let others = [
        PlantedCues::new(config(0.8), 1, 8, 16),
        PlantedCues::new(config(0.9), 2, 8, 16),
        PlantedCues::new(config(0.9), 1, 8, 32),
        PlantedCues::new(PlantedConfig { radius: (0.14, 0.23), ..PlantedConfig::hard() }, 1, 8, 16),
    ];
    for other in others {
        assert_ne!(stamp(other.unwrap()), base);
    }
    let subset = Subset::filter(PlantedCues::new(config(0.9), 1, 8, 16).unwrap(), |i| i >= 3);
    assert_eq!(subset.stamp(0), Some(base));
}

#[test]
fn pointers_of_git_lfs_are_named_everywhere() {
    let check = |error: String, name: &str| {
        assert!(
            error.contains(name) && error.contains("pointer of Git LFS") && error.contains("git lfs pull"),
            "{error}"
        );
    };
    let dir = published();
    let open = |word: &str, images: &str, masks: &str| open(word, &options(&dir, images, masks));
    write(dir.path().join("shards/data/validation-00000-of-00001.parquet"), POINTER);
    let parquet = "validation-00000-of-00001.parquet";
    check(open("hard-imagenet", "shards", "hard").err().unwrap().to_string(), parquet);
    check(open("hard-imagenet", &format!("shards/data/{parquet}"), "hard").err().unwrap().to_string(), parquet);
    let found =
        hard_imagenet_datasets::check("hard-imagenet", &options(&dir, "shards", "hard"), None, |_, _| ()).unwrap();
    check(found[0].what.clone(), parquet);

    write(dir.path().join("tars/ILSVRC2012_img_val.tar"), POINTER);
    check(open("hard-imagenet", "tars", "hard").err().unwrap().to_string(), "ILSVRC2012_img_val.tar");
    write(dir.path().join("masks.zip"), POINTER);
    for word in ["hard-imagenet", "rival20", "rival10", "imagenet-s", "salient-imagenet"] {
        check(open(word, "imagenet", "masks.zip").err().unwrap().to_string(), "masks.zip");
    }
    write(dir.path().join("instances.json"), POINTER);
    check(open("coco", "imagenet", "instances.json").err().unwrap().to_string(), "instances.json");

    let data = open("hard-imagenet", "imagenet", "hard").unwrap();
    write(dir.path().join("hard/val/n03218198_ILSVRC2012_val_00000001.JPEG"), POINTER);
    check(data.get(0).unwrap_err().to_string(), "n03218198_ILSVRC2012_val_00000001.JPEG");
    write(dir.path().join("imagenet/val/n04356056/ILSVRC2012_val_00000002.JPEG"), POINTER);
    check(data.get(1).unwrap_err().to_string(), "ILSVRC2012_val_00000002.JPEG");
    write(dir.path().join("hard/meta/hard_imagenet_idx.pkl"), POINTER);
    check(open("hard-imagenet", "imagenet", "hard").err().unwrap().to_string(), "hard_imagenet_idx.pkl");
    write(dir.path().join("hard/train/x.JPEG"), b"x");
    write(dir.path().join("hard/meta/paths_by_rank.pkl"), POINTER);
    check(Rankings::published(dir.path().join("hard")).unwrap_err().to_string(), "paths_by_rank.pkl");
    check(Rankings::read(dir.path().join("hard/meta/paths_by_rank.pkl")).unwrap_err().to_string(), "paths_by_rank.pkl");
    write(dir.path().join("salient/discover_spurious_features.csv"), POINTER);
    check(open("salient-imagenet", "imagenet", "salient").err().unwrap().to_string(), "discover_spurious_features.csv");
    write(dir.path().join("imagenet/val/LOC_val_solution.csv"), POINTER);
    let images = hard_imagenet_datasets::ImageNet::open(dir.path().join("imagenet"), Split::Val).unwrap();
    check(images.images().unwrap_err().to_string(), "LOC_val_solution.csv");
    check(Store::open(dir.path().join("masks.zip")).err().unwrap().to_string(), "masks.zip");
}

#[test]
fn wrong_paths_of_published_data_are_explained() {
    let dir = published();
    write(dir.path().join("empty.zip"), b"");
    std::fs::create_dir(dir.path().join("nothing")).unwrap();
    let check = |images: &str, masks: &str, words: &[&str]| {
        let error = open("hard-imagenet", &options(&dir, images, masks)).err().unwrap().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    };
    check("imagenet", "empty.zip", &["empty.zip", "is an empty file"]);
    check("imagenet", "nothing", &["nothing/val", "no such folder", "a folder with train, val and meta"]);
    check("imagenet", "hard/README.md", &["README.md", "neither a folder nor a zip"]);
    check("empty.zip", "hard", &["empty.zip", "is an empty file"]);
    check("hard/val/n03218198_ILSVRC2012_val_00000001.JPEG", "hard", &["is a single image"]);
    // An empty folder of images is an error of every sample, which is known at once.
    let data = open("hard-imagenet", &options(&dir, "nothing", "hard")).unwrap();
    let found = data.findings();
    assert_eq!((found[0].kind.as_str(), found[0].count, found[0].of), ("no-image", 2, Some(2)));
}
