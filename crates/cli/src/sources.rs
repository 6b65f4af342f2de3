//! From the words of the command line to a dataset.

use anyhow::{Context, Result};
use clap::ValueEnum;
use hard_imagenet::datasets::{
    Coco, CocoMode, Dataset, FeatureKind, HardImageNet, ImageNetS, MaskedFolder, PlantedCues, Rival10, Rival20,
    SalientImageNet, Split, Subset,
};
use std::path::{Path, PathBuf};

/// The datasets that `-d` takes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Name {
    /// The 15 classes of the paper: ImageNet in wnid folders, masks as published
    HardImagenet,
    /// RIVAL10's pictures with the 20 ImageNet classes, as the paper uses them
    Rival20,
    /// The same with RIVAL10's ten labels
    Rival10Pooled,
    /// RIVAL10's ten classes and its own split (val is its test part); --masks: the folder RIVAL10
    Rival10,
    /// Label maps of 50, 300 or 919 ImageNet classes; --masks: a folder such as ImageNetS919
    ImagenetS,
    /// Where features that people called part of the object look (training pictures only)
    SalientImagenet,
    /// Where features that people called a separate object or background look (training pictures only)
    SalientImagenetSpurious,
    /// Each object of a COCO instance file in a square around it; --masks: the JSON file
    Coco,
    /// Pictures of a COCO instance file, of the class of their largest object; --masks: the JSON file
    CocoImages,
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
#[derive(clap::Args, Debug)]
pub(crate) struct Source {
    /// What to judge on
    #[arg(short, long = "dataset", value_enum, default_value = "hard-imagenet")]
    dataset: Name,
    /// Folder of the pictures (for ImageNet the one that holds train/ and val/), or for hard-imagenet, rival20 and
    /// masked-folder an archive of it (zip, tar; for ImageNet also parquet shards); rival10 and imagenet-s may have theirs
    /// in the folder of the masks
    #[arg(long, value_name = "FOLDER")]
    images: Option<PathBuf>,
    /// Folder of the masks, or the file that holds them (for hard-imagenet the zip as published)
    #[arg(long, value_name = "PATH")]
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
        let split = match self.split {
            SplitName::Train => Split::Train,
            SplitName::Val => Split::Val,
        };
        let dataset: Box<dyn Dataset> = match self.dataset {
            Name::HardImagenet => Box::new(HardImageNet::open(self.masks()?, self.images()?, split)?),
            Name::Rival20 => Box::new(Rival20::open(self.masks()?, self.images()?, split)?),
            Name::Rival10Pooled => Box::new(Rival20::open(self.masks()?, self.images()?, split)?.ten()),
            Name::Rival10 => Box::new(Rival10::open(self.masks()?, self.images_or_masks()?, split)?),
            Name::ImagenetS => Box::new(ImageNetS::open(self.masks()?, self.images_or_masks()?, split)?),
            Name::SalientImagenet => self.salient(FeatureKind::Core)?,
            Name::SalientImagenetSpurious => self.salient(FeatureKind::Spurious)?,
            Name::Coco => Box::new(Coco::open(self.masks()?, self.images()?, CocoMode::OBJECTS)?),
            Name::CocoImages => Box::new(Coco::open(self.masks()?, self.images()?, CocoMode::Images)?),
            Name::MaskedFolder => Box::new(MaskedFolder::open(self.images()?, self.masks()?)?),
            Name::PlantedHard => return Ok(planted_hard(self.limit)),
            Name::PlantedEasy => return Ok(planted_easy(self.limit)),
        };
        Ok(match self.limit {
            Some(n) => Box::new(Subset::spread(dataset, n)),
            None => dataset,
        })
    }

    fn salient(&self, kind: FeatureKind) -> Result<Box<dyn Dataset>> {
        Ok(Box::new(SalientImageNet::open(self.masks()?, self.images()?, kind)?))
    }

    fn images_or_masks(&self) -> Result<&Path> {
        self.images.as_deref().map_or_else(|| self.masks(), Ok)
    }

    fn images(&self) -> Result<&Path> {
        self.images.as_deref().with_context(|| format!("{} needs --images FOLDER", self.word()))
    }

    fn masks(&self) -> Result<&Path> {
        self.masks.as_deref().with_context(|| format!("{} needs --masks PATH", self.word()))
    }

    fn word(&self) -> String {
        self.dataset.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

pub(crate) fn planted_hard(limit: Option<usize>) -> Box<dyn Dataset> {
    Box::new(PlantedCues::hard(PLANTED_SEED, limit.unwrap_or(PLANTED.0), PLANTED.1))
}

pub(crate) fn planted_easy(limit: Option<usize>) -> Box<dyn Dataset> {
    Box::new(PlantedCues::easy(PLANTED_SEED, limit.unwrap_or(PLANTED.0), PLANTED.1))
}
