//! Reports of benchmark runs: one offline page, and the same numbers as text for people and programs.
//!
//! A [`Run`](hard_imagenet_runs::Run) is one image classifier evaluated on one dataset. This crate scores its records and
//! writes the result in the form you need:
//!
//! - [`html`]: one file with readings in words, figures, tables and images. It needs no network and no script.
//! - [`markdown`], [`latex`]: the headline table, for a readme or a paper.
//! - [`csv`], [`json`]: every score with its interval, for programs.
//! - [`reading`]: what a run's numbers say, in two or three sentences.
//! - [`Report`]: the same with metrics that are not built in.
//! - [`RunComparison`]: every difference between two runs on the same samples, with its interval and tests.
//! - [`ranks_html`]: the features of a model, and which of them are spurious.
//! - [`masks_html`], [`masks_csv`], [`masks_json`], [`masks_markdown`]: how large the objects of datasets are, where they
//!   lie and how much of them the crop keeps, from [`MaskStats`].
//!
//! All functions about runs take several runs and arrange them models by datasets. If models were run on several datasets,
//! the differences between the first dataset and each other one follow, with intervals. Scores that a run does not have
//! show as "–". The same runs give the same bytes.
//!
//! ```
//! use hard_imagenet_metrics::Record;
//! use hard_imagenet_report::{html, reading};
//! use hard_imagenet_runs::{DatasetDescription, LabelSpace, ModelDescription, Protocol, Quirks, Run, RunDescription};
//! # use hard_imagenet_images::{Filter, Preprocessing, Resize};
//! # use hard_imagenet_perturbations::Preset;
//!
//! // Forty images. The model is right on all of them, and on 36 with a gray box over the object.
//! let ids: Vec<String> = (0..40).map(|i| format!("val/{i}")).collect();
//! let record = |sample: usize, condition: &str, correct: bool| Record {
//!     sample: ids[sample].clone(),
//!     class: "dog sled".into(),
//!     condition: condition.into(),
//!     prediction: Some(if correct { 0 } else { 1 }),
//!     correct: Some(correct),
//!     ..Record::default()
//! };
//! let records: Vec<Record> = (0..40).flat_map(|s| [record(s, "none", true), record(s, "gray-box", s < 36)]).collect();
//!
//! let description = RunDescription::new(
//!     DatasetDescription::new("hard-imagenet", ids.iter().map(String::as_str)),
//!     ModelDescription {
//!         name: "resnet50".into(),
//!         weights_sha256: "0".repeat(64),
//!         weights_origin: None,
//!         dtype: "f32".into(),
//! #       preprocess: Preprocessing {
//! #           resize: Resize::Squash(256, 256), input: (224, 224), filter: Filter::Bilinear, mean: [0.5; 3], std: [0.5; 3],
//! #       },
//! #       /*
//!         preprocess: ..,
//! #       */
//!     },
//!     LabelSpace::Dataset,
//!     Quirks::from(Preset::Strict),
//!     &Protocol::from_toml("conditions = ['none', 'gray-box']")?,
//!     0,
//! );
//! let folder = tempfile::tempdir()?;
//! let run = Run::create(folder.path(), &description, &records)?;
//!
//! assert!(reading(&run).starts_with("resnet50 on hard-imagenet leans on the surroundings."));
//! assert!(html(&[run])?.starts_with("<!DOCTYPE html>"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod comparison;
mod csv;
mod facts;
mod figures;
mod findings;
mod html;
mod json;
mod latex;
mod markdown;
mod masks;
mod page;
mod ranks;
mod reading;
mod report;
mod scored;
mod svg;
mod table;
mod versus;
mod write;

pub use comparison::RunComparison;
pub use masks::{MaskClass, MaskRow, MaskStats, masks_csv, masks_from_json, masks_html, masks_json, masks_markdown};
pub use ranks::ranks_html;
pub use report::{Report, csv, html, json, latex, markdown, reading};
