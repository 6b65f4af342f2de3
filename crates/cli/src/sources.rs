//! The options that choose a dataset and its samples.

use anyhow::{Result, anyhow};
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, ValueEnum};
use hard_imagenet::datasets::{self, DATASETS, Dataset, DatasetError, DatasetOptions, PathKind, Split};
use hard_imagenet::images::{MaskReading, MaskValue, Orientation};
use std::path::PathBuf;

/// Reads the word of a dataset; help and errors list what the library knows.
fn parse_word() -> PossibleValuesParser {
    PossibleValuesParser::new(DATASETS.map(|entry| PossibleValue::new(entry.word).help(entry.summary)))
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SplitName {
    Train,
    Val,
}

impl From<SplitName> for Split {
    fn from(name: SplitName) -> Self {
        match name {
            SplitName::Train => Split::Train,
            SplitName::Val => Split::Val,
        }
    }
}

/// A dataset and which of its samples to use.
#[derive(Args, Clone, Debug)]
pub(crate) struct Source {
    /// The dataset; `hard-imagenet datasets list` shows what each one needs
    #[arg(short, long = "dataset", value_name = "DATASET", value_parser = parse_word(), default_value = "hard-imagenet")]
    dataset: String,
    /// Folder or archive of the images; for ImageNet the folder that holds train/ and val/, an archive, or parquet
    /// shards
    #[arg(long, value_name = "PATH")]
    images: Option<PathBuf>,
    /// Folder or archive of the masks, or the file that holds them
    #[arg(long, value_name = "PATH")]
    masks: Option<PathBuf>,
    /// Which part of the dataset
    #[arg(long, value_enum, default_value = "val")]
    split: SplitName,
    /// For rival10: keep only images that show this attribute and use its masks, so that the accuracy drop under gray
    /// measures how important the attribute is
    #[arg(long, value_name = "WORD")]
    attribute: Option<String>,
    /// Keep only these classes, by name or WordNet id
    #[arg(long, value_name = "CLASS", value_delimiter = ',')]
    classes: Vec<String>,
    /// Keep only the first and the last N ranked training images of each class: as many with strong spurious cues as
    /// with weak ones
    #[arg(long, value_name = "N")]
    balanced: Option<usize>,
    /// Ranking of the training images by spurious cues (pickle or JSON), for --balanced and for scores by rank; by
    /// default paths_by_rank.pkl next to the masks
    #[arg(long, value_name = "FILE")]
    ranks: Option<PathBuf>,
    /// The values that mark the object in mask files: gray values, indices of a palette, or colors (255,0,0); by default,
    /// everything except the background
    #[arg(long, value_name = "VALUE", num_args = 1.., conflicts_with = "mask_threshold")]
    mask_value: Vec<MaskValue>,
    /// The brightness from which on a pixel of a mask file is object, from 1 to 255
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(u8).range(1..))]
    mask_threshold: Option<u8>,
    /// Whether images are turned by their EXIF orientation: stored (no, as in Pillow and torchvision) or upright
    #[arg(long, value_name = "WORD", default_value = "stored")]
    orientation: Orientation,
    /// Use at most N samples, spread over the classes
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) limit: Option<usize>,
    /// Treat everything suspicious about the inputs as an error; all images and masks are looked at first
    #[arg(long)]
    pub(crate) strict_inputs: bool,
}

impl Source {
    /// Opens the dataset.
    pub(crate) fn open(&self) -> Result<Box<dyn Dataset>> {
        datasets::open(&self.dataset, &self.options()).map_err(add_option)
    }

    /// Opens images to learn from and others to measure on.
    pub(crate) fn open_both(&self) -> Result<(Box<dyn Dataset>, Box<dyn Dataset>)> {
        datasets::open_both_parts(&self.dataset, &self.options()).map_err(add_option)
    }

    /// The word of the dataset.
    pub(crate) fn word(&self) -> &str {
        &self.dataset
    }

    /// The options for the library.
    pub(crate) fn options(&self) -> DatasetOptions {
        DatasetOptions {
            images: self.images.clone(),
            masks: self.masks.clone(),
            split: self.split.into(),
            attribute: self.attribute.clone(),
            classes: self.classes.clone(),
            balanced: self.balanced,
            ranks: self.ranks.clone(),
            limit: self.limit,
            mask_reading: match self.mask_threshold {
                Some(level) => MaskReading::Threshold(level),
                None if self.mask_value.is_empty() => MaskReading::Auto,
                None => MaskReading::Values(self.mask_value.clone()),
            },
            orientation: self.orientation,
        }
    }
}

/// Parses a number of at least 1.
pub(crate) fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        Ok(_) => Err("nothing would be left; write at least 1".to_owned()),
        Err(_) => Err("write a whole number of at least 1".to_owned()),
    }
}

/// Opens a generated dataset.
pub(crate) fn open_planted(word: &str, limit: Option<usize>) -> Result<Box<dyn Dataset>> {
    datasets::open(word, &DatasetOptions { limit, ..DatasetOptions::default() }).map_err(add_option)
}

/// Adds the option that helps to an error of the library.
pub(crate) fn add_option(error: DatasetError) -> anyhow::Error {
    match &error {
        DatasetError::MissingPath { kind: PathKind::Images, .. } => anyhow!("{error}: pass --images PATH"),
        DatasetError::MissingPath { kind: PathKind::Masks, .. } => anyhow!("{error}: pass --masks PATH"),
        DatasetError::MissingRanking { .. } => anyhow!("{error}: pass --ranks FILE"),
        _ => error.into(),
    }
}
