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
    /// The names of the files in a folder, by their normal forms and by these in lower case.
    listed: HashMap<String, [HashMap<String, String>; 2]>,
}

/// Replaces the names of the images by those of the files that they mean, and returns the images without a file.
///
/// A name is looked for as it is stated, in another normal form of Unicode, in the only folder at the top of an archive,
/// and at last in other upper and lower case and without its folders, if no other image can mean the same file.
pub(super) fn locate(store: &Store, images: &mut [&mut Image]) -> Vec<String> {
    let mut folders = Folders { store, listed: HashMap::new() };
    let tops = tops(store);
    let mut without_file = BTreeSet::new();
    let mut claims: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, image) in images.iter_mut().enumerate() {
        let stated = std::mem::take(&mut image.file);
        let found = tops.iter().find_map(|top| folders.find(&join(top, &stated), false));
        match &found {
            Some(file) => claims.entry(file.clone()).or_default().push(at),
            None => {
                let mut forms = std::iter::successors(Some(stated.as_str()), |rest| Some(rest.split_once('/')?.1));
                if let Some(file) =
                    forms.find_map(|form| tops.iter().find_map(|top| folders.find(&join(top, form), true)))
                {
                    claims.entry(file).or_default().push(at);
                }
                without_file.insert(at);
            }
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
    /// Finds a file; `any_case` says whether upper and lower case are the same.
    fn find(&mut self, name: &str, any_case: bool) -> Option<String> {
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
        if !self.listed.contains_key(folder) {
            let forms = [folder.to_owned(), folder.nfc().collect(), folder.nfd().collect()];
            let files = forms.iter().find_map(|folder| self.store.files(folder).ok()).unwrap_or_default();
            let by_normal = files.iter().map(|file| (normal(file_name(file)).into_owned(), file.clone()));
            let lower = files.iter().map(|file| (normal(file_name(file)).to_lowercase(), file.clone()));
            self.listed.insert(folder.to_owned(), [by_normal.collect(), lower.collect()]);
        }
        let [by_normal, lower] = self.listed.get(folder)?;
        if any_case {
            return lower.get(&normal(file).to_lowercase()).cloned();
        }
        let found = by_normal.get(&*normal(file))?;
        // Of two files whose names look the same, the one with exactly the stated name is meant.
        Some(if found != name && self.store.has_file(name) { name.to_owned() } else { found.clone() })
    }
}
