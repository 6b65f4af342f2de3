//! Runs a dataset through a model under the conditions of a protocol, and keeps a record of every answer.
//!
//! The question is whether an image classifier sees the object or only what usually surrounds it. Each picture of a
//! [`Dataset`](hard_imagenet_datasets::Dataset) comes with a mask of its object; so the object can be taken away
//! (`gray`, `gray-box`, `tile`, ..), set before another background (`mixed-rand`, ..), noise can be laid on it or around it (`noise:linf:0.25:fg`), and the place where the
//! model looks can be compared with the mask.
//!
//! In the order of use:
//! - [`Protocol`](hard_imagenet_runs::Protocol): which conditions, how many draws, which explainers. [`Protocol::paper`](hard_imagenet_runs::Protocol::paper) is all of the paper,
//!   [`Protocol::quick`](hard_imagenet_runs::Protocol::quick) a first look, [`Protocol::from_toml`](hard_imagenet_runs::Protocol::from_toml) your own.
//! - [`Quirks`](hard_imagenet_runs::Quirks): the published code and its method differ in a few places, each a switch; `Preset::Paper` and
//!   `Preset::Strict` set all of them.
//! - [`Evaluation`]: puts a dataset, a protocol and the switches together; [`Evaluation::run`] takes a model and a
//!   folder.
//! - [`Run`](hard_imagenet_runs::Run): what lies in the folder: a [`RunDescription`](hard_imagenet_runs::RunDescription), [records](hard_imagenet_metrics::Record), a [`Gallery`](hard_imagenet_runs::Gallery).
//!
//! ```
//! use candle_core::{DType, Device};
//! use hard_imagenet_datasets::PlantedCues;
//! use hard_imagenet_evaluation::Evaluation;
//! use hard_imagenet_models::{Weights, generated, zoo};
//! use hard_imagenet_runs::Protocol;
//!
//! // Generated pictures, and a network that has learnt nothing.
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
//! // Again: all of it is there, nothing is computed.
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
//! - *Sample*: the dataset decodes a picture and its mask, in parallel and one part ahead of the model.
//! - *Transform*: both are brought to the network's input by one geometry: the paper's for every model, or the model's
//!   own ([`Geometry`](hard_imagenet_runs::Geometry)). The mask becomes binary.
//! - *Perturb*: for each condition and draw a picture in [0, 1] is made, while the model is busy with the batch before.
//!   All noise of a draw comes from one standard normal tensor. A background (`mixed-same`, `mixed-rand`, `mixed-next`)
//!   comes from another sample of the dataset, which (seed, sample id, trial) choose; the same in every shard.
//! - *Classifier*: pictures are normalised and go through the model in batches. A head with as many classes as the
//!   dataset is judged on the dataset's labels, one of 1000 on ImageNet's ([`LabelSpace`](hard_imagenet_runs::LabelSpace)).
//! - *Explain*: on the untouched pictures, for the label, whatever was predicted, or for another class. Every score of
//!   [`map_scores`](hard_imagenet_metrics::map_scores()) is taken; of how faithful the map is to the model only what the
//!   protocol asks for. Further explainers have rows of their own, of condition `map:WORD`.
//! - *Record*: prediction, ranks and probabilities, and on the rows of `none` what the object is like and what the map is
//!   worth; docs/RECORDS.md lists the columns.
//!
//! # The run folder
//! | file | what |
//! |---|---|
//! | `run.json` | the [`RunDescription`](hard_imagenet_runs::RunDescription): model and hash of its weights, dataset, switches, protocol, seed, version |
//! | `records/part-00000.parquet`, .. | the records of 16 consecutive samples each |
//! | `scores.json` | [`score`](hard_imagenet_metrics::score) of all records with default options, once all parts are there |
//! | `gallery.json`, `gallery/*.jpg` | the [`Gallery`](hard_imagenet_runs::Gallery): best and worst samples with what was done to them |
//!
//! Every file is written whole under another name and renamed into place, so a run can be killed at any time and
//! started again; it computes the parts that are missing. Parts do not depend on each other: several processes or
//! machines can [share](Evaluation::shard) a folder. A part that was damaged is noticed by its checksum and computed
//! again. Parts are plain parquet files of one row a record; pandas, polars and DuckDB read `records/*.parquet` at once.
//!
//! # What a record depends on
//! On the run description, the sample and the condition (and for a borrowed background on the dataset's other pictures),
//! and on nothing else: the noise of a draw is a function of (seed, sample id, trial), and batches are cut from the samples of one part alone. So the records of a run that was
//! interrupted or divided are those of one that was not, bit for bit. Another device or batch size changes how sums are
//! rounded, and with it the last digits of confidences.
//!
//! A picture that cannot be decoded, or for which none of 16 others has a background to lend, has one record, of
//! condition `none`, whose `error` says why. Where the mask is empty
//! after the transform there is nothing to compare a saliency map with: those scores are `None`.
//!
//! # Reference
//! M. Moayeri, S. Singla, S. Feizi: Hard ImageNet: Segmentations for Objects with Strong Spurious Cues. NeurIPS 2022
//! (Datasets and Benchmarks).

mod chunk;
mod donor;
mod error;
mod evaluation;
mod features;
mod finish;
mod gallery;
mod labels;
mod maps;
mod plan;
mod progress;
mod text;
mod words;

pub use error::{EvaluationError, Result};
pub use evaluation::Evaluation;
pub use features::{Extracted, Features};
pub use progress::{Event, Phase};
pub use words::check_explainers;
