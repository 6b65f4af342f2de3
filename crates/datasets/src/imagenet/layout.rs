use super::labels::{Labels, class_of};
use crate::files::{Split, is_picture, is_wnid};
use crate::store::{file_name, join};
use crate::{DatasetError, Store};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Where Kaggle's archive has the split folders.
const KAGGLE: [&str; 2] = ["ILSVRC/Data/CLS-LOC", "Data/CLS-LOC"];

/// One form of ImageNet that was found: a folder of a store, and what lies in it.
pub(super) struct Place {
    store: Arc<Store>,
    folder: String,
    kind: Kind,
}

enum Kind {
    /// A folder for each class.
    Classes,
    /// All pictures side by side.
    Flat,
    /// A tar for each class, opened when first asked for.
    Tars(Mutex<HashMap<String, Arc<Store>>>),
}

impl Place {
    /// All that a store has of a split.
    pub(super) fn all(store: Store, split: Split) -> Result<Vec<Self>, DatasetError> {
        let store = Arc::new(store);
        let (own, other): (&[&str], &[&str]) = match split {
            Split::Train => (&["train"], &["val", "validation"]),
            Split::Val => (&["val", "validation"], &["train"]),
        };
        let in_split = own.iter().filter_map(|name| Some(join(&store.parent_of(name)?, name)));
        let in_kaggle = KAGGLE.iter().flat_map(|parent| own.iter().map(move |name| join(parent, name)));
        let folders: Vec<String> = in_split.chain(in_kaggle).chain([String::new()]).collect();
        let mut places = Vec::new();
        for folder in folders.iter().filter(|folder| store.has_folder(folder)) {
            places.extend(Self::look(&store, folder, split)?);
        }
        if places.is_empty() {
            // Packed with a folder of its own at the top.
            for folder in store.folders("")?.iter().filter(|folder| !other.contains(&folder.as_str())) {
                places.extend(Self::look(&store, folder, split)?);
            }
        }
        Ok(places)
    }

    /// What lies in one folder.
    fn look(store: &Arc<Store>, folder: &str, split: Split) -> Result<Vec<Self>, DatasetError> {
        let place = |kind| Self { store: store.clone(), folder: folder.to_owned(), kind };
        let (folders, files) = (store.folders(folder)?, store.files(folder)?);
        let mut places = Vec::new();
        if folders.iter().any(|name| is_wnid(file_name(name))) {
            places.push(place(Kind::Classes));
        }
        if files.iter().any(|name| file_name(name).strip_suffix(".tar").is_some_and(is_wnid)) {
            places.push(place(Kind::Tars(Mutex::default())));
        }
        if files.iter().any(is_picture) {
            places.push(place(Kind::Flat));
        }
        let archive = format!("ILSVRC2012_img_{}.tar", split.name());
        if let Some(name) = files.iter().find(|name| file_name(name) == archive) {
            places.extend(Self::look(&Arc::new(store.open_inside(name)?), "", split)?);
        }
        Ok(places)
    }

    /// For a person.
    pub(super) fn words(&self) -> String {
        let kind = match self.kind {
            Kind::Classes => "class folders in",
            Kind::Flat => "pictures in",
            Kind::Tars(_) => "a tar for each class in",
        };
        format!("{kind} {}", self.store.place(&self.folder).display())
    }

    /// The store and the folder in which the pictures of a class would be; `None` if there is no tar of the class.
    pub(super) fn of_class(&self, wnid: &str) -> Result<Option<(Arc<Store>, String)>, DatasetError> {
        Ok(match &self.kind {
            Kind::Classes => Some((self.store.clone(), join(&self.folder, wnid))),
            Kind::Flat => Some((self.store.clone(), self.folder.clone())),
            Kind::Tars(opened) => {
                let name = join(&self.folder, &format!("{wnid}.tar"));
                let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
                match opened.get(wnid) {
                    Some(tar) => Some((tar.clone(), String::new())),
                    None if !self.store.has(&name) => None,
                    None => {
                        let tar = Arc::new(self.store.open_inside(&name)?);
                        opened.insert(wnid.into(), tar.clone());
                        Some((tar, String::new()))
                    }
                }
            }
        })
    }

    /// All pictures whose class is known, as (WordNet id, file name).
    pub(super) fn pictures(&self, labels: &Labels) -> Result<Vec<(String, String)>, DatasetError> {
        let wnids: Vec<String> = match &self.kind {
            Kind::Classes => self.store.folders(&self.folder)?.iter().map(|name| file_name(name).to_owned()).collect(),
            Kind::Tars(_) => {
                let tars = self.store.files(&self.folder)?;
                tars.iter().filter_map(|name| file_name(name).strip_suffix(".tar")).map(str::to_owned).collect()
            }
            Kind::Flat => {
                let files = self.store.files(&self.folder)?.into_iter().filter(|name| is_picture(name));
                let files = files.map(|name| file_name(&name).to_owned());
                return Ok(files.filter_map(|file| Some((class_of(&file, labels)?, file))).collect());
            }
        };
        let mut pictures = Vec::new();
        for wnid in wnids.into_iter().filter(|wnid| is_wnid(wnid)) {
            let Some((store, folder)) = self.of_class(&wnid)? else { continue };
            let files = store.files(&folder)?.into_iter().filter(|name| is_picture(name));
            pictures.extend(files.map(|name| (wnid.clone(), file_name(&name).to_owned())));
        }
        Ok(pictures)
    }
}
