//! Finds robust features, decides which of them are spurious, and ranks images by the strength of their spurious cues.
//!
//! 1. A [`FeatureExtractor`] computes the features of a network once and keeps them in a [`FeatureBank`].
//! 2. [`feature_importance`] measures how much each feature speaks for a class.
//! 3. [`Verdicts`] say which features are spurious. They come from masks ([`MaskCriterion`]), which need no people,
//!    from the votes published with Salient ImageNet ([`published_votes`]), or from your own annotations
//!    ([`read_verdicts`]). [`VERDICT_SOURCES`] lists the sources, and [`measure_agreement`] compares two of them.
//! 4. [`Ranking`] orders the images of a class by the strength of their spurious cues, and [`rank_classes`] finds the
//!    classes that belong into Hard ImageNet. A [`RankingStudy`] does all of this and writes its tables.
//!
//! [`FeatureExtractor::activation_maps`], [`top_images`] and [`FeatureAttack`] show what a feature looks for.
//!
//! ```
//! use candle_core::{DType, Device};
//! use hard_imagenet_datasets::{Dataset, PlantedCues};
//! use hard_imagenet_images::MaskRule;
//! use hard_imagenet_models::{Weights, generated, zoo};
//! use hard_imagenet_ranking::{Aggregate, FeatureExtractor, FeatureId, MaskCriterion, Ranking};
//!
//! # let folder = tempfile::tempdir()?;
//! # let file = folder.path().join("planted_resnet.safetensors");
//! # generated::write(&zoo::graph("planted_resnet", 8)?, &file)?;
//! let model = zoo::load("planted_resnet", &Weights::File(file), &Device::Cpu, DType::F32)?;
//! let data = PlantedCues::hard(7, 16, 64);
//!
//! let names = data.info().classes.iter().map(|class| class.name.clone()).collect();
//! let extractor = FeatureExtractor::new(&model, &data.info().name, names, (0..8).collect())?;
//! let mut bank = extractor.empty_bank();
//! let geometry = model.spec().preprocess.paired_transform(MaskRule::Half);
//! for i in 0..data.len() {
//!     let sample = data.get(i)?;
//!     let x = model.normalize(&model.batch(&[geometry.apply_to_image(&sample.image)])?)?;
//!     let masks = [geometry.apply_to_mask(&sample.mask)];
//!     bank.join(extractor.extract(&x, &[&sample.id], &[data.class(i) as u32], &masks)?)?;
//! }
//!
//! let all = (0..8).flat_map(|class| (0..bank.width as u32).map(move |feature| FeatureId { class, feature }));
//! let spurious = MaskCriterion::default().verdicts(&bank, all);
//! let ranking = Ranking::new(&bank, |class| spurious.spurious(class), Aggregate::Sum);
//! assert!(ranking.classes.len() <= 8);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The tensors in this crate's interface are those of candle ([`candle_core`]).
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

mod activation_map;
mod aggregate;
mod agreement;
mod annotations;
mod attack;
mod bank;
mod bank_file;
mod class_hardness;
mod comparison;
mod correlation;
mod error;
mod extract;
mod identity;
mod importance;
mod mask_criterion;
mod ranking;
mod sources;
mod study;
mod verdicts;
mod votes;

pub use activation_map::{ActivationMap, top_images};
pub use aggregate::Aggregate;
pub use agreement::{Agreement, measure_agreement};
pub use annotations::read_verdicts;
pub use attack::{AttackedImages, FeatureAttack};
pub use bank::{FeatureBank, ImageFeatures};
pub use class_hardness::{ClassHardness, class_importance, rank_classes};
pub use comparison::RankingComparison;
pub use correlation::{kendall, overlap, spearman};
pub use error::RankingError;
pub use extract::FeatureExtractor;
pub use identity::{BankIdentity, describe_preprocessing, describe_samples};
pub use importance::{feature_importance, top_features};
pub use mask_criterion::MaskCriterion;
pub use ranking::{RankedImage, Ranking, accuracy_by_decile};
pub use sources::{NamedVerdicts, VERDICT_SOURCES, VerdictSource, VerdictSourceInfo};
pub use study::{ImportantFeature, RankingStudy, StudyOptions};
pub use verdicts::{FeatureId, Verdict, Verdicts};
pub use votes::{SpuriousKind, VoteTable, Votes, published_votes, verdicts_from_votes};
