use super::labels::{Labels, class_of};
use crate::files::{Split, is_image, is_wnid};
use crate::store::{file_name, join};
use crate::{DatasetError, SkippedEntry, Store, wnids};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// Where Kaggle's archive holds the folders of the splits.
pub(crate) const KAGGLE: [&str; 2] = ["ILSVRC/Data/CLS-LOC", "Data/CLS-LOC"];

/// A folder of a store that holds images of ImageNet.
pub(super) struct Place {
    store: Arc<Store>,
    folder: String,
    kind: Kind,
}

enum Kind {
    /// The folders of each class by its WordNet id, and folders next to them that belong to no class.
    Classes(BTreeMap<String, Vec<String>>, Vec<SkippedEntry>),
    /// All images in one folder.
    Flat,
    /// A tar for each class, opened when it is first needed.
    Tars(Mutex<HashMap<String, Arc<Store>>>),
}

impl Place {
    /// Finds all folders of a store that hold images of a split.
    pub(super) fn find_all(store: Store, split: Split) -> Result<Vec<Self>, DatasetError> {
        let store = Arc::new(store);
        let (own, other): (&[&str], &[&str]) = match split {
            Split::Train => (&["train"], &["val", "validation"]),
            Split::Val => (&["val", "validation"], &["train"]),
        };
        let in_split = own.iter().filter_map(|name| Some(join(&store.find_parent(name)?, name)));
        let in_kaggle = KAGGLE.iter().flat_map(|parent| own.iter().map(move |name| join(parent, name)));
        let folders: Vec<String> = in_split.chain(in_kaggle).chain([String::new()]).collect();
        let mut places = Vec::new();
        for folder in folders.iter().filter(|folder| store.has_folder(folder)) {
            places.extend(Self::look(&store, folder, split)?);
        }
        if places.is_empty() {
            // The archive may have a folder of its own at the top.
            for folder in store.folders("")?.iter().filter(|folder| !other.contains(&folder.as_str())) {
                places.extend(Self::look(&store, folder, split)?);
            }
        }
        Ok(places)
    }

    /// Finds the images in one folder. They may lie there in several forms.
    fn look(store: &Arc<Store>, folder: &str, split: Split) -> Result<Vec<Self>, DatasetError> {
        let place = |kind| Self { store: store.clone(), folder: folder.to_owned(), kind };
        let (folders, files) = (store.folders(folder)?, store.files(folder)?);
        let mut places = Vec::new();
        let (classes, skipped) = group_by_class(folders);
        if !classes.is_empty() {
            places.push(place(Kind::Classes(classes, skipped)));
        }
        if files.iter().any(|name| file_name(name).strip_suffix(".tar").is_some_and(is_wnid)) {
            places.push(place(Kind::Tars(Mutex::default())));
        }
        if files.iter().any(is_image) {
            places.push(place(Kind::Flat));
        }
        let archive = format!("ILSVRC2012_img_{}.tar", split.name());
        if let Some(name) = files.iter().find(|name| file_name(name) == archive) {
            places.extend(Self::look(&Arc::new(store.open_inside(name)?), "", split)?);
        }
        Ok(places)
    }

    /// Describes the folder for people.
    pub(super) fn describe(&self) -> String {
        let kind = match self.kind {
            Kind::Classes(..) => "class folders in",
            Kind::Flat => "images in",
            Kind::Tars(_) => "a tar for each class in",
        };
        format!("{kind} {}", self.store.location(&self.folder).display())
    }

    /// Returns the folders next to those of classes whose name matches no class or several.
    pub(super) fn skipped_entries(&self) -> &[SkippedEntry] {
        if let Kind::Classes(_, skipped) = &self.kind { skipped } else { &[] }
    }

    /// Returns the stores and folders in which the images of a class would lie.
    pub(super) fn class_folders(&self, wnid: &str) -> Result<Vec<(Arc<Store>, String)>, DatasetError> {
        Ok(match &self.kind {
            Kind::Classes(classes, _) => {
                let folders = classes.get(wnid).into_iter().flatten();
                folders.map(|folder| (self.store.clone(), folder.clone())).collect()
            }
            Kind::Flat => vec![(self.store.clone(), self.folder.clone())],
            Kind::Tars(opened) => {
                let name = join(&self.folder, &format!("{wnid}.tar"));
                let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
                match opened.get(wnid) {
                    Some(tar) => vec![(tar.clone(), String::new())],
                    None if !self.store.has_file(&name) => Vec::new(),
                    None => {
                        let tar = Arc::new(self.store.open_inside(&name)?);
                        opened.insert(wnid.into(), tar.clone());
                        vec![(tar, String::new())]
                    }
                }
            }
        })
    }

    /// Lists all images whose class is known, as (WordNet id, file name).
    pub(super) fn images(&self, labels: &Labels) -> Result<Vec<(String, String)>, DatasetError> {
        let wnids: Vec<String> = match &self.kind {
            Kind::Classes(classes, _) => classes.keys().cloned().collect(),
            Kind::Tars(_) => {
                let tars = self.store.files(&self.folder)?;
                tars.iter().filter_map(|name| file_name(name).strip_suffix(".tar")).map(str::to_owned).collect()
            }
            Kind::Flat => {
                let files = self.store.files(&self.folder)?.into_iter().filter(|name| is_image(name));
                let files = files.map(|name| file_name(&name).to_owned());
                return Ok(files.filter_map(|file| Some((class_of(&file, labels)?, file))).collect());
            }
        };
        let mut images = Vec::new();
        for wnid in wnids.into_iter().filter(|wnid| is_wnid(wnid)) {
            for (store, folder) in self.class_folders(&wnid)? {
                let files = store.files(&folder)?.into_iter().filter(|name| is_image(name));
                images.extend(files.map(|name| (wnid.clone(), file_name(&name).to_owned())));
            }
        }
        Ok(images)
    }
}

/// Groups folders by the WordNet id of their class. If some folders are named by words, the others are returned as
/// skipped.
fn group_by_class(folders: Vec<String>) -> (BTreeMap<String, Vec<String>>, Vec<SkippedEntry>) {
    let (mut classes, mut skipped) = (BTreeMap::<_, Vec<_>>::new(), Vec::new());
    let mut words = false;
    for folder in folders {
        let name = file_name(&folder);
        match wnids::find_by_folder(name) {
            Ok(wnid) => {
                words |= wnid != name;
                classes.entry(wnid).or_default().push(folder);
            }
            Err(reason) => skipped.push(SkippedEntry { name: folder, reason }),
        }
    }
    if !words {
        skipped.clear();
    }
    (classes, skipped)
}
