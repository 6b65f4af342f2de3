mod listing;
mod pairs;

use crate::dataset::listed;
use crate::entry::{DatasetEntry, PathUse};
use crate::files::image_kinds;
use crate::store::{file_name, file_stem, is_text, normal, readable, spelled_out};
use crate::{Class, Dataset, DatasetError, DatasetInfo, FileReading, Sample, SampleFacts, SkippedEntry, Store, wnids};
use hard_imagenet_findings::Finding;
use hard_imagenet_findings::kinds::folders::{
    AMBIGUOUS_MASK, EMPTY_FOLDER, IMAGE_ALONE, LAYOUT, LOOSE_NAME, MASK_ALONE, NESTED, NO_EXTENSION, NOT_UTF8, SKIPPED,
    UNREAD_KIND,
};
use listing::{ImageFile, Listing, Role, Search};
use pairs::Pairs;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

pub(crate) const ENTRY: DatasetEntry = DatasetEntry {
    masks: PathUse::Required("a folder or an archive of masks"),
    images: PathUse::Required("a folder or an archive of images with matching names; subfolders are classes"),
    ..DatasetEntry::new("masked-folder", "Any folder of images and masks with matching names", |options| {
        let (images, masks) = (options.images("masked-folder")?, options.masks("masked-folder")?);
        Ok(Box::new(MaskedFolder::open(images, masks)?.with_reading(&options.reading())))
    })
};

/// Any folder of images with a folder of masks: your own data.
///
/// Images lie in one folder for each class, or all in one folder, which is then the only class. A mask has the name of
/// its image, with any extension. It lies in the folder of the same class (`masks/cat/7.png`) or at the top
/// (`masks/7.png`, or `masks/cat_7.png`, as Hard ImageNet names masks). Classes whose folders are named by WordNet ids
/// of ImageNet have an ImageNet index, so ImageNet models can be evaluated on them. Each of the two folders may also be
/// a zip or tar, which is read in place, and may have a folder of its own around everything.
///
/// Names are compared in one normal form of Unicode. Where no mask has exactly the name of an image, one may differ in
/// upper and lower case or have a word more (`7_mask.png`, `7-seg.png`, `7.jpg.png`, `mask_7.png`), as long as it is the
/// only one. A class folder without an image is no class. Whatever is left out is among the
/// [`findings`](Dataset::findings).
pub struct MaskedFolder {
    info: DatasetInfo,
    images: Store,
    masks: Store,
    samples: Vec<Entry>,
    images_alone: Vec<PathBuf>,
    masks_alone: Vec<PathBuf>,
    findings: Vec<Finding>,
}

struct Entry {
    id: String,
    class: usize,
    image: String,
    mask: String,
}

impl MaskedFolder {
    /// Pairs the images in `images` with the masks in `masks`.
    ///
    /// # Errors
    /// Returns [`DatasetError::Archive`] if a folder is missing or an archive is damaged; [`DatasetError::Folder`] if a
    /// folder contains no images, mixes images with class folders, if no image has a mask, or if two images share one;
    /// [`DatasetError::Duplicate`] if two files would be the same sample.
    pub fn open(images: impl AsRef<Path>, masks: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let (images, masks) = (Store::open(images)?, Store::open(masks)?);
        let (listed, mut listed_masks) = list_both(&images, &masks)?;
        let classes: BTreeSet<&str> = listed.files.iter().map(|file| file.folder.as_str()).collect();
        check_images(&images, &listed, &classes)?;
        unwrap_single_folder(&mut listed_masks, &classes);
        check_unique(&images, &listed.files)?;
        check_unique(&masks, &listed_masks.files)?;
        let pairs = pairs::pair(&listed.files, &listed_masks.files);
        check_pairs(&images, &masks, &listed, &listed_masks, &pairs)?;

        let places: HashMap<&str, usize> = classes.iter().enumerate().map(|(i, folder)| (*folder, i)).collect();
        let ids = ids(&listed.files);
        let mut samples: Vec<Entry> = (pairs.mask_of.iter())
            .map(|(&image, &mask)| Entry {
                id: ids[image].clone(),
                class: places[listed.files[image].folder.as_str()],
                image: listed.files[image].name.clone(),
                mask: listed_masks.files[mask].name.clone(),
            })
            .collect();
        samples.sort_by(|a, b| a.id.cmp(&b.id));
        if let Some(pair) = samples.windows(2).find(|pair| pair[0].id == pair[1].id) {
            let [first, second] = [&pair[0], &pair[1]].map(|entry| images.location(&entry.image));
            return Err(DatasetError::Duplicate { id: pair[0].id.clone(), first, second });
        }
        let info =
            DatasetInfo { name: "masked-folder".into(), classes: named_classes(&classes, &images, &listed.root) };
        let (images_alone, masks_alone) = alone(&images, &masks, &listed, &listed_masks, &pairs);
        let mut findings = Vec::new();
        findings.extend(IMAGE_ALONE.about(&shown(&images_alone)));
        findings.extend(MASK_ALONE.about(&shown(&masks_alone)));
        findings.extend(left_out(&images, &masks, &listed, &listed_masks, &pairs));
        Ok(Self { info, images, masks, samples, images_alone, masks_alone, findings })
    }

    /// Sets how images and masks are decoded.
    #[must_use]
    pub fn with_reading(mut self, reading: &FileReading) -> Self {
        self.images = self.images.with_reading(reading.clone());
        self.masks = self.masks.with_reading(reading.clone());
        self
    }

    /// Returns the images without a mask. They are not part of the dataset.
    pub fn unmatched_images(&self) -> &[PathBuf] {
        &self.images_alone
    }

    /// Returns the masks without an image.
    pub fn unmatched_masks(&self) -> &[PathBuf] {
        &self.masks_alone
    }

    /// Reports the files that are left out, like [`findings`](Dataset::findings).
    pub fn check(&self) -> Vec<Finding> {
        self.findings.clone()
    }
}

/// Lists images and masks. If both lie in the same folder, the names of the masks distinguish them.
fn list_both(images: &Store, masks: &Store) -> Result<(Listing, Listing), DatasetError> {
    let [image_path, mask_path] = [images, masks].map(|store| store.path().canonicalize().ok());
    let is_shared = image_path == mask_path;
    let search = |store, role, except: &Option<PathBuf>| Search {
        store,
        role,
        except: except.clone().filter(|_| !is_shared),
        is_shared,
    };
    let mut listed = search(images, Role::Images, &mask_path).list()?;
    let mut listed_masks = search(masks, Role::Masks, &image_path).list()?;
    if is_shared && listed.root == listed_masks.root {
        let is_mask = |file: &ImageFile| pairs::image_name_of_mask(file_stem(&file.name)).is_some();
        listed.files.retain(|file| !is_mask(file));
        listed_masks.files.retain(is_mask);
        if listed_masks.files.is_empty() {
            return Err(DatasetError::Folder {
                path: images.location(&listed.root),
                problem: "images and masks are the same folder, and no file is named like a mask".into(),
                expected: "masks in a folder of their own, or named like 7_mask.png for the image 7.jpg".into(),
            });
        }
    }
    Ok((listed, listed_masks))
}

/// Refuses folders without images, and images next to class folders.
fn check_images(images: &Store, listed: &Listing, classes: &BTreeSet<&str>) -> Result<(), DatasetError> {
    let path = || images.location(&listed.root);
    if classes.len() > 1 && classes.contains("") {
        let top = listed.files.iter().find(|file| file.folder.is_empty());
        let named = top.map(|file| format!(" ({})", readable(file_name(&file.name)))).unwrap_or_default();
        let problem = format!("images{named} lie next to class folders");
        let expected = "either images or class folders, not both".into();
        return Err(DatasetError::Folder { path: path(), problem, expected });
    }
    if listed.files.is_empty() {
        let problem = format!("no images{}", listed.explain_absence(images));
        let expected = format!("images ({}), or a folder of them for each class", image_kinds());
        return Err(DatasetError::Folder { path: path(), problem, expected });
    }
    Ok(())
}

/// Takes the masks in the only folder of an archive as lying at the top, unless the folder is a class.
fn unwrap_single_folder(masks: &mut Listing, classes: &BTreeSet<&str>) {
    let folders: BTreeSet<&str> = masks.files.iter().map(|file| file.folder.as_str()).collect();
    let (Some(&folder), 1) = (folders.first(), folders.len()) else { return };
    let is_class = |class: &&str| class.to_lowercase() == folder.to_lowercase();
    if !classes.iter().any(is_class) {
        masks.files.iter_mut().for_each(|file| file.folder.clear());
    }
}

/// Refuses two files with the same name, except for the extension, in the same folder.
fn check_unique(store: &Store, files: &[ImageFile]) -> Result<(), DatasetError> {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for file in files {
        let key = pairs::key(file);
        let id = readable(&key);
        if let Some(first) = seen.insert(key, &file.name) {
            let [first, second] = [first, &file.name].map(|name| store.location(name));
            return Err(DatasetError::Duplicate { id, first, second });
        }
    }
    Ok(())
}

/// Refuses images that share a mask, and images of which none has a mask.
fn check_pairs(
    images: &Store,
    masks: &Store,
    listed: &Listing,
    listed_masks: &Listing,
    pairs: &Pairs,
) -> Result<(), DatasetError> {
    let image = |at: usize| images.location(&listed.files[at].name).display().to_string();
    if let Some([first, second, mask]) = pairs.shared {
        return Err(DatasetError::Folder {
            path: masks.location(&listed_masks.files[mask].name),
            problem: format!("this mask would belong to both {} and {}", image(first), image(second)),
            expected: "a mask for each image, in a folder of its class".into(),
        });
    }
    if !pairs.mask_of.is_empty() {
        return Ok(());
    }
    let path = images.path().to_owned();
    let place = masks.path().display();
    let (problem, expected) = if listed_masks.files.is_empty() {
        (
            format!("no image here has a mask: {place} holds no masks{}", listed_masks.explain_absence(masks)),
            format!("masks ({}) named like the images", image_kinds()),
        )
    } else if let Some(&at) = pairs.ambiguous.first() {
        (
            format!(
                "no image here has a mask of its own: several may belong to {}, or several images share one",
                image(at)
            ),
            format!("one mask in {place} for each image, in a folder of its class"),
        )
    } else {
        let mask = masks.location(&listed_masks.files[0].name);
        (
            "no image here has a mask".into(),
            format!(
                "masks named like the images in {place}; the first image is {}, the first mask {}",
                image(0),
                mask.display()
            ),
        )
    };
    Err(DatasetError::Folder { path, problem, expected })
}

/// Returns the ids of the samples: the folder and the name without its extension, in one normal form.
///
/// Bytes that are no text become U+FFFD, or `%E9` where ids would be the same otherwise.
fn ids(files: &[ImageFile]) -> Vec<String> {
    let keys: Vec<String> = files.iter().map(pairs::key).collect();
    distinct(&keys)
}

/// Makes names readable as far as they stay distinct.
fn distinct(names: &[impl AsRef<str>]) -> Vec<String> {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for name in names {
        *count.entry(readable(name.as_ref())).or_default() += 1;
    }
    let name = |name: &str| Some(readable(name)).filter(|text| count[text] == 1).unwrap_or_else(|| spelled_out(name));
    names.iter().map(|text| name(text.as_ref())).collect()
}

/// Names the classes after their folders. Images that lie in no class folder are the class of the whole.
fn named_classes(folders: &BTreeSet<&str>, images: &Store, root: &str) -> Vec<Class> {
    let folders: Vec<&str> = folders.iter().copied().collect();
    let whole = || {
        let of_path = images.path().file_name().map_or("all".into(), |name| name.to_string_lossy().into_owned());
        if root.is_empty() { of_path } else { readable(&normal(file_name(root))) }
    };
    let class = |(folder, name): (&&str, String)| {
        let name = if folder.is_empty() { whole() } else { name };
        wnids::class(folder).unwrap_or(Class { name, wnid: None, imagenet: None })
    };
    folders.iter().zip(distinct(&folders)).map(class).collect()
}

/// Returns the images without a mask and the masks without an image, sorted.
fn alone(
    images: &Store,
    masks: &Store,
    listed: &Listing,
    listed_masks: &Listing,
    pairs: &Pairs,
) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let is_alone = |at: &usize| !pairs.mask_of.contains_key(at) && !pairs.ambiguous.contains(at);
    let images_alone = (0..listed.files.len()).filter(is_alone).map(|at| images.location(&listed.files[at].name));
    let taken: BTreeSet<usize> = pairs.mask_of.values().copied().collect();
    let masks_alone = (0..listed_masks.files.len()).filter(|at| !taken.contains(at));
    let masks_alone = masks_alone.map(|at| masks.location(&listed_masks.files[at].name));
    let (mut images_alone, mut masks_alone): (Vec<_>, Vec<_>) = (images_alone.collect(), masks_alone.collect());
    images_alone.sort_unstable();
    masks_alone.sort_unstable();
    (images_alone, masks_alone)
}

/// Reports what is left out or read in another way than expected, besides images and masks that are alone.
fn left_out(images: &Store, masks: &Store, listed: &Listing, listed_masks: &Listing, pairs: &Pairs) -> Vec<Finding> {
    let both = [(images, listed), (masks, listed_masks)];
    let paths = |pick: &dyn Fn(&Listing) -> Vec<String>| -> Vec<String> {
        let places = both.iter().flat_map(|(store, listed)| pick(listed).into_iter().map(|name| store.location(&name)));
        shown(&places.collect::<Vec<_>>())
    };
    let not_text = |listed: &Listing| -> Vec<String> {
        let names = listed.files.iter().map(|file| &file.name);
        names.chain(&listed.unread).chain(&listed.nested).filter(|name| !is_text(name)).cloned().collect()
    };
    let files_of = |chosen: &mut dyn Iterator<Item = usize>| -> Vec<PathBuf> {
        chosen.map(|at| images.location(&listed.files[at].name)).collect()
    };
    let empty: Vec<PathBuf> = listed.empty.iter().map(|folder| images.location(folder)).collect();
    let entries = |store: &Store| -> Vec<String> {
        let shown = |entry: &SkippedEntry| format!("{}: {}", store.path().join(&entry.name).display(), entry.reason);
        store.skipped_entries().iter().map(shown).collect()
    };
    let loose = pairs.loose.iter().map(|at| {
        let mask = &listed_masks.files[pairs.mask_of[at]].name;
        format!("{} for {}", masks.location(mask).display(), readable(&listed.files[*at].name))
    });
    let inner = both.iter().filter(|(_, listed)| !listed.root.is_empty());
    let inner: Vec<String> = inner.map(|(store, listed)| store.location(&listed.root).display().to_string()).collect();
    let layout =
        (!inner.is_empty()).then(|| LAYOUT.found().saying(format!("files are read from {}", inner.join(" and "))));
    let found = [
        AMBIGUOUS_MASK.about(&shown(&files_of(&mut pairs.ambiguous.iter().copied()))),
        UNREAD_KIND.about(&paths(&|listed| listed.unread.clone())),
        NO_EXTENSION.about(&paths(&|listed| listed.without_extension.clone())),
        NESTED.about(&paths(&|listed| listed.nested.clone())),
        NOT_UTF8.about(&paths(&not_text)),
        EMPTY_FOLDER.about(&shown(&empty)),
        SKIPPED.about(&[entries(images), entries(masks)].concat()),
        LOOSE_NAME.about(&loose.collect::<Vec<_>>()),
        layout,
    ];
    found.into_iter().flatten().collect()
}

fn shown(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| path.display().to_string()).collect()
}

impl Dataset for MaskedFolder {
    listed!();

    fn findings(&self) -> Vec<Finding> {
        self.findings.clone()
    }

    fn stamp(&self, i: usize) -> Option<String> {
        let Entry { image, mask, .. } = &self.samples[i];
        Some(format!("{}\n{}", self.images.stamp(image), self.masks.stamp(mask)))
    }

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        let Entry { id, class, image, mask } = &self.samples[i];
        let (image, image_facts) = self.images.read_image_with_facts(image)?;
        let (mask, mask_facts) = self.masks.read_mask_with_facts(mask)?;
        let facts = SampleFacts { image: image_facts, mask: mask_facts };
        Ok(Sample { id: id.clone(), image, mask, class: *class, facts })
    }
}
