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
//!   [`Gallery`].
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
//! they are.

mod columns;
mod conditions;
mod description;
mod error;
mod folder;
mod gallery;
mod labels;
mod part;
mod protocol;
mod quirks;
mod run;
mod stated;

pub use columns::{Column, Rows, columns, columns_markdown};
pub use conditions::{Conditions, Explanation};
pub use description::{DatasetDescription, FORMAT, ModelDescription, RunDescription, SAMPLES_PER_PART};
pub use error::{Result, RunError};
pub use folder::{RunFolder, find_run_folders};
pub use gallery::{Exhibit, ExhibitKind, Gallery, Panel};
pub use labels::LabelSpace;
pub use protocol::{Condition, Protocol};
pub use quirks::{Geometry, NanPrediction, Quirks, SaliencyInput};
pub use run::Run;
pub use stated::{ExplainerDescription, PerturbationDescription};
