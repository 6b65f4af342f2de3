//! Checks of folders that are wrong in every way: each finding as a line of text.

mod archives;

use archives::{image_file, tar, zip};
use hard_imagenet_datasets::{
    Dataset, DatasetOptions, HardImageNet, MaskedFolder, Rival20, Split, check as check_dataset, inspect,
};
use hard_imagenet_findings::{Finding, Severity};
use hard_imagenet_images::{Gray8, MaskRule, Preprocessing};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Writes a gray image with the value `f(row, column)` as PNG bytes under any name.
fn write(path: impl AsRef<Path>, (height, width): (usize, usize), f: impl Fn(usize, usize) -> u8) {
    let path = path.as_ref();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let data = (0..height * width).map(|i| f(i / width, i % width)).collect();
    std::fs::write(path, Gray8 { height, width, data }.encode_png().unwrap()).unwrap();
}

fn object(row: usize, column: usize) -> u8 {
    if row < 3 && column < 4 { 255 } else { 0 }
}

/// Writes each finding as a line, without the temporary folder.
fn lines(root: &Path, findings: &[Finding]) -> Vec<String> {
    let line = |f: &Finding| {
        let severity = format!("{:?}", f.severity).to_lowercase();
        let text = format!("{severity} {} {}: {} {:?} -> {}", f.kind, f.count, f.what, f.examples, f.remedy);
        text.replace(&format!("{}/", root.display()), "").replace(&root.display().to_string(), ".")
    };
    findings.iter().map(line).collect()
}

/// Compares the lines of the findings with their expected beginnings, in order.
fn check(root: &Path, findings: &[Finding], expected: &[&str]) {
    let lines = lines(root, findings);
    let as_expected = lines.iter().zip(expected).all(|(line, start)| line.starts_with(start));
    assert!(as_expected && lines.len() == expected.len(), "{lines:#?}");
}

fn tree() -> (TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let (masks, images) = (dir.path().join("masks"), dir.path().join("imagenet"));
    for i in 0..2 {
        write(masks.join(format!("val/n03218198_ILSVRC2012_val_{i:08}.JPEG")), (6, 8), object);
        write(images.join(format!("val/n03218198/ILSVRC2012_val_{i:08}.JPEG")), (6, 8), |_, _| 90);
    }
    (dir, masks, images)
}

#[test]
fn class_folders_named_by_words() {
    let (dir, masks, images) = tree();
    std::fs::rename(images.join("val/n03218198"), images.join("val/dog sled")).unwrap();
    write(images.join("val/crane/ILSVRC2012_val_00000004.JPEG"), (6, 8), |_, _| 90);
    write(images.join("val/Dog_Sled/ILSVRC2012_val_00000009.JPEG"), (6, 8), |_, _| 90);
    let expected = [
        "note layout 1: ImageNet: class folders in imagenet/val",
        "note no-mask 1: images of the dataset's classes without a mask [\"imagenet/val/Dog_Sled/ILSVRC2012_val_00000009.JPEG\"]",
        "note count 1: 2 val masks of 1 of the 15 classes",
        "note class-count 15: ",
        "warning unknown-folder 1: folders next to ImageNet's classes that are not read [\"val/crane: several classes",
        "note no-pickle 1: ",
    ];
    check(dir.path(), &HardImageNet::check(&masks, &images, Split::Val), &expected);
}

#[test]
fn names_pairs_and_counts() {
    let (dir, masks, images) = tree();
    let check_val = |expected: &[&str]| {
        check(dir.path(), &HardImageNet::check(&masks, &images, Split::Val), expected);
    };
    let counts = "note class-count 15: classes whose number of validation masks differs from the published one (50) \
                  [\"dog sled: 2\", \"howler monkey: 0\", \"seat belt: 0\"] -> unpack";
    let (layout, total) =
        ("note layout 1: ImageNet: class folders in imagenet/val", "note count 1: 2 val masks of 1 of the 15 classes");
    check_val(&[layout, total, counts, "note no-pickle 1: there is no meta/hard_imagenet_idx.pkl"]);

    write(masks.join("val/n04356056_ILSVRC2012_val_00000007.JPEG"), (6, 8), object);
    write(masks.join("val/n01440764_ILSVRC2012_val_00000008.JPEG"), (6, 8), object);
    write(masks.join("val/n03218198_ILSVRC2012_val_00000000.png"), (6, 8), object);
    write(images.join("val/n03218198/ILSVRC2012_val_00000009.JPEG"), (6, 8), |_, _| 90);
    std::fs::write(masks.join("val/notes.txt"), "x").unwrap();
    std::fs::create_dir_all(masks.join("meta")).unwrap();
    std::fs::write(masks.join("meta/hard_imagenet_idx.pkl"), "no pickle").unwrap();
    check_val(&[
        layout,
        "error no-image 1: masks whose image is missing [\"masks/val/n04356056_ILSVRC2012_val_00000007.JPEG\"] -> get",
        "note no-mask 1: images of the dataset's classes without a mask [\"imagenet/val/n03218198/ILSVRC2012_val_00000009.JPEG\"]",
        "error unknown-class 1: masks of a class that the dataset does not have [\"masks/val/n01440764_",
        "error duplicate 1: masks of an image that has one already [\"masks/val/n03218198_ILSVRC2012_val_00000000.png\"]",
        "note odd-name 1: files that are not named <wnid>_<ImageNet file name> [\"masks/val/notes.txt\"]",
        "note count 1: 3 val masks of 2 of the 15 classes",
        "note class-count 15: ",
        "error pickle 1: masks/meta/hard_imagenet_idx.pkl: cannot be read as a list of ImageNet indices",
    ]);
}

#[test]
fn folders_of_the_wrong_level() {
    let (dir, masks, images) = tree();
    let root = dir.path();
    let check = |masks: &Path, images: &Path, expected: &[&str]| {
        check(root, &HardImageNet::check(masks, images, Split::Val), expected);
    };
    check(
        &root.join("a"),
        &root.join("b"),
        &[
            "error missing 1: a does not exist [] -> correct the path of the masks",
            "error missing 1: b does not exist [] -> correct the path of the images",
        ],
    );
    check(
        &images,
        &masks,
        &["error exchanged 1: imagenet holds images in class folders, and masks holds masks [] -> swap the paths"],
    );
    let no_masks = "does not hold train/ and val/ with the mask files [] -> use masks as the path of the masks";
    check(&masks.join("val"), &images, &[&format!("error wrong-folder 1: masks/val {no_masks}")]);
    check(
        root,
        root,
        &[
            &format!("error wrong-folder 1: . {no_masks}"),
            "error wrong-folder 1: . does not hold val/<wnid>/<file> [] -> use imagenet as the path of the images",
        ],
    );
    check(&masks, &masks, &["error masks-as-images 1: masks/val holds masks, not images [] -> use ImageNet's"]);
    // A path that is one level too deep is accepted, as the dataset accepts it.
    let found = HardImageNet::check(&masks, images.join("val"), Split::Val);
    assert!(found.iter().all(|finding| finding.kind != "no-image"), "{found:?}");

    let found = Rival20::check(&masks, &images, Split::Val);
    assert!(found[0].what.contains("train/entire_object_masks"), "{found:?}");
}

#[test]
fn training_masks_are_counted_together() {
    let (dir, masks, images) = tree();
    write(masks.join("train/n03218198_n03218198_1.JPEG"), (6, 8), object);
    write(images.join("train/n03218198_1.JPEG"), (6, 8), |_, _| 90);
    check(
        dir.path(),
        &HardImageNet::check(&masks, &images, Split::Train),
        &[
            "note layout 1: ImageNet: images in imagenet/train",
            "note count 1: 1 train masks of 1 of the 15 classes",
            "note train-count 1: 1 training masks, but about 19,000 were published",
            "note no-pickle 1: ",
        ],
    );
}

#[test]
fn the_contents_of_the_files() {
    let (dir, masks, images) = tree();
    let mask = |i: usize| masks.join(format!("val/n03218198_ILSVRC2012_val_{i:08}.JPEG"));
    let image = |i: usize| images.join(format!("val/n03218198/ILSVRC2012_val_{i:08}.JPEG"));
    for i in 2..8 {
        write(image(i), (6, 8), |_, _| 90);
        write(mask(i), (6, 8), object);
    }
    let transform = Preprocessing::imagenet().squash().paired_transform(MaskRule::AnyInk);
    let look = |expected: &[&str]| {
        let data = HardImageNet::open(&masks, &images, Split::Val).unwrap();
        let mut checked = 0;
        let found = inspect(&data, &transform, |done| checked = done);
        assert_eq!(checked, data.len());
        check(dir.path(), &found, expected);
    };
    let absent = "warning empty-class 14: classes without a sample [\"howler monkey\", \"seat belt\", \"ski\"]";
    look(&[absent]);

    std::fs::remove_file(image(1)).unwrap();
    std::fs::write(mask(2), "").unwrap();
    let whole = std::fs::read(image(3)).unwrap();
    std::fs::write(image(3), &whole[..whole.len() / 2]).unwrap();
    write(mask(4), (3, 4), object);
    write(mask(5), (6, 8), |_, _| 0);
    write(mask(6), (6, 8), |_, _| 255);
    write(mask(7), (6, 8), |row, column| object(row, column) / 2);
    write(mask(8), (300, 300), |row, column| if row + column == 0 { 255 } else { 0 });
    write(image(8), (300, 300), |_, _| 90);
    let id = |i: usize| format!("val/n03218198/ILSVRC2012_val_{i:08}");
    look(&[
        &format!("error no-image 1: masks whose image is missing [{:?}]", id(1)),
        &format!("error unreadable 2: files that cannot be decoded [\"{}: masks/val/", id(2)),
        &format!("warning empty-mask 1: masks without an object [{:?}]", id(5)),
        &format!("note lost-object 1: masks whose object is gone after resize and crop [{:?}]", id(8)),
        // The mask of another size is full, too.
        &format!("warning full-mask 2: masks that are object everywhere [{:?}, {:?}]", id(4), id(6)),
        &format!(
            "warning label-mask 1: masks whose values are few and small, like numbers or colors of classes [\"{}: values 127\"]",
            id(7)
        ),
        &format!("note scaled-mask 1: masks that are their image's at another scale [{:?}]", id(4)),
        absent,
    ]);
}

#[test]
fn archives_are_searched() {
    let dir = tempfile::tempdir().unwrap();
    let (masks, images) = (dir.path().join("masks.zip"), dir.path().join("ILSVRC2012_img_val.tar"));
    let name = |i: usize| format!("ILSVRC2012_val_{i:08}.JPEG");
    let mask_name = |i: usize| format!("hardImageNet/val/n03218198_{}", name(i));
    let names = [mask_name(0), mask_name(1), "../escape.png".to_owned()];
    let packed = names.each_ref().map(|name| (name.as_str(), image_file(6, 8, 255)));
    std::fs::write(&masks, zip(&packed)).unwrap();
    std::fs::write(&images, tar(&[(&name(0), image_file(6, 8, 90))])).unwrap();
    check(
        dir.path(),
        &HardImageNet::check(&masks, &images, Split::Val),
        &[
            "note layout 1: ImageNet: images in ILSVRC2012_img_val.tar",
            "error no-image 1: masks whose image is missing [\"masks.zip/hardImageNet/val/n03218198_ILSVRC2012_val_00000001.JPEG\"]",
            "note count 1: 2 val masks of 1 of the 15 classes",
            "note class-count 15: ",
            "warning skipped 1: entries of an archive that are ignored [\"../escape.png: ",
            "note no-pickle 1: ",
        ],
    );
    std::fs::write(&masks, b"PK\x03\x04 and no more").unwrap();
    check(
        dir.path(),
        &HardImageNet::check(&masks, &images, Split::Val),
        &["error unsearchable 1: masks.zip: ", "note no-pickle"],
    );
    std::fs::write(&masks, zip(&[("readme.txt", b"nothing".to_vec())])).unwrap();
    check(
        dir.path(),
        &HardImageNet::check(&masks, &images, Split::Val),
        &["note layout", "error wrong-folder 1: masks.zip holds no masks in val", "note no-pickle"],
    );
}

#[test]
fn unmatched_files_of_a_masked_folder() {
    let dir = tempfile::tempdir().unwrap();
    let (masks, images) = (dir.path().join("masks"), dir.path().join("images"));
    for (folder, names) in [(&images, ["a", "b"]), (&masks, ["a", "c"])] {
        names.iter().for_each(|name| write(folder.join(name).with_extension("png"), (6, 8), object));
    }
    let data = MaskedFolder::open(&images, &masks).unwrap();
    let found = data.check();
    let expected = [
        "warning image-alone 1: images without a mask [\"images/b.png\"]",
        "warning mask-alone 1: masks without an image [\"masks/c.png\"]",
    ];
    check(dir.path(), &found, &expected);
    assert!(MaskedFolder::open(masks.join("a.png"), &masks).is_err());
    std::fs::remove_file(images.join("b.png")).unwrap();
    std::fs::remove_file(masks.join("c.png")).unwrap();
    assert!(MaskedFolder::open(&images, &masks).unwrap().check().is_empty());
}

#[test]
fn a_check_by_word_looks_at_names_and_contents() {
    let (dir, masks, images) = tree();
    let options = DatasetOptions { masks: Some(masks.clone()), images: Some(images), ..DatasetOptions::default() };
    let transform = Preprocessing::imagenet().squash().paired_transform(MaskRule::AnyInk);
    let names = check_dataset("hard-imagenet", &options, None, |_, _| panic!("nothing is decoded")).unwrap();
    check(dir.path(), &names, &["note layout 1: ", "note count 1: ", "note class-count 15: ", "note no-pickle 1: "]);

    write(masks.join("val/n03218198_ILSVRC2012_val_00000001.JPEG"), (6, 8), |_, _| 0);
    let mut checked = Vec::new();
    let found = check_dataset("hard-imagenet", &options, Some(&transform), |done, all| checked.push((done, all)));
    assert_eq!(checked, [(2, 2)]);
    let found = found.unwrap();
    let kinds: Vec<&str> = found.iter().map(|finding| finding.kind.as_str()).collect();
    assert_eq!(kinds, ["empty-mask", "empty-class", "layout", "count", "class-count", "no-pickle"]);

    let nowhere = DatasetOptions { masks: Some(dir.path().join("nowhere")), ..options.clone() };
    let found = check_dataset("hard-imagenet", &nowhere, None, |_, _| ()).unwrap();
    assert_eq!((found.len(), found[0].severity, found[0].kind.as_str()), (1, Severity::Error, "missing"));
    // Without a finding that explains it, the error itself is returned.
    let error = check_dataset("imagenet-s", &options, None, |_, _| ()).unwrap_err().to_string();
    assert!(error.contains("validation-segmentation"), "{error}");
    let error = check_dataset("rival20", &DatasetOptions::default(), None, |_, _| ()).unwrap_err().to_string();
    assert_eq!(error, "rival20 needs the path of its masks");
}
