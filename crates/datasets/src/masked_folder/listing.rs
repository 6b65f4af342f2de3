//! Which images lie in a folder or an archive, and which of its files are left out.

use crate::files::{is_archive, is_image, is_unknown_kind, is_unread_image, is_unread_mask};
use crate::store::{file_name, normal};
use crate::{DatasetError, Store};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What a folder was given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Images,
    Masks,
}

/// How deep folders are searched for images that lie too deep.
const DEEPEST: usize = 6;

impl Role {
    /// Returns whether a folder of this name holds such files in an archive of both.
    fn is_named(self, folder: &str) -> bool {
        let names: &[&str] = match self {
            Self::Images => &["images", "image", "imgs", "img", "jpegimages", "photos", "pictures"],
            Self::Masks => {
                &["masks", "mask", "segmentations", "segmentation", "segmentationclass", "annotations", "labels"]
            }
        };
        names.contains(&file_name(folder).to_lowercase().as_str())
    }

    fn is_unread(self, name: &str) -> bool {
        if self == Self::Images { is_unread_image(name) } else { is_unread_mask(name) }
    }
}

/// An image or mask.
pub(super) struct ImageFile {
    /// The name of its folder in one normal form, "" for the top.
    pub(super) folder: String,
    /// The name in the store.
    pub(super) name: String,
}

/// The files of a store, as names in the store.
pub(super) struct Listing {
    /// The folder that holds the images or the class folders.
    pub(super) root: String,
    pub(super) files: Vec<ImageFile>,
    /// Images of kinds that are not read.
    pub(super) unread: Vec<String>,
    /// Images whose names have no extension.
    pub(super) without_extension: Vec<String>,
    /// Images below the class folders.
    pub(super) nested: Vec<String>,
    /// Archives, which are not looked into.
    pub(super) archives: Vec<String>,
    /// Folders without an image.
    pub(super) empty: Vec<String>,
}

/// Searches a store.
pub(super) struct Search<'a> {
    pub(super) store: &'a Store,
    pub(super) role: Role,
    /// A folder that is not searched, because it holds the other files; canonical.
    pub(super) except: Option<PathBuf>,
    /// Whether images and masks lie in the same folder or archive.
    pub(super) is_shared: bool,
}

impl Search<'_> {
    /// Lists the images at the top and one folder below.
    ///
    /// The top may be a folder inside the store: an archive often has a folder of its own around everything.
    pub(super) fn list(&self) -> Result<Listing, DatasetError> {
        let root = self.find_root()?;
        let mut listing = Listing {
            root: root.clone(),
            files: Vec::new(),
            unread: Vec::new(),
            without_extension: Vec::new(),
            nested: Vec::new(),
            archives: Vec::new(),
            empty: Vec::new(),
        };
        for folder in self.folders(&root)? {
            let before = listing.files.len();
            self.add(&folder, normal(file_name(&folder)).into_owned(), &mut listing)?;
            if listing.files.len() == before {
                listing.empty.push(folder.clone());
            }
            for inner in self.folders(&folder)? {
                self.images_below(&inner, DEEPEST, &mut listing.nested)?;
            }
        }
        self.add(&root, String::new(), &mut listing)?;
        Ok(listing)
    }

    /// Adds the files of one folder.
    fn add(&self, path: &str, folder: String, listing: &mut Listing) -> Result<(), DatasetError> {
        for name in self.store.files(path)? {
            if is_image(&name) {
                listing.files.push(ImageFile { folder: folder.clone(), name });
            } else if self.role.is_unread(&name) {
                listing.unread.push(name);
            } else if is_archive(&name) {
                listing.archives.push(name);
            } else if is_unknown_kind(&name) && self.store.begins_like_image(&name) {
                listing.without_extension.push(name);
            }
        }
        Ok(())
    }

    /// Finds the folder that holds images or class folders, as long as there is only one that can be meant.
    fn find_root(&self) -> Result<String, DatasetError> {
        let mut root = String::new();
        for _ in 0..DEEPEST {
            let folders = self.folders(&root)?;
            let named: Vec<&String> = folders.iter().filter(|folder| self.role.is_named(folder)).collect();
            if self.is_shared && named.len() == 1 {
                root = named[0].clone();
                continue;
            }
            if self.has_images(&root)? {
                break;
            }
            let mut below = Vec::new();
            let mut is_class_level = false;
            for folder in &folders {
                is_class_level |= self.has_images(folder)?;
                let mut found = Vec::new();
                self.images_below(folder, DEEPEST, &mut found)?;
                if !found.is_empty() {
                    below.push(folder);
                }
                if is_class_level {
                    break;
                }
            }
            if is_class_level {
                break;
            }
            let named: Vec<&String> = below.iter().copied().filter(|folder| self.role.is_named(folder)).collect();
            root = match (below.as_slice(), named.as_slice()) {
                ([only], _) => (*only).clone(),
                (_, [only]) => (*only).clone(),
                _ => break,
            };
        }
        Ok(root)
    }

    fn folders(&self, folder: &str) -> Result<Vec<String>, DatasetError> {
        let mut folders = self.store.folders(folder)?;
        if let Some(except) = &self.except {
            folders.retain(|folder| self.store.location(folder).canonicalize().ok().as_ref() != Some(except));
        }
        Ok(folders)
    }

    fn looks_like_image(&self, name: &str) -> bool {
        is_image(name) || self.role.is_unread(name)
    }

    fn has_images(&self, folder: &str) -> Result<bool, DatasetError> {
        Ok(self.store.files(folder)?.iter().any(|name| self.looks_like_image(name)))
    }

    /// Collects the images in a folder and in those below it.
    fn images_below(&self, folder: &str, depth: usize, found: &mut Vec<String>) -> Result<(), DatasetError> {
        found.extend(self.store.files(folder)?.into_iter().filter(|name| self.looks_like_image(name)));
        if depth > 0 {
            for inner in self.folders(folder)? {
                self.images_below(&inner, depth - 1, found)?;
            }
        }
        Ok(())
    }
}

impl Listing {
    /// Returns why there are no images, and where they may be: the end of a sentence that says there are none.
    pub(super) fn explain_absence(&self, store: &Store) -> String {
        let shown = |name: &str| store.location(name).display().to_string();
        if let Some(first) = self.unread.first() {
            return format!(" but {} of kinds that are not read, such as {}", self.unread.len(), shown(first));
        }
        if let Some(first) = self.without_extension.first() {
            return format!(" but {} without an extension, such as {}", self.without_extension.len(), shown(first));
        }
        if let Some(first) = self.archives.first() {
            return format!(", but an archive; use {} as the path", shown(first));
        }
        let parent = |name: &str| name.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned();
        let tops: BTreeSet<String> = self.nested.iter().map(|name| parent(&parent(name))).collect();
        if let Some(first) = self.nested.first() {
            let tops: Vec<String> = tops.iter().take(3).map(|top| shown(top)).collect();
            let first = shown(first);
            return format!(
                " at this level, but deeper, such as {first}; use the folder that holds the class folders: {}",
                tops.join(" or ")
            );
        }
        if !self.empty.is_empty() {
            return format!("; its folder {} holds none either", shown(&self.empty[0]));
        }
        String::new()
    }
}
