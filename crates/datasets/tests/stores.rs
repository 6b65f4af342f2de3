//! The same pictures in every layout of ImageNet, and archives that mean no good.

use bytes::Bytes;
use hard_imagenet_datasets::{Dataset, HardImageNet, ImageNet, Sample, Split, Store};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::io::{Cursor, Write};
use std::path::Path;
use zip::write::{SimpleFileOptions, ZipWriter};

/// (WordNet id, file name) of the pictures of a split, none of them the same.
fn pictures(split: Split) -> [(&'static str, &'static str); 3] {
    match split {
        Split::Val => [
            ("n03218198", "ILSVRC2012_val_00000002.JPEG"),
            ("n03218198", "ILSVRC2012_val_00000003.JPEG"),
            ("n04356056", "ILSVRC2012_val_00000001.JPEG"),
        ],
        Split::Train => {
            [("n03218198", "n03218198_11.JPEG"), ("n03218198", "n03218198_12.JPEG"), ("n04356056", "n04356056_11.JPEG")]
        }
    }
}

fn png(value: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image::RgbImage::from_pixel(3, 2, image::Rgb([value, 1, 2])).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Name and bytes.
type File = (String, Vec<u8>);

/// The pictures under names of a form, with W for the WordNet id and F for the file name.
fn named(split: Split, form: &str) -> Vec<File> {
    let name = |(wnid, file): (&str, &str)| form.replace('W', wnid).replace('F', file);
    pictures(split).into_iter().enumerate().map(|(i, picture)| (name(picture), png(i as u8))).collect()
}

fn write_folder(root: &Path, files: &[File]) {
    for (name, bytes) in files {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

fn zip_of(files: &[File]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// One entry of a ustar archive.
fn tar_entry(name: &str, kind: u8, claimed: u64, bytes: &[u8]) -> Vec<u8> {
    let mut header = [0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[124..136].copy_from_slice(format!("{claimed:011o}\0").as_bytes());
    header[156] = kind;
    header[257..263].copy_from_slice(b"ustar\0");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut entry = header.to_vec();
    entry.extend(bytes);
    entry.resize(entry.len().next_multiple_of(512), 0);
    entry
}

fn tar_of(files: &[File]) -> Vec<u8> {
    let mut tar: Vec<u8> = files.iter().flat_map(|(name, b)| tar_entry(name, b'0', b.len() as u64, b)).collect();
    tar.resize(tar.len() + 1024, 0);
    tar
}

/// The training archive: a tar of a tar for each class.
fn tar_of_tars() -> Vec<u8> {
    let files = named(Split::Train, "F");
    tar_of(&[("n03218198.tar".into(), tar_of(&files[..2])), ("n04356056.tar".into(), tar_of(&files[2..]))])
}

/// As Hugging Face writes it, a row group for each picture; `None` is an empty cell.
fn parquet_of(rows: &[(Option<Vec<u8>>, Option<&str>)], columns: &str) -> Vec<u8> {
    let schema = parse_message_type(columns).unwrap();
    let properties = WriterProperties::builder().build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema.into(), properties.into()).unwrap();
    for (bytes, path) in rows {
        let mut group = writer.next_row_group().unwrap();
        for cell in [bytes.clone(), path.map(|path| path.as_bytes().to_vec())] {
            let mut column = group.next_column().unwrap().unwrap();
            let level = if cell.is_some() { 2 } else { 1 };
            let values: Vec<ByteArray> = cell.into_iter().map(|cell| Bytes::from(cell).into()).collect();
            column.typed::<ByteArrayType>().write_batch(&values, Some(&[level]), None).unwrap();
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.into_inner().unwrap()
}

const COLUMNS: &str =
    "message schema { optional group image { optional binary bytes; optional binary path (STRING); } }";

fn shard(split: Split) -> Vec<u8> {
    let names: Vec<String> =
        pictures(split).iter().map(|(wnid, file)| file.replace(".JPEG", &format!("_{wnid}.JPEG"))).collect();
    let rows: Vec<_> = names.iter().enumerate().map(|(i, name)| (Some(png(i as u8)), Some(name.as_str()))).collect();
    parquet_of(&rows, COLUMNS)
}

/// The samples of Hard ImageNet with these pictures, from masks in a folder and in a zip with a folder at the top.
fn samples(root: &Path, images: &Path, split: Split) -> Vec<Sample> {
    let masks = named(split, &format!("{}/W_F", split.name()));
    write_folder(&root.join("masks"), &masks);
    let masks: Vec<File> = masks.into_iter().map(|(name, bytes)| (format!("hardImageNet/{name}"), bytes)).collect();
    std::fs::write(root.join("masks.zip"), zip_of(&masks)).unwrap();
    let [folder, zip] = ["masks", "masks.zip"].map(|masks| {
        let data = HardImageNet::open(root.join(masks), images, split).unwrap();
        (0..data.len()).map(|i| data.get(i).unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(folder, zip);
    folder
}

fn check(split: Split, layout: &str, write: impl Fn(&Path)) {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("imagenet"));
    let images = if dir.path().join("imagenet").exists() { "imagenet" } else { "imagenet.zip" };
    let images = dir.path().join(images);
    let found = samples(dir.path(), &images, split);
    let seen: Vec<_> = found.iter().map(|s| (s.class, s.image.data[0], s.mask.data[0])).collect();
    assert_eq!(seen, [(0, 0, 2), (0, 1, 2), (4, 2, 2)], "{layout}");

    let imagenet = ImageNet::open(&images, split).unwrap();
    assert!(imagenet.layout().contains(layout), "{}", imagenet.layout());
    let (wnid, file) = pictures(split)[1];
    assert_eq!(imagenet.read(wnid, file).unwrap(), png(1));
    assert_eq!(imagenet.find(wnid, "absent.JPEG").unwrap(), None);
    let listed: Vec<String> = imagenet.pictures().unwrap().into_iter().map(|(_, file)| file).collect();
    if layout != "pictures in" {
        assert_eq!(listed.len(), 3, "{layout}");
    }
}

#[test]
fn every_layout_gives_the_same_samples() {
    for split in [Split::Val, Split::Train] {
        let name = split.name();
        for form in [format!("{name}/W/F"), "W/F".into(), format!("ILSVRC/Data/CLS-LOC/{name}/W/F")] {
            check(split, "class folders in", |root| write_folder(root, &named(split, &form)));
        }
        for form in ["F".into(), format!("{name}/F")] {
            check(split, "pictures in", |root| write_folder(root, &named(split, &form)));
        }
        check(split, "class folders in", |root| {
            let zip = zip_of(&named(split, &format!("ILSVRC2012/{name}/W/F")));
            std::fs::write(root.with_extension("zip"), zip).unwrap();
        });
        let prefix = if split == Split::Val { "validation" } else { "train" };
        check(split, "parquet shards in", |root| {
            write_folder(root, &[(format!("data/{prefix}-00000-of-00001.parquet"), shard(split))]);
        });
    }
    check(Split::Val, "pictures in", |root| {
        write_folder(root, &[("ILSVRC2012_img_val.tar".into(), tar_of(&named(Split::Val, "F")))]);
    });
    check(Split::Train, "a tar for each class in", |root| {
        write_folder(root, &[("ILSVRC2012_img_train.tar".into(), tar_of_tars())]);
    });
}

#[test]
fn flat_validation_pictures_are_labelled_by_lists() {
    let lists = [
        ("imagenet_2012_validation_synset_labels.txt", "n04356056\nn03218198\nn03218198\n"),
        (
            "LOC_val_solution.csv",
            "ImageId,PredictionString\nILSVRC2012_val_00000001,n04356056 1 2 3 4 \n\
             ILSVRC2012_val_00000002,n03218198 1 2 3 4\nILSVRC2012_val_00000003,n03218198 0 0 1 1 n03218198 1 1 2 2\n",
        ),
    ];
    for (name, text) in lists {
        let dir = tempfile::tempdir().unwrap();
        write_folder(dir.path(), &named(Split::Val, "val/F"));
        std::fs::write(dir.path().join(name), text).unwrap();
        let listed = ImageNet::open(dir.path(), Split::Val).unwrap().pictures().unwrap();
        let expected = pictures(Split::Val).map(|(wnid, file)| (wnid.to_owned(), file.to_owned()));
        assert_eq!(listed, expected);
        std::fs::write(dir.path().join(name), "what\never,this\n").unwrap();
        let error = ImageNet::open(dir.path(), Split::Val).unwrap().pictures().unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("WordNet id"), "{error}");
    }
}

/// The error of opening and of reading `val/a.png` from a file with these bytes; and what was skipped.
fn open(bytes: &[u8]) -> (String, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("archive");
    std::fs::write(&path, bytes).unwrap();
    match Store::open(&path) {
        Err(error) => (error.to_string(), Vec::new()),
        Ok(store) => {
            let read = store.read("val/a.png").map_or_else(|error| error.to_string(), |_| "read".into());
            (read, store.skipped().iter().map(|skipped| skipped.name.clone()).collect())
        }
    }
}

#[test]
fn hostile_zips() {
    let good = ("val/a.png".to_owned(), png(0));
    let bad = ["../a.png", "/etc/a.png", "a/../../b.png", "C:\\a.png"];
    let mut files: Vec<File> = bad.iter().map(|name| (name.to_string(), png(1))).collect();
    files.push(good.clone());
    let (read, skipped) = open(&zip_of(&files));
    assert_eq!(read, "read");
    assert_eq!(skipped.len(), bad.len(), "{skipped:?}");

    let mut links = ZipWriter::new(Cursor::new(Vec::new()));
    links.add_symlink("val/a.png", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    let (read, skipped) = open(&links.finish().unwrap().into_inner());
    assert!(read.contains("no such file"), "{read}");
    assert_eq!(skipped, ["val/a.png"]);

    // Cut anywhere, and every byte changed: an error or the file, never a panic.
    let zip = zip_of(&[good]);
    for length in 0..zip.len() {
        assert_ne!(open(&zip[..length]).0, "read", "cut at {length}");
        let mut changed = zip.clone();
        changed[length] ^= 0xff;
        open(&changed);
    }
}

#[test]
fn hostile_tars() {
    let good = tar_entry("val/a.png", b'0', 3, b"abc");
    let end = vec![0; 1024];
    let read = |parts: &[Vec<u8>]| open(&parts.concat());
    assert_eq!(read(&[good.clone(), end.clone()]), ("read".into(), vec![]));
    for (name, kind) in [("../a", b'0'), ("/etc/a", b'0'), ("val/l", b'1'), ("val/s", b'2'), ("val/d", b'3')] {
        assert_eq!(read(&[tar_entry(name, kind, 0, b""), good.clone()]), ("read".into(), vec![name.into()]));
    }
    // Long names, of GNU and of pax; and one that leads outside.
    let long = |name: &str| {
        vec![tar_entry("././@LongLink", b'L', name.len() as u64, name.as_bytes()), tar_entry("x", b'0', 3, b"abc")]
    };
    assert_eq!(read(&long("val/a.png")).0, "read");
    assert_eq!(read(&long("../../a.png")).1, ["../../a.png"]);
    let pax = b"18 path=val/a.png\n";
    assert_eq!(read(&[tar_entry("h", b'x', pax.len() as u64, pax), tar_entry("x", b'0', 3, b"abc")]).0, "read");
    // Sizes that lie, garbage where a header should be, cut files.
    let problem = |parts: &[Vec<u8>]| assert!(read(parts).0.contains("tar"), "{}", read(parts).0);
    problem(&[tar_entry("val/a.png", b'0', 0o77_777_777_777, b"abc")]);
    problem(&[tar_entry("name", b'L', 0o77_777_777_777, b"abc")]);
    problem(&[good.clone(), vec![7; 512]]);
    problem(&[good[..513].to_vec()]);
    problem(&[b"this is no archive".to_vec()]);
    problem(&[vec![0x1f, 0x8b, 8, 0]]);
}

#[test]
fn hostile_parquet() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("validation-00000.parquet");
    let open = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let imagenet = ImageNet::open(&path, Split::Val).map_err(|error| error.to_string())?;
        imagenet.read("n03218198", "ILSVRC2012_val_00000002.JPEG").map_err(|error| error.to_string())
    };
    let name = Some("ILSVRC2012_val_00000002.JPEG");
    assert_eq!(open(&shard(Split::Val)), Ok(png(0)));
    let check = |bytes: &[u8], expected: &str| {
        let error = open(bytes).unwrap_err();
        assert!(error.contains(expected) && error.contains("validation-00000.parquet"), "{error}");
    };
    check(b"not parquet", "imagenet-1k");
    check(&shard(Split::Val)[..500], "imagenet-1k");
    check(&parquet_of(&[(None, name)], COLUMNS), "empty");
    check(&parquet_of(&[(Some(png(0)), None)], COLUMNS), "0 names");
    check(&parquet_of(&[(Some(png(0)), name), (Some(png(0)), name)], COLUMNS), "twice");
    let other = COLUMNS.replace("image", "picture");
    check(&parquet_of(&[(Some(png(0)), name)], &other), "column image.bytes is missing");
}
