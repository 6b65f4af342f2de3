//! ImageNet-S in its published layout.

use hard_imagenet_datasets::{Dataset, ImageNetS, Split};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn write(path: impl AsRef<Path>, image: &image::RgbImage) {
    std::fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    image.save_with_format(path, image::ImageFormat::Png).unwrap();
}

/// Creates a label map of one row: red is the remainder of the id by 256, green the quotient.
fn map(ids: &[u32]) -> image::RgbImage {
    image::RgbImage::from_fn(ids.len() as u32, 1, |x, _| {
        let id = ids[x as usize];
        image::Rgb([(id % 256) as u8, (id / 256) as u8, 0])
    })
}

fn plain_image(width: u32, value: u8) -> image::RgbImage {
    image::RgbImage::from_pixel(width, 1, image::Rgb([value; 3]))
}

/// Creates three classes, one of them without images, and three maps of four pixels.
fn tree() -> (TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let (root, images) = (dir.path().join("ImageNetS50"), dir.path().join("imagenet"));
    let maps = root.join("validation-segmentation");
    write(maps.join("n01531178/ILSVRC2012_val_00000002.png"), &map(&[0, 3, 1000, 3]));
    write(maps.join("n01443537/ILSVRC2012_val_00000001.png"), &map(&[1, 1, 3, 0]));
    write(maps.join("n01443537/ILSVRC2012_val_00000003.png"), &map(&[1, 1, 1, 1]));
    std::fs::create_dir(maps.join("n01491361")).unwrap();
    write(root.join("validation/n01443537/ILSVRC2012_val_00000001.JPEG"), &plain_image(4, 10));
    write(images.join("val/n01531178/ILSVRC2012_val_00000002.JPEG"), &plain_image(4, 20));
    write(root.join("train-semi-segmentation/n01443537/n01443537_7.png"), &map(&[0, 1]));
    write(images.join("train/n01443537/n01443537_7.JPEG"), &plain_image(2, 30));
    (dir, root, images)
}

#[test]
fn ids_follow_the_order_of_the_folders() {
    let (_dir, root, images) = tree();
    let data = ImageNetS::open(&root, &images, Split::Val).unwrap();
    let ids: Vec<&str> = (0..data.len()).map(|i| data.id(i)).collect();
    let names =
        ["n01443537/ILSVRC2012_val_00000001", "n01443537/ILSVRC2012_val_00000003", "n01531178/ILSVRC2012_val_00000002"];
    assert_eq!(ids, names.map(|name| format!("val/{name}")));
    assert_eq!([data.class(0), data.class(1), data.class(2)], [0, 0, 2]);
    let classes: Vec<_> = data.info().classes.iter().map(|c| (c.name.as_str(), c.imagenet)).collect();
    assert_eq!(classes, [("goldfish", Some(1)), ("tiger shark", Some(3)), ("goldfinch", Some(11))]);

    // The mask contains only the sample's own class. Copied images are preferred to ImageNet's.
    let fish = data.get(0).unwrap();
    assert_eq!((fish.mask.data.as_slice(), fish.image.data[0]), ([255, 255, 0, 0].as_slice(), 10));
    let finch = data.get(2).unwrap();
    assert_eq!((finch.mask.data.as_slice(), finch.image.data[0]), ([0, 255, 0, 255].as_slice(), 20));
    let error = data.get(1).unwrap_err().to_string();
    assert!(error.contains("there is no image ILSVRC2012_val_00000003.JPEG of class n01443537"), "{error}");

    let train = ImageNetS::open(&root, &images, Split::Train).unwrap();
    assert_eq!((train.len(), train.id(0)), (1, "train/n01443537/n01443537_7"));
    assert_eq!(train.get(0).unwrap().mask.data, [0, 255]);
}

#[test]
fn an_id_without_a_class_folder_is_refused() {
    let (_dir, root, images) = tree();
    // The id 300 is red 44, green 1.
    write(root.join("validation-segmentation/n01531178/ILSVRC2012_val_00000002.png"), &map(&[0, 300, 1000, 3]));
    let data = ImageNetS::open(&root, &images, Split::Val).unwrap();
    let error = data.get(2).unwrap_err().to_string();
    assert!(error.contains("00000002.png: contains the id 300") && error.contains("3 class folders"), "{error}");
}

#[test]
fn inconsistent_files_are_named() {
    let (dir, root, images) = tree();
    write(root.join("validation/n01443537/ILSVRC2012_val_00000001.JPEG"), &plain_image(5, 10));
    let data = ImageNetS::open(&root, &images, Split::Val).unwrap();
    let error = data.get(0).unwrap_err().to_string();
    assert!(error.contains("00000001.png") && error.contains("1 × 4, but its image is 1 × 5"), "{error}");

    let error = ImageNetS::open(&root, root.join("images"), Split::Val).err().unwrap().to_string();
    assert!(error.contains("images: no such folder"), "{error}");
    let check = |root: &Path, words: &str| {
        let error = ImageNetS::open(root, &images, Split::Val).err().expect(words).to_string();
        assert!(error.contains(words) && error.contains("ImageNetS50"), "{error}");
    };
    check(&images, "validation-segmentation: no such folder");
    std::fs::create_dir_all(dir.path().join("empty/validation-segmentation/n01443537")).unwrap();
    check(&dir.path().join("empty"), "no label map");
    std::fs::create_dir(root.join("validation-segmentation/fish")).unwrap();
    check(&root, "fish: this is not a WordNet id");
}
