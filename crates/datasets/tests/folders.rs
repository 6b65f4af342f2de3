//! Datasets on disk, with a small tree of files for each test.

use hard_imagenet_datasets::{Dataset, DatasetError, HardImageNet, MaskedFolder, Rival20, Split};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Writes an image of one color with a bright pixel at (0, 0) as PNG bytes under any name.
fn write(path: impl AsRef<Path>, (height, width): (u32, u32), value: u8) {
    let path = path.as_ref();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut image = image::RgbImage::from_pixel(width, height, image::Rgb([value; 3]));
    image.put_pixel(0, 0, image::Rgb([255; 3]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    std::fs::write(path, bytes.into_inner()).unwrap();
}

/// Writes a file that is not an image.
fn write_text(path: impl AsRef<Path>, text: &[u8]) {
    std::fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn message<T>(result: Result<T, DatasetError>) -> String {
    result.err().expect("an error").to_string()
}

/// Creates three validation masks of two classes, two of them with images.
fn small_tree() -> (TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let (masks, images) = (dir.path().join("masks"), dir.path().join("imagenet"));
    write(masks.join("val/n04356056_ILSVRC2012_val_00000838.JPEG"), (4, 5), 0);
    write(masks.join("val/n03218198_ILSVRC2012_val_00000900.JPEG"), (4, 5), 0);
    write(masks.join("val/n03218198_ILSVRC2012_val_00000538.JPEG"), (4, 5), 0);
    write_text(masks.join("val/.DS_Store"), b"x");
    write_text(masks.join("val/notes.txt"), b"x");
    write(images.join("val/n04356056/ILSVRC2012_val_00000838.JPEG"), (4, 5), 10);
    write(images.join("val/n03218198/ILSVRC2012_val_00000538.JPEG"), (6, 7), 20);
    (dir, masks, images)
}

#[test]
fn hard_imagenet_is_sorted_and_labeled() {
    let (_dir, masks, images) = small_tree();
    let data = HardImageNet::open(&masks, &images, Split::Val).unwrap();
    assert_eq!(data.info().name, "hard-imagenet");
    assert_eq!(data.info().classes.len(), 15);
    let ids: Vec<&str> = (0..data.len()).map(|i| data.id(i)).collect();
    let expected = [
        "val/n03218198/ILSVRC2012_val_00000538",
        "val/n03218198/ILSVRC2012_val_00000900",
        "val/n04356056/ILSVRC2012_val_00000838",
    ];
    assert_eq!(ids, expected);
    assert_eq!((data.class(0), data.class(2)), (0, 4));
    let sled = &data.info().classes[0];
    assert_eq!((sled.name.as_str(), sled.wnid.as_deref(), sled.imagenet), ("dog sled", Some("n03218198"), Some(537)));

    // Sizes may differ, because each is resized from its own size.
    let sample = data.get(0).unwrap();
    assert_eq!((sample.image.height, sample.image.width, sample.image.data[3]), (6, 7, 20));
    assert_eq!((sample.mask.height, sample.mask.width), (4, 5));
    assert_eq!(sample.mask.data[..2], [255, 0]);
    assert_eq!((sample.id.as_str(), sample.class), (expected[0], 0));
}

#[test]
fn a_mask_without_its_image_fails_only_its_sample() {
    let (_dir, masks, images) = small_tree();
    let data = HardImageNet::open(&masks, &images, Split::Val).unwrap();
    let error = message(data.get(1));
    assert!(error.contains("there is no image ILSVRC2012_val_00000900.JPEG of class n03218198"), "{error}");
    assert!(error.contains("class folders in") && error.contains("imagenet/val"), "{error}");
    assert!(data.get(2).is_ok());
}

#[test]
fn damaged_images_are_named() {
    let (_dir, masks, images) = small_tree();
    write_text(images.join("val/n03218198/ILSVRC2012_val_00000900.JPEG"), b"not an image");
    let data = HardImageNet::open(&masks, &images, Split::Val).unwrap();
    let error = message(data.get(1));
    assert!(error.contains("imagenet/val/n03218198/ILSVRC2012_val_00000900.JPEG"), "{error}");
}

#[test]
fn images_are_found_in_every_usual_layout() {
    for place in [
        "val/n03218198/ILSVRC2012_val_00000900.JPEG",
        "n03218198/ILSVRC2012_val_00000900.JPEG",
        "val/ILSVRC2012_val_00000900.JPEG",
        "ILSVRC2012_val_00000900.JPEG",
        "val/n03218198/ILSVRC2012_val_00000900.png",
    ] {
        let (_dir, masks, images) = small_tree();
        write(images.join(place), (3, 3), 30);
        let data = HardImageNet::open(&masks, &images, Split::Val).unwrap();
        assert_eq!(data.get(1).unwrap().image.data[3], 30, "{place}");
    }
}

#[test]
fn missing_and_empty_folders_are_explained() {
    let (dir, masks, images) = small_tree();
    let error = message(HardImageNet::open(&masks, &images, Split::Train));
    assert!(error.contains("masks/train: no such folder"), "{error}");
    assert!(error.contains("<wnid>_<ImageNet file name>"), "{error}");
    std::fs::create_dir(masks.join("train")).unwrap();
    let error = message(HardImageNet::open(&masks, &images, Split::Train));
    assert!(error.contains("masks/train: there is no mask"), "{error}");
    let error = message(HardImageNet::open(&masks, dir.path().join("nowhere"), Split::Val));
    assert!(error.contains("nowhere: no such folder") && error.contains("image-net.org"), "{error}");
}

#[test]
fn foreign_and_duplicate_masks_are_refused() {
    let (_dir, masks, images) = small_tree();
    let foreign = masks.join("val/n01440764_ILSVRC2012_val_00000293.JPEG");
    write(&foreign, (3, 3), 0);
    let error = message(HardImageNet::open(&masks, &images, Split::Val));
    assert!(error.contains("n01440764 is not a class of Hard ImageNet"), "{error}");
    std::fs::remove_file(foreign).unwrap();

    write(masks.join("val/n03218198_ILSVRC2012_val_00000538.png"), (3, 3), 0);
    let error = message(HardImageNet::open(&masks, &images, Split::Val));
    assert!(error.contains("538.JPEG") && error.contains("538.png"), "{error}");
}

#[test]
fn the_pickled_order_is_used_and_checked() {
    let check = |order: &[u32], wnids: Option<&[(u32, &str)]>| {
        let (dir, masks, images) = small_tree();
        let meta = masks.join("meta");
        std::fs::create_dir(&meta).unwrap();
        // Protocol 0 can be written by hand.
        let items: String = order.iter().map(|index| format!("I{index}\na")).collect();
        std::fs::write(meta.join("hard_imagenet_idx.pkl"), format!("(l{items}.")).unwrap();
        if let Some(wnids) = wnids {
            let entries: String = wnids.iter().map(|(index, wnid)| format!("I{index}\nV{wnid}\ns")).collect();
            std::fs::write(meta.join("idx_to_wnid.pkl"), format!("(d{entries}.")).unwrap();
        }
        let data = HardImageNet::open(&masks, &images, Split::Val);
        drop(dir);
        data.map(|data| (data.class(0), data.class(2)))
    };
    assert_eq!(check(&[837, 746, 537], None).unwrap(), (2, 0));
    assert_eq!(check(&[537, 837], Some(&[(537, "n03218198"), (837, "n04356056")])).unwrap(), (0, 1));
    // A class beyond the fifteen is accepted if its WordNet id is known.
    assert_eq!(check(&[0, 537, 837], Some(&[(0, "n01440764")])).unwrap(), (1, 2));
    let error = message(check(&[537, 537], None));
    assert!(error.contains("hard_imagenet_idx.pkl") && error.contains("distinct"), "{error}");
    let error = message(check(&[537, 837, 1], None));
    assert!(error.contains("index 1 is not a Hard ImageNet class"), "{error}");
    let error = message(check(&[537, 837], Some(&[(537, "n01440764")])));
    assert!(error.contains("idx_to_wnid.pkl") && error.contains("n03218198"), "{error}");
}

#[test]
fn pickles_of_python_are_read() {
    // pickle.dumps([537, 837]) by Python, protocols 2 and 4.
    let protocol_2: &[u8] = b"\x80\x02]q\x00(M\x19\x02ME\x03e.";
    let protocol_4: &[u8] = b"\x80\x04\x95\x0c\x00\x00\x00\x00\x00\x00\x00]\x94(M\x19\x02ME\x03e.";
    for bytes in [protocol_2, protocol_4] {
        let (_dir, masks, images) = small_tree();
        write_text(masks.join("meta/hard_imagenet_idx.pkl"), bytes);
        let data = HardImageNet::open(&masks, &images, Split::Val).unwrap();
        assert_eq!((data.class(0), data.class(2), data.info().classes.len()), (0, 1, 2));
    }
}

#[test]
fn the_error_of_a_damaged_pickle_says_what_to_do() {
    let (_dir, masks, images) = small_tree();
    write_text(masks.join("meta/hard_imagenet_idx.pkl"), b"\x80\x04\x95\x0c\x00");
    let error = message(HardImageNet::open(&masks, &images, Split::Val));
    assert!(error.contains("meta/hard_imagenet_idx.pkl") && error.contains("move it away"), "{error}");
}

#[test]
fn rival_pools_both_folders_and_splits_by_imagenet() {
    let dir = tempfile::tempdir().unwrap();
    let (rival, images) = (dir.path().join("RIVAL10"), dir.path().join("imagenet"));
    let folder = |part: &str| rival.join(part).join("entire_object_masks");
    write(folder("train").join("n02391049_ILSVRC2012_val_00040009.JPEG"), (3, 3), 0);
    write(folder("test").join("n01531178_ILSVRC2012_val_00040000.JPEG"), (3, 3), 0);
    write(folder("test").join("n01531178_n01531178_17.JPEG"), (3, 3), 0);
    write(images.join("val/n02391049/ILSVRC2012_val_00040009.JPEG"), (3, 3), 40);
    write(images.join("train/n01531178/n01531178_17.JPEG"), (3, 3), 50);

    let val = Rival20::open(&rival, &images, Split::Val).unwrap();
    assert_eq!((val.info().name.as_str(), val.info().classes.len(), val.len()), ("rival20", 20, 2));
    assert_eq!(val.id(1), "val/n02391049/ILSVRC2012_val_00040009");
    assert_eq!(val.info().classes[val.class(1)].imagenet, Some(340));
    assert_eq!(val.get(1).unwrap().image.data[3], 40);

    let train = Rival20::open(&rival, &images, Split::Train).unwrap();
    assert_eq!((train.len(), train.id(0)), (1, "train/n01531178/n01531178_17"));
    assert_eq!(train.get(0).unwrap().image.data[3], 50);

    // A goldfinch is a bird, a zebra an equine.
    let ten = val.into_ten_classes();
    assert_eq!((ten.info().name.as_str(), ten.info().classes.len(), ten.len()), ("rival10-pooled", 10, 2));
    assert_eq!((ten.class(0), ten.class(1), ten.get(1).unwrap().class), (9, 6, 6));
    assert_eq!((ten.info().classes[6].name.as_str(), ten.info().classes[6].imagenet), ("equine", None));

    std::fs::remove_dir_all(rival.join("train")).unwrap();
    assert_eq!(Rival20::open(&rival, &images, Split::Val).unwrap().len(), 1);
    // The folder above is accepted, but one without masks is not.
    assert_eq!(Rival20::open(dir.path(), &images, Split::Val).unwrap().len(), 1);
    let error = message(Rival20::open(&images, &images, Split::Val));
    assert!(error.contains("entire_object_masks"), "{error}");
}

#[test]
fn a_masked_folder_with_classes() {
    let dir = tempfile::tempdir().unwrap();
    let (images, masks) = (dir.path().join("images"), dir.path().join("masks"));
    write(images.join("n02391049/b.jpg"), (3, 3), 60);
    write(images.join("cat/a.jpg"), (3, 3), 70);
    write(images.join("cat/flat.jpg"), (3, 3), 71);
    write(images.join("cat/named.jpg"), (3, 3), 72);
    write(images.join("cat/alone.jpg"), (3, 3), 73);
    write(masks.join("n02391049/b.png"), (3, 3), 0);
    write(masks.join("cat/a.png"), (3, 3), 0);
    write(masks.join("flat.png"), (3, 3), 0);
    write(masks.join("cat_named.webp"), (3, 3), 0);
    write(masks.join("cat/nobody.png"), (3, 3), 0);

    let data = MaskedFolder::open(&images, &masks).unwrap();
    let ids: Vec<&str> = (0..data.len()).map(|i| data.id(i)).collect();
    assert_eq!(ids, ["cat/a", "cat/flat", "cat/named", "n02391049/b"]);
    let classes = &data.info().classes;
    assert_eq!((classes[0].name.as_str(), classes[0].imagenet), ("cat", None));
    assert_eq!((classes[1].name.as_str(), classes[1].imagenet), ("zebra", Some(340)));
    assert_eq!(data.get(2).unwrap().image.data[3], 72);
    assert_eq!(data.unmatched_images(), [images.join("cat/alone.jpg")]);
    assert_eq!(data.unmatched_masks(), [masks.join("cat/nobody.png")]);
}

#[test]
fn a_flat_folder_is_one_class_even_if_it_contains_the_masks() {
    let dir = tempfile::tempdir().unwrap();
    let images = dir.path().join("puppies");
    write(images.join("a.png"), (3, 3), 80);
    write(images.join("masks/a.png"), (3, 3), 0);
    let data = MaskedFolder::open(&images, images.join("masks")).unwrap();
    assert_eq!((data.len(), data.id(0), data.info().classes[0].name.as_str()), (1, "a", "puppies"));
    assert_eq!(data.get(0).unwrap().mask.data[..2], [255, 0]);
}

#[test]
fn a_folder_that_cannot_be_paired_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let check = |images: &str, masks: &str, words: &[&str]| {
        let error = message(MaskedFolder::open(at(images), at(masks)));
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    };
    write(at("images/a.png"), (3, 3), 0);
    write(at("other/b.png"), (3, 3), 0);
    std::fs::create_dir(at("empty")).unwrap();
    check("nowhere", "images", &["nowhere", "no such folder"]);
    check("images", "nowhere", &["nowhere", "no such folder"]);
    check("empty", "images", &["empty", "no images"]);
    check("images", "other", &["images", "no image here has a mask", "other"]);

    write(at("twice/a.png"), (3, 3), 0);
    write(at("twice/a.jpg"), (3, 3), 0);
    check("twice", "images", &["a.png", "a.jpg", "same sample"]);
    check("images", "twice", &["a.png", "a.jpg", "same sample"]);

    write(at("mixed/top.png"), (3, 3), 0);
    write(at("mixed/class/a.png"), (3, 3), 0);
    check("mixed", "images", &["mixed", "next to class folders"]);

    // A flat mask cannot belong to two images.
    write(at("classes/x/a.png"), (3, 3), 0);
    write(at("classes/y/a.png"), (3, 3), 0);
    check("classes", "images", &["classes/x/a.png", "classes/y/a.png"]);
}
