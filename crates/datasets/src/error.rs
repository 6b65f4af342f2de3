use crate::entry::PathKind;
use std::path::PathBuf;

/// Why a dataset or one of its samples could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A picture or mask could not be read.
    #[error(transparent)]
    Image(#[from] hard_imagenet_images::ImageError),

    /// A generated dataset was asked for something that makes no sense.
    #[error("planted cues \"{name}\": {what}")]
    Config {
        /// Name in the configuration.
        name: String,
        /// Which field, what it may be, what it was.
        what: String,
    },

    /// A folder is not there, or holds nothing of what it should.
    #[error("{path}: {problem}; expected {expected}")]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// "no such folder", "no mask files".
        problem: String,
        /// What should be there and how to get it.
        expected: String,
    },

    /// A file of the dataset's own bookkeeping could not be understood.
    #[error("{path}: {problem}")]
    Meta {
        /// Which file.
        path: PathBuf,
        /// What is wrong and the way out.
        problem: String,
    },

    /// A file or an archive that cannot be opened or read.
    #[error("{path}: {problem}")]
    Archive {
        /// Which one; what lies in an archive reads like a file in a folder: "hardImageNet.zip/val/x.JPEG".
        path: PathBuf,
        /// What is wrong, and the way out where there is one.
        problem: String,
    },

    /// A picture that is not among those of ImageNet that are there.
    #[error("no picture {file} of the class {wnid} among {searched}")]
    NoImage {
        /// WordNet id of its class.
        wnid: String,
        /// Its name; other extensions were tried too.
        file: String,
        /// Where it was looked for.
        searched: String,
    },

    /// No dataset has this word.
    #[error("there is no dataset {word:?}; known are {known}")]
    UnknownDataset {
        /// The word.
        word: String,
        /// The words of all datasets.
        known: String,
    },

    /// A dataset was opened without a path that it needs.
    #[error("{dataset} needs the path of its {kind}")]
    MissingPath {
        /// The word of the dataset.
        dataset: String,
        /// Which path.
        kind: PathKind,
    },

    /// A balanced choice of samples was asked for, but the images are not ranked.
    #[error("{path} holds no ranking (paths_by_rank.pkl), and none was given")]
    MissingRanking {
        /// The path of the masks.
        path: PathBuf,
    },

    /// A choice that the dataset does not offer.
    #[error("{dataset} {problem}")]
    Choice {
        /// The word of the dataset.
        dataset: String,
        /// What it does not have, and what it has.
        problem: String,
    },

    /// Two files would be the same sample.
    #[error("{first} and {second} are the same sample \"{id}\"; remove one of them")]
    Duplicate {
        /// Id that both would have.
        id: String,
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },

    /// A mask of a class that the dataset does not have.
    #[error("{path}: {wnid} is not a class of {dataset}; move the file out of the mask folder")]
    UnknownClass {
        /// Which mask.
        path: PathBuf,
        /// WordNet id in its name.
        wnid: String,
        /// Which dataset.
        dataset: &'static str,
    },
}
