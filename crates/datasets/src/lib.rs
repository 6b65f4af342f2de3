//! Pictures of objects, with a mask of the object and a label: what a benchmark of visual cues needs of its data.
//!
//! To ask whether an image classifier sees the object or only what usually surrounds it, one must know which pixels
//! are the object. Here are the datasets that say so, all behind one small trait:
//!
//! - [`Dataset`]: a fixed order of samples; ids and classes are known without decoding anything, and
//!   [`get`](Dataset::get) decodes one [`Sample`] (picture, mask, class).
//! - [`HardImageNet`]: 15 ImageNet classes with strong surroundings, in the published layout; [`Rival20`]: the 20
//!   classes with large central objects that it is compared with.
//! - [`MaskedFolder`]: any folder of pictures and masks with matching names.
//! - [`PlantedCues`]: generated pictures whose scene tells the class exactly as often as one asks for; nothing to
//!   download, and the right answer is known.
//! - [`Subset`]: some samples of any of them, spread over the classes.
//!
//! Masks come as they are stored, 0 to 255; what counts as object is decided later, after resampling (the published
//! code takes every value above 0, which dilates objects: Q1).
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
//! # References
//! - Moayeri, Singla, Feizi: Hard ImageNet: Segmentations for Objects with Strong Spurious Cues. NeurIPS Datasets and
//!   Benchmarks 2022.
//! - Moayeri, Pope, Balaji, Feizi: A Comprehensive Study of Image Classification Model Sensitivity to Foregrounds,
//!   Backgrounds, and Visual Attributes. CVPR 2022 (RIVAL10).

mod dataset;
mod error;
mod files;
mod hard_imagenet;
mod imagenet;
mod mask_list;
mod masked_folder;
mod pickle;
mod planted;
mod rankings;
mod rival;
mod store;
mod subset;

pub use dataset::{Class, Dataset, DatasetInfo, Sample};
pub use error::DatasetError;
pub use files::Split;
pub use hard_imagenet::HardImageNet;
pub use imagenet::ImageNet;
pub use masked_folder::MaskedFolder;
pub use pickle::{Pickle, parse_pickle};
pub use planted::{PlantedConfig, PlantedCues, Scene, Silhouette};
pub use rankings::{Rank, Rankings};
pub use rival::Rival20;
pub use store::{Skipped, Store};
pub use subset::Subset;
