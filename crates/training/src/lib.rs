//! Finetunes heads and backbones under the paper's objectives, and under objectives that work better.
//!
//! A [`Network`](hard_imagenet_models::Network) (a graph and its weights, under the names of the checkpoint) and a
//! [`Recipe`] make a [`Trainer`]. The trained weights load like any weights file. A model of your own comes from an
//! ONNX file ([`onnx::read`](hard_imagenet_models::onnx::read)). The [`Objective`] says what is minimized:
//!
//! | word | what is minimized |
//! |---|---|
//! | `erm` | the mean loss |
//! | `background-noise`, `core-risk` | the loss with noise around the object, in half of the images or in all |
//! | `background-only`, `object-only` | the loss with a gray object, or with gray surroundings |
//! | `published-saliency` | the mean loss: the published penalty has no gradient (docs/QUIRKS.md, Q13) |
//! | `input-gradient` | the loss and the square of its gradient outside the object |
//! | `grad-cam` | the loss and the share of GradCAM outside the object |
//! | `group-balanced`, `group-dro` | the loss with all groups shown equally often, or the loss of the worst group |
//!
//! [`Groups`] come from rankings, masks or your own list. The paper's balanced subset is a choice of data
//! (`Subset::balanced` of hard-imagenet-datasets), and [`deep_feature_reweighting`] is another way to train
//! ([`TrainingMethod`] parses its word too). The penalties are also available as functions with exact second-order
//! gradients: [`input_gradient_penalty`] and [`grad_cam_penalty`].
//!
//! ```
//! use hard_imagenet_datasets::{PlantedConfig, PlantedCues};
//! use hard_imagenet_models::{Weights, generated, zoo};
//! use hard_imagenet_training::{Objective, Recipe, Trainer, replace_head};
//! use std::ops::ControlFlow;
//!
//! # let folder = tempfile::tempdir()?;
//! # let file = folder.path().join("planted_resnet.safetensors");
//! # generated::write(&zoo::graph("planted_resnet", 8)?, &file)?;
//! // A new head for eight classes on frozen features, with a higher learning rate than the paper's recipe.
//! let network = replace_head(zoo::read("planted_resnet", &Weights::File(file))?, 8, 0)?;
//! let objective = Objective::parse("core-risk")?;
//! let recipe = Recipe { epochs: 4, batch_size: 8, learning_rate: 5e-3, objective, ..Recipe::default() };
//! let data = PlantedCues::new(PlantedConfig::train(0.9), 1, 32, 64)?;
//! let outcome = Trainer::new(network, recipe).train(&data, |_| ControlFlow::Continue(()))?;
//! assert!(outcome.epochs[3].loss < outcome.epochs[0].loss);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The order of the images, augmentation, noise and new heads are functions of the recipe's seed, the epoch and the
//! sample. An interrupted training therefore resumes to the same weights ([`Trainer::checkpoints`]), bit for bit on the
//! CPU. If layers are frozen and nothing is random, their outputs are computed once and a head trains in seconds.
//!
//! The tensors, devices and data types in this crate's interface are those of candle ([`candle_core`]).
//!
//! Features: `cuda`, `cudnn`, `metal` (candle's backends).
//!
//! # References
//! - M. Moayeri, S. Singla, S. Feizi: Hard ImageNet: Segmentations for Objects with Strong Spurious Cues. NeurIPS 2022
//!   Datasets and Benchmarks.
//! - A. S. Ross, M. C. Hughes, F. Doshi-Velez: Right for the right reasons. IJCAI 2017.
//! - S. Singla, M. Moayeri, S. Feizi: Core risk minimization using Salient ImageNet. 2022.
//! - S. Sagawa, P. W. Koh, T. Hashimoto, P. Liang: Distributionally robust neural networks. ICLR 2020.
//! - P. Kirichenko, P. Izmailov, A. G. Wilson: Last layer re-training is sufficient for robustness to spurious
//!   correlations. ICLR 2023.

mod batch;
mod checkpoint;
mod early_stopping;
mod error;
mod feature_cache;
mod group_loss;
mod groups;
mod identity;
mod input;
mod loss;
mod method;
mod network;
mod objective;
mod optimizer;
mod penalty;
mod progress;
mod recipe;
mod reweighting;
mod schedule;
mod session;
mod setup;
mod step;
mod trainer;
mod validation;

pub use batch::SkippedSample;
pub use error::TrainingError;
pub use groups::Groups;
pub use loss::cross_entropy;
pub use method::TrainingMethod;
pub use network::replace_head;
pub use objective::{OBJECTIVES, Objective, ObjectiveInfo, ObjectiveParameter};
pub use optimizer::{Optimizer, UpdateRule};
pub use penalty::{Penalty, grad_cam_penalty, input_gradient_penalty};
pub use progress::{Epoch, TrainingEvent, TrainingOutcome, epochs_csv};
pub use recipe::{BatchNormMode, Recipe, TrainableWeights};
pub use reweighting::deep_feature_reweighting;
pub use schedule::Schedule;
pub use trainer::Trainer;
