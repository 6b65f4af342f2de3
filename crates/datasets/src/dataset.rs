use crate::DatasetError;
use hard_imagenet_findings::Finding;
use hard_imagenet_images::{Gray8, ImageFacts, MaskFacts, Rgb8};

/// One class of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// The name for people: "dog sled".
    pub name: String,
    /// The WordNet id, if there is one: "n03218198".
    pub wnid: Option<String>,
    /// The index among ImageNet's 1000 classes, if there is one.
    pub imagenet: Option<u32>,
}

/// The name and the classes of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetInfo {
    /// The name: "hard-imagenet", "planted-hard", ...
    pub name: String,
    /// The classes. A label of the dataset is a position in this list.
    pub classes: Vec<Class>,
}

/// The number of classes of ImageNet.
const IMAGENET: usize = 1000;

impl DatasetInfo {
    /// Returns the column of a model's logits that stands for each class of the dataset.
    ///
    /// For a head with as many classes as the dataset, the columns are the labels. For a head with 1000 classes, they
    /// are the indices of ImageNet.
    ///
    /// # Errors
    /// Returns the reason, to be printed after the name of the model, if the head has another number of classes or if
    /// it has 1000 and a class of the dataset is not one of ImageNet's.
    pub fn columns(&self, head: usize) -> Result<Vec<u32>, String> {
        let count = self.classes.len();
        if head == count {
            return Ok((0..).take(count).collect());
        }
        if head != IMAGENET {
            return Err(format!(
                "its head has {head} classes, but needs {count} (the dataset's) or {IMAGENET} (ImageNet's)"
            ));
        }
        let column = |class: &Class| match class.imagenet {
            Some(index) if (index as usize) < IMAGENET => Ok(index),
            _ => Err(format!(
                "its head has the {IMAGENET} classes of ImageNet, and {:?} is not one of them; use a model with a head of \
                 {count} classes",
                class.name
            )),
        };
        self.classes.iter().map(column).collect()
    }
}

/// An image, its mask as stored (0..=255, not yet thresholded) and its class.
///
/// A mask may have another size than its image. The published evaluation resizes each to 256 × 256 from its own size,
/// and so does the paired transform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// A stable name without extension: "val/n03218198/ILSVRC2012_val_00000538".
    pub id: String,
    /// The decoded image.
    pub image: Rgb8,
    /// The decoded mask.
    pub mask: Gray8,
    /// The position in [`DatasetInfo::classes`].
    pub class: usize,
    /// What was noticed while the files were decoded.
    pub facts: SampleFacts,
}

impl Sample {
    /// Creates a sample about whose files nothing is known.
    pub fn new(id: impl Into<String>, image: Rgb8, mask: Gray8, class: usize) -> Self {
        Self { id: id.into(), image, mask, class, facts: SampleFacts::default() }
    }
}

/// What was noticed while the files of a sample were decoded. By default, nothing was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleFacts {
    /// The image file.
    pub image: ImageFacts,
    /// The mask file.
    pub mask: MaskFacts,
}

/// Images with masks and labels, in a fixed order.
///
/// Implement this trait to evaluate a dataset of your own: the runner and the trainer take any `&dyn Dataset`.
pub trait Dataset: Send + Sync {
    /// Returns the name and the classes.
    fn info(&self) -> &DatasetInfo;

    /// Returns the number of samples.
    fn len(&self) -> usize;

    /// Returns whether there are no samples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the id of sample `i` without decoding anything.
    fn id(&self, i: usize) -> &str;

    /// Returns the class of sample `i` without decoding anything.
    fn class(&self, i: usize) -> usize;

    /// Returns the position of sample `i` in the ranking of its class by spurious cues, from 0 (first) to 1 (last);
    /// `None` if it is not ranked.
    fn cue_rank(&self, _i: usize) -> Option<f32> {
        None
    }

    /// Returns what was noticed when the dataset was opened: files that were left out, names that do not match. Nothing is
    /// decoded. By default, nothing was noticed.
    fn findings(&self) -> Vec<Finding> {
        Vec::new()
    }

    /// Returns a text that changes when the files of sample `i` change: their paths, sizes and times. `None` if that is not
    /// known; the content is compared then.
    fn stamp(&self, _i: usize) -> Option<String> {
        None
    }

    /// Returns what was chosen about how files are read, as names and values: ("mask-threshold", "128"). By default, nothing was
    /// chosen. A run with other choices is another run.
    fn settings(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Returns whether the images are generated, so that their labels are right by construction. Chance accuracy on them says
    /// something about the model, and elsewhere more likely about labels or preprocessing.
    fn is_generated(&self) -> bool {
        false
    }

    /// Decodes sample `i`.
    ///
    /// # Errors
    /// Returns an error that names the file if a file is missing or damaged. Callers record it and continue.
    fn get(&self, i: usize) -> Result<Sample, DatasetError>;
}

/// Implements all of [`Dataset`] except `get` for a type with the fields `info` and `samples`, which have an `id` and a
/// `class`.
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

/// Implements [`Dataset`] for pointers to datasets.
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
            fn findings(&self) -> Vec<Finding> {
                (**self).findings()
            }
            fn stamp(&self, i: usize) -> Option<String> {
                (**self).stamp(i)
            }
            fn settings(&self) -> Vec<(String, String)> {
                (**self).settings()
            }
            fn is_generated(&self) -> bool {
                (**self).is_generated()
            }
            fn get(&self, i: usize) -> Result<Sample, DatasetError> {
                (**self).get(i)
            }
        }
    )*};
}
delegate!(&D, Box<D>);
