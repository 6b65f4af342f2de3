//! Robust features, which of them are spurious, and images in their order.
//!
//! The features of a network, computed once, are a [`FeatureBank`]; an [`Extractor`] makes it. [`importance`] says which
//! features speak for a class. Whether they are spurious say three sources, each as [`Verdicts`]: the votes published with
//! Salient ImageNet ([`published`], [`read_answers`]), annotations of one's own ([`read_verdicts`]), and masks ([`ByMasks`]), which need no
//! people; [`agreement`] compares two of them. With these, [`Ranking`] orders the pictures of a class by the strength of
//! their spurious cues, and [`hardness`] finds the classes that belong into Hard ImageNet. What a feature looks for, show
//! [`Extractor::activation_maps`], [`top_pictures`] and [`FeatureAttack`].
//!
//! ```
//! use candle_core::{DType, Device};
//! use hard_imagenet_datasets::{Dataset, PlantedCues};
//! use hard_imagenet_images::MaskRule;
//! use hard_imagenet_models::{Weights, generated, zoo};
//! use hard_imagenet_ranking::{Aggregate, ByMasks, Extractor, FeatureId, Ranking};
//!
//! # let folder = tempfile::tempdir()?;
//! # let file = folder.path().join("planted_resnet.safetensors");
//! # generated::write(&zoo::graph("planted_resnet", 8)?, &file)?;
//! let model = zoo::load("planted_resnet", &Weights::File(file), &Device::Cpu, DType::F32)?;
//! let data = PlantedCues::hard(7, 16, 64);
//!
//! let names = data.info().classes.iter().map(|class| class.name.clone()).collect();
//! let extractor = Extractor::new(&model, &data.info().name, names, (0..8).collect())?;
//! let mut bank = extractor.empty();
//! let geometry = model.spec().preprocess.paired_transform(MaskRule::Half);
//! for i in 0..data.len() {
//!     let sample = data.get(i)?;
//!     let x = model.normalise(&model.batch(&[geometry.apply_to_image(&sample.image)])?)?;
//!     let masks = [geometry.apply_to_mask(&sample.mask)];
//!     bank.join(extractor.extract(&x, &[&sample.id], &[data.class(i) as u32], &masks)?)?;
//! }
//!
//! let all = (0..8).flat_map(|class| (0..bank.width as u32).map(move |feature| FeatureId { class, feature }));
//! let spurious = ByMasks::default().verdicts(&bank, all);
//! let ranking = Ranking::new(&bank, |class| spurious.spurious(class), Aggregate::Sum);
//! assert!(ranking.classes.len() <= 8);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Features: `cuda`, `cudnn`, `metal` (candle's backends).
//!
//! # References
//! - M. Moayeri, S. Singla, S. Feizi: Hard ImageNet: Segmentations for Objects with Strong Spurious Cues. NeurIPS 2022
//!   Datasets and Benchmarks.
//! - S. Singla, S. Feizi: Salient ImageNet: How to discover spurious features in deep learning? ICLR 2022.
//! - S. Singla, B. Nushi, S. Shah, E. Kamar, E. Horvitz: Understanding failures of deep networks via robust feature
//!   extraction. CVPR 2021.
//! - J. Cohen: A coefficient of agreement for nominal scales. 1960. M. G. Kendall: The treatment of ties in ranking
//!   problems. Biometrika 1945.

mod aggregate;
mod agreement;
mod attack;
mod bank;
mod by_masks;
mod classes;
mod correlation;
mod error;
mod extract;
mod importance;
mod nam;
mod ranking;
mod verdict;
mod votes;

pub use aggregate::Aggregate;
pub use agreement::{Agreement, agreement};
pub use attack::FeatureAttack;
pub use bank::{About, FeatureBank, Row};
pub use by_masks::ByMasks;
pub use classes::{Hardness, hardness, of_class};
pub use correlation::{kendall, overlap, spearman};
pub use error::RankingError;
pub use extract::Extractor;
pub use importance::{importance, top};
pub use nam::{ActivationMap, top_pictures};
pub use ranking::{Likeness, Ranked, Ranking, accuracy_by_tenth};
pub use verdict::{FeatureId, Verdict, Verdicts};
pub use votes::{Annotations, Kind, Votes, of_votes, published, read_answers, read_verdicts};
