use crate::store::{join, normal};
use crate::{DatasetError, Store};
use hard_imagenet_files::{LFS_POINTER, is_lfs_pointer};
use hard_imagenet_pickle::Pickle;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

/// The training images of each class, ordered by the strength of their spurious cues.
///
/// The file is `paths_by_rank.pkl` of the published archive, or JSON of the same form: a dictionary from class to a
/// list of image paths. An image is identified by its file name without folders and extension, because ImageNet's
/// training images have the same names everywhere (`<wnid>_<number>`). It is not documented which end of the published
/// lists is the spurious one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rankings {
    /// The ranked images by file name.
    images: HashMap<String, RankedName>,
}

/// What is known about a ranked image besides its name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct RankedName {
    /// The name of the class, shared by its images.
    class: Arc<str>,
    position: RankPosition,
}

/// The position of an image in the ranking of its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RankPosition {
    /// The rank, counted from 0.
    pub rank: usize,
    /// The number of ranked images of the class.
    pub total: usize,
}

impl RankPosition {
    /// Returns the tenth of the ranking, 0 to 9.
    pub fn decile(self) -> usize {
        self.rank * 10 / self.total
    }
}

/// The names of the file in versions of the archive.
const PUBLISHED: [&str; 4] =
    ["meta/paths_by_rank.pkl", "meta/paths_by_rank2.pkl", "paths_by_rank.pkl", "paths_by_rank2.pkl"];

/// The largest number of images in one file: three times all of ImageNet. A list of several classes counts for each.
const MOST: usize = 4_000_000;

/// The size of the largest file that is read, in bytes.
const MOST_BYTES: u64 = 1 << 30;

impl Rankings {
    /// Reads a file such as `paths_by_rank.pkl`, or a JSON file if its extension says so.
    ///
    /// # Errors
    /// Returns [`DatasetError::Meta`] if the file cannot be read or has another form, if an image occurs twice, or if
    /// there are more than four million images.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let path = path.as_ref();
        let fail = |problem: String| DatasetError::Meta { path: path.into(), problem };
        let length = std::fs::metadata(path).map_err(|error| fail(error.to_string()))?.len();
        if length > MOST_BYTES {
            return Err(fail(format!("it has {length} bytes, more than any ranking")));
        }
        let bytes = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
        if is_lfs_pointer(&bytes) {
            return Err(fail(LFS_POINTER.into()));
        }
        let json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        if json { Self::from_json(&bytes) } else { Self::from_pickle(&bytes) }.map_err(fail)
    }

    /// Reads the ranking in the published archive. Returns `None` if it has none.
    ///
    /// `masks` is the folder or the zip, as for [`HardImageNet::open`](crate::HardImageNet::open).
    ///
    /// # Errors
    /// Returns [`DatasetError::Archive`] if there is no such archive, and otherwise the errors of [`read`](Self::read).
    pub fn published(masks: impl AsRef<Path>) -> Result<Option<Self>, DatasetError> {
        let masks = Store::open(masks)?;
        let top = masks.find_parent("train").unwrap_or_default();
        let names = PUBLISHED.map(|name| join(&top, name));
        let Some(name) = names.iter().find(|name| masks.has_file(name)) else { return Ok(None) };
        let fail = |problem| DatasetError::Meta { path: masks.location(name), problem };
        Self::from_pickle(&masks.read(name)?).map(Some).map_err(fail)
    }

    fn from_pickle(bytes: &[u8]) -> Result<Self, String> {
        let pickle = Pickle::parse(bytes).map_err(|error| error.to_string())?;
        let mut rankings = Self::default();
        let expected = "expected a dictionary from class to a list of image paths";
        let classes = pickle.root().entries().ok_or_else(|| format!("{expected}, found {:?}", pickle.root()))?;
        for (class, paths) in classes {
            let list = paths.items().ok_or_else(|| format!("{expected}, found {paths:?} for class {class:?}"))?;
            let total = list.len();
            let name: Arc<str> = class.as_text().map_or_else(|| format!("{class:?}").into(), Arc::from);
            for (rank, path) in list.enumerate() {
                let text = path.as_text().ok_or_else(|| format!("{expected}, found {path:?} for class {class:?}"))?;
                rankings.insert(&name, text, RankPosition { rank, total })?;
            }
        }
        Ok(rankings)
    }

    fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let classes: HashMap<String, Vec<String>> = serde_json::from_slice(bytes)
            .map_err(|error| format!("expected a dictionary from class to a list of image paths ({error})"))?;
        let mut rankings = Self::default();
        for (class, paths) in &classes {
            let class: Arc<str> = class.as_str().into();
            for (rank, path) in paths.iter().enumerate() {
                rankings.insert(&class, path, RankPosition { rank, total: paths.len() })?;
            }
        }
        Ok(rankings)
    }

    fn insert(&mut self, class: &Arc<str>, path: &str, position: RankPosition) -> Result<(), String> {
        if self.images.len() == MOST {
            return Err(format!("it has more than {MOST} images"));
        }
        let name = normal(stem(path)).into_owned();
        let image = RankedName { class: class.clone(), position };
        match self.images.insert(name.clone(), image) {
            Some(_) => Err(format!("the image {name} occurs twice")),
            None => Ok(()),
        }
    }

    /// Returns the file names of each class without extensions, in the order of the ranking. A class that is a number
    /// in the file is named by that number.
    pub fn lists(&self) -> BTreeMap<String, Vec<String>> {
        let mut lists: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
        for (name, image) in &self.images {
            lists.entry(&image.class).or_default().push((image.position.rank, name));
        }
        let names = |mut list: Vec<(usize, &str)>| {
            list.sort_unstable();
            list.into_iter().map(|(_, name)| name.to_owned()).collect()
        };
        lists.into_iter().map(|(class, list)| (class.to_owned(), names(list))).collect()
    }

    /// Returns the number of ranked images.
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Returns whether no image is ranked.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// Returns the position of an image, given as the id of a sample, a path or a file name; `None` if it is not
    /// ranked.
    pub fn position(&self, image: &str) -> Option<RankPosition> {
        self.images.get(&*normal(stem(image))).map(|image| image.position)
    }
}

/// Returns the file name without folders and extension.
fn stem(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_identified_by_their_file_names() {
        let json = br#"{"537": ["/data/n03218198/n03218198_9.JPEG", "n03218198_4.JPEG"], "n02777292": ["a\\n02777292_1.JPEG"]}"#;
        let rankings = Rankings::from_json(json).unwrap();
        assert_eq!(rankings.len(), 3);
        assert_eq!(rankings.position("train/n03218198/n03218198_4"), Some(RankPosition { rank: 1, total: 2 }));
        assert_eq!(rankings.position("n02777292_1.png"), Some(RankPosition { rank: 0, total: 1 }));
        assert_eq!(rankings.position("n03218198_5"), None);
        let rankings = Rankings::from_json("{\"a\": [\"Mu\u{308}ller.png\"]}".as_bytes()).unwrap();
        assert_eq!(rankings.position("a/M\u{fc}ller"), Some(RankPosition { rank: 0, total: 1 }));
    }

    #[test]
    fn the_archive_may_have_a_ranking() {
        let masks = tempfile::tempdir().unwrap();
        assert_eq!(Rankings::published(masks.path()).unwrap(), None);
        let meta = masks.path().join("hardImageNet/meta");
        std::fs::create_dir_all(&meta).unwrap();
        std::fs::create_dir(masks.path().join("hardImageNet/train")).unwrap();
        std::fs::write(meta.join("paths_by_rank.pkl"), b"(dI537\n(lVx/n03218198_7.JPEG\nas.").unwrap();
        let rankings = Rankings::published(masks.path()).unwrap().unwrap();
        assert_eq!(rankings.position("n03218198_7"), Some(RankPosition { rank: 0, total: 1 }));
        std::fs::write(meta.join("paths_by_rank.pkl"), b"nonsense").unwrap();
        let error = Rankings::published(masks.path()).unwrap_err().to_string();
        assert!(error.contains("paths_by_rank.pkl"), "{error}");
    }

    #[test]
    fn deciles() {
        let deciles = |total| (0..total).map(|rank| RankPosition { rank, total }.decile()).collect::<Vec<_>>();
        assert_eq!(deciles(4), [0, 2, 5, 7]);
        assert_eq!(deciles(20), (0..20).map(|rank| rank / 2).collect::<Vec<_>>());
    }

    #[test]
    fn invalid_rankings_are_explained() {
        let check = |bytes: &[u8], expected: &str| {
            let error = Rankings::from_pickle(bytes).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check(b"K\x05.", "from class to a list of image paths, found 5");
        check(b"}K\x05K\x06s.", "found 6 for class 5");
        check(b"}K\x05](K\x01K\x02es.", "found 1 for class 5");
        check(b"}K\x05](X\x01\x00\x00\x00aX\x01\x00\x00\x00aes.", "a occurs twice");
        assert!(Rankings::from_json(b"[]").unwrap_err().contains("a dictionary"));
    }
}
