//! Folders and archives of one's own, as people and their tools really make them: what is read, and what is reported.

mod archives;

use archives::{gzip, image_file, tar, tar_entry, zip};
use hard_imagenet_datasets::{Dataset, DatasetError, DatasetOptions, MaskedFolder, Store, open};
use hard_imagenet_findings::{Finding, Severity};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn write(path: impl AsRef<Path>, bytes: &[u8]) {
    let path = path.as_ref();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Creates a folder with these files, each an image of its own brightness.
fn tree(files: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (i, name) in files.iter().enumerate() {
        write(dir.path().join(name), &image_file(3, 4, 10 + i as u8));
    }
    dir
}

fn open_in(dir: &TempDir, images: &str, masks: &str) -> Result<MaskedFolder, DatasetError> {
    MaskedFolder::open(dir.path().join(images), dir.path().join(masks))
}

fn ids(data: &dyn Dataset) -> Vec<&str> {
    (0..data.len()).map(|i| data.id(i)).collect()
}

fn classes(data: &dyn Dataset) -> Vec<&str> {
    data.info().classes.iter().map(|class| class.name.as_str()).collect()
}

/// Returns "kind count: examples" of each finding, without the temporary folder.
fn lines(dir: &TempDir, findings: &[Finding]) -> Vec<String> {
    let root = format!("{}/", dir.path().display());
    let line = |f: &Finding| format!("{} {}: {}", f.kind, f.count, f.examples.join(", ")).replace(&root, "");
    findings.iter().map(line).collect()
}

fn message(result: Result<MaskedFolder, DatasetError>) -> String {
    result.err().expect("an error").to_string()
}

/// Checks ids and findings of the folders "images" and "masks" with these files, and that every sample can be read.
fn check(files: &[&str], expected_ids: &[&str], expected: &[&str]) {
    let dir = tree(files);
    let data = open_in(&dir, "images", "masks").unwrap();
    assert_eq!(ids(&data), expected_ids, "{files:?}");
    assert_eq!(lines(&dir, &data.findings()), expected, "{files:?}");
    (0..data.len()).for_each(|i| drop(data.get(i).unwrap()));
}

#[test]
fn clean_folders_have_no_findings() {
    check(&["images/a/0.png", "images/b/0.jpg", "masks/a/0.png", "masks/b/0.png"], &["a/0", "b/0"], &[]);
    check(&["images/0.png", "masks/0.png"], &["0"], &[]);
    // Other files of a dataset are no images.
    let dir = tree(&["images/a/0.png", "masks/a/0.png"]);
    for name in ["README.md", "a/labels.json", "a/.DS_Store", "a/._0.png", "a/Thumbs.db", "LICENSE", "@eaDir/0.png"] {
        write(dir.path().join("images").join(name), b"text");
    }
    assert_eq!(open_in(&dir, "images", "masks").unwrap().findings(), []);
}

#[test]
fn images_of_other_kinds_are_named() {
    let unread = ["heic", "avif", "svg", "psd", "jp2", "CR2", "tga", "exr", "ppm", "DNG", "jxl"];
    let names: Vec<String> = unread.iter().map(|extension| format!("images/a/1.{extension}")).collect();
    let mut files = vec!["images/a/0.png", "masks/a/0.png"];
    files.extend(names.iter().map(String::as_str));
    let dir = tree(&files);
    let found = open_in(&dir, "images", "masks").unwrap().findings();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].kind.as_str(), found[0].count, found[0].severity), ("unread-kind", 11, Severity::Warning));

    // A class of such images only is no class, and that is reported.
    check(
        &["images/a/0.png", "images/b/0.heic", "masks/a/0.png", "masks/b/0.png"],
        &["a/0"],
        &["mask-alone 1: masks/b/0.png", "unread-kind 1: images/b/0.heic", "empty-folder 1: images/b"],
    );
    // Masks as arrays are named, too.
    check(
        &["images/a/0.png", "images/a/1.png", "masks/a/0.png", "masks/a/1.npy"],
        &["a/0"],
        &["image-alone 1: images/a/1.png", "unread-kind 1: masks/a/1.npy"],
    );
    // Images whose names say nothing are recognized by their first bytes.
    check(
        &["images/a/0.png", "images/a/1", "images/a/2.png_large", "masks/a/0.png"],
        &["a/0"],
        &["no-extension 2: images/a/1, images/a/2.png_large"],
    );
    let dir = tree(&["images/a/0.heic", "masks/a/0.png", "photos/a/0.png", "arrays/a/0.npy"]);
    let error = message(open_in(&dir, "images", "masks"));
    assert!(error.contains("no images but 1 of kinds that are not read") && error.contains("a/0.heic"), "{error}");
    let error = message(open_in(&dir, "photos", "arrays"));
    assert!(error.contains("arrays holds no masks but 1 of kinds that are not read"), "{error}");
}

#[test]
fn empty_and_nested_folders_are_named() {
    let dir = tree(&["images/a/0.png", "images/b/deep/1.png", "masks/a/0.png"]);
    std::fs::create_dir(dir.path().join("images/c")).unwrap();
    write(dir.path().join("images/d/.DS_Store"), b"x");
    std::fs::create_dir(dir.path().join("images/__MACOSX")).unwrap();
    let data = open_in(&dir, "images", "masks").unwrap();
    assert_eq!(classes(&data), ["a"]);
    let expected = ["nested 1: images/b/deep/1.png", "empty-folder 3: images/b, images/c, images/d"];
    assert_eq!(lines(&dir, &data.findings()), expected);
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_are_read() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let raw = |parts: &[&[u8]]| PathBuf::from(OsStr::from_bytes(&parts.concat()));
    let dir = tree(&["images/b/0.png", "masks/b/0.png"]);
    let at = |path: PathBuf| dir.path().join(path);
    for side in [b"images/".as_slice(), b"masks/"] {
        write(at(raw(&[side, b"a/caf\xe9.png"])), &image_file(3, 4, 60));
        write(at(raw(&[side, b"a/caf\xe8.png"])), &image_file(3, 5, 61));
        write(at(raw(&[side, b"gar\xe7on/\xff.png"])), &image_file(3, 6, 62));
    }
    let data = open_in(&dir, "images", "masks").unwrap();
    assert_eq!(classes(&data), ["a", "b", "gar\u{fffd}on"]);
    // Ids that would be the same are spelled out.
    assert_eq!(ids(&data), ["a/caf%E8", "a/caf%E9", "b/0", "gar\u{fffd}on/\u{fffd}"]);
    let value = |i: usize| data.get(i).map(|sample| (sample.image.data[0], sample.mask.width)).unwrap();
    assert_eq!([value(0), value(1), value(3)], [(61, 5), (60, 4), (62, 6)]);
    let found = data.findings();
    assert_eq!((found.len(), found[0].kind.as_str(), found[0].count), (1, "name-not-text", 6));
    assert!(found[0].examples[0].contains("images/a/caf\u{fffd}.png"), "{found:?}");
    assert!((0..data.len()).all(|i| data.stamp(i).is_some_and(|stamp| !stamp.contains("missing"))));

    // The same bytes in archives pair with those in folders.
    let packed: Vec<u8> =
        [tar_entry(b"a/caf\xe9.png", b'0', &image_file(3, 4, 9)), tar(&[("b/0.png", image_file(3, 4, 8))])].concat();
    write(dir.path().join("masks.tar"), &packed);
    let data = open_in(&dir, "images", "masks.tar").unwrap();
    assert_eq!(ids(&data), ["a/caf%E9", "b/0"]);
    assert_eq!(data.get(0).unwrap().mask.data[0], 255);
}

#[test]
fn composed_and_decomposed_names_are_the_same() {
    let (composed, decomposed) = ("M\u{fc}ller", "Mu\u{308}ller");
    let check = |image: &str, mask: &str| {
        check(
            &[image, mask],
            &[&image.trim_start_matches("images/").trim_end_matches(".png").replace(decomposed, composed)],
            &[],
        );
    };
    check(&format!("images/a/{composed}.png"), &format!("masks/a/{decomposed}.png"));
    check(&format!("images/a/{decomposed}.png"), &format!("masks/a/{composed}.png"));
    check(&format!("images/{decomposed}/0.png"), &format!("masks/{composed}/0.png"));
    check(&format!("images/a/{decomposed}.png"), &format!("masks/a_{composed}.png"));
    check(&format!("images/{composed}/{decomposed}.png"), &format!("masks/{decomposed}_{decomposed}.png"));

    // In archives, and for chosen classes.
    let dir = tempfile::tempdir().unwrap();
    let files = [(format!("{decomposed}/0.png"), image_file(3, 4, 9)), ("b/0.png".to_owned(), image_file(3, 4, 8))];
    let files: Vec<_> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    write(dir.path().join("images.zip"), &zip(&files));
    write(dir.path().join(format!("masks/{composed}/0.png")), &image_file(3, 4, 7));
    let options = DatasetOptions {
        images: Some(dir.path().join("images.zip")),
        masks: Some(dir.path().join("masks")),
        classes: vec![decomposed.into()],
        ..DatasetOptions::default()
    };
    let data = open("masked-folder", &options).unwrap();
    assert_eq!((ids(&*data), classes(&*data)), (vec!["M\u{fc}ller/0"], vec![composed, "b"]));
    assert_eq!(data.get(0).unwrap().image.data[0], 9);
}

#[test]
fn masks_may_have_an_ending() {
    check(
        &["images/a/7.jpg", "images/a/8.jpg", "masks/a/7_mask.png", "masks/a/8.png"],
        &["a/7", "a/8"],
        &["loose-name 1: masks/a/7_mask.png for a/7.jpg"],
    );
    check(
        &["images/a/7.jpg", "images/a/8.jpg", "masks/a/7_mask.png", "masks/a/7_seg.png", "masks/a/8.png"],
        &["a/8"],
        &["mask-alone 2: masks/a/7_mask.png, masks/a/7_seg.png", "ambiguous-mask 1: images/a/7.jpg"],
    );
    let dir = tree(&["images/a/7.jpg", "images/b/7.jpg", "masks/7_mask.png"]);
    let error = message(open_in(&dir, "images", "masks"));
    assert!(error.contains("a mask of its own") && error.contains("images/a/7.jpg"), "{error}");
}

#[test]
fn images_and_masks_in_the_same_folder() {
    let dir = tree(&["all/7.jpg", "all/7_mask.png", "all/8.jpg", "all/8_mask.png", "bare/a/7.jpg"]);
    let data = open_in(&dir, "all", "all").unwrap();
    assert_eq!(ids(&data), ["7", "8"]);
    assert_eq!((data.get(0).unwrap().image.data[0], data.get(0).unwrap().mask.data[0]), (10, 255));
    let error = message(open_in(&dir, "bare", "bare"));
    assert!(error.contains("the same folder") && error.contains("7_mask.png"), "{error}");

    // Folders of both inside one folder or archive.
    let files = ["data/images/a/0.png", "data/masks/a/0.png"];
    let dir = tree(&files);
    let data = open_in(&dir, "data", "data").unwrap();
    assert_eq!((ids(&data), data.get(0).unwrap().mask.data[0]), (vec!["a/0"], 255));
    write(
        dir.path().join("flat.zip"),
        &zip(&[("images/0.png", image_file(2, 2, 1)), ("masks/0.png", image_file(2, 2, 2))]),
    );
    let data = open_in(&dir, "flat.zip", "flat.zip").unwrap();
    assert_eq!(
        (ids(&data), data.get(0).unwrap().image.data[0], data.get(0).unwrap().mask.data[0]),
        (vec!["0"], 1, 255)
    );
    assert_eq!(ids(&open_in(&dir, "data/images", "data").unwrap()), ["a/0"]);
}

/// Writes images and masks as archives of several forms with these names, and compares the ids.
fn check_archives(images: &[&str], masks: &[&str], expected_ids: &[&str], expected_classes: &[&str]) {
    let files = |names: &[&str]| -> Vec<(String, Vec<u8>)> {
        names.iter().enumerate().map(|(i, name)| ((*name).to_owned(), image_file(3, 4, i as u8))).collect()
    };
    let (images, masks) = (files(images), files(masks));
    let pack = |files: &[(String, Vec<u8>)], form: usize| {
        let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
        match form {
            0 => zip(&files),
            1 => tar(&files),
            _ => gzip(&tar(&files)),
        }
    };
    for form in 0..3 {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path().join("images"), &pack(&images, form));
        write(dir.path().join("masks"), &pack(&masks, form));
        let data = open_in(&dir, "images", "masks").unwrap();
        assert_eq!((ids(&data), classes(&data)), (expected_ids.to_vec(), expected_classes.to_vec()), "form {form}");
        let suspicious: Vec<Finding> = data.findings().into_iter().filter(|f| f.severity.is_suspicious()).collect();
        assert_eq!(suspicious, [], "form {form}");
        (0..data.len()).for_each(|i| drop(data.get(i).unwrap()));
    }
    let dir = tempfile::tempdir().unwrap();
    for (side, files) in [("images", &images), ("masks", &masks)] {
        files.iter().for_each(|(name, bytes)| write(dir.path().join(side).join(name), bytes));
    }
    let data = open_in(&dir, "images", "masks").unwrap();
    assert_eq!((ids(&data), classes(&data)), (expected_ids.to_vec(), expected_classes.to_vec()), "folders");
}

#[test]
fn archives_with_a_folder_around_everything() {
    let plain = ["a/0.png", "b/0.png"];
    let wrapped = ["images/a/0.png", "images/b/0.png"];
    let masks = ["masks/a/0.png", "masks/b/0.png"];
    let with_junk = ["__MACOSX/images/a/._0.png", "images/a/0.png", "images/.DS_Store", "images/b/0.png"];
    check_archives(&wrapped, &masks, &["a/0", "b/0"], &["a", "b"]);
    check_archives(&plain, &masks, &["a/0", "b/0"], &["a", "b"]);
    check_archives(&wrapped, &plain, &["a/0", "b/0"], &["a", "b"]);
    check_archives(&with_junk, &masks, &["a/0", "b/0"], &["a", "b"]);
    check_archives(&["x/y/a/0.png", "x/y/b/0.png"], &masks, &["a/0", "b/0"], &["a", "b"]);
    check_archives(&["./images/a/0.png", "./images/b/0.png"], &masks, &["a/0", "b/0"], &["a", "b"]);
    // One folder with images is a class, not a folder around everything.
    check_archives(&["cat/0.png"], &["cat/0.png"], &["cat/0"], &["cat"]);
    check_archives(&["cat/0.png"], &["masks/cat/0.png"], &["cat/0"], &["cat"]);
    check_archives(&["images/cat/0.png"], &["masks/cat/0.png"], &["cat/0"], &["cat"]);
    check_archives(
        &["photos/0.png", "photos/1.png"],
        &["masks/0.png", "masks/1.png"],
        &["photos/0", "photos/1"],
        &["photos"],
    );
    // Masks lie at the top, with or without a folder around them.
    check_archives(
        &["images/a/0.png", "images/b/1.png"],
        &["masks/0.png", "masks/1.png"],
        &["a/0", "b/1"],
        &["a", "b"],
    );
    check_archives(&["a/0.png", "b/1.png"], &["masks/a_0.png", "masks/b_1.png"], &["a/0", "b/1"], &["a", "b"]);
}

#[test]
fn zips_of_windows_have_backslashes() {
    let dir = tempfile::tempdir().unwrap();
    let mut images = zip(&[("images/a/0.png", image_file(2, 2, 1)), ("images/b/0.png", image_file(2, 2, 2))]);
    for name in ["images/a/0.png", "images/b/0.png"] {
        assert_eq!(archives::patch(&mut images, name.as_bytes(), name.replace('/', "\\").as_bytes()), 2);
    }
    write(dir.path().join("images.zip"), &images);
    write(dir.path().join("masks/a/0.png"), &image_file(2, 2, 3));
    write(dir.path().join("masks/b/0.png"), &image_file(2, 2, 3));
    assert_eq!(ids(&open_in(&dir, "images.zip", "masks").unwrap()), ["a/0", "b/0"]);
}

#[test]
fn entries_that_lead_outside_are_reported() {
    let dir = tempfile::tempdir().unwrap();
    let image = image_file(2, 2, 1);
    write(dir.path().join("images.tar"), &tar(&[("a/0.png", image.clone()), ("../a/1.png", image.clone())]));
    write(dir.path().join("masks.tar"), &tar(&[("a/0.png", image.clone()), ("a/1.png", image)]));
    let data = open_in(&dir, "images.tar", "masks.tar").unwrap();
    let found = lines(&dir, &data.findings());
    assert_eq!(found[0], "mask-alone 1: masks.tar/a/1.png");
    assert!(found[1].starts_with("skipped 1: images.tar/../a/1.png: the name leads out"), "{found:?}");
}

#[test]
fn the_right_level_is_found_or_named() {
    // One level too high, with only one way to go.
    let dir = tree(&["data/images/a/0.png", "data/images/b/0.png", "masks/a/0.png", "masks/b/0.png"]);
    let data = open_in(&dir, "data", "masks").unwrap();
    assert_eq!((ids(&data), classes(&data)), (vec!["a/0", "b/0"], vec!["a", "b"]));
    assert_eq!(data.findings()[0].kind, "layout");
    assert!(data.findings()[0].what.contains("data/images"));
    // Several ways: the error names them.
    let dir = tree(&["data/train/a/0.png", "data/test/a/1.png", "masks/a/0.png"]);
    let error = message(open_in(&dir, "data", "masks"));
    assert!(error.contains("data/test or") && error.contains("data/train") && error.contains("deeper"), "{error}");
    let error = message(open_in(&dir, "masks", "data"));
    assert!(error.contains("holds no masks") && error.contains("data/test or"), "{error}");
}

#[test]
fn wrong_paths_are_explained() {
    let dir = tree(&["images/a/0.png", "masks/a/0.png"]);
    let at = |name: &str| dir.path().join(name);
    std::fs::create_dir(at("empty")).unwrap();
    std::fs::create_dir_all(at("hollow/a")).unwrap();
    write(at("nothing.zip"), b"");
    write(at("photo.jpg"), &image_file(2, 2, 1));
    write(at("coco.json"), b" {\"images\": []}");
    write(at("x.rar"), b"Rar!\x1a\x07\x00");
    write(at("x.7z"), b"7z\xbc\xaf\x27\x1c\x00\x04");
    write(at("x.tar.xz"), b"\xfd7zXZ\x00\x00");
    write(at("x.parquet"), b"PAR1....PAR1");
    write(at("x.txt"), b"some text");
    let check = |path: &str, words: &[&str]| {
        for error in [message(open_in(&dir, path, "masks")), message(open_in(&dir, "images", path))] {
            assert!(words.iter().all(|word| error.contains(word)), "{path}: {error}");
        }
    };
    check("nowhere", &["nowhere", "no such folder"]);
    check("images/a/0.png/x", &["no such folder"]);
    check("empty", &["empty"]);
    check("hollow", &["hollow", "holds none either"]);
    write(at("packed/images.zip"), b"PK");
    check("packed", &["packed", "but an archive; use", "packed/images.zip as the path"]);
    check("nothing.zip", &["nothing.zip", "is an empty file", "expected a folder"]);
    check("photo.jpg", &["photo.jpg", "is a single image", "the folder, zip or tar that holds"]);
    check("coco.json", &["coco.json", "is a JSON file"]);
    check("x.rar", &["RAR", "unpack"]);
    check("x.7z", &["7z", "unpack"]);
    check("x.tar.xz", &["xz", "decompress"]);
    check("x.parquet", &["Parquet"]);
    check("x.txt", &["x.txt", "neither a folder nor a zip"]);
    let error = message(MaskedFolder::open("", dir.path().join("masks")));
    assert!(error.contains("the path is empty"), "{error}");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(at("gone"), at("link")).unwrap();
        check("link", &["link to something that does not exist"]);
    }
}

const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

#[test]
fn pointers_of_git_lfs_are_named() {
    let dir = tree(&["images/a/0.png", "images/a/1.png", "masks/a/0.png", "masks/a/1.png"]);
    write(dir.path().join("images/a/0.png"), POINTER);
    write(dir.path().join("masks/a/1.png"), POINTER);
    write(dir.path().join("masks.zip"), POINTER);
    let check = |error: &str, name: &str| {
        assert!(error.contains(name) && error.contains("Git LFS") && error.contains("git lfs pull"), "{error}");
    };
    let data = open_in(&dir, "images", "masks").unwrap();
    check(&data.get(0).unwrap_err().to_string(), "images/a/0.png");
    check(&data.get(1).unwrap_err().to_string(), "masks/a/1.png");
    check(&message(open_in(&dir, "images", "masks.zip")), "masks.zip");
    check(&Store::open(dir.path().join("masks.zip")).err().unwrap().to_string(), "masks.zip");
}

#[test]
fn stamps_change_with_their_files() {
    let dir = tree(&["images/a/0.png", "images/a/1.png", "masks/a/0.png", "masks/a/1.png"]);
    let stamps = || {
        let data = open_in(&dir, "images", "masks").unwrap();
        [0, 1].map(|i| data.stamp(i).unwrap())
    };
    let before = stamps();
    assert_eq!(before, stamps());
    assert_ne!(before[0], before[1]);
    // Another size, and the same size at another time.
    write(dir.path().join("masks/a/0.png"), &image_file(30, 4, 9));
    let after = stamps();
    assert!(after[0] != before[0] && after[1] == before[1]);
    let later = std::time::SystemTime::now() + std::time::Duration::from_nanos(1_500_000_007);
    std::fs::File::options().write(true).open(dir.path().join("images/a/1.png")).unwrap().set_modified(later).unwrap();
    let last = stamps();
    assert!(last[0] == after[0] && last[1] != after[1]);

    // An archive has one state for all of its files.
    write(dir.path().join("masks.zip"), &zip(&[("a/0.png", image_file(3, 4, 1)), ("a/1.png", image_file(3, 4, 1))]));
    let data = open_in(&dir, "images", "masks.zip").unwrap();
    let stamp = data.stamp(1).unwrap();
    assert!(stamp.contains("masks.zip") && stamp.ends_with("a/1.png"), "{stamp}");
    write(dir.path().join("masks.zip"), &zip(&[("a/0.png", image_file(3, 4, 2)), ("a/1.png", image_file(3, 5, 1))]));
    assert_ne!(open_in(&dir, "images", "masks.zip").unwrap().stamp(1).unwrap(), stamp);
}
