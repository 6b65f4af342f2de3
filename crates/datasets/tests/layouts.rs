//! Every layout of ImageNet and of the masks gives the same samples.

mod archives;

use archives::{SHARD, gzip, image_file, parquet, tar, zip};
use hard_imagenet_datasets::{Dataset, HardImageNet, ImageNet, Rival20, Sample, Split, Store};
use std::path::Path;
use tempfile::TempDir;

const VAL: [(&str, &str); 3] = [
    ("n03218198", "ILSVRC2012_val_00000002.JPEG"),
    ("n04356056", "ILSVRC2012_val_00000001.JPEG"),
    ("n04356056", "ILSVRC2012_val_00000003.JPEG"),
];
const TRAIN: [(&str, &str); 3] =
    [("n03218198", "n03218198_12.JPEG"), ("n03218198", "n03218198_7.JPEG"), ("n04356056", "n04356056_9.JPEG")];

fn names(split: Split) -> [(&'static str, &'static str); 3] {
    if split == Split::Val { VAL } else { TRAIN }
}

/// Returns the bytes of the images of a split, which all differ.
fn bytes(split: Split) -> [Vec<u8>; 3] {
    let first = if split == Split::Val { 10 } else { 110 };
    [0, 1, 2].map(|i| image_file(3 + i, 4, first + i as u8))
}

fn write(path: impl AsRef<Path>, bytes: &[u8]) {
    std::fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Returns the files of a split, named by a function of class and file.
fn named(split: Split, name: impl Fn(&str, &str) -> String) -> Vec<(String, Vec<u8>)> {
    names(split).iter().zip(bytes(split)).map(|((wnid, file), bytes)| (name(wnid, file), bytes)).collect()
}

fn borrowed(files: &[(String, Vec<u8>)]) -> Vec<(&str, Vec<u8>)> {
    files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect()
}

fn mask_files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let all = [Split::Train, Split::Val].into_iter().flat_map(|split| {
        names(split).map(|(wnid, file)| (format!("{folder}{}/{wnid}_{file}", split.name()), image_file(2, 2, 255)))
    });
    all.collect()
}

fn write_all(root: &Path, files: &[(String, Vec<u8>)]) {
    files.iter().for_each(|(name, bytes)| write(root.join(name), bytes));
}

fn samples(masks: &Path, images: &Path, split: Split) -> Vec<Sample> {
    let data = HardImageNet::open(masks, images, split).unwrap();
    (0..data.len()).map(|i| data.get(i).unwrap()).collect()
}

/// Returns the samples in the published layout.
fn expected(split: Split) -> (TempDir, Vec<Sample>) {
    let dir = tempfile::tempdir().unwrap();
    write_all(&dir.path().join("masks"), &mask_files(""));
    let images = named(split, |wnid, file| format!("{}/{wnid}/{file}", split.name()));
    write_all(&dir.path().join("images"), &images);
    let samples = samples(&dir.path().join("masks"), &dir.path().join("images"), split);
    assert_eq!(samples.len(), 3);
    (dir, samples)
}

/// Creates a layout of ImageNet in a folder, opens it by a path, and compares the samples. `listed` says whether the
/// classes of the images are known.
fn check(split: Split, listed: bool, make: impl Fn(&Path), open: &str) {
    let (dir, expected) = expected(split);
    let root = dir.path().join("form");
    std::fs::create_dir(&root).unwrap();
    make(&root);
    let images = root.join(open);
    assert_eq!(samples(&dir.path().join("masks"), &images, split), expected, "{open}");

    let images = ImageNet::open(&images, split).unwrap();
    let found = images.images().unwrap();
    let stem = |file: &str| file.strip_suffix(".JPEG").unwrap_or(file).to_owned();
    let got: Vec<(String, String)> = found.iter().map(|(wnid, file)| (wnid.clone(), stem(file))).collect();
    let all: Vec<(String, String)> = names(split).iter().map(|(wnid, file)| ((*wnid).into(), stem(file))).collect();
    assert_eq!(got, if listed { all } else { Vec::new() }, "{}", images.layout());
    // Every listed image can be read.
    for (wnid, file) in &found {
        assert!(images.read(wnid, file).is_ok(), "{file} in {}", images.layout());
    }
    let (wnid, file) = names(split)[0];
    let place = images.find(wnid, file).unwrap().unwrap();
    assert!(place.starts_with(root.join(open)), "{place:?}");
    assert_eq!(images.find(wnid, "ILSVRC2012_val_00049999.JPEG").unwrap(), None);
    assert!(images.layout().contains("form"), "{}", images.layout());
}

#[test]
fn class_folders() {
    for split in [Split::Train, Split::Val] {
        let s = split.name();
        let make = |top: &str| {
            let top = top.to_owned();
            move |root: &Path| write_all(root, &named(split, |wnid, file| format!("{top}{wnid}/{file}")))
        };
        check(split, true, make(&format!("{s}/")), "");
        check(split, true, make(&format!("{s}/")), s);
        check(split, true, make(""), "");
        check(split, true, make(&format!("ILSVRC/Data/CLS-LOC/{s}/")), "");
        check(split, true, make(&format!("ILSVRC/Data/CLS-LOC/{s}/")), "ILSVRC");
    }
}

#[test]
fn class_folders_named_by_words() {
    // The folders of dog sled and sunglasses.
    for (sled, glasses) in
        [("dog sled", "sunglasses"), ("DogSled", "Sunglasses, dark glasses"), ("n03218198", "SUNGLASSES")]
    {
        let word = move |wnid: &str| if wnid == "n03218198" { sled } else { glasses };
        for split in [Split::Train, Split::Val] {
            let s = split.name();
            let make = |top: &str| {
                let top = top.to_owned();
                move |root: &Path| {
                    write_all(root, &named(split, |wnid, file| format!("{top}{}/{file}", word(wnid))));
                }
            };
            check(split, true, make(&format!("{s}/")), "");
            check(split, true, make(&format!("{s}/")), s);
            check(split, true, make(""), "");
            let zipped = |root: &Path| {
                let files = named(split, |wnid, file| format!("{s}/{}/{file}", word(wnid)));
                write(root.join("imagenet.zip"), &zip(&borrowed(&files)));
            };
            check(split, true, zipped, "imagenet.zip");
        }
    }
    // A class may have two folders.
    let halves = |root: &Path| {
        let folder = |file: &str| if file.contains('2') { "dog sled" } else { "n03218198" };
        let name = |wnid: &str, file: &str| format!("{}/{file}", if wnid == "n03218198" { folder(file) } else { wnid });
        write_all(root, &named(Split::Train, name));
    };
    check(Split::Train, true, halves, "");
}

#[test]
fn folders_named_by_no_class_are_reported() {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["dog_sled", "crane", "sledge"] {
        write(dir.path().join(format!("val/{folder}/a.JPEG")), &image_file(2, 2, 0));
    }
    let images = ImageNet::open(dir.path(), Split::Val).unwrap();
    let reported: Vec<String> = images.skipped_entries().iter().map(|s| format!("{}: {}", s.name, s.reason)).collect();
    let [crane, sledge] =
        ["val/crane: several classes of ImageNet have this name", "val/sledge: no class of ImageNet has this name"];
    assert_eq!(reported, [crane, sledge]);
    assert_eq!(images.images().unwrap(), [("n03218198".into(), "a.JPEG".into())]);
    // Next to folders that are all named by WordNet ids, any other folder is fine.
    std::fs::rename(dir.path().join("val/dog_sled"), dir.path().join("val/n03218198")).unwrap();
    assert_eq!(ImageNet::open(dir.path(), Split::Val).unwrap().skipped_entries(), []);
}

#[test]
fn flat_validation_folders() {
    let flat = |root: &Path| write_all(root, &named(Split::Val, |_, file| format!("val/{file}")));
    check(Split::Val, false, flat, "");
    check(Split::Val, false, flat, "val");
    let synsets = "n04356056\nn03218198\nn04356056\n";
    let with_list = |root: &Path| {
        flat(root);
        write(root.join("imagenet_2012_validation_synset_labels.txt"), synsets.as_bytes());
    };
    check(Split::Val, true, with_list, "");
    check(Split::Val, true, with_list, "val");
    let kaggle = |root: &Path| {
        write_all(root, &named(Split::Val, |_, file| format!("ILSVRC/Data/CLS-LOC/val/{file}")));
        let row = |(wnid, file): &(&str, &str)| format!("{},{wnid} 1 2 3 4 \n", file.trim_end_matches(".JPEG"));
        let table: String = VAL.iter().map(row).collect();
        write(root.join("LOC_val_solution.csv"), format!("ImageId,PredictionString\n{table}").as_bytes());
    };
    check(Split::Val, true, kaggle, "");
}

const META: [&[u8]; 2] = [include_bytes!("golden/devkit/meta.mat"), include_bytes!("golden/devkit/meta_plain.mat")];

/// Returns the files of a development kit in a folder.
fn kit(folder: &str, meta: &[u8], truth: &str) -> Vec<(String, Vec<u8>)> {
    let truth = (format!("{folder}ILSVRC2012_validation_ground_truth.txt"), truth.into());
    vec![(format!("{folder}meta.mat"), meta.to_vec()), truth]
}

#[test]
fn labels_of_the_development_kit() {
    const KIT: &str = "ILSVRC2012_devkit_t12";
    let truth = "3\n2\n3\n";
    let flat = |root: &Path| write_all(root, &named(Split::Val, |_, file| format!("val/{file}")));
    for meta in META {
        let unpacked = |folder: &str| {
            let files = kit(folder, meta, truth);
            move |root: &Path| {
                flat(root);
                write_all(root, &files);
            }
        };
        check(Split::Val, true, unpacked(&format!("{KIT}/data/")), "");
        check(Split::Val, true, unpacked(&format!("{KIT}/{KIT}/data/")), "");
        check(Split::Val, true, unpacked("val/"), "");
        check(Split::Val, true, unpacked(""), "val");
        let packed = tar(&borrowed(&kit(&format!("{KIT}/data/"), meta, truth)));
        for (ending, bytes) in [("tar", packed.clone()), ("tar.gz", gzip(&packed))] {
            let packed_kit = |root: &Path| {
                flat(root);
                write(root.join(format!("{KIT}.{ending}")), &bytes);
            };
            check(Split::Val, true, packed_kit, "");
        }
    }
}

#[test]
fn an_invalid_development_kit_is_refused() {
    let check = |meta: &[u8], truth: &str, file: &str, words: &str| {
        let dir = tempfile::tempdir().unwrap();
        write_all(dir.path(), &named(Split::Val, |_, file| format!("val/{file}")));
        write_all(dir.path(), &kit("ILSVRC2012_devkit_t12/data/", meta, truth));
        let error = ImageNet::open(dir.path(), Split::Val).unwrap().images().unwrap_err().to_string();
        assert!(error.contains(file) && error.contains(words), "{error}");
    };
    let truth = "ILSVRC2012_validation_ground_truth.txt";
    check(META[0], "3\nn03218198\n", truth, "line 2: \"n03218198\" is not an ILSVRC2012_ID");
    check(META[0], "1001\n", truth, "line 1"); // a group of classes
    check(META[0], "7\n", truth, "line 1");
    check(b"not a MAT-file", "3\n", "meta.mat", "development kit");
    let mut twice = META[1].to_vec();
    let at = twice.windows(8).position(|bytes| bytes == 2f64.to_le_bytes()).unwrap();
    twice[at..at + 8].copy_from_slice(&1f64.to_le_bytes());
    check(&twice, "3\n", "meta.mat", "twice");
    twice[at..at + 8].copy_from_slice(&1.5f64.to_le_bytes());
    check(&twice, "3\n", "meta.mat", "Number(1.5)");
}

#[test]
fn an_invalid_list_of_labels_is_refused() {
    for list in ["imagenet_2012_validation_synset_labels.txt", "LOC_val_solution.csv"] {
        let dir = tempfile::tempdir().unwrap();
        write_all(dir.path(), &named(Split::Val, |_, file| format!("val/{file}")));
        write(dir.path().join(list), b"what\never,this\n");
        let error = ImageNet::open(dir.path(), Split::Val).unwrap().images().unwrap_err().to_string();
        assert!(error.contains(list) && error.contains("WordNet id"), "{error}");
    }
}

#[test]
fn the_original_validation_tar() {
    let make = |root: &Path| {
        let files = named(Split::Val, |_, file| file.into());
        write(root.join("ILSVRC2012_img_val.tar"), &tar(&borrowed(&files)));
    };
    check(Split::Val, false, make, "");
    check(Split::Val, false, make, "ILSVRC2012_img_val.tar");
}

fn class_tars() -> Vec<(String, Vec<u8>)> {
    let files = named(Split::Train, |_, file| file.into());
    let sled = ("n03218198.tar".into(), tar(&borrowed(&files[..2])));
    let glasses = ("n04356056.tar".into(), tar(&borrowed(&files[2..])));
    vec![sled, glasses]
}

#[test]
fn the_original_training_tar_of_tars() {
    let outer = |root: &Path| write(root.join("ILSVRC2012_img_train.tar"), &tar(&borrowed(&class_tars())));
    check(Split::Train, true, outer, "");
    check(Split::Train, true, outer, "ILSVRC2012_img_train.tar");
    let unpacked = |root: &Path| write_all(&root.join("train"), &class_tars());
    check(Split::Train, true, unpacked, "");
    check(Split::Train, true, unpacked, "train");
}

#[test]
fn a_zip_of_folders() {
    for top in ["", "imagenet/"] {
        let make = |root: &Path| {
            let files = named(Split::Val, |wnid, file| format!("{top}val/{wnid}/{file}"));
            write(root.join("imagenet.zip"), &zip(&borrowed(&files)));
        };
        check(Split::Val, true, make, "imagenet.zip");
    }
}

#[test]
fn parquet_shards() {
    for split in [Split::Train, Split::Val] {
        let make = |root: &Path| {
            let files = named(split, |wnid, file| format!("{}_{wnid}.JPEG", file.trim_end_matches(".JPEG")));
            let (paths, bytes): (Vec<_>, Vec<_>) =
                files.into_iter().map(|(path, bytes)| (Some(path.into_bytes()), Some(bytes))).unzip();
            let name = if split == Split::Val { "validation" } else { "train" };
            let shard = |i: usize, range: std::ops::Range<usize>| {
                let file = parquet(SHARD, &bytes[range.clone()].to_vec(), &paths[range].to_vec());
                write(root.join(format!("data/{name}-0000{i}-of-00002.parquet")), &file);
            };
            shard(0, 0..1);
            shard(1, 1..3);
            // Shards of other splits lie next to them.
            write(root.join("data/test-00000-of-00028.parquet"), b"not looked at");
        };
        check(split, true, make, "");
        check(split, true, make, "data");
    }
}

#[test]
fn parquet_shards_of_every_codec() {
    let check = |codec: &str, words: Option<&str>| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/shards");
        let images = ImageNet::open(folder.join(format!("{codec}.parquet")), Split::Val);
        let Some(words) = words else {
            let images = images.unwrap_or_else(|error| panic!("{codec}: {error}"));
            assert_eq!(images.images().unwrap().len(), 2, "{codec}");
            for (wnid, file) in images.images().unwrap() {
                let image = images.read_image(&wnid, &file).unwrap();
                let value = if file.ends_with('1') { 1 } else { 2 };
                assert_eq!(image.data, vec![value; 3 * 30 * 40], "{codec} {file}");
            }
            return;
        };
        let message = images.err().expect("an error").to_string();
        assert!(message.contains(words) && message.contains("snappy"), "{message}");
    };
    for codec in ["none", "snappy", "lz4"] {
        check(codec, None);
    }
    for codec in ["gzip", "brotli"] {
        check(codec, Some(&format!("compressed by {codec}")));
    }
    check("zstd", if cfg!(feature = "zstd") { None } else { Some("compressed by zstd") });
}

#[test]
fn images_with_another_extension_are_found() {
    let make = |root: &Path| {
        write_all(root, &named(Split::Val, |wnid, file| format!("val/{wnid}/{}", file.replace("JPEG", "png"))));
    };
    let (dir, expected) = expected(Split::Val);
    make(&dir.path().join("png"));
    assert_eq!(samples(&dir.path().join("masks"), &dir.path().join("png"), Split::Val), expected);
}

#[test]
fn masks_are_read_in_place() {
    for split in [Split::Train, Split::Val] {
        let (dir, expected) = expected(split);
        for top in ["", "hardImageNet/"] {
            let files = mask_files(top);
            let [zipped, tarred, gzipped] = ["zip", "tar", "tar.gz"].map(|e| dir.path().join(format!("masks.{e}")));
            write(&zipped, &zip(&borrowed(&files)));
            write(&tarred, &tar(&borrowed(&files)));
            write(&gzipped, &gzip(&tar(&borrowed(&files))));
            for masks in [zipped, tarred, gzipped] {
                assert_eq!(samples(&masks, &dir.path().join("images"), split), expected, "{masks:?} {top}");
            }
        }
    }
}

#[test]
fn rival20_is_read_from_a_zip() {
    let dir = tempfile::tempdir().unwrap();
    let (wnid, file) = ("n02391049", "ILSVRC2012_val_00000005.JPEG");
    let name = format!("RIVAL10/test/entire_object_masks/{wnid}_{file}");
    write(dir.path().join("RIVAL10.zip"), &zip(&[(&name, image_file(2, 2, 255))]));
    write(dir.path().join(wnid).join(file), &image_file(3, 3, 9));
    let data = Rival20::open(dir.path().join("RIVAL10.zip"), dir.path(), Split::Val).unwrap();
    assert_eq!((data.len(), data.get(0).unwrap().image.data[0]), (1, 9));
}

#[test]
fn errors_name_the_damaged_or_missing_image() {
    let dir = tempfile::tempdir().unwrap();
    let files = [("val/n03218198_ILSVRC2012_val_00000002.JPEG", b"no image".to_vec())];
    write(dir.path().join("masks.zip"), &zip(&files));
    let data = HardImageNet::open(dir.path().join("masks.zip"), dir.path(), Split::Val).unwrap();
    let error = data.get(0).unwrap_err().to_string();
    assert!(error.contains("ILSVRC2012_val_00000002.JPEG") && error.contains("n03218198"), "{error}");
    write(dir.path().join("val/n03218198/ILSVRC2012_val_00000002.JPEG"), &image_file(2, 2, 0));
    let data = HardImageNet::open(dir.path().join("masks.zip"), dir.path(), Split::Val).unwrap();
    let error = data.get(0).unwrap_err().to_string();
    assert!(error.contains("masks.zip/val/n03218198_ILSVRC2012_val_00000002.JPEG"), "{error}");
}

#[test]
fn archives_list_files_as_folders_do() {
    let dir = tempfile::tempdir().unwrap();
    let files = [("a/x", vec![1]), ("a/b/y", vec![2]), ("a/.hidden", vec![3]), ("a.b", vec![4]), ("ab/z", vec![5])];
    files.iter().for_each(|(name, bytes)| write(dir.path().join("folder").join(name), bytes));
    write(dir.path().join("s.zip"), &zip(&files));
    write(dir.path().join("s.tar"), &tar(&files));
    write(dir.path().join("s.tar.gz"), &gzip(&tar(&files)));
    for path in ["folder", "s.zip", "s.tar", "s.tar.gz"] {
        let store = Store::open(dir.path().join(path)).unwrap();
        assert_eq!(store.files("").unwrap(), ["a.b"], "{path}");
        assert_eq!(store.folders("").unwrap(), ["a", "ab"], "{path}");
        assert_eq!(store.files("a").unwrap(), ["a/x"], "{path}");
        assert_eq!(store.folders("a").unwrap(), ["a/b"], "{path}");
        assert_eq!(store.read("a/b/y").unwrap(), [2], "{path}");
        assert!(
            store.has_file("a/x") && !store.has_file("a") && store.has_folder("a") && !store.has_folder("a/x"),
            "{path}"
        );
        assert_eq!(store.find_parent("b").as_deref(), Some("a"), "{path}");
        assert_eq!(store.find_parent("nowhere"), None, "{path}");
        let missing = store.read("a/nothing").unwrap_err().to_string();
        assert!(missing.contains(path) && missing.contains("a/nothing"), "{missing}");
        assert!(store.files("nowhere").unwrap_err().to_string().contains("no such folder"), "{path}");
    }
}
