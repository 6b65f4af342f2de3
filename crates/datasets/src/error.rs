use crate::entry::PathKind;
use std::path::PathBuf;

/// The reason why a dataset or one of its samples could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// An image or mask could not be read.
    #[error(transparent)]
    Image(#[from] hard_imagenet_images::ImageError),

    /// The configuration of a generated dataset is invalid.
    #[error("planted cues \"{name}\": {what}")]
    Config {
        /// The name in the configuration.
        name: String,
        /// The field, its valid values and its value.
        what: String,
    },

    /// A folder is missing or does not contain what it should.
    #[error("{path}: {problem}; expected {expected}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The problem: "no such folder", "no mask files".
        problem: String,
        /// What should be there and how to get it.
        expected: String,
    },

    /// A file with information about the dataset could not be understood.
    #[error("{path}: {problem}")]
    Meta {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do about it.
        problem: String,
    },

    /// A file or an archive could not be opened or read.
    #[error("{path}: {problem}")]
    Archive {
        /// The file. A file in an archive is written as in a folder: "hardImageNet.zip/val/x.JPEG".
        path: PathBuf,
        /// What is wrong, and what to do about it if something can be done.
        problem: String,
    },

    /// An image is not among the available images of ImageNet.
    #[error("there is no image {file} of class {wnid} among {searched}")]
    NoImage {
        /// The WordNet id of its class.
        wnid: String,
        /// Its name. Other extensions were tried too.
        file: String,
        /// The places that were searched.
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
        /// The id of both.
        id: String,
        /// The first file.
        first: PathBuf,
        /// The second file.
        second: PathBuf,
    },

    /// A mask belongs to a class that the dataset does not have.
    #[error("{path}: {wnid} is not a class of {dataset}; move the file out of the mask folder")]
    UnknownClass {
        /// The mask.
        path: PathBuf,
        /// The WordNet id in its name.
        wnid: String,
        /// The dataset.
        dataset: &'static str,
    },
}
