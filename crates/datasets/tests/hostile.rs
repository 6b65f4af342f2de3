//! Damaged and malicious archives: each gives a clear error or a skipped entry, and never a panic, a hang or a file
//! outside.

mod archives;

use archives::{SHARD, gzip, image_file, parquet, patch, seal, tar, tar_entry, tar_header, zip};
use hard_imagenet_datasets::{DatasetError, HardImageNet, ImageNet, Split, Store};
use std::path::Path;

/// Opens a store of these bytes.
fn open(bytes: &[u8]) -> Result<Store, DatasetError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("archive");
    std::fs::write(&path, bytes).unwrap();
    Store::open(path)
}

fn error<T>(result: Result<T, DatasetError>) -> String {
    result.err().expect("an error").to_string()
}

/// Checks that the archive contains only "good" and that it reports the other entry.
fn check_skipped(archive: &[u8], name: &str) {
    let store = open(archive).unwrap();
    assert_eq!(store.files("").unwrap(), ["good"], "{name}");
    assert_eq!(store.folders("").unwrap(), [""; 0], "{name}");
    assert_eq!(store.read("good").unwrap(), b"fine");
    assert_eq!(store.skipped_entries().len(), 1, "{name}: {:?}", store.skipped_entries());
    assert!(store.skipped_entries()[0].name.contains(name.trim_end_matches('\0')), "{:?}", store.skipped_entries());
    assert!(!store.has_file(name));
}

const ESCAPES: [&str; 6] = ["../../evil", "/etc/evilxx", "a/../../ev", "C:/evilxxx", "..\\..\\evi", "a/b/../../"];

#[test]
fn zip_names_that_lead_outside_are_skipped() {
    for name in &ESCAPES[..5] {
        let plain = "x".repeat(name.len());
        let mut archive = zip(&[(&plain, b"bad".to_vec()), ("good", b"fine".to_vec())]);
        assert_eq!(patch(&mut archive, plain.as_bytes(), name.as_bytes()), 2);
        check_skipped(&archive, name);
    }
}

#[test]
fn zip_links_are_skipped() {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(zip(&[])));
    writer.add_symlink("link", "/etc/passwd", zip::write::SimpleFileOptions::default()).unwrap();
    writer.start_file("good", zip::write::SimpleFileOptions::default()).unwrap();
    std::io::Write::write_all(&mut writer, b"fine").unwrap();
    check_skipped(&writer.finish().unwrap().into_inner(), "link");
}

#[test]
fn a_zip_that_lies_about_sizes_or_bytes_is_refused() {
    let content = vec![7; 100_000];
    let size = 100_000u32.to_le_bytes();
    // The content deflates to some hundred bytes, and the directory claims 10 bytes or 4 GB.
    for lie in [10u32, u32::MAX - 1] {
        let mut archive = zip(&[("bomb", content.clone())]);
        assert!(patch(&mut archive, &size, &lie.to_le_bytes()) > 0);
        let read = open(&archive).and_then(|store| store.read("bomb"));
        // Never more bytes come out than there are.
        assert!(read.as_ref().is_err() || read.as_ref().is_ok_and(|bytes| bytes.len() <= content.len()), "{lie}");
    }
    let mut archive = zip(&[("x", vec![0]), ("stored", b"an image's bytes".to_vec())]);
    assert_eq!(patch(&mut archive, b"an image's bytes", b"AN image's bytes"), 1);
    let message = error(open(&archive).unwrap().read("stored"));
    assert!(message.contains("archive/stored") && message.contains("cannot be read"), "{message}");
}

#[test]
fn files_above_the_limit_are_refused() {
    // A quarter of a gibibyte of zeros deflates to a quarter of a mebibyte.
    let archive = zip(&[("bomb", vec![0; (256 << 20) + 1])]);
    assert!(archive.len() < 1 << 20);
    let message = error(open(&archive).unwrap().read("bomb"));
    assert!(message.contains("archive/bomb") && message.contains("256 MiB"), "{message}");
}

#[test]
fn compressed_files_that_are_too_large_or_not_a_tar_are_refused() {
    let message = error(open(&gzip(&vec![0; (256 << 20) + 1])));
    assert!(message.contains("archive") && message.contains("256 MiB"), "{message}");
    let message = error(open(&gzip(b"a text")));
    assert!(message.contains("archive") && message.contains("neither"), "{message}");
    let whole = gzip(&tar(&[("good", b"fine".to_vec())]));
    assert_eq!(open(&whole).unwrap().read("good").unwrap(), b"fine");
    for end in 2..whole.len() {
        let message = error(open(&whole[..end]));
        assert!(message.contains("compressed tar") && message.contains("incomplete"), "{message}");
    }
}

#[test]
fn an_encrypted_zip_says_so() {
    let mut archive = zip(&[("secret", b"x".to_vec())]);
    // Set the first bit of the flags, which follow signature and versions, in both headers.
    for (signature, flags) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        let at = archive.windows(4).position(|w| w == signature).unwrap();
        archive[at + flags] |= 1;
    }
    let message = error(open(&archive).and_then(|store| store.read("secret")));
    assert!(message.to_lowercase().contains("password"), "{message}");
}

#[test]
fn tar_names_that_lead_outside_are_skipped() {
    for name in ESCAPES {
        if name.ends_with('/') {
            continue; // a folder has no bytes
        }
        let archive = [tar_entry(name.as_bytes(), b'0', b"bad"), tar(&[("good", b"fine".to_vec())])].concat();
        check_skipped(&archive, name);
        // The same name in the two forms of long names.
        let long = tar_entry(b"././@LongLink", b'L', format!("{name}\0").as_bytes());
        let named = [long, tar_entry(b"harmless", b'0', b"bad"), tar(&[("good", b"fine".to_vec())])].concat();
        check_skipped(&named, name);
        let pax = tar_entry(b"pax", b'x', pax_record("path", name).as_bytes());
        let named = [pax, tar_entry(b"harmless", b'0', b"bad"), tar(&[("good", b"fine".to_vec())])].concat();
        check_skipped(&named, name);
    }
}

/// "<length> <keyword>=<value>\n"; the length counts its own digits.
fn pax_record(keyword: &str, value: &str) -> String {
    let rest = format!(" {keyword}={value}\n");
    let length = (1..).find(|n: &usize| n.to_string().len() + rest.len() == *n).unwrap();
    format!("{length}{rest}")
}

#[test]
fn tar_links_and_devices_are_skipped() {
    for kind in b"12346S" {
        let mut link = tar_header(b"link", *kind, 0);
        link[157..168].copy_from_slice(b"/etc/passwd");
        seal(&mut link);
        check_skipped(&[link, tar(&[("good", b"fine".to_vec())])].concat(), "link");
    }
    // A hard link has no bytes even if it repeats the size of its target.
    let archive = [tar_header(b"link", b'1', 1 << 30), tar(&[("good", b"fine".to_vec())])].concat();
    check_skipped(&archive, "link");
}

#[test]
fn long_names_are_read() {
    let name = format!("{}/{}", "f".repeat(200), "x.JPEG");
    let last = || tar(&[("short", b"end".to_vec())]);
    let gnu =
        [tar_entry(b"././@LongLink", b'L', format!("{name}\0").as_bytes()), tar_entry(b"cut", b'0', b"one"), last()];
    let pax = format!("{}{}", pax_record("mtime", "1.5"), pax_record("path", &name));
    let pax = [tar_entry(b"pax", b'x', pax.as_bytes()), tar_entry(b"cut", b'0', b"one"), last()];
    let global = tar_entry(b"global", b'g', pax_record("path", "everywhere").as_bytes());
    for archive in [gnu.concat(), pax.concat(), [global, pax.concat()].concat()] {
        let store = open(&archive).unwrap();
        assert_eq!((store.read(&name).unwrap(), store.read("short").unwrap()), (b"one".to_vec(), b"end".to_vec()));
        assert_eq!((store.files("").unwrap().len(), store.skipped_entries().len()), (1, 0));
    }
    // A name that is split into prefix and name.
    let mut header = tar_entry(b"x.JPEG", b'0', b"one");
    header[345..348].copy_from_slice(b"a/b");
    seal(&mut header[..512]);
    assert_eq!(open(&header).unwrap().read("a/b/x.JPEG").unwrap(), b"one");
}

#[test]
fn sizes_beyond_the_tar_are_refused() {
    let base_256 = |bytes: [u8; 12]| {
        let mut header = tar_header(b"huge", b'0', 0);
        header[124..136].copy_from_slice(&bytes);
        seal(&mut header);
        header
    };
    let mut most = [0xff; 12];
    let mut eight = [0; 12];
    eight[0] = 0x80;
    eight[4] = 0x7f;
    let no_number = base_256(*b"not a number");
    for header in [base_256(most), base_256(eight), no_number, tar_header(b"huge", b'0', 0o77_777_777_777)] {
        let message = error(open(&[header, vec![0; 1024]].concat()));
        assert!(message.contains("archive") && message.contains("tar"), "{message}");
    }
    most[0] = 0x80;
    let message = error(open(&[base_256(most), vec![0; 1024]].concat()));
    assert!(message.contains("tar"), "{message}");
    // A size in a pax header.
    let pax = tar_entry(b"pax", b'x', pax_record("size", "18446744073709551615").as_bytes());
    let message = error(open(&[pax, tar_entry(b"huge", b'0', b"x")].concat()));
    assert!(message.contains("tar"), "{message}");
    // A name of megabytes is refused.
    let message = error(open(&tar_entry(b"long", b'L', &vec![b'a'; 1 << 20])));
    assert!(message.contains("a name of 1048576 bytes"), "{message}");
}

#[test]
fn files_that_are_not_archives_are_refused() {
    for bytes in [b"".as_slice(), b"P", b"PK", b"PK\x03\x04", b"\x1f\x8b\x08 compressed", &[0; 4096], &[0xff; 4096]] {
        let message = error(open(bytes));
        assert!(message.contains("archive"), "{message}");
    }
    let dir = tempfile::tempdir().unwrap();
    assert!(error(Store::open(dir.path().join("nowhere"))).contains("nowhere"));
    assert!(error(HardImageNet::open(dir.path().join("nowhere"), dir.path(), Split::Val)).contains("nowhere"));
}

/// Calls every reading function of a store of these bytes, after any damage.
fn exercise(folder: &Path, bytes: &[u8]) {
    let path = folder.join("archive");
    std::fs::write(&path, bytes).unwrap();
    let Ok(store) = Store::open(path) else { return };
    for folder in std::iter::once(String::new()).chain(store.folders("").unwrap_or_default()) {
        for name in store.files(&folder).unwrap_or_default() {
            let _ = store.read(&name);
        }
    }
}

/// Reads all images of a parquet shard of these bytes.
fn exercise_shard(folder: &Path, bytes: &[u8]) -> Result<Vec<(String, String)>, DatasetError> {
    shard(folder, bytes).and_then(|images| {
        let names = images.images()?;
        for (wnid, file) in &names {
            images.read(wnid, file)?;
        }
        Ok(names)
    })
}

fn shard(folder: &Path, bytes: &[u8]) -> Result<ImageNet, DatasetError> {
    let path = folder.join("validation-00000-of-00001.parquet");
    std::fs::write(&path, bytes).unwrap();
    ImageNet::open(path, Split::Val)
}

fn good_shard() -> Vec<u8> {
    let paths = [1, 2, 3].map(|i| Some(format!("ILSVRC2012_val_0000000{i}_n03218198.JPEG").into_bytes()));
    let bytes = [1, 2, 3].map(|i| Some(image_file(2, 2, i)));
    parquet(SHARD, &bytes.to_vec(), &paths.to_vec())
}

#[test]
fn no_damage_of_an_archive_causes_a_panic() {
    let dir = tempfile::tempdir().unwrap();
    let files = [("val/a", b"first".to_vec()), ("val/b", vec![3; 700]), ("c", b"last".to_vec())];
    for archive in [zip(&files), tar(&files), gzip(&tar(&files))] {
        for end in (0..archive.len()).step_by(13) {
            exercise(dir.path(), &archive[..end]);
        }
        for at in (0..archive.len()).step_by(3) {
            let mut damaged = archive.clone();
            damaged[at] = !damaged[at];
            exercise(dir.path(), &damaged);
        }
    }
}

#[test]
fn no_damage_of_a_shard_causes_a_panic() {
    let dir = tempfile::tempdir().unwrap();
    let archive = good_shard();
    assert_eq!(exercise_shard(dir.path(), &archive).unwrap().len(), 3);
    for end in (0..archive.len()).step_by(11) {
        assert!(exercise_shard(dir.path(), &archive[..end]).is_err(), "{end}");
    }
    // Lengths become far too long, or slightly too long.
    for at in 0..archive.len() {
        for value in [0x7f, archive[at] ^ 1] {
            let mut damaged = archive.clone();
            damaged[at] = value;
            let _ = exercise_shard(dir.path(), &damaged);
        }
    }
}

#[test]
fn shards_with_another_schema_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let cell = |text: &str| Some(text.as_bytes().to_vec());
    let check = |schema: &str, bytes: Option<Vec<u8>>, path: Option<Vec<u8>>, words: &str| {
        let message = error(exercise_shard(dir.path(), &parquet(schema, &vec![bytes], &vec![path])));
        assert!(message.contains("validation-00000-of-00001.parquet") && message.contains(words), "{message}");
    };
    let name = "ILSVRC2012_val_00000001_n03218198.JPEG";
    check(SHARD, cell("x"), None, "names");
    check(SHARD, None, cell(name), "empty");
    check(&SHARD.replace("bytes", "pixels"), cell("x"), cell(name), "image.bytes");
    check(&SHARD.replace(" path", " name"), cell("x"), cell(name), "image.path");
    let twice = parquet(SHARD, &vec![cell("x"), cell("y")], &vec![cell(name), cell(name)]);
    let message = error(exercise_shard(dir.path(), &twice));
    assert!(message.contains("twice"), "{message}");
    let message = error(shard(dir.path(), b"PAR1 is not enough PAR1"));
    assert!(message.contains("validation-00000-of-00001.parquet"), "{message}");
}

#[test]
fn no_file_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut archive = zip(&[("xxxxxxx", b"bad".to_vec()), ("val/n03218198_a.JPEG", image_file(2, 2, 1))]);
    patch(&mut archive, b"xxxxxxx", b"../evil");
    std::fs::create_dir(dir.path().join("inside")).unwrap();
    std::fs::write(dir.path().join("inside/masks.zip"), archive).unwrap();
    let data = HardImageNet::open(dir.path().join("inside/masks.zip"), dir.path(), Split::Val).unwrap();
    assert!(hard_imagenet_datasets::Dataset::get(&data, 0).is_err());
    let names = |folder: &Path| std::fs::read_dir(folder).unwrap().count();
    assert_eq!((names(dir.path()), names(&dir.path().join("inside"))), (1, 1));
}
