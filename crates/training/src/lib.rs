//! Heads and backbones finetuned under the paper's objectives, and under ones that work.
//!
//! A [`Network`](hard_imagenet_models::Network) (graph and weights under their checkpoint's names) and a [`Recipe`] make a [`Trainer`]; what it gives loads
//! like any weights file. A model of one's own comes from an ONNX file ([`onnx::read`](hard_imagenet_models::onnx::read)). The [`Objective`] says what for:
//!
//! | word | what is minimised |
//! |---|---|
//! | `erm` | the mean loss |
//! | `background-noise`, `core-risk` | the loss on pictures with noise around the object: in half of them, in all |
//! | `background-only`, `object-only` | the loss on what is left when the other is gray |
//! | `published-saliency` | the mean loss: the penalty as published has no gradient (SPEC Q13) |
//! | `input-gradient` | the loss and the square of its gradient outside the object |
//! | `grad-cam` | the loss and the share of GradCAM outside the object |
//! | `group-balanced`, `group-dro` | the loss with all groups alike, the loss of the worst group |
//!
//! [`Groups`] come from rankings, masks or anywhere; the paper's balanced subset is a choice of data
//! (`Subset::balanced` of hard-imagenet-datasets) and [`deep_feature_reweighting`] a way of its own. The penalties are plain
//! functions with exact second-order gradients: [`input_gradient_penalty`] and [`grad_cam_penalty`].
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
//! // A new head of eight classes on frozen features, faster than by the paper's recipe.
//! let network = replace_head(zoo::read("planted_resnet", &Weights::File(file))?, 8, 0)?;
//! let recipe = Recipe { epochs: 4, batch_size: 8, learning_rate: 5e-3, objective: Objective::parse("core-risk")?, ..Recipe::default() };
//! let data = PlantedCues::new(PlantedConfig::train(0.9), 1, 32, 64)?;
//! let finetuned = Trainer::new(network, recipe).run(&data, |_| ControlFlow::Continue(()))?;
//! assert!(finetuned.epochs[3].loss < finetuned.epochs[0].loss);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Order, augmentation, noise and new heads are functions of the recipe's seed, the epoch and the sample, so an interrupted
//! training goes on to the same weights ([`Trainer::checkpoints`]), bit for bit on the CPU. Where the trunk is frozen and
//! nothing is drawn, its features are computed once and a head trains in seconds.
//!
//! Features: `cuda`, `cudnn`, `metal` (candle's backends).
//!
//! # References
//! - M. Moayeri, S. Singla, S. Feizi: Hard ImageNet. NeurIPS 2022 Datasets and Benchmarks (SPEC section 6).
//! - A. S. Ross, M. C. Hughes, F. Doshi-Velez: Right for the right reasons. IJCAI 2017.
//! - S. Singla, M. Moayeri, S. Feizi: Core risk minimization using Salient ImageNet. 2022.
//! - S. Sagawa, P. W. Koh, T. Hashimoto, P. Liang: Distributionally robust neural networks. ICLR 2020.
//! - P. Kirichenko, P. Izmailov, A. G. Wilson: Last layer re-training is sufficient for robustness to spurious
//!   correlations. ICLR 2023.

mod batch;
mod checkpoint;
mod error;
mod features;
mod finetune;
mod groups;
mod loss;
mod network;
mod objective;
mod optimizer;
mod outside;
mod recipe;
mod reweighting;
mod schedule;

pub use batch::SkippedSample;
pub use error::TrainingError;
pub use finetune::{Epoch, Trainer, TrainingEvent, TrainingOutcome};
pub use groups::Groups;
pub use loss::cross_entropy;
pub use network::replace_head;
pub use objective::Objective;
pub use optimizer::{Optimizer, UpdateRule};
pub use outside::{Penalty, grad_cam_penalty, input_gradient_penalty};
pub use recipe::{BatchNormMode, Recipe, TrainableWeights};
pub use reweighting::deep_feature_reweighting;
pub use schedule::Schedule;
