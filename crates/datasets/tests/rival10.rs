//! RIVAL10 in its published layout, with images that the tests create.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hard_imagenet_datasets::{Attribute, Dataset, Rival10, Split};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn write(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Encodes an image of 2 × 3 with one value everywhere except in the first pixel.
fn png(first: u8, value: u8) -> Vec<u8> {
    let mut image = image::RgbImage::from_pixel(3, 2, image::Rgb([value; 3]));
    image.put_pixel(0, 0, image::Rgb([first; 3]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Writes a dictionary of strings as Python's pickle does (protocol 4, without the optional frame).
fn pickle(masks: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = b"\x80\x04}\x94(".to_vec();
    for (name, text) in masks {
        bytes.extend([b"\x8c", [name.len() as u8].as_slice(), name.as_bytes(), b"\x94X"].concat());
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend([text.as_bytes(), b"\x94"].concat());
    }
    bytes.extend(b"u.");
    bytes
}

/// Writes the two rows of labels as `numpy.save` does: the attributes that are present, and those that were changed.
fn labels(present: &[usize]) -> Vec<u8> {
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 18), }";
    let mut bytes = b"\x93NUMPY\x01\x00v\x00".to_vec();
    bytes.extend(format!("{header:<117}\n").bytes());
    bytes.extend((0..18).flat_map(|i| f64::from(u8::from(present.contains(&i))).to_le_bytes()));
    bytes.extend([1.0f64; 18].iter().flat_map(|v| v.to_le_bytes()));
    bytes
}

const PLANE: &str = "n02690373_ILSVRC2012_val_00040009";

/// Creates a test part with an airliner of ImageNet's validation set and a zebra of its training set, and a train part
/// with a frog.
fn tree() -> (TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let (rival, images) = (dir.path().join("RIVAL10"), dir.path().join("imagenet"));
    let (train, test) = (rival.join("train"), rival.join("test"));
    write(test.join(format!("entire_object_masks/{PLANE}.JPEG")), png(100, 3));
    write(test.join("entire_object_masks/n02391049_n02391049_17.JPEG"), png(255, 0));
    write(test.join(format!("ordinary/{PLANE}.JPEG")), png(0, 40));
    write(test.join(format!("ordinary/{PLANE}_merged_mask.JPEG")), png(255, 0));
    write(test.join(format!("ordinary/{PLANE}_attr_labels.npy")), labels(&[1, 2, 12]));
    let wings = STANDARD.encode(png(200, 0));
    let tail = format!("data:image/png;base64,{}", STANDARD.encode(png(90, 0)));
    let masks = pickle(&[("wings", &wings), ("tail", &tail), ("entire-object", &wings)]);
    write(test.join(format!("ordinary/{PLANE}_attr_dict.pkl")), masks);
    write(images.join("train/n02391049/n02391049_17.JPEG"), png(0, 50));
    write(train.join("entire_object_masks/n01644373_n01644373_4.JPEG"), png(255, 0));
    write(train.join("ordinary/n01644373_n01644373_4.JPEG"), png(0, 60));
    (dir, rival, images)
}

fn ids(data: &Rival10) -> Vec<&str> {
    (0..data.len()).map(|i| data.id(i)).collect()
}

#[test]
fn parts_classes_and_images() {
    let (_dir, rival, images) = tree();
    let test = Rival10::open(&rival, &images, Split::Val).unwrap();
    let names: Vec<&str> = test.info().classes.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["truck", "car", "plane", "ship", "cat", "dog", "equine", "deer", "frog", "bird"]);
    assert_eq!(ids(&test), ["test/n02391049/n02391049_17", "test/n02690373/ILSVRC2012_val_00040009"]);
    assert_eq!((test.class(0), test.class(1)), (6, 2));
    // Images come from ImageNet and from RIVAL10's own folder. Soft masks stay soft.
    assert_eq!(test.get(0).unwrap().image.data[3], 50);
    let plane = test.get(1).unwrap();
    assert_eq!((plane.image.data[3], plane.class), (40, 2));
    assert_eq!(plane.mask.data, [100, 3, 3, 3, 3, 3]);

    let train = Rival10::open(&rival, &rival, Split::Train).unwrap();
    assert_eq!((ids(&train), train.class(0)), (vec!["train/n01644373/n01644373_4"], 8));
    assert_eq!(train.get(0).unwrap().image.data[3], 60);
}

#[test]
fn the_published_list_is_used_if_it_exists() {
    let (_dir, rival, images) = tree();
    let list = r#"{"train": [], "test": ["https://host/imagenet/val/n02690373/ILSVRC2012_val_00040009.JPEG",
                                         "https://host/imagenet/train/n02123394/n02123394_8.JPEG"]}"#;
    write(rival.join("meta/train_test_split_by_url.json"), list);
    let data = Rival10::open(&rival, &images, Split::Val).unwrap();
    assert_eq!(ids(&data), ["test/n02123394/n02123394_8", "test/n02690373/ILSVRC2012_val_00040009"]);
    assert!(data.get(1).is_ok());
    let error = data.get(0).unwrap_err().to_string();
    assert!(error.contains("entire_object_masks/n02123394_n02123394_8.JPEG"), "{error}");

    let check = |list: &str, words: &str| {
        write(rival.join("meta/train_test_split_by_url.json"), list);
        let error = Rival10::open(&rival, &images, Split::Val).err().expect(words).to_string();
        assert!(error.contains("train_test_split_by_url.json") && error.contains(words), "{error}");
    };
    check("{\"test\": []}", "move it away");
    check("[", "move it away");
    check("{\"train\": [], \"test\": [\"nothing.JPEG\"]}", "\"nothing.JPEG\" does not end in");
    check("{\"train\": [], \"test\": [\"n02690373/..\"]}", "does not end in");
    check("{\"train\": [], \"test\": [\"n01440764/x.JPEG\"]}", "n01440764 is not a class of RIVAL10");
}

#[test]
fn attributes_in_the_published_order() {
    let (_dir, rival, images) = tree();
    let data = Rival10::open(&rival, &images, Split::Val).unwrap();
    let shown = data.attributes(1).unwrap();
    let shown: Vec<&str> =
        Attribute::ALL.iter().zip(shown).filter(|(_, there)| *there).map(|(a, _)| a.name()).collect();
    assert_eq!(shown, ["wings", "wheels", "metallic"]);
    assert_eq!(Attribute::ALL.iter().position(|&a| a == Attribute::Patterned), Some(17));

    let error = data.attributes(0).unwrap_err().to_string();
    assert!(error.contains("ordinary/n02391049_n02391049_17_attr_labels.npy"), "{error}");
    write(rival.join(format!("test/ordinary/{PLANE}_attr_labels.npy")), "no array");
    let error = data.attributes(1).unwrap_err().to_string();
    assert!(error.contains("_attr_labels.npy") && error.contains("not a NumPy file"), "{error}");
}

#[test]
fn attribute_masks_are_images_in_a_pickle() {
    let (_dir, rival, images) = tree();
    let data = Rival10::open(&rival, &images, Split::Val).unwrap();
    let mask = |attribute| data.attribute_mask(1, attribute).unwrap().map(|mask| mask.data[..2].to_vec());
    assert_eq!(mask(Attribute::Wings), Some(vec![200, 0]));
    assert_eq!(mask(Attribute::Tail), Some(vec![90, 0]));
    assert_eq!(mask(Attribute::Wheels), None);
    // Without a dictionary there are no masks.
    assert_eq!(data.attribute_mask(0, Attribute::Wings).unwrap(), None);
}

#[test]
fn masks_of_an_attribute_replace_those_of_the_object() {
    let (_dir, rival, images) = tree();
    let open = || Rival10::open(&rival, &images, Split::Val).unwrap();
    // The other image of the part has no table of labels.
    let error = open().with_attribute(Attribute::Wings).err().unwrap().to_string();
    assert!(error.contains("n02391049_17_attr_labels.npy"), "{error}");
    let labels = rival.join(format!("test/ordinary/{PLANE}_attr_labels.npy"));
    write(rival.join("test/ordinary/n02391049_n02391049_17_attr_labels.npy"), std::fs::read(labels).unwrap());

    let data = open().with_attribute(Attribute::Wings).unwrap();
    assert_eq!((data.info().name.as_str(), data.len()), ("rival10-wings", 2));
    let sample = data.get(1).unwrap();
    assert_eq!((sample.mask.height, sample.mask.width), (sample.image.height, sample.image.width));
    assert_eq!(sample.mask.data[0], 200);
    assert!(data.get(0).unwrap_err().to_string().contains("there is no mask of wings"));
    let error = open().with_attribute(Attribute::Horns).err().unwrap().to_string();
    assert!(error.contains("no image shows horns"), "{error}");
}

#[test]
fn damaged_attribute_masks_are_named() {
    let (_dir, rival, images) = tree();
    let data = Rival10::open(&rival, &images, Split::Val).unwrap();
    let check = |bytes: &[u8], words: &str| {
        write(rival.join(format!("test/ordinary/{PLANE}_attr_dict.pkl")), bytes);
        let error = data.attribute_mask(1, Attribute::Wings).unwrap_err().to_string();
        assert!(error.contains(&format!("{PLANE}_attr_dict.pkl")) && error.contains(words), "{error}");
    };
    check(b"", "dictionary");
    check(b"\x80\x04]\x94.", "expected a dictionary");
    check(&pickle(&[("wings", "!!!")]), "\"wings\" is not base64");
    check(&pickle(&[("wings", "data:image/png")]), "\"wings\" is not base64");
    check(&pickle(&[("wings", &STANDARD.encode("no image"))]), "\"wings\": ");
    check(b"\x80\x04}\x94\x8c\x05wings\x94K\x07s.", "\"wings\" is not text");
    // A pickle that calls a function is refused.
    check(b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02ls\x94\x85\x94R\x94.", "dictionary");
}

#[test]
fn missing_folders_are_explained() {
    let (dir, rival, images) = tree();
    let error = Rival10::open(&rival, dir.path().join("images"), Split::Val).err().unwrap().to_string();
    assert!(error.contains("images: no such folder") && error.contains("image-net.org"), "{error}");
    let error = Rival10::open(&images, &images, Split::Val).err().unwrap().to_string();
    assert!(error.contains("entire_object_masks") && error.contains("RIVAL10"), "{error}");
    std::fs::create_dir_all(dir.path().join("empty/test/entire_object_masks")).unwrap();
    let error = Rival10::open(dir.path().join("empty"), &images, Split::Val).err().unwrap().to_string();
    assert!(error.contains("no mask"), "{error}");
}

#[test]
fn two_masks_of_one_image_are_refused() {
    let (_dir, rival, images) = tree();
    write(rival.join(format!("test/entire_object_masks/{PLANE}.png")), png(0, 0));
    let error = Rival10::open(&rival, &images, Split::Val).err().unwrap().to_string();
    assert!(error.contains(&format!("{PLANE}.JPEG")) && error.contains(&format!("{PLANE}.png")), "{error}");
}
