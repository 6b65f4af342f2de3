//! Images of objects, with a mask of the object and a label: the data of a benchmark of visual cues.
//!
//! To measure whether an image classifier sees the object or only what usually surrounds it, one must know which pixels
//! are the object. This crate reads the datasets that provide this, all behind one small trait:
//!
//! - [`open`]: opens any dataset by its word ([`DATASETS`]) and [`DatasetOptions`]; [`check`] reports what is wrong
//!   with a user's folders as [`Finding`](hard_imagenet_findings::Finding)s.
//! - [`Dataset`]: samples in a fixed order. Ids and classes are known without decoding anything, and
//!   [`get`](Dataset::get) decodes one [`Sample`] (image, mask, class).
//! - [`HardImageNet`]: 15 ImageNet classes with strong surroundings, in the published layout. [`Rival20`]: the 20
//!   classes with large central objects that it is compared with.
//! - [`Rival10`]: the ten classes of RIVAL10 with their own split, 18 [`Attribute`]s and their masks.
//! - [`SalientImageNet`]: soft masks of where features look that are part of the object, or are not ([`FeatureKind`]).
//! - [`ImageNetS`]: label maps of 50, 300 or 919 ImageNet classes.
//! - [`Coco`]: any COCO instance file, as single objects or as whole images ([`CocoMode`]).
//! - [`MaskedFolder`]: any folder of images and masks with matching names.
//! - [`PlantedCues`]: generated images whose scene reveals the class exactly as often as you choose. Nothing needs to
//!   be downloaded, and the right answer is known.
//! - [`ImageNet`]: the images of ImageNet in any common layout (folders, the original tars, a zip, parquet shards).
//!   [`Store`]: files by name in a folder, a zip or a tar. Archives are read in place.
//! - [`Subset`]: some samples of any dataset: spread over the classes, equally many of each, from both ends of a
//!   ranking ([`Rankings`], [`RankedDataset`]), or of one stratum ([`stratify`]).
//! - [`DatasetStatistics`]: how large the objects of each class are, where they lie, and what the crop keeps of them.
//!
//! Masks are returned as they are stored, 0 to 255. What counts as object is decided later, after resampling: the
//! published code counts every value above 0, which dilates objects (Q1).
//!
//! ```
//! use hard_imagenet_datasets::{Dataset, PlantedCues};
//!
//! let data = PlantedCues::hard(0, 80, 64);
//! let sample = data.get(9)?;
//! assert_eq!(sample.id, "hard/cross/00009");
//! assert_eq!((sample.image.height, sample.image.width), (64, 64));
//! let object = sample.mask.data.iter().filter(|&&v| v >= 128).count();
//! assert!(object > 0 && object < 64 * 64 / 4);
//! # Ok::<(), hard_imagenet_datasets::DatasetError>(())
//! ```
//!
//! Nothing is downloaded, and nothing in a pickle is ever run: the files of the published archive are read as data.
//!
//! # Adding a dataset
//! A new dataset is a file that implements [`Dataset`] and holds its [`DatasetEntry`], and a line in [`DATASETS`]. A
//! dataset in another crate needs no entry: implement [`Dataset`] and hand it to the runner.
//!
//! # Features
//! - `zstd`: reads parquet shards that are compressed by zstd; building it needs a C compiler.
//!
//! # References
//! - Moayeri, Singla, Feizi: Hard ImageNet: Segmentations for Objects with Strong Spurious Cues. NeurIPS Datasets and
//!   Benchmarks 2022.
//! - Moayeri, Pope, Balaji, Feizi: A Comprehensive Study of Image Classification Model Sensitivity to Foregrounds,
//!   Backgrounds, and Visual Attributes. CVPR 2022 (RIVAL10).
//! - Singla, Feizi: Salient ImageNet: How to discover spurious features in Deep Learning? ICLR 2022.
//! - Gao, Li, Yang, Cheng, Han, Torr: Large-scale Unsupervised Semantic Segmentation. TPAMI 2022 (ImageNet-S).
//! - Lin, Maire, Belongie, Hays, Perona, Ramanan, Dollár, Zitnick: Microsoft COCO: Common Objects in Context. ECCV
//!   2014.

mod answers;
mod checkup;
mod chosen;
mod coco;
mod dataset;
mod entry;
mod error;
mod files;
mod hard_imagenet;
mod imagenet;
mod imagenet_s;
mod mask_list;
mod masked_folder;
mod mat;
mod narrow;
mod npy;
mod planted;
mod ranked;
mod rankings;
mod registry;
mod rival;
mod rival10;
mod salient;
mod statistics;
mod store;
mod subset;
mod wnids;

pub use answers::{AnswerTable, FeatureAnswers, read_answers};
pub use checkup::{ContentCheck, SampleCheck, inspect};
pub use coco::{Coco, CocoMode};
pub use dataset::{Class, Dataset, DatasetInfo, Sample, SampleFacts};
pub use entry::{DatasetEntry, DatasetOptions, FileReading, PathKind, PathUse};
pub use error::DatasetError;
pub use files::Split;
pub use hard_imagenet::HardImageNet;
pub use imagenet::ImageNet;
pub use imagenet_s::ImageNetS;
pub use masked_folder::MaskedFolder;
pub use planted::{PlantedConfig, PlantedCues, Scene, Silhouette};
pub use ranked::RankedDataset;
pub use rankings::{RankPosition, Rankings};
pub use registry::{DATASETS, check, find, open, open_both_parts};
pub use rival::Rival20;
pub use rival10::{Attribute, Rival10, Rival10Attribute};
pub use salient::{FeatureKind, SalientImageNet};
pub use statistics::{DatasetStatistics, MaskStatistics, Retention, SampleStatistics, Summary};
pub use store::{SkippedEntry, Store};
pub use subset::{Subset, stratify};
