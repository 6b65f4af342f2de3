use crate::files::{Split, is_picture};
use crate::imagenet::{self, HARD_IMAGENET};
use crate::mask_list::MaskList;
use crate::store::join;
use crate::{Class, Dataset, DatasetError, DatasetInfo, Pickle, Rankings, Sample, Store, parse_pickle};
use std::collections::{HashMap, HashSet};
use std::path::Path;

const GET_IT: &str = "mask files <wnid>_<ImageNet file name>, as the Hard ImageNet archive unpacks \
                      (its folder holds train, val and meta; the archive is linked from the project page of \
                      Moayeri, Singla, Feizi 2022)";

/// Hard ImageNet (Moayeri, Singla, Feizi 2022): 15 ImageNet classes whose objects are small, off centre and hardly
/// ever without their usual surroundings; about 19,000 training and 750 validation images with masks.
///
/// | file | what |
/// |---|---|
/// | `MASKS/{train,val}/<wnid>_<ImageNet file name>` | masks, flat |
/// | `MASKS/meta/hard_imagenet_idx.pkl` | optional: the order of the classes |
/// | `MASKS/[meta/]paths_by_rank{,2}.pkl` | optional: the [ranking](Self::rankings) of the training images |
///
/// MASKS is a folder, or the zip as published (or a tar), which is read in place; IMAGES is ImageNet in any layout of
/// [`ImageNet`](crate::ImageNet).
///
/// Samples are sorted by id. (The published code lists them as the file system does, which differs from machine to
/// machine: Q20.) A mask whose picture is missing is an error of [`get`](Dataset::get), not of `open`.
pub struct HardImageNet {
    info: DatasetInfo,
    list: MaskList,
    /// The folder of the masks that holds train, val and meta.
    top: String,
}

impl HardImageNet {
    /// Lists the masks of one split under `masks`; `images` is ImageNet.
    ///
    /// # Errors
    /// [`DatasetError::Folder`] if a folder is missing or holds no mask, [`DatasetError::UnknownClass`],
    /// [`DatasetError::Duplicate`], and [`DatasetError::Meta`] for a pickle that is there but cannot be understood.
    pub fn open(masks: impl AsRef<Path>, images: impl AsRef<Path>, split: Split) -> Result<Self, DatasetError> {
        let masks = Store::open(masks)?;
        let missing = |problem: &str| {
            let path = masks.place(split.name());
            Err(DatasetError::Folder { path, problem: problem.into(), expected: GET_IT.into() })
        };
        let Some(top) = masks.parent_of(split.name()) else { return missing("no such folder") };
        let classes = classes(&masks, &top)?;
        let files = masks.files(&join(&top, split.name()))?;
        if !files.iter().any(|file| is_picture(file)) {
            return missing("no mask file in this folder");
        }
        let list = MaskList::new(masks, files, images.as_ref(), split, &classes, "Hard ImageNet")?;
        Ok(Self { info: DatasetInfo { name: "hard-imagenet".into(), classes }, list, top })
    }

    /// The published order of the training images by their spurious cues, if it lies with the masks.
    ///
    /// # Errors
    /// [`DatasetError::Meta`] if it is there but cannot be understood.
    pub fn rankings(&self) -> Result<Option<Rankings>, DatasetError> {
        let masks = self.list.masks();
        let names = ["paths_by_rank2.pkl", "meta/paths_by_rank2.pkl", "paths_by_rank.pkl", "meta/paths_by_rank.pkl"];
        let names = names.map(|name| join(&self.top, name));
        let Some(name) = names.iter().find(|name| masks.has(name)) else { return Ok(None) };
        let fail = |problem| DatasetError::Meta { path: masks.place(name), problem };
        Rankings::parse(&masks.read(name)?).map(Some).map_err(fail)
    }
}

impl Dataset for HardImageNet {
    fn info(&self) -> &DatasetInfo {
        &self.info
    }

    fn len(&self) -> usize {
        self.list.len()
    }

    fn id(&self, i: usize) -> &str {
        self.list.id(i)
    }

    fn class(&self, i: usize) -> usize {
        self.list.class(i)
    }

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        self.list.get(i)
    }
}

/// The 15 classes in the order of the pickled list where there is one, else in the order that we know.
fn classes(masks: &Store, top: &str) -> Result<Vec<Class>, DatasetError> {
    let list = join(top, "meta/hard_imagenet_idx.pkl");
    let order = |pickle: &Pickle| pickle.as_list()?.iter().map(Pickle::as_index).collect::<Option<Vec<u32>>>();
    let Some(order) = read_pickle(masks, &list, "a list of ImageNet indices", order)? else {
        return Ok(HARD_IMAGENET.iter().map(imagenet::class).collect());
    };
    let bad = |name: &str, problem: String| Err(DatasetError::Meta { path: masks.place(name), problem });
    if order.len() != order.iter().collect::<HashSet<_>>().len() || order.is_empty() {
        return bad(&list, format!("expected distinct ImageNet indices, got {order:?}"));
    }
    let wnids_name = join(top, "meta/idx_to_wnid.pkl");
    let pair = |(index, wnid): &(Pickle, Pickle)| Some((index.as_index()?, wnid.as_str()?.to_owned()));
    let wnids = |pickle: &Pickle| pickle.as_dict()?.iter().map(pair).collect::<Option<HashMap<u32, String>>>();
    let wnids = read_pickle(masks, &wnids_name, "a dictionary from index to WordNet id", wnids)?;
    let mut classes = Vec::new();
    for index in order {
        let listed = wnids.as_ref().and_then(|w| w.get(&index));
        let known = HARD_IMAGENET.iter().find(|row| row.0 == index);
        classes.push(match (known, listed) {
            (Some(row), Some(wnid)) if row.1 != wnid => {
                return bad(&wnids_name, format!("says {wnid} for index {index}, but ImageNet has {} there", row.1));
            }
            (Some(row), _) => imagenet::class(row),
            (None, Some(wnid)) => Class { name: wnid.clone(), wnid: Some(wnid.clone()), imagenet: Some(index) },
            (None, None) => {
                let problem =
                    format!("index {index} is not a Hard ImageNet class, and idx_to_wnid.pkl does not name it");
                return bad(&list, problem);
            }
        });
    }
    Ok(classes)
}

/// A pickle read as plain data; nothing in it is ever run. `None` if there is no such file.
fn read_pickle<T>(
    masks: &Store,
    name: &str,
    expected: &str,
    convert: impl Fn(&Pickle) -> Option<T>,
) -> Result<Option<T>, DatasetError> {
    if !masks.has(name) {
        return Ok(None);
    }
    let pickle = parse_pickle(&masks.read(name)?);
    let value = pickle.and_then(|pickle| convert(&pickle).ok_or_else(|| "it holds something else".into()));
    value.map(Some).map_err(|error| {
        let problem = format!(
            "cannot be read as {expected} ({error}); get the file again, or move it away: \
             without it the usual order of the 15 classes is taken"
        );
        DatasetError::Meta { path: masks.place(name), problem }
    })
}
