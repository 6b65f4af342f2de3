use crate::DatasetError;
use hard_imagenet_images::{Gray8, Rgb8};

/// One class of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// A person's word for it: "dog sled".
    pub name: String,
    /// WordNet id, where there is one: "n03218198".
    pub wnid: Option<String>,
    /// Index among ImageNet's 1000 classes, where there is one.
    pub imagenet: Option<u32>,
}

/// What a dataset says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetInfo {
    /// "hard-imagenet", "planted-hard", ...
    pub name: String,
    /// The dataset's own labels are positions in this list.
    pub classes: Vec<Class>,
}

/// Number of classes of ImageNet.
const IMAGENET: usize = 1000;

impl DatasetInfo {
    /// The class of a model's head that stands for each class of the dataset: the dataset's own numbers for a head with as
    /// many classes, ImageNet's for one with 1000.
    ///
    /// # Errors
    /// For any other head, and if a class of the dataset is none of ImageNet's: why, to be said behind the model's name.
    pub fn columns(&self, head: usize) -> Result<Vec<u32>, String> {
        let count = self.classes.len();
        if head == count {
            return Ok((0..).take(count).collect());
        }
        if head != IMAGENET {
            return Err(format!(
                "its head has {head} classes; it needs {count} (the dataset's own) or {IMAGENET} (ImageNet's)"
            ));
        }
        let column = |class: &Class| match class.imagenet {
            Some(index) if (index as usize) < IMAGENET => Ok(index),
            _ => Err(format!(
                "its head has ImageNet's {IMAGENET} classes and {:?} is none of them; take a model with a head of {count} \
                 classes",
                class.name
            )),
        };
        self.classes.iter().map(column).collect()
    }
}

/// A picture, its mask as stored (0..=255, not yet thresholded), and its class.
///
/// A mask file may have another size than its picture: the published evaluation brings both to 256 × 256, each from
/// its own size, and so does the paired transform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Stable name without extension: "val/n03218198/ILSVRC2012_val_00000538".
    pub id: String,
    /// The decoded picture.
    pub image: Rgb8,
    /// The decoded mask.
    pub mask: Gray8,
    /// Position in [`DatasetInfo::classes`].
    pub class: usize,
}

/// Pictures with masks and labels, in a fixed order.
pub trait Dataset: Send + Sync {
    /// Name and classes.
    fn info(&self) -> &DatasetInfo;

    /// Number of samples.
    fn len(&self) -> usize;

    /// Nothing there?
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Id of sample `i`, known without decoding anything.
    fn id(&self, i: usize) -> &str;

    /// Class of sample `i`, known without decoding anything.
    fn class(&self, i: usize) -> usize;

    /// Where sample `i` stands in the ranking of its class by the strength of its spurious cues, 0 first, 1 last; `None`
    /// where nothing is ranked.
    fn cue_rank(&self, _i: usize) -> Option<f32> {
        None
    }

    /// Decodes sample `i`.
    ///
    /// # Errors
    /// Missing or damaged files; the error names the file. A caller records it and goes on.
    fn get(&self, i: usize) -> Result<Sample, DatasetError>;
}

/// All of [`Dataset`] but `get`, for a type whose `info` and `samples`, each with `id` and `class`, are known at once.
macro_rules! listed {
    () => {
        fn info(&self) -> &crate::DatasetInfo {
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
    };
}
pub(crate) use listed;

macro_rules! delegate {
    ($($pointer:ty),*) => {$(
        impl<D: Dataset + ?Sized> Dataset for $pointer {
            fn info(&self) -> &DatasetInfo {
                (**self).info()
            }
            fn len(&self) -> usize {
                (**self).len()
            }
            fn id(&self, i: usize) -> &str {
                (**self).id(i)
            }
            fn class(&self, i: usize) -> usize {
                (**self).class(i)
            }
            fn cue_rank(&self, i: usize) -> Option<f32> {
                (**self).cue_rank(i)
            }
            fn get(&self, i: usize) -> Result<Sample, DatasetError> {
                (**self).get(i)
            }
        }
    )*};
}
delegate!(&D, Box<D>);
