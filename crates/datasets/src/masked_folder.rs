use crate::files::{entries, is_picture, read_pair, stem};
use crate::{Class, Dataset, DatasetError, DatasetInfo, Sample, wnids};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// Any folder of pictures with a folder of masks: your own data.
///
/// Pictures lie in one folder for each class, or all in one folder, which is then one class. A mask has its
/// picture's name, with any extension, in the folder of the same class (`masks/cat/7.png`), or flat (`masks/7.png`,
/// or `masks/cat_7.png` as Hard ImageNet names them). Where class folders are WordNet ids of ImageNet's thousand
/// classes, these know their ImageNet index, so that ImageNet models can be judged on them.
pub struct MaskedFolder {
    info: DatasetInfo,
    samples: Vec<Entry>,
    images_alone: Vec<PathBuf>,
    masks_alone: Vec<PathBuf>,
}

struct Entry {
    id: String,
    class: usize,
    image: PathBuf,
    mask: PathBuf,
}

impl MaskedFolder {
    /// Pairs the pictures under `images` with the masks under `masks`.
    ///
    /// # Errors
    /// [`DatasetError::Folder`] if a folder is missing, holds no pictures, mixes pictures with class folders, or if
    /// nothing pairs up; [`DatasetError::Duplicate`] if two files would be the same sample, or one mask would serve two.
    pub fn open(images: impl AsRef<Path>, masks: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let (images, masks) = (images.as_ref(), masks.as_ref());
        let mut mask_of = by_key(scan(masks, None, "masks named like the pictures")?)?;
        let found = scan(images, Some(masks), "pictures, or a folder of pictures for each class")?;
        let fail = |problem: &str, expected: &str| {
            Err(DatasetError::Folder { path: images.into(), problem: problem.into(), expected: expected.into() })
        };
        let folders: BTreeSet<String> = found.iter().map(|f| f.folder.clone()).collect();
        if folders.len() > 1 && folders.contains("") {
            let expected = "either pictures or class folders, not both";
            return fail("pictures lie beside class folders", expected);
        }
        if found.is_empty() {
            return fail("no pictures", "pictures (JPEG, PNG, WebP, GIF, BMP), or a folder of them for each class");
        }

        let (mut samples, mut images_alone) = (Vec::new(), Vec::new());
        let mut taken: HashMap<PathBuf, PathBuf> = HashMap::new();
        let position: HashMap<&str, usize> = folders.iter().enumerate().map(|(i, f)| (f.as_str(), i)).collect();
        let mut found: Vec<(String, Found)> = by_key(found)?.into_iter().collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        for (id, picture) in found {
            let name = stem(&picture.path);
            let keys = [id.clone(), name.clone(), format!("{}_{name}", picture.folder)];
            let Some(mask) = keys.iter().find_map(|key| mask_of.get(key)).map(|m| m.path.clone()) else {
                images_alone.push(picture.path);
                continue;
            };
            if let Some(first) = taken.insert(mask.clone(), picture.path.clone()) {
                return Err(DatasetError::Duplicate { id: name, first, second: picture.path });
            }
            samples.push(Entry { id, class: position[picture.folder.as_str()], image: picture.path, mask });
        }
        if samples.is_empty() {
            let expected = format!("masks named like the pictures in {}", masks.display());
            return fail("no picture here has a mask", &expected);
        }
        mask_of.retain(|_, mask| !taken.contains_key(&mask.path));
        let mut masks_alone: Vec<PathBuf> = mask_of.into_values().map(|m| m.path).collect();
        masks_alone.sort_unstable();

        let whole = || images.file_name().map_or("all".into(), |n| n.to_string_lossy().into_owned());
        let class = |folder: String| {
            let name = || if folder.is_empty() { whole() } else { folder.clone() };
            wnids::class(&folder).unwrap_or_else(|| Class { name: name(), wnid: None, imagenet: None })
        };
        let classes = folders.iter().cloned().map(class).collect();
        let info = DatasetInfo { name: "masked-folder".into(), classes };
        Ok(Self { info, samples, images_alone, masks_alone })
    }

    /// Pictures without a mask; they are not part of the dataset.
    pub fn unmatched_images(&self) -> &[PathBuf] {
        &self.images_alone
    }

    /// Masks without a picture.
    pub fn unmatched_masks(&self) -> &[PathBuf] {
        &self.masks_alone
    }
}

/// A file and the folder it lies in, "" for the top.
struct Found {
    folder: String,
    path: PathBuf,
}

/// Picture files at the top and one folder below, but for those in `except`.
fn scan(root: &Path, except: Option<&Path>, expected: &str) -> Result<Vec<Found>, DatasetError> {
    let except = except.and_then(|path| path.canonicalize().ok());
    let mut found = Vec::new();
    for path in entries(root, expected)? {
        if !path.is_dir() {
            found.push(Found { folder: String::new(), path });
        } else if except.is_none() || path.canonicalize().ok() != except {
            let folder = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            found.extend(entries(&path, expected)?.into_iter().map(|path| Found { folder: folder.clone(), path }));
        }
    }
    found.retain(|f| is_picture(&f.path));
    Ok(found)
}

/// Files by "folder/stem", or "stem" at the top.
fn by_key(files: Vec<Found>) -> Result<HashMap<String, Found>, DatasetError> {
    let mut map: HashMap<String, Found> = HashMap::new();
    for file in files {
        let name = stem(&file.path);
        let id = if file.folder.is_empty() { name } else { format!("{}/{name}", file.folder) };
        let second = file.path.clone();
        if let Some(first) = map.insert(id.clone(), file) {
            return Err(DatasetError::Duplicate { id, first: first.path, second });
        }
    }
    Ok(map)
}

impl Dataset for MaskedFolder {
    fn info(&self) -> &DatasetInfo {
        &self.info
    }

    fn len(&self) -> usize {
        self.samples.len()
    }

    fn id(&self, i: usize) -> &str {
        &self.samples[i].id
    }

    fn class(&self, i: usize) -> usize {
        self.samples[i].class
    }

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        let Entry { id, class, image, mask } = &self.samples[i];
        let (image, mask) = read_pair(image, mask)?;
        Ok(Sample { id: id.clone(), image, mask, class: *class })
    }
}
