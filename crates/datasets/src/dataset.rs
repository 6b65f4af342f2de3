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

/// A picture, its mask as stored (0..=255, not yet thresholded, same size as the picture), and its class.
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

    /// Decodes sample `i`.
    ///
    /// # Errors
    /// Missing or damaged files; the error names the file. A caller records it and goes on.
    fn get(&self, i: usize) -> Result<Sample, DatasetError>;
}

/// Why a dataset or one of its samples could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A picture or mask could not be read.
    #[error(transparent)]
    Image(#[from] hard_imagenet_images::ImageError),
}
