mod name;
mod part;
mod tar;
mod zip;

pub(crate) use self::part::Part;
use self::zip::Zip;
use crate::DatasetError;
use flate2::read::MultiGzDecoder;
use hard_imagenet_images::{Gray8, ImageError, Rgb8, decode_image, decode_mask};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// Longest file that is read, in bytes. ImageNet's longest picture has 15 MB.
const LONGEST: u64 = 256 << 20;
/// How a compressed file begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Files by name, wherever they lie: in a folder, a zip or a tar. Archives are read in place, nothing is unpacked; but a
/// compressed tar (`.tar.gz`), in which one cannot seek, is kept in memory, if it holds at most 256 MiB.
///
/// A name is relative to the store, with `/` between folders: "val/n03218198_ILSVRC2012_val_00000538.JPEG". Names that
/// begin with a dot (".DS_Store", "._x.png") are not listed.
///
/// Of an archive only plain files are taken whose names stay inside it; links, devices and names that are absolute or
/// hold `..` or a backslash are skipped, and told by [`skipped_entries`](Self::skipped_entries). In a folder, links are followed: whoever
/// made the folder made them.
pub struct Store {
    path: PathBuf,
    kind: Kind,
}

enum Kind {
    Folder,
    Zip(Zip),
    Tar(Part, Files<(u64, u64)>),
}

/// The files of an archive.
struct Files<T> {
    by_name: BTreeMap<String, T>,
    skipped: Vec<SkippedEntry>,
}

impl<T> Default for Files<T> {
    fn default() -> Self {
        Self { by_name: BTreeMap::new(), skipped: Vec::new() }
    }
}

/// An entry of an archive that is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedEntry {
    /// Its name, as far as it is text.
    pub name: String,
    /// Why.
    pub reason: &'static str,
}

impl SkippedEntry {
    fn new(raw: &[u8], reason: &'static str) -> Self {
        Self { name: String::from_utf8_lossy(raw).into_owned(), reason }
    }
}

impl Store {
    /// Opens a folder, or a zip or tar by its content. Of an archive the directory is read, of a tar its headers.
    ///
    /// # Errors
    /// [`DatasetError::Archive`] if there is nothing, or no archive that can be read, or a compressed tar that is too
    /// large.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let path = path.as_ref().to_owned();
        if path.is_dir() {
            return Ok(Self { path, kind: Kind::Folder });
        }
        if !path.exists() {
            return Err(DatasetError::Archive { path, problem: "no such folder or file".into() });
        }
        match Part::whole(&path) {
            Ok(file) => Self::of_archive(path, file),
            Err(error) => Err(DatasetError::Archive { path, problem: error.to_string() }),
        }
    }

    fn of_archive(path: PathBuf, file: Part) -> Result<Self, DatasetError> {
        let kind = match kind(file) {
            Ok(kind) => kind,
            Err(problem) => return Err(DatasetError::Archive { path, problem }),
        };
        Ok(Self { path, kind })
    }

    /// Opens an archive that lies in this store as a file: a tar in a tar, or in a folder.
    ///
    /// # Errors
    /// As [`open`](Self::open); and archives in a zip, which cannot be read in place.
    pub fn open_inside(&self, name: &str) -> Result<Self, DatasetError> {
        let path = self.location(name);
        let fail = |problem: &str| Err(DatasetError::Archive { path: path.clone(), problem: problem.into() });
        match &self.kind {
            Kind::Folder => Self::open(&path),
            Kind::Zip(_) => fail("an archive in a zip cannot be read in place; unpack the zip"),
            Kind::Tar(file, files) => match files.by_name.get(name).map(|&(start, len)| file.part(start, len)) {
                Some(Ok(part)) => Self::of_archive(path, part),
                _ => fail("no such file"),
            },
        }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where one of its files lies, for a person: an archive reads like a folder, "hardImageNet.zip/val/x.JPEG".
    pub fn location(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.path.clone() } else { self.path.join(name) }
    }

    /// Is there a file of this name?
    pub fn has_file(&self, name: &str) -> bool {
        match &self.kind {
            Kind::Folder => self.location(name).is_file(),
            Kind::Zip(zip) => zip.files.by_name.contains_key(name),
            Kind::Tar(_, files) => files.by_name.contains_key(name),
        }
    }

    /// Is there a folder of this name? "" is the store itself.
    pub fn has_folder(&self, name: &str) -> bool {
        match &self.kind {
            Kind::Folder => self.location(name).is_dir(),
            Kind::Zip(zip) => zip.files.has_folder(name),
            Kind::Tar(_, files) => files.has_folder(name),
        }
    }

    /// Names of the files in a folder, without those in folders below, sorted; "" is the store itself.
    ///
    /// # Errors
    /// [`DatasetError::Archive`] if the folder is missing or cannot be listed.
    pub fn files(&self, folder: &str) -> Result<Vec<String>, DatasetError> {
        self.list(folder, false)
    }

    /// Names of the folders in a folder, sorted; "" is the store itself.
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
                // The kind of a link is asked of what it leads to.
                let is_folder = |entry: &std::fs::DirEntry| match entry.file_type() {
                    Ok(kind) if !kind.is_symlink() => kind.is_dir(),
                    _ => entry.path().is_dir(),
                };
                let wanted = entries.iter().filter(|&entry| is_folder(entry) == folders);
                wanted.filter_map(|entry| Some(join(folder, entry.file_name().to_str()?))).collect()
            }
            Kind::Zip(zip) => zip.files.list(folder, folders),
            Kind::Tar(_, files) => files.list(folder, folders),
        };
        names.retain(|name| !file_name(name).starts_with('.'));
        names.sort_unstable();
        Ok(names)
    }

    /// The bytes of a file, at most 256 MiB of them: a longer one is refused, whatever a header says of its size.
    ///
    /// # Errors
    /// [`DatasetError::Archive`], which names the place.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, DatasetError> {
        let missing = || self.fail(name, "no such file");
        let bytes = match &self.kind {
            Kind::Folder => {
                let mut bytes = Vec::new();
                let file = std::fs::File::open(self.location(name));
                file.and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
                    .map_err(|error| self.fail(name, format!("cannot be read ({error})")))?;
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
            return Err(self.fail(name, format!("has more than {} MiB, no picture is that long", LONGEST >> 20)));
        }
        Ok(bytes)
    }

    /// Decodes a picture.
    ///
    /// # Errors
    /// As [`read`](Self::read), and [`DatasetError::Image`]; both name the place.
    pub fn read_image(&self, name: &str) -> Result<Rgb8, DatasetError> {
        decode_image(&self.read(name)?).map_err(|error| self.damaged(name, error))
    }

    /// Decodes a mask.
    ///
    /// # Errors
    /// As [`image`](Self::image).
    pub fn read_mask(&self, name: &str) -> Result<Gray8, DatasetError> {
        decode_mask(&self.read(name)?).map_err(|error| self.damaged(name, error))
    }

    /// Entries of the archive that are not taken.
    pub fn skipped_entries(&self) -> &[SkippedEntry] {
        match &self.kind {
            Kind::Folder => &[],
            Kind::Zip(zip) => &zip.files.skipped,
            Kind::Tar(_, files) => &files.skipped,
        }
    }

    /// The folder, at the top or one below, that holds the folder `inside`: archives have a folder of their own at the
    /// top or not, as who packed them liked.
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

    /// Names below a folder, from there on: "a/b" and "c" are below "x" as "x/a/b" and "x/c".
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

/// "a" and "b" to "a/b"; the top folder is "".
pub(crate) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// "b" of "a/b".
pub(crate) fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

/// "b" of "a/b.JPEG".
pub(crate) fn file_stem(name: &str) -> &str {
    let file = file_name(name);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// What a file is, by its first bytes.
fn kind(mut file: Part) -> Result<Kind, String> {
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
            return Err(format!("holds more than {} MiB, too much to read compressed; gunzip it first", LONGEST >> 20));
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
    Err("neither a folder, nor a zip, tar or tar.gz; other compressed tars must be decompressed first".into())
}
