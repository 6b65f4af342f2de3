//! From the words of the command line to a dataset.

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use hard_imagenet::datasets::{
    Attribute, Class, Coco, CocoMode, Dataset, FeatureKind, HardImageNet, ImageNetS, MaskedFolder, PlantedCues,
    RankedDataset, Rankings, Rival10, Rival20, SalientImageNet, Split, Subset,
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
#[derive(clap::Args, Clone, Debug)]
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
    /// Of rival10 the pictures that show this attribute, with its masks: what is lost under gray is its importance
    #[arg(long, value_name = "WORD")]
    attribute: Option<String>,
    /// Only these classes, by name or WordNet id
    #[arg(long, value_name = "CLASS", value_delimiter = ',')]
    classes: Vec<String>,
    /// Only the first and the last N of the ranked training pictures of each class: as many with
    /// strong spurious cues as with weak ones
    #[arg(long, value_name = "N")]
    balanced: Option<usize>,
    /// The ranking of the training pictures by spurious cues, a pickle or JSON, for --balanced and for scores by rank; by
    /// default paths_by_rank.pkl beside the masks
    #[arg(long, value_name = "FILE")]
    ranks: Option<PathBuf>,
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
            Name::Rival10Pooled => Box::new(Rival20::open(self.masks()?, self.images()?, split)?.into_ten_classes()),
            Name::Rival10 => {
                let rival = Rival10::open(self.masks()?, self.images_or_masks()?, split)?;
                match &self.attribute {
                    Some(word) => Box::new(rival.with_attribute(attribute(word)?)?),
                    None => Box::new(rival),
                }
            }
            Name::ImagenetS => Box::new(ImageNetS::open(self.masks()?, self.images_or_masks()?, split)?),
            Name::SalientImagenet => self.salient(FeatureKind::Core)?,
            Name::SalientImagenetSpurious => self.salient(FeatureKind::Spurious)?,
            Name::Coco => Box::new(Coco::open(self.masks()?, self.images()?, CocoMode::OBJECTS)?),
            Name::CocoImages => Box::new(Coco::open(self.masks()?, self.images()?, CocoMode::Images)?),
            Name::MaskedFolder => Box::new(MaskedFolder::open(self.images()?, self.masks()?)?),
            Name::PlantedHard => planted_hard(self.limit),
            Name::PlantedEasy => planted_easy(self.limit),
        };
        let dataset = self.of_classes(dataset)?;
        let dataset: Box<dyn Dataset> = match (self.balanced, self.rankings()?) {
            (Some(n), Some(rankings)) => {
                let subset = Subset::take_balanced(dataset, &rankings, n);
                Box::new(RankedDataset::new(subset, rankings))
            }
            (Some(_), None) => {
                bail!("{} has no paths_by_rank.pkl: pass the ranking by --ranks FILE", self.masks()?.display())
            }
            (None, Some(rankings)) => Box::new(RankedDataset::new(dataset, rankings)),
            (None, None) => dataset,
        };
        Ok(match self.limit {
            Some(n) => Box::new(Subset::take_spread(dataset, n)),
            None => dataset,
        })
    }

    fn of_classes(&self, dataset: Box<dyn Dataset>) -> Result<Box<dyn Dataset>> {
        if self.classes.is_empty() {
            return Ok(dataset);
        }
        let named = |word: &String, class: &Class| class.name == *word || class.wnid.as_ref() == Some(word);
        let classes = &dataset.info().classes;
        if let Some(unknown) = self.classes.iter().find(|word| !classes.iter().any(|class| named(word, class))) {
            let names: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
            bail!("{} has no class {unknown:?}; it has {}", self.word(), names.join(", "));
        }
        let kept: Vec<bool> = classes.iter().map(|class| self.classes.iter().any(|word| named(word, class))).collect();
        let of_sample: Vec<bool> = (0..dataset.len()).map(|i| kept[dataset.class(i)]).collect();
        Ok(Box::new(Subset::filter(dataset, |i| of_sample[i])))
    }

    /// The ranking that was passed, or the one that the masks came with.
    fn rankings(&self) -> Result<Option<Rankings>> {
        if let Some(file) = &self.ranks {
            return Ok(Some(Rankings::read(file)?));
        }
        let published = matches!((self.dataset, self.split), (Name::HardImagenet, SplitName::Train));
        if self.balanced.is_some() || published { Ok(Rankings::published(self.masks()?)?) } else { Ok(None) }
    }

    fn salient(&self, kind: FeatureKind) -> Result<Box<dyn Dataset>> {
        Ok(Box::new(SalientImageNet::open(self.masks()?, self.images()?, kind)?))
    }

    fn images_or_masks(&self) -> Result<&Path> {
        self.images.as_deref().map_or_else(|| self.masks(), Ok)
    }

    /// Pictures to learn from and others to measure on: the train and the val part where the dataset has such, else four
    /// fifths and one fifth of each class. What narrows the choice down (balanced, limit) is for the first.
    pub(crate) fn open_both(&self) -> Result<(Box<dyn Dataset>, Box<dyn Dataset>)> {
        let parted = matches!(
            self.dataset,
            Name::HardImagenet | Name::Rival20 | Name::Rival10Pooled | Name::Rival10 | Name::ImagenetS
        );
        if parted {
            let val = Self { split: SplitName::Val, balanced: None, ranks: None, ..self.clone() };
            return Ok((Self { split: SplitName::Train, ..self.clone() }.open()?, val.open()?));
        }
        let (mut seen, data) = (Vec::new(), self.open()?);
        let fifth: Vec<bool> = (0..data.len())
            .map(|i| {
                seen.resize(seen.len().max(data.class(i) + 1), 0);
                seen[data.class(i)] += 1;
                seen[data.class(i)] % 5 == 0
            })
            .collect();
        let other = self.open()?;
        let (learn, measure) = (Subset::filter(data, |i| !fifth[i]), Subset::filter(other, |i| fifth[i]));
        Ok((Box::new(learn), Box::new(measure)))
    }

    pub(crate) fn images(&self) -> Result<&Path> {
        self.images.as_deref().with_context(|| format!("{} needs --images FOLDER", self.word()))
    }

    pub(crate) fn masks(&self) -> Result<&Path> {
        self.masks.as_deref().with_context(|| format!("{} needs --masks PATH", self.word()))
    }

    fn word(&self) -> String {
        self.dataset.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

fn attribute(word: &str) -> Result<Attribute> {
    let known = Attribute::ALL.into_iter().find(|attribute| attribute.name() == word);
    known.with_context(|| {
        format!("unknown attribute {word:?}; known are: {}", Attribute::ALL.map(Attribute::name).join(", "))
    })
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
