//! Runs a dataset through a model under the conditions of a protocol and keeps a record of every answer.
//!
//! The question is whether an image classifier sees the object or only what usually surrounds it. Each image of a
//! [`Dataset`](hard_imagenet_datasets::Dataset) comes with a mask of its object. With the mask, the object can be removed
//! (`gray`, `gray-box`, `tile`, ...) or placed in front of another background (`mixed-rand`, ...), noise can be added to
//! it or around it (`noise:linf:0.25:fg`), and the place where the model looks can be compared with it.
//!
//! In the order of use:
//! - [`Protocol`](hard_imagenet_runs::Protocol) says which conditions, trials and explainers a model is asked about.
//!   `Protocol::paper` is everything in the paper, `Protocol::quick` a first look, `Protocol::from_toml` reads your own.
//! - [`Quirks`](hard_imagenet_runs::Quirks) are the switches between the published code and its method; `Preset::Paper`
//!   and `Preset::Strict` set all of them.
//! - [`Evaluation`] combines a dataset, a protocol and the switches, and accepts perturbations, explainers and metrics
//!   of your own. [`Evaluation::run`] takes a model and a folder.
//! - [`Run`](hard_imagenet_runs::Run) is what the folder holds: a
//!   [`RunDescription`](hard_imagenet_runs::RunDescription), [records](hard_imagenet_metrics::Record) and a
//!   [`Gallery`](hard_imagenet_runs::Gallery).
//! - [`Features`] computes the feature bank of a dataset, which the crate `hard-imagenet-ranking` reads.
//!
//! ```
//! use candle_core::{DType, Device};
//! use hard_imagenet_datasets::PlantedCues;
//! use hard_imagenet_evaluation::Evaluation;
//! use hard_imagenet_models::{Weights, generated, zoo};
//! use hard_imagenet_runs::Protocol;
//!
//! // Generated images, and a network that has learned nothing.
//! let folder = tempfile::tempdir()?;
//! let weights = folder.path().join("planted_resnet.safetensors");
//! generated::write(&zoo::graph("planted_resnet", 8)?, &weights)?;
//! let model = zoo::load("planted_resnet", &Weights::File(weights), &Device::Cpu, DType::F32)?;
//! let data = PlantedCues::hard(1, 6, 64);
//!
//! let mut evaluation = Evaluation::new(&data).protocol(Protocol::quick()).batch_size(12);
//! let run = evaluation.run(&model, folder.path().join("run"))?;
//! assert!(run.is_complete());
//! assert_eq!(run.records().len(), 6 * 6);
//! assert_eq!(run.records()[1].condition, "gray");
//!
//! // Run it again: everything exists already, nothing is computed.
//! let again = evaluation.run(&model, folder.path().join("run"))?;
//! assert_eq!(again.records(), run.records());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The flow
//!
//! ```text
//! Sample ─ Transform ─ Perturb ─ Classifier (─ Explain) ─ Record
//! ```
//! Each stage is a file in `src/stages`.
//! - *Decode*: the dataset decodes an image and its mask, in parallel and one part ahead of the model. Both are brought
//!   to the network's input by one geometry, the paper's for every model or the model's own
//!   ([`Geometry`](hard_imagenet_runs::Geometry)). The mask becomes binary.
//! - *Perturb*: for each condition and trial an image in [0, 1] is made while the model is busy with the previous batch.
//!   All noise of a trial comes from one standard normal tensor. A background (`mixed-same`, `mixed-rand`,
//!   `mixed-next`) comes from another sample of the dataset, chosen by (seed, sample id, trial), so it is the same in
//!   every shard.
//! - *Answer*: images are normalized and pass through the model in batches. A head with as many classes as the dataset
//!   is judged by the dataset's labels, a head of 1000 classes by ImageNet's
//!   ([`LabelSpace`](hard_imagenet_runs::LabelSpace)).
//! - *Explain*: explainers see the unchanged images and explain the label, whatever was predicted, or another class.
//!   Every score of [`map_scores`](hard_imagenet_metrics::map_scores()) is computed; whether the map is faithful to the
//!   model is measured only if the protocol asks for it. Explainers after the first have records of their own, of
//!   condition `map:WORD`.
//! - *Record*: predictions, ranks and probabilities, and on records of `none` what the object is like and how good the map
//!   is. docs/RECORDS.md lists the columns.
//!
//! # The run folder
//! | file | content |
//! |---|---|
//! | `run.json` | the [`RunDescription`](hard_imagenet_runs::RunDescription): model and hash of its weights, dataset, switches, protocol, seed, version |
//! | `records/part-00000.parquet`, ... | the records of 16 consecutive samples each |
//! | `records/part-00000.inputs.json`, ... | the [`PartInputs`](hard_imagenet_runs::PartInputs): which files they were computed from |
//! | `findings.json` | what is suspicious: [`Run::findings`](hard_imagenet_runs::Run::findings) |
//! | `scores.json` | [`score`](hard_imagenet_metrics::score) of all records with default options, once every part exists |
//! | `gallery.json`, `gallery/*.jpg` | the [`Gallery`](hard_imagenet_runs::Gallery): best and worst samples under each condition |
//!
//! Every file is written completely under another name and then renamed, so a run can be killed at any time and resumed;
//! only missing parts are computed. Parts do not depend on each other: several processes or machines can
//! [share](Evaluation::shard) a folder. A damaged part is recognized by its checksum and computed again. Parts are plain
//! parquet files with one row for each record; pandas, polars and DuckDB read `records/*.parquet` as they are.
//!
//! # What a record depends on
//! A record depends on the run description, the sample and the condition, and on nothing else. (A borrowed background
//! also depends on the other images of the dataset.) The noise of a trial is a function of (seed, sample id, trial), and
//! batches consist of samples of one part. So the records of a run that was interrupted or divided equal those of a run
//! that was not, bit for bit. Another device or batch size changes how sums are rounded, and with it the last digits of
//! confidences.
//!
//! An image that cannot be decoded, or for which none of 16 other images has a background to lend, has one record of
//! condition `none` whose `error` gives the reason. If the mask is empty after the transform, a saliency map has nothing
//! to be compared with: its scores are `None`.
//!
//! # Types of other crates
//! Models and tensors in this interface are those of `hard-imagenet-models` and of `candle-core`, which the façade
//! `hard-imagenet` re-exports.
//!
//! # Reference
//! M. Moayeri, S. Singla, S. Feizi: Hard ImageNet: Segmentations for Objects with Strong Spurious Cues. NeurIPS 2022
//! (Datasets and Benchmarks).

mod bank_files;
mod content;
mod donor;
mod error;
mod evaluation;
mod extensions;
mod features;
mod findings;
mod finish;
mod gallery;
mod inputs;
mod labels;
mod parts;
mod probe;
mod progress;
mod ranking_page;
mod resolve;
mod setup;
mod stages;

pub use error::{EvaluationError, Result};
pub use evaluation::Evaluation;
pub use features::{ExtractedFeatures, Features};
pub use findings::check_inputs;
pub use progress::{Event, Phase};
pub use ranking_page::{RankedDataset, open_verdict_source};
pub use resolve::check_explainers;
