//! COCO instance files, which the tests write together with their images.

mod archives;

use archives::zip;
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
    for (key, value) in [("image_id", "5"), ("category_id", "18"), ("segmentation", "[]")] {
        let without = whole.replace(&format!("\"{key}\": {value}"), "\"other\": 0");
        let error = open(&without, ALL).1.err().unwrap().to_string();
        assert!(
            error.contains("instances.json") && error.contains(&format!("annotation 71 has no \"{key}\"")),
            "{error}"
        );
    }
    let error = open(whole, ALL).1.err().unwrap().to_string();
    assert!(
        error.contains("none of its 1 annotations can be used: annotation 71: its \"segmentation\" is empty"),
        "{error}"
    );
    let error = open(&whole.replace("\"id\": 71, ", ""), ALL).1.err().unwrap().to_string();
    assert!(error.contains("annotation number 0") && error.contains("no \"id\""), "{error}");
}

#[test]
fn a_file_that_contradicts_itself_is_refused() {
    let annotation = |id: u64, image: u64, category: u64| {
        format!(
            r#"{{"id": {id}, "image_id": {image}, "category_id": {category}, "area": 1, "bbox": [0, 0, 1, 1], "segmentation": [[0, 0, 9, 0, 9, 9]]}}"#
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
    check("[[1, 2, 3]]", "no polygon of at least three corners");
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

/// Returns a file of three images, each with one object, as an annotation tool would write it.
fn three() -> String {
    let square = "[[2, 3, 12, 3, 12, 7, 2, 7]]";
    let image =
        |id: usize, name: &str| format!(r#"{{"id": {id}, "file_name": "{name}.png", "height": 20, "width": 30}}"#);
    let annotation = |id: usize| {
        format!(
            r#"{{"id": {id}, "image_id": {id}, "category_id": {id}, "iscrowd": 0, "area": 40, "bbox": [2, 3, 10, 4], "segmentation": {square}}}"#
        )
    };
    let list = |of: &dyn Fn(usize) -> String| (1..=3).map(of).collect::<Vec<_>>().join(", ");
    format!(
        r#"{{"images": [{}], "categories": [{}], "annotations": [{}]}}"#,
        list(&|id| image(id, ["a", "b", "c"][id - 1])),
        list(&|id| format!(r#"{{"id": {id}, "name": "k{id}"}}"#)),
        list(&annotation),
    )
}

/// Opens the bytes of such a file with its images "a.png", "b.png" and "c.png".
fn open_bytes(bytes: &[u8], mode: CocoMode) -> (TempDir, Result<Coco, DatasetError>) {
    let (dir, file, images) = tree("");
    std::fs::write(&file, bytes).unwrap();
    std::fs::copy(images.join("a.png"), images.join("c.png")).unwrap();
    let data = Coco::open(file, images, mode);
    (dir, data)
}

/// Checks that a file gives the three samples, with the same masks as the file without the change.
fn check_three(what: &str, bytes: &[u8], findings: &[&str]) {
    for mode in [ALL, CocoMode::Images] {
        let (_dir, data) = open_bytes(bytes, mode);
        let data = data.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(data.len(), 3, "{what}");
        for i in 0..3 {
            let sample = data.get(i).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(sample.class, i, "{what}");
            assert_eq!(sample.mask.data.iter().filter(|&&v| v == 255).count(), 40, "{what}");
        }
        let kinds: Vec<String> = data.findings().iter().map(|f| format!("{} {}", f.kind, f.count)).collect();
        assert_eq!(kinds, findings, "{what}");
    }
}

#[test]
fn files_are_read_as_tools_write_them() {
    let good = three();
    check_three("good", good.as_bytes(), &[]);
    let check = |from: &str, to: &str| {
        let changed = good.replace(from, to);
        assert_ne!(changed, good, "{from}");
        check_three(to, changed.as_bytes(), &[]);
    };
    for flag in ["false", "null", "0.0", "\"0\"", "\"\""] {
        check("\"iscrowd\": 0", &format!("\"iscrowd\": {flag}"));
    }
    check("\"iscrowd\": 0, ", "");
    check("\"height\": 20, \"width\": 30", "\"height\": 20.0, \"width\": 30.0");
    check("\"height\": 20, \"width\": 30", "\"height\": \"20\", \"width\": \"30\"");
    check("\"height\": 20, \"width\": 30", "\"height\": -1, \"width\": -1");
    check("\"height\": 20, \"width\": 30", "\"height\": null, \"width\": 0");
    check(", \"height\": 20, \"width\": 30", ", \"license\": {\"a\": [NaN]}, \"flickr_url\": null");
    for area in ["NaN", "Infinity", "-Infinity", "null", "\"40\"", "-1", "0", "40.0", "[]"] {
        check("\"area\": 40", &format!("\"area\": {area}"));
    }
    check("\"area\": 40, ", "");
    check("\"bbox\": [2, 3, 10, 4], ", "");
    for bbox in
        ["[]", "null", "[2, 3]", "[\"2\", \"3\", \"10\", \"4\"]", "[NaN, NaN, NaN, NaN]", "[2.0, 3.0, 10.0, 4.0]"]
    {
        check("\"bbox\": [2, 3, 10, 4]", &format!("\"bbox\": {bbox}"));
    }
    for outline in [
        "[[\"2\", \"3\", \"12\", \"3\", \"12\", \"7\", \"2\", \"7\"]]",
        "[[2, 3, 12, 3, 12, 7, 2, 7, 99]]",
        "[2, 3, 12, 3, 12, 7, 2, 7]",
        "[[2, 3], [12, 3], [12, 7], [2, 7]]",
        "[[2, 3, 12, 3, 12, 7, 2, 7], []]",
        r#"{"size": [20.0, 30.0], "counts": [43, 4, 16, 4, 16, 4, 16, 4, 16, 4, 16, 4, 16, 4, 16, 4, 16, 4, 16, 4, 373]}"#,
    ] {
        check("[[2, 3, 12, 3, 12, 7, 2, 7]]", outline);
    }
    check(".png\"", ".png\", \"coco_url\": null, \"date_captured\": \"\"");
    check("\"file_name\": \"", "\"file_name\": \"./");
    // The folder in the names is that of the images itself.
    check("\"file_name\": \"", "\"file_name\": \"data/val/");
    check("\"file_name\": \"", "\"file_name\": \"data\\\\val\\\\");
    for form in ["\"ID\"", "ID.0"] {
        for key in ["id", "image_id", "category_id"] {
            let mut changed = good.clone();
            for id in ["1", "2", "3"] {
                changed =
                    changed.replace(&format!("\"{key}\": {id}"), &format!("\"{key}\": {}", form.replace("ID", id)));
            }
            check_three(&format!("{key} {form}"), changed.as_bytes(), &[]);
        }
    }
    check_three("mark", &[b"\xef\xbb\xbf", good.as_bytes()].concat(), &[]);
    let wide: Vec<u8> = "\u{feff}".encode_utf16().chain(good.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    check_three("UTF-16", &wide, &[]);
    // Ids that are names.
    let mut named = good;
    for id in ["1", "2", "3"] {
        for key in ["\"id\"", "\"image_id\"", "\"category_id\""] {
            named = named.replace(&format!("{key}: {id}"), &format!("{key}: \"x{id}\""));
        }
    }
    check_three("names", named.as_bytes(), &[]);
}

#[test]
fn unusable_annotations_are_left_out_and_named() {
    let with = |annotation: &str| three().replace("\"annotations\": [", &format!("\"annotations\": [{annotation}, "));
    let check = |annotation: &str, words: &str| {
        check_three(annotation, with(annotation).as_bytes(), &["annotations 1"]);
        let (_dir, data) = open_bytes(with(annotation).as_bytes(), ALL);
        let found = data.unwrap().findings();
        assert!(found[0].examples[0].contains(words), "{found:?}");
        assert_eq!((found[0].of, found[0].severity), (Some(4), hard_imagenet_findings::Severity::Warning));
    };
    let whole =
        r#"{"id": 9, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": 0, "bbox": [], "segmentation": []}"#;
    check(whole, "annotation 9: its \"segmentation\" is empty");
    check(&whole.replace("\"segmentation\": []", "\"segmentation\": null"), "annotation 9 has no \"segmentation\"");
    check(&whole.replace(", \"segmentation\": []", ""), "annotation 9 has no \"segmentation\"");
    check(&whole.replace("\"segmentation\": []", "\"segmentation\": [[1, 2]]"), "three corners");
    check(&whole.replace("\"id\": 9", "\"id\": null"), "annotation number 0 (from 0) has no \"id\"");
    check(&whole.replace("\"id\": 9", "\"id\": 1.5"), "its field \"id\" is 1.5, expected a whole number or a text");
    check(&whole.replace("\"image_id\": 1", "\"image_id\": []"), "annotation 9: its field \"image_id\" is []");
    check(&whole.replace("\"category_id\": 1", "\"category_id\": 7"), "annotation 9 refers to the unknown category 7");
    check(
        &whole.replace("\"iscrowd\": 0", "\"iscrowd\": \"maybe\""),
        "its field \"iscrowd\" is \"maybe\", expected 0 or 1",
    );
    check("7", "annotation number 0 (from 0) is 7, expected an object");
    let outlined = whole.replace("\"segmentation\": []", "\"segmentation\": [[1, 1, 9, 1, 9, 9]]");
    check(&outlined.replace("\"image_id\": 1", "\"image_id\": 7"), "annotation 9 refers to the unknown image 7");
}

#[test]
fn files_of_another_kind_are_explained_in_words() {
    let check = |json: &str, words: &str| {
        let error = open_bytes(json.as_bytes(), ALL).1.err().expect(words).to_string();
        assert!(error.contains("instances.json") && error.contains(words), "{error}");
        assert!(!error.contains("invalid type"), "{error}");
    };
    let good = three();
    check(&good.replace("\"categories\"", "\"other\""), "it has no \"categories\"");
    check("{\"images\": 7, \"annotations\": [], \"categories\": []}", "its \"images\" is 7, expected a list");
    check(
        "{\"images\": [7], \"annotations\": [], \"categories\": []}",
        "image number 0 (from 0) is 7, expected an object",
    );
    check(&good.replace("\"name\": \"k2\"", "\"name\": null"), "category 2 has no \"name\"");
    check(&good.replace("\"file_name\": \"b.png\"", "\"x\": 0"), "image 2 has no \"file_name\"");
    check(&good.replace("{\"id\": 2, \"file", "{\"id\": 1, \"file"), "has the image 1 twice");
    check("[{\"image_id\": 1}]", "it is a list, as of results");
    check(&good[..good.len() / 2], "it ends too early, get it again");
    check("", "is an empty file");
    check("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull");
    let error = open_bytes(b"{\"images\": [{\"file_name\": \"M\xfcller\"}]}", ALL).1.err().unwrap().to_string();
    assert!(error.contains("is not UTF-8 text"), "{error}");
    let error = open_bytes(b"PK\x03\x04...", ALL).1.err().unwrap().to_string();
    assert!(error.contains("is an archive; unpack it"), "{error}");
    let (dir, _, images) = tree("{}");
    let error = Coco::open(dir.path(), &images, ALL).err().unwrap().to_string();
    assert!(error.contains("is a folder") && error.contains("instances.json"), "{error}");
    let error = Coco::open(dir.path().join("instances.json"), "", ALL).err().unwrap().to_string();
    assert!(error.contains("the path is empty"), "{error}");
}

#[test]
fn images_are_found_under_other_forms_of_their_names() {
    let (dir, file, images) = tree(&three().replace("c.png", "M\u{fc}ller.png"));
    std::fs::copy(images.join("a.png"), images.join("Mu\u{308}ller.png")).unwrap();
    let data = Coco::open(&file, &images, ALL).unwrap();
    assert_eq!(ids(&data), ["coco/M\u{fc}ller/3", "coco/a/1", "coco/b/2"]);
    assert_eq!(data.findings(), []);
    assert!(data.get(0).is_ok());

    // A folder around everything in a zip.
    let png = std::fs::read(images.join("a.png")).unwrap();
    let names = ["val2017/a.png", "val2017/b.png", "val2017/Mu\u{308}ller.png"];
    std::fs::write(dir.path().join("val.zip"), zip(&names.map(|name| (name, png.clone())))).unwrap();
    let data = Coco::open(&file, dir.path().join("val.zip"), ALL).unwrap();
    assert!((0..3).all(|i| data.get(i).is_ok()) && data.findings().is_empty());

    // A missing image is reported at once, and a folder without any is refused.
    std::fs::remove_file(images.join("b.png")).unwrap();
    let data = Coco::open(&file, &images, ALL).unwrap();
    let found = data.findings();
    assert_eq!((found.len(), found[0].kind.as_str(), found[0].count), (1, "no-image", 1));
    assert!(found[0].examples[0].ends_with("val/b.png") && data.get(2).is_err() && data.get(1).is_ok());
    std::fs::create_dir(dir.path().join("other")).unwrap();
    let error = Coco::open(&file, dir.path().join("other"), ALL).err().unwrap().to_string();
    assert!(error.contains("none of the 3 images that") && error.contains("ller.png"), "{error}");
}

#[test]
fn what_is_no_sample_is_noted() {
    let (_dir, data) = open(ANNOTATIONS, CocoMode::Objects { min_side: 4.5, margin: 0.0 });
    let lines: Vec<String> = data.unwrap().findings().iter().map(|f| format!("{} {:?}", f.kind, f.examples)).collect();
    let skipped = ["annotation 8 of a.png", "annotation 9 of a.png", "annotation 71 of a.png"];
    assert_eq!(lines, [format!("skipped-object {skipped:?}"), "no-object [\"a.png\"]".to_owned()]);
}

#[test]
fn stamps_name_the_image_and_the_file() {
    let (dir, data) = open_bytes(three().as_bytes(), ALL);
    let data = data.unwrap();
    let stamp = data.stamp(0).unwrap();
    assert!(stamp.contains("a.png") && stamp.contains("instances.json"), "{stamp}");
    std::fs::write(dir.path().join("instances.json"), format!("{} ", three())).unwrap();
    let again = Coco::open(dir.path().join("instances.json"), dir.path().join("val"), ALL).unwrap();
    assert_ne!(again.stamp(0).unwrap(), stamp);
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
