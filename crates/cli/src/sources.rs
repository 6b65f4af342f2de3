//! From the words of the command line to a dataset.

use anyhow::{Context, Result};
use clap::ValueEnum;
use hard_imagenet::datasets::{Dataset, HardImageNet, MaskedFolder, PlantedCues, Rival20, Split, Subset};
use std::path::{Path, PathBuf};

/// The datasets that `-d` takes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Name {
    /// The 15 classes of the paper: ImageNet in wnid folders, masks as published
    HardImagenet,
    /// RIVAL10's pictures with the 20 ImageNet classes, as the paper uses them
    Rival20,
    /// Any folder of pictures and masks of matching names; subfolders are classes
    MaskedFolder,
    /// Generated: small objects off centre, each class in its own scene
    PlantedHard,
    /// Generated: large central objects, scenes that tell nothing
    PlantedEasy,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SplitName {
    Train,
    Val,
}

/// Which pictures.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Source {
    /// What to judge on
    #[arg(short, long = "dataset", value_enum, default_value = "hard-imagenet")]
    dataset: Name,
    /// Folder of the pictures (for ImageNet the one that holds train/ and val/)
    #[arg(long, value_name = "FOLDER")]
    images: Option<PathBuf>,
    /// Folder of the masks
    #[arg(long, value_name = "FOLDER")]
    masks: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "val")]
    split: SplitName,
    /// At most this many samples, spread over the classes
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

/// How many pictures the generated datasets have unless limited, and their side.
const PLANTED: (usize, usize) = (400, 64);
/// Seed of the generated datasets: any other than those the shipped models were trained on.
const PLANTED_SEED: u64 = 2022;

impl Source {
    pub(crate) fn open(&self) -> Result<Box<dyn Dataset>> {
        let split = self.split.into();
        let dataset: Box<dyn Dataset> = match self.dataset {
            Name::HardImagenet => Box::new(HardImageNet::open(self.masks()?, self.images()?, split)?),
            Name::Rival20 => Box::new(Rival20::open(self.masks()?, self.images()?, split)?),
            Name::MaskedFolder => Box::new(MaskedFolder::open(self.images()?, self.masks()?)?),
            Name::PlantedHard => return Ok(planted_hard(self.limit)),
            Name::PlantedEasy => return Ok(planted_easy(self.limit)),
        };
        Ok(match self.limit {
            Some(n) => Box::new(Subset::spread(dataset, n)),
            None => dataset,
        })
    }

    pub(crate) fn images(&self) -> Result<&Path> {
        self.images.as_deref().with_context(|| format!("{} needs --images FOLDER", self.word()))
    }

    pub(crate) fn masks(&self) -> Result<&Path> {
        self.masks.as_deref().with_context(|| format!("{} needs --masks FOLDER", self.word()))
    }

    fn word(&self) -> String {
        self.dataset.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// For the doctor, who looks before anything is opened.
impl Source {
    pub(crate) fn name(&self) -> Name {
        self.dataset
    }

    pub(crate) fn split(&self) -> SplitName {
        self.split
    }

    /// The same with another split.
    pub(crate) fn of_split(&self, split: SplitName) -> Self {
        Self { split, ..self.clone() }
    }
}

impl From<SplitName> for Split {
    fn from(name: SplitName) -> Self {
        match name {
            SplitName::Train => Split::Train,
            SplitName::Val => Split::Val,
        }
    }
}

pub(crate) fn planted_hard(limit: Option<usize>) -> Box<dyn Dataset> {
    Box::new(PlantedCues::hard(PLANTED_SEED, limit.unwrap_or(PLANTED.0), PLANTED.1))
}

pub(crate) fn planted_easy(limit: Option<usize>) -> Box<dyn Dataset> {
    Box::new(PlantedCues::easy(PLANTED_SEED, limit.unwrap_or(PLANTED.0), PLANTED.1))
}
