//! Run folders: what an evaluation was, what it recorded, and what it drew.
//!
//! An evaluation of a model on a dataset leaves a folder behind. This crate reads and writes such folders. It links no
//! tensors, so scoring and reporting an old run builds in seconds.
//!
//! The types in the order of use:
//! - [`Protocol`] says which conditions, trials and explainers a model is asked about.
//! - [`Quirks`] are the switches between the published code and its method.
//! - [`RunDescription`] is `run.json`: the model, dataset, quirks, protocol and seed. With a sample id and a condition, it
//!   determines a record.
//! - [`RunFolder`] writes the files of a folder, each whole or not at all.
//! - [`Run`] is a folder that was read: its description, its [records](hard_imagenet_metrics::Record) and its
//!   [`Gallery`]. [`find_run_folders`] finds the runs below a folder.
//! - [`Conditions`] puts conditions in words and in reading order.
//!
//! # The run folder
//! | file | content |
//! |---|---|
//! | `run.json` | the [`RunDescription`] |
//! | `records/part-00000.parquet`, ... | the records of 16 consecutive samples each |
//! | `scores.json` | [`score`](hard_imagenet_metrics::score) of all records with default options, once every part exists |
//! | `gallery.json`, `gallery/*.jpg` | the [`Gallery`]: best and worst samples under each condition |
//!
//! Parts are plain parquet files with one row for each record; pandas, polars and DuckDB read `records/*.parquet` as
//! they are. [`columns`] lists their columns. Every file is written whole or not at all, so a run can be killed at any time.
//! A damaged part is detected by its checksum.
//!
//! # Example
//! This writes a run of predictions that were made elsewhere, opens it and scores it. The crate `hard-imagenet-report` then
//! makes a page of it.
//!
//! ```
//! use hard_imagenet_images::{Filter, Preprocessing, Resize};
//! use hard_imagenet_metrics::{Options, Record, score};
//! use hard_imagenet_perturbations::Preset;
//! use hard_imagenet_runs::{DatasetDescription, LabelSpace, ModelDescription, Protocol, Quirks, Run, RunDescription};
//!
//! let description = RunDescription::new(
//!     DatasetDescription::new("two-images", ["a", "b"].into_iter()),
//!     ModelDescription {
//!         name: "my-model".into(),
//!         weights_sha256: "0".repeat(64),
//!         weights_origin: None,
//!         dtype: "f32".into(),
//!         preprocess: Preprocessing {
//!             resize: Resize::Squash(256, 256),
//!             input: (224, 224),
//!             filter: Filter::Bilinear,
//!             mean: [0.5; 3],
//!             std: [0.5; 3],
//!         },
//!     },
//!     LabelSpace::Dataset,
//!     Quirks::from(Preset::Strict),
//!     &Protocol::from_toml("conditions = ['none', 'gray']")?,
//!     0,
//! );
//! let record = |sample: &str, condition: &str, prediction: u32| Record {
//!     sample: sample.into(),
//!     class: "dog sled".into(),
//!     condition: condition.into(),
//!     prediction: Some(prediction),
//!     correct: Some(prediction == 0),
//!     ..Record::default()
//! };
//! let records = [record("a", "none", 0), record("a", "gray", 1), record("b", "none", 0), record("b", "gray", 0)];
//!
//! let folder = tempfile::tempdir()?;
//! Run::create(folder.path(), &description, &records)?;
//!
//! let run = Run::open(folder.path())?;
//! assert!(run.is_complete());
//! let scores = score(run.records(), &Options::default());
//! assert_eq!(scores.headline("drop", "gray").unwrap().value, 0.5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod columns;
mod conditions;
mod description;
mod error;
mod folder;
mod gallery;
mod inputs;
mod labels;
mod part;
mod protocol;
mod quirks;
mod ranking_page;
mod results;
mod run;
mod stated;

pub use columns::{Column, Rows, columns, columns_markdown};
pub use conditions::{Conditions, Explanation};
pub use description::{DatasetDescription, FORMAT, ModelDescription, RunDescription, SAMPLES_PER_PART};
pub use error::{Result, RunError};
pub use folder::{RunFolder, find_run_folders};
pub use gallery::{Exhibit, ExhibitKind, Gallery, Panel};
pub use inputs::{PartInputs, SampleInput};
pub use labels::LabelSpace;
pub use protocol::{Condition, Protocol};
pub use quirks::{Geometry, NanPrediction, Quirks, SaliencyInput};
pub use ranking_page::{RankingClass, RankingFeature, RankingPage, SourceVerdict, Thumbnail};
pub use results::check_results;
pub use run::Run;
pub use stated::{ExplainerDescription, PerturbationDescription};
