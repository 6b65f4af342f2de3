//! COCO instance files, which the tests write together with their images.

use hard_imagenet_datasets::{Coco, CocoMode, Dataset, DatasetError};
use std::path::PathBuf;
use tempfile::TempDir;

/// Creates a folder with `instances.json` and `val/{a,b}.png` of 20 × 30, whose pixels hold their row and column.
fn tree(json: &str) -> (TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let (file, images) = (dir.path().join("instances.json"), dir.path().join("val"));
    std::fs::create_dir(&images).unwrap();
    std::fs::write(&file, json).unwrap();
    let image = image::RgbImage::from_fn(30, 20, |x, y| image::Rgb([y as u8, x as u8, 7]));
    for name in ["a.png", "b.png"] {
        image.save(images.join(name)).unwrap();
    }
    (dir, file, images)
}

/// Returns a file of two images and three categories with these annotations.
fn instances(annotations: &str) -> String {
    format!(
        r#"{{"info": {{"year": 2017}}, "licenses": [],
            "images": [{{"id": 9, "file_name": "b.png", "height": 20, "width": 30, "license": 1}},
                       {{"id": 5, "file_name": "a.png", "height": 20, "width": 30}}],
            "annotations": [{annotations}],
            "categories": [{{"id": 18, "name": "dog", "supercategory": "animal"}}, {{"id": 3, "name": "car"}},
                           {{"id": 90, "name": "n03218198"}}]}}"#
    )
}

/// Objects in rows 3..7 and columns 2..12 and in rows 10..14 and columns 20..24, and a crowd in the first two columns.
const ANNOTATIONS: &str = r#"
    {"id": 71, "image_id": 5, "category_id": 18, "iscrowd": 0, "area": 40, "bbox": [2, 3, 10, 4],
     "segmentation": [[2, 3, 12, 3, 12, 7, 2, 7]]},
    {"id": 8, "image_id": 5, "category_id": 3, "iscrowd": 0, "area": 16.5, "bbox": [20, 10, 4, 4],
     "segmentation": [[20, 10, 22, 10, 22, 14, 20, 14], [22, 10, 24, 10, 24, 14, 22, 14]]},
    {"id": 9, "image_id": 5, "category_id": 18, "iscrowd": 1, "area": 400, "bbox": [0, 0, 2, 20],
     "segmentation": {"size": [20, 30], "counts": [0, 40, 560]}},
    {"id": 10, "image_id": 9, "category_id": 3, "iscrowd": 0, "area": 600, "bbox": [0, 0, 30, 20],
     "segmentation": {"size": [20, 30], "counts": "0hb0"}}"#;

const ALL: CocoMode = CocoMode::Objects { min_side: 0.0, margin: 0.0 };

fn open(annotations: &str, mode: CocoMode) -> (TempDir, Result<Coco, DatasetError>) {
    let (dir, file, images) = tree(&instances(annotations));
    let data = Coco::open(file, images, mode);
    (dir, data)
}

fn ids(data: &Coco) -> Vec<&str> {
    (0..data.len()).map(|i| data.id(i)).collect()
}

#[test]
fn categories_are_classes_in_the_order_of_their_ids() {
    let (_dir, data) = open(ANNOTATIONS, ALL);
    let data = data.unwrap();
    let classes: Vec<_> = data.info().classes.iter().map(|c| (c.name.as_str(), c.imagenet)).collect();
    assert_eq!(classes, [("car", None), ("dog", None), ("dog sled", Some(537))]);
    assert_eq!(data.info().name, "coco");
}

#[test]
fn objects_are_cut_out_with_their_own_mask() {
    let (_dir, data) = open(ANNOTATIONS, ALL);
    let data = data.unwrap();
    assert_eq!(ids(&data), ["coco/a/8", "coco/a/71", "coco/b/10"]);
    assert_eq!([data.class(0), data.class(1), data.class(2)], [0, 1, 0]);

    // A square of ten around rows 3..7 and columns 2..12: rows 0..10.
    let sample = data.get(1).unwrap();
    assert_eq!((sample.id.as_str(), sample.class), ("coco/a/71", 1));
    assert_eq!((sample.image.height, sample.image.width), (10, 10));
    assert_eq!(sample.image.data[..6], [0, 2, 7, 0, 3, 7]);
    assert_eq!((sample.mask.height, sample.mask.width), (10, 10));
    let expected: Vec<u8> = (0..100).map(|i| if (3..7).contains(&(i / 10)) { 255 } else { 0 }).collect();
    assert_eq!(sample.mask.data, expected);

    // Two polygons are one object. Its mask contains nothing of the other objects.
    assert_eq!(data.get(0).unwrap().mask.data, [255; 16]);
    // An object as large as the image leaves nothing to cut.
    let sample = data.get(2).unwrap();
    assert_eq!((sample.image.height, sample.image.width, sample.mask.data.len()), (20, 30, 600));
    assert!(sample.mask.data.iter().all(|&v| v == 255));
}

#[test]
fn small_objects_and_crowds_are_skipped() {
    let check = |min_side, expected: &[&str]| {
        let (_dir, data) = open(ANNOTATIONS, CocoMode::Objects { min_side, margin: 0.5 });
        assert_eq!(ids(&data.unwrap()), expected, "{min_side}");
    };
    check(4.0, &["coco/a/8", "coco/a/71", "coco/b/10"]);
    check(4.5, &["coco/b/10"]);
    let (_dir, data) = open(ANNOTATIONS, CocoMode::OBJECTS);
    let error = data.err().unwrap().to_string();
    assert!(error.contains("instances.json: this file contains no object of sufficient size"), "{error}");
}

#[test]
fn a_margin_shows_the_surroundings() {
    let (_dir, data) = open(ANNOTATIONS, CocoMode::Objects { min_side: 0.0, margin: 0.5 });
    let sample = data.unwrap().get(0).unwrap();
    // Rows 10..14 and columns 20..24 become 8..16 and 18..26.
    assert_eq!((sample.image.height, sample.image.width), (8, 8));
    assert_eq!(sample.image.data[..3], [8, 18, 7]);
    assert_eq!(sample.mask.data.iter().filter(|&&v| v == 255).count(), 16);
    assert_eq!((sample.mask.data[2 * 8 + 2], sample.mask.data[8 + 2]), (255, 0));
}

#[test]
fn a_whole_image_has_the_class_of_its_largest_object() {
    let (_dir, data) = open(ANNOTATIONS, CocoMode::Images);
    let data = data.unwrap();
    assert_eq!(ids(&data), ["coco/a", "coco/b"]);
    // The dog is larger than the car. The crowd of dogs counts for the mask but not for the class.
    assert_eq!((data.class(0), data.class(1)), (1, 0));
    let sample = data.get(0).unwrap();
    assert_eq!((sample.image.height, sample.image.width), (20, 30));
    assert_eq!(sample.mask.data.iter().filter(|&&v| v == 255).count(), 40 + 40);
    assert_eq!(
        (sample.mask.data[19 * 30 + 1], sample.mask.data[3 * 30 + 11], sample.mask.data[10 * 30 + 20]),
        (255, 255, 0)
    );
}

#[test]
fn an_annotation_that_lacks_a_key_is_named() {
    let whole =
        r#"{"id": 71, "image_id": 5, "category_id": 18, "area": 40, "bbox": [2, 3, 10, 4], "segmentation": []}"#;
    for (key, value) in
        [("image_id", "5"), ("category_id", "18"), ("area", "40"), ("bbox", "[2, 3, 10, 4]"), ("segmentation", "[]")]
    {
        let without = whole.replace(&format!("\"{key}\": {value}"), "\"other\": 0");
        let error = open(&without, ALL).1.err().unwrap().to_string();
        assert!(
            error.contains("instances.json") && error.contains(&format!("annotation 71 has no \"{key}\"")),
            "{error}"
        );
    }
    let error = open(&whole.replace("\"id\": 71, ", ""), ALL).1.err().unwrap().to_string();
    assert!(error.contains("annotation number 0") && error.contains("no \"id\""), "{error}");
}

#[test]
fn a_file_that_contradicts_itself_is_refused() {
    let annotation = |id: u64, image: u64, category: u64| {
        format!(
            r#"{{"id": {id}, "image_id": {image}, "category_id": {category}, "area": 1, "bbox": [0, 0, 1, 1], "segmentation": []}}"#
        )
    };
    let check = |json: &str, words: &str| {
        let (_dir, file, images) = tree(json);
        let error = Coco::open(file, images, ALL).err().expect(words).to_string();
        assert!(error.contains("instances.json") && error.contains(words), "{error}");
    };
    check(&instances(&annotation(1, 5, 17)), "annotation 1 refers to the unknown category 17");
    check(&instances(&annotation(1, 6, 18)), "annotation 1 refers to the unknown image 6");
    check(&instances(&[annotation(1, 5, 18), annotation(1, 5, 3)].join(",")), "has the annotation 1 twice");
    check(&instances("").replace("\"id\": 9,", "\"id\": 5,"), "has the image 5 twice");
    check(&instances("").replace("b.png", "a.jpg"), "the same file a");
    check(&instances("").replace("\"id\": 18", "\"id\": 3"), "has the category 3 twice");
    for outside in ["../b.png", "/etc/b.png", "", "."] {
        check(&instances("").replace("b.png", outside), "a path within the folder");
    }
    check(&instances(""), "no object");
    check("{\"images\": []", "not a COCO instance file");
    check("{\"images\": [], \"categories\": []}", "annotations");
    check("[1, 2]", "not a COCO instance file");
    check("not json", "not a COCO instance file");
}

#[test]
fn an_invalid_segmentation_fails_only_its_sample() {
    let check = |segmentation: &str, words: &str| {
        let bad = format!(
            r#"{{"id": 4, "image_id": 5, "category_id": 18, "area": 1, "bbox": [0, 0, 1, 1], "segmentation": {segmentation}}}"#
        );
        let (_dir, data) = open(&[&bad, ANNOTATIONS].join(","), ALL);
        let data = data.unwrap();
        let error = data.get(0).unwrap_err().to_string();
        assert!(error.contains("instances.json") && error.contains("annotation 4"), "{error}");
        assert!(error.contains(words), "{error}");
        assert!(data.get(1).is_ok());
    };
    check("[]", "no polygon");
    check("[[1, 2, 3]]", "odd number");
    check("[[1, 2, \"x\", 3]]", "expected polygons");
    check("7", "expected polygons");
    check("[[100, 100, 120, 100, 120, 120]]", "has no pixels");
    check("{\"size\": [30, 20], \"counts\": [0, 600]}", "its size is 30 × 20, but the image has 20 × 30 pixels");
    check("{\"size\": [20, 30], \"counts\": [0, 601]}", "601");
    check("{\"size\": [20, 30], \"counts\": [4294967295, 4294967295]}", "8589934590");
    check("{\"size\": [20, 30], \"counts\": [-1, 601]}", "expected run lengths");
    check("{\"size\": [20, 30], \"counts\": \"\\u00e9\"}", "compressed");
    check("{\"size\": [20, 30], \"counts\": \"oooo\"}", "compressed");
    check("{\"size\": [20, 30]}", "counts");
}

#[test]
fn a_missing_image_or_one_of_another_size_fails_only_its_samples() {
    let (dir, data) = open(ANNOTATIONS, ALL);
    let data = data.unwrap();
    std::fs::remove_file(dir.path().join("val/b.png")).unwrap();
    let error = data.get(2).unwrap_err().to_string();
    assert!(error.contains("val/b.png"), "{error}");
    image::RgbImage::new(31, 20).save(dir.path().join("val/b.png")).unwrap();
    let error = data.get(2).unwrap_err().to_string();
    assert!(error.contains("states that b.png has 20 × 30 pixels, but it has 20 × 31"), "{error}");
    assert!(data.get(0).is_ok());

    let error = Coco::open(dir.path().join("instances.json"), dir.path().join("nowhere"), ALL).err().unwrap();
    assert!(error.to_string().contains("nowhere: no such folder"), "{error}");
    let error = Coco::open(dir.path().join("nothing.json"), dir.path().join("val"), ALL).err().unwrap();
    assert!(error.to_string().contains("nothing.json"), "{error}");
}

#[test]
fn lvis_names_images_by_their_urls() {
    let json = instances(ANNOTATIONS)
        .replace("\"file_name\": \"b.png\"", "\"coco_url\": \"http://images.cocodataset.org/train2017/b.png\"")
        .replace("\"iscrowd\": 0, ", "");
    let (_dir, file, images) = tree(&json);
    let data = Coco::open(file, images, ALL).unwrap();
    assert_eq!(ids(&data), ["coco/a/8", "coco/a/71", "coco/b/10"]);
    assert!(data.get(2).is_ok());
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(200))]

    /// A file that is damaged anywhere may be refused, in whole or in part, but never causes a panic.
    #[test]
    fn damage_is_an_error(at in 0usize..2000, with in "[0-9\\[\\]{},:\"e.-]{0,4}") {
        let whole = instances(ANNOTATIONS);
        let at = at % whole.len();
        let damaged = [&whole[..at], &with, &whole[(at + with.len()).min(whole.len())..]].concat();
        for mode in [ALL, CocoMode::Images] {
            let (_dir, file, images) = tree(&damaged);
            if let Ok(data) = Coco::open(file, images, mode) {
                for i in 0..data.len() {
                    if let Ok(sample) = data.get(i) {
                        proptest::prop_assert_eq!(sample.mask.data.len() * 3, sample.image.data.len());
                    }
                }
            }
        }
    }
}
