mod name;
mod part;
mod stamp;
mod tar;
mod wrong_kind;
mod zip;

pub(crate) use self::name::{has_drive, is_text, normal, readable, spelled_out};
pub(crate) use self::part::Part;
pub(crate) use self::stamp::stamp;
use self::zip::Zip;
use crate::files::begins_like_image;
use crate::{DatasetError, FileReading};
use flate2::read::MultiGzDecoder;
use hard_imagenet_files::{LFS_POINTER, is_lfs_pointer};
use hard_imagenet_images::{Gray8, ImageError, ImageFacts, MaskFacts, Rgb8, decode_image_with, decode_mask_with};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The size of the largest file that is read, in bytes. ImageNet's largest file has 15 MB.
const LONGEST: u64 = 256 << 20;
/// The first bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Files by name in a folder, a zip or a tar.
///
/// Archives are read in place, and nothing is unpacked. Only a compressed tar (`.tar.gz`), which does not allow
/// seeking, is kept in memory, up to 256 MiB.
///
/// A name is relative to the store and has `/` between folders: "val/n03218198_ILSVRC2012_val_00000538.JPEG". Names
/// that begin with a dot (".DS_Store", "._x.png") are not listed, nor are folders that systems create next to files
/// (`__MACOSX`, `@eaDir`, ..). Bytes of a name that are not UTF-8 are kept as characters from U+EF80 to U+EFFF.
///
/// In archives, only plain files are read whose names stay inside the archive. Links, devices and names that are
/// absolute, begin with a drive or contain `..` are skipped; [`skipped_entries`](Self::skipped_entries) lists them. In folders, links are
/// followed, because only the owner of the folder can create them.
pub struct Store {
    path: PathBuf,
    kind: Kind,
    reading: FileReading,
    /// For an archive: the stamp of its file when it was opened.
    stamp: Option<String>,
}

enum Kind {
    Folder,
    Zip(Zip),
    Tar(Part, Files<(u64, u64)>),
}

/// The files of an archive, and its entries that are not read.
struct Files<T> {
    by_name: BTreeMap<String, T>,
    skipped: Vec<SkippedEntry>,
}

impl<T> Default for Files<T> {
    fn default() -> Self {
        Self { by_name: BTreeMap::new(), skipped: Vec::new() }
    }
}

/// An entry of an archive, or a folder, that is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedEntry {
    /// Its name. Bytes that are not text are replaced.
    pub name: String,
    /// The reason.
    pub reason: &'static str,
}

impl SkippedEntry {
    fn new(raw: &[u8], reason: &'static str) -> Self {
        Self { name: String::from_utf8_lossy(raw).into_owned(), reason }
    }
}

impl Store {
    /// Opens a folder, a zip or a tar. The content of a file decides whether it is a zip or a tar.
    ///
    /// Only the directory of a zip and the headers of a tar are read.
    ///
    /// # Errors
    /// Returns [`DatasetError::Archive`] if there is nothing at `path`, if it is not a readable archive, or if it is a
    /// compressed tar that is too large.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let path = path.as_ref().to_owned();
        if path.as_os_str().is_empty() {
            let problem = "the path is empty; expected the path of a folder, a zip or a tar".into();
            return Err(DatasetError::Archive { path: "\"\"".into(), problem });
        }
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => {
                return Ok(Self { path, kind: Kind::Folder, reading: FileReading::default(), stamp: None });
            }
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => {
                let problem = "is neither a folder nor a file; expected a folder, a zip or a tar".into();
                return Err(DatasetError::Archive { path, problem });
            }
            Err(error) => return Err(DatasetError::Archive { problem: missing(&path, &error), path }),
        }
        let stamp = stamp(&path);
        match Part::whole(&path) {
            Ok(file) => Self::open_archive(path, file, stamp),
            Err(error) => Err(DatasetError::Archive { path, problem: format!("cannot be read ({error})") }),
        }
    }

    fn open_archive(path: PathBuf, file: Part, stamp: String) -> Result<Self, DatasetError> {
        let kind = match detect(file) {
            Ok(kind) => kind,
            Err(problem) => return Err(DatasetError::Archive { path, problem }),
        };
        Ok(Self { path, kind, reading: FileReading::default(), stamp: Some(stamp) })
    }

    /// Opens an archive that is a file of this store: a tar in a tar, or an archive in a folder.
    ///
    /// # Errors
    /// As [`open`](Self::open); returns [`DatasetError::Archive`] for an archive in a zip, which cannot be read in
    /// place.
    pub fn open_inside(&self, name: &str) -> Result<Self, DatasetError> {
        let path = self.location(name);
        let fail = |problem: &str| Err(DatasetError::Archive { path: path.clone(), problem: problem.into() });
        match &self.kind {
            Kind::Folder => Self::open(&path),
            Kind::Zip(_) => fail("an archive in a zip cannot be read in place; unpack the zip"),
            Kind::Tar(file, files) => match files.by_name.get(name).map(|&(start, len)| file.part(start, len)) {
                Some(Ok(part)) => Self::open_archive(path, part, self.stamp(name)),
                _ => fail("no such file"),
            },
        }
    }

    /// Sets how images and masks are decoded.
    #[must_use]
    pub fn with_reading(mut self, reading: FileReading) -> Self {
        self.reading = reading;
        self
    }

    /// Returns how images and masks are decoded.
    pub(crate) fn reading(&self) -> &FileReading {
        &self.reading
    }

    /// Returns the path of the store.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of a file for people. An archive is written like a folder: "hardImageNet.zip/val/x.JPEG".
    pub fn location(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.path.clone() } else { self.path.join(&*name::to_os(name)) }
    }

    /// Returns a text that changes when a file changes: the canonical path, the size and the time of the file, or those
    /// of the archive when it was opened and the name in it. Nothing is read.
    pub fn stamp(&self, name: &str) -> String {
        match &self.stamp {
            Some(archive) => format!("{archive} {}", spelled_out(name)),
            None => stamp(&self.location(name)),
        }
    }

    /// Returns whether there is a file of this name.
    pub fn has_file(&self, name: &str) -> bool {
        match &self.kind {
            Kind::Folder => self.location(name).is_file(),
            Kind::Zip(zip) => zip.files.by_name.contains_key(name),
            Kind::Tar(_, files) => files.by_name.contains_key(name),
        }
    }

    /// Returns whether there is a folder of this name. "" is the store itself.
    pub fn has_folder(&self, name: &str) -> bool {
        match &self.kind {
            Kind::Folder => self.location(name).is_dir(),
            Kind::Zip(zip) => zip.files.has_folder(name),
            Kind::Tar(_, files) => files.has_folder(name),
        }
    }

    /// Lists the names of the files in a folder, sorted, without those in folders below. "" is the store itself.
    ///
    /// # Errors
    /// Returns [`DatasetError::Archive`] if the folder is missing or cannot be listed.
    pub fn files(&self, folder: &str) -> Result<Vec<String>, DatasetError> {
        self.list(folder, false)
    }

    /// Lists the names of the folders in a folder, sorted. "" is the store itself.
    ///
    /// # Errors
    /// As [`files`](Self::files).
    pub fn folders(&self, folder: &str) -> Result<Vec<String>, DatasetError> {
        self.list(folder, true)
    }

    fn list(&self, folder: &str, folders: bool) -> Result<Vec<String>, DatasetError> {
        let mut names: Vec<String> = match &self.kind {
            _ if !self.has_folder(folder) => return Err(self.fail(folder, "no such folder")),
            Kind::Folder => {
                let entries = std::fs::read_dir(self.location(folder)).and_then(Iterator::collect::<Result<Vec<_>, _>>);
                let entries = entries.map_err(|error| self.fail(folder, format!("cannot be listed ({error})")))?;
                // A link counts as what it leads to.
                let is_folder = |entry: &std::fs::DirEntry| match entry.file_type() {
                    Ok(kind) if !kind.is_symlink() => kind.is_dir(),
                    _ => entry.path().is_dir(),
                };
                let wanted = entries.iter().filter(|&entry| is_folder(entry) == folders);
                wanted.map(|entry| join(folder, &name::from_os(&entry.file_name()))).collect()
            }
            Kind::Zip(zip) => zip.files.list(folder, folders),
            Kind::Tar(_, files) => files.list(folder, folders),
        };
        names.retain(|name| !is_hidden(file_name(name)));
        names.sort_unstable();
        Ok(names)
    }

    /// Returns whether a file in a folder begins like an image; false in an archive, where that would cost too much.
    pub(crate) fn begins_like_image(&self, name: &str) -> bool {
        let mut start = [0; 12];
        let path = self.location(name);
        matches!(self.kind, Kind::Folder)
            && path.is_file()
            && Part::whole(&path)
                .and_then(|file| file.read_at(0, &mut start))
                .is_ok_and(|read| begins_like_image(&start[..read]))
    }

    /// Reads the bytes of a file.
    ///
    /// A file of more than 256 MiB is refused, whatever size its header claims.
    ///
    /// # Errors
    /// Returns [`DatasetError::Archive`], which names the file. A pointer of Git LFS in place of the file is an error.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, DatasetError> {
        let missing = || self.fail(name, "no such file");
        let bytes = match &self.kind {
            Kind::Folder => {
                let mut bytes = Vec::new();
                let unreadable = |error| self.fail(name, format!("cannot be read ({error})"));
                let path = self.location(name);
                // A pipe would be waited for without end.
                if !std::fs::metadata(&path).map_err(unreadable)?.is_file() {
                    return Err(self.fail(name, "is not a file"));
                }
                let file = std::fs::File::open(path);
                file.and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
                bytes
            }
            Kind::Zip(zip) => {
                let &file = zip.files.by_name.get(name).ok_or_else(missing)?;
                zip.read(file, LONGEST + 1).map_err(|error| self.fail(name, format!("cannot be read ({error})")))?
            }
            Kind::Tar(file, files) => {
                let &(start, len) = files.by_name.get(name).ok_or_else(missing)?;
                let mut bytes = Vec::new();
                file.part(start, len)
                    .and_then(|part| part.take(LONGEST + 1).read_to_end(&mut bytes))
                    .map_err(|error| self.fail(name, format!("cannot be read ({error})")))?;
                bytes
            }
        };
        if bytes.len() as u64 > LONGEST {
            return Err(self.fail(name, format!("has more than {} MiB, more than any image", LONGEST >> 20)));
        }
        if is_lfs_pointer(&bytes) {
            return Err(self.fail(name, LFS_POINTER));
        }
        Ok(bytes)
    }

    /// Reads and decodes an image.
    ///
    /// # Errors
    /// As [`read`](Self::read); returns [`DatasetError::Image`] if the image is damaged. Both name the file.
    pub fn read_image(&self, name: &str) -> Result<Rgb8, DatasetError> {
        self.read_image_with_facts(name).map(|(image, _)| image)
    }

    /// Reads and decodes an image like [`read_image`](Self::read_image), and also returns what was noticed.
    ///
    /// # Errors
    /// As [`read_image`](Self::read_image).
    pub fn read_image_with_facts(&self, name: &str) -> Result<(Rgb8, ImageFacts), DatasetError> {
        decode_image_with(&self.read(name)?, self.reading.orientation).map_err(|error| self.damaged(name, error))
    }

    /// Reads and decodes a mask.
    ///
    /// # Errors
    /// As [`read_image`](Self::read_image).
    pub fn read_mask(&self, name: &str) -> Result<Gray8, DatasetError> {
        self.read_mask_with_facts(name).map(|(mask, _)| mask)
    }

    /// Reads and decodes a mask like [`read_mask`](Self::read_mask), and also returns what was noticed.
    ///
    /// # Errors
    /// As [`read_image`](Self::read_image).
    pub fn read_mask_with_facts(&self, name: &str) -> Result<(Gray8, MaskFacts), DatasetError> {
        let FileReading { mask, orientation } = &self.reading;
        decode_mask_with(&self.read(name)?, mask, *orientation).map_err(|error| self.damaged(name, error))
    }

    /// Returns the entries of the archive that are not read.
    pub fn skipped_entries(&self) -> &[SkippedEntry] {
        match &self.kind {
            Kind::Folder => &[],
            Kind::Zip(zip) => &zip.files.skipped,
            Kind::Tar(_, files) => &files.skipped,
        }
    }

    /// Finds the folder, at the top or one level below, that contains the folder `inside`. Some archives have a folder
    /// of their own at the top, and some do not.
    pub fn find_parent(&self, inside: &str) -> Option<String> {
        let tops = if self.has_folder(inside) { Vec::new() } else { self.folders("").unwrap_or_default() };
        std::iter::once(String::new()).chain(tops).find(|top| self.has_folder(&join(top, inside)))
    }

    fn damaged(&self, name: &str, error: ImageError) -> DatasetError {
        ImageError::File { path: self.location(name), source: Box::new(error) }.into()
    }

    fn fail(&self, name: &str, problem: impl Into<String>) -> DatasetError {
        DatasetError::Archive { path: self.location(name), problem: problem.into() }
    }
}

impl<T> Files<T> {
    fn has_folder(&self, folder: &str) -> bool {
        folder.is_empty() || self.below(folder).next().is_some()
    }

    /// Iterates over the names below a folder, relative to it: for "x/a/b" and "x/c" below "x", "a/b" and "c".
    fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        let prefix = join(folder, "");
        let length = prefix.len();
        self.by_name
            .range(prefix.clone()..)
            .map(|(name, _)| name)
            .take_while(move |n| n.starts_with(&prefix))
            .map(move |n| &n[length..])
    }

    fn list(&self, folder: &str, folders: bool) -> Vec<String> {
        let names: BTreeSet<&str> = self
            .below(folder)
            .filter_map(|name| match name.split_once('/') {
                Some((top, _)) => folders.then_some(top),
                None => (!folders).then_some(name),
            })
            .collect();
        names.into_iter().map(|name| join(folder, name)).collect()
    }
}

/// Returns why a path cannot be opened.
pub(crate) fn missing(path: &Path, error: &std::io::Error) -> String {
    match path.symlink_metadata() {
        Ok(link) if link.is_symlink() && error.kind() == ErrorKind::NotFound => {
            "is a link to something that does not exist".into()
        }
        _ if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => "no such folder or file".into(),
        _ => format!("cannot be read ({error})"),
    }
}

/// Folders that file managers and servers create next to files; what they hold are no files of the user.
const FOLDERS_OF_SYSTEMS: [&str; 4] = ["__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information"];

/// Returns whether a file or folder is not meant to be seen.
pub(crate) fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || FOLDERS_OF_SYSTEMS.contains(&name)
}

/// Joins "a" and "b" to "a/b". The top folder is "".
pub(crate) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Returns "b" of "a/b".
pub(crate) fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

/// Returns "b" of "a/b.JPEG".
pub(crate) fn file_stem(name: &str) -> &str {
    let file = file_name(name);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// Finds out by its first bytes what a file is.
fn detect(mut file: Part) -> Result<Kind, String> {
    let head = |file: &Part| {
        let mut head = [0; 512];
        file.read_at(0, &mut head).map(|read| head[..read].to_vec()).map_err(|error| error.to_string())
    };
    let mut start = head(&file)?;
    let again = "get the file again, it may be incomplete";
    if start.starts_with(&GZIP) {
        let mut tar = Vec::new();
        let read = MultiGzDecoder::new(BufReader::new(file)).take(LONGEST + 1).read_to_end(&mut tar);
        read.map_err(|error| format!("cannot be read as a compressed tar ({error}); {again}"))?;
        if tar.len() as u64 > LONGEST {
            return Err(format!(
                "contains more than {} MiB, too much to be read compressed; decompress it first",
                LONGEST >> 20
            ));
        }
        file = Part::memory(tar);
        start = head(&file)?;
    }
    if start.starts_with(b"PK") {
        let zip = Zip::open(file).map_err(|error| format!("cannot be read as a zip ({error}); {again}"))?;
        return Ok(Kind::Zip(zip));
    }
    if tar::is_tar(&start) {
        let files = tar::index(&file).map_err(|error| format!("cannot be read as a tar ({error}); {again}"))?;
        return Ok(Kind::Tar(file, files));
    }
    Err(wrong_kind::describe(&start).into())
}
