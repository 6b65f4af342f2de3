//! Where the images that a file names really lie.

use super::file::Image;
use crate::Store;
use crate::store::{file_name, join, normal};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use unicode_normalization::UnicodeNormalization;

/// How many folders around everything are looked through.
const DEEPEST: usize = 3;

/// The folders of a store that were listed so far.
struct Folders<'a> {
    store: &'a Store,
    /// The names of the files in a folder by their normal forms.
    listed: HashMap<String, HashMap<String, String>>,
}

/// Replaces the names of the images by those of the files that they mean, and returns the images without a file.
///
/// A name is looked for as it is stated, in another normal form of Unicode, in the only folder at the top of an archive,
/// and at last without its folders, if no other image can mean the same file.
pub(super) fn locate(store: &Store, images: &mut [&mut Image]) -> Vec<String> {
    let mut folders = Folders { store, listed: HashMap::new() };
    let tops = tops(store);
    let mut without_file = BTreeSet::new();
    let mut claims: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, image) in images.iter_mut().enumerate() {
        let stated = std::mem::take(&mut image.file);
        let found = tops.iter().find_map(|top| folders.find(&join(top, &stated)));
        if found.is_none() {
            let mut rest = stated.as_str();
            while let Some((_, inner)) = rest.split_once('/') {
                rest = inner;
                if let Some(file) = tops.iter().find_map(|top| folders.find(&join(top, rest))) {
                    claims.entry(file).or_default().push(at);
                    break;
                }
            }
            without_file.insert(at);
        }
        image.file = found.unwrap_or(stated);
    }
    for (file, claimed) in claims {
        if let [at] = *claimed.as_slice() {
            images[at].file = file;
            without_file.remove(&at);
        }
    }
    without_file.into_iter().map(|at| images[at].file.clone()).collect()
}

/// Returns the top of the store, and the folders around everything.
fn tops(store: &Store) -> Vec<String> {
    let mut tops = vec![String::new()];
    for depth in 0..DEEPEST {
        let folders = store.folders(&tops[depth]).unwrap_or_default();
        let has_files = store.files(&tops[depth]).is_ok_and(|files| !files.is_empty());
        match folders.as_slice() {
            [only] if !has_files => tops.push(only.clone()),
            _ => break,
        }
    }
    tops
}

impl Folders<'_> {
    fn find(&mut self, name: &str) -> Option<String> {
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
        if !self.listed.contains_key(folder) {
            let forms = [folder.to_owned(), folder.nfc().collect(), folder.nfd().collect()];
            let files = forms.iter().find_map(|folder| self.store.files(folder).ok()).unwrap_or_default();
            let by_normal = files.into_iter().map(|file| (normal(file_name(&file)).into_owned(), file));
            self.listed.insert(folder.to_owned(), by_normal.collect());
        }
        let files = self.listed.get(folder)?;
        let found = files.get(&*normal(file))?;
        // Of two files whose names look the same, the one with exactly the stated name is meant.
        Some(if found != name && self.store.has_file(name) { name.to_owned() } else { found.clone() })
    }
}
