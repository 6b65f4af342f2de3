//! Reports of benchmark runs: one offline page, and the same numbers as text for people and programs.
//!
//! A run is one image classifier on one dataset, scored for whether it sees the object or what usually surrounds it.
//! Give each run as a [`RunInput`] and write it in the form you need:
//!
//! - [`html`]: one file with readings in words, figures, tables and pictures. It needs no network and no script.
//! - [`markdown`], [`latex`]: the headline table, for a readme or a paper.
//! - [`csv`], [`json`]: every score with its interval, for programs.
//! - [`comparison_html`], [`comparison_markdown`], [`comparison_csv`], [`comparison_json`]: of two runs on the same
//!   samples, every difference with its interval and tests.
//! - [`reading`]: what a run's numbers say, in two or three sentences.
//! - [`masks_html`], [`masks_csv`], [`masks_json`], [`masks_markdown`]: of datasets instead of runs, how large the
//!   objects are, where they lie and what the crop keeps, from [`MaskStats`].
//!
//! All of them take several runs and arrange them models by datasets. Where models were run on several datasets, what they
//! have on the first and not on another stands below, with intervals. Scores that a run does not have show as "–".
//! The functions are pure: the same runs give the same bytes. They do not touch files.
//!
//! ```
//! use hard_imagenet_metrics::{Options, Record, score};
//! use hard_imagenet_report::{RunInput, html, reading};
//!
//! let record = |sample: usize, condition: &str, correct: bool| Record {
//!     sample: format!("val/{sample}"),
//!     label: 0,
//!     class: "dog sled".into(),
//!     condition: condition.into(),
//!     trial: 0,
//!     prediction: Some(if correct { 0 } else { 1 }),
//!     correct: Some(correct),
//!     ..Record::default()
//! };
//! // Forty images, all right; with a gray box over the object still 36.
//! let records: Vec<Record> = (0..40)
//!     .flat_map(|s| [record(s, "none", true), record(s, "gray-box", s < 36)])
//!     .collect();
//! let run = RunInput {
//!     model: "resnet50".into(),
//!     dataset: "hard-imagenet".into(),
//!     preset: "strict".into(),
//!     explainer: None,
//!     facts: vec![("seed".into(), "0".into())],
//!     scores: score(&records, &Options::default()),
//!     records,
//!     gallery: vec![],
//! };
//! assert!(reading(&run).starts_with(
//!     "resnet50 on hard-imagenet leans on the surroundings. With a gray box over the object it keeps 90.0"
//! ));
//! assert!(html(&[run]).starts_with("<!DOCTYPE html>"));
//! ```

mod comparison;
mod csv;
mod figures;
mod html;
mod input;
mod json;
mod latex;
mod markdown;
mod masks;
mod page;
mod ranks;
mod reading;
mod svg;
mod table;
mod versus;
mod write;

pub use comparison::{ComparisonInput, comparison_csv, comparison_html, comparison_json, comparison_markdown};
pub use csv::csv;
pub use html::html;
pub use input::{CaseKind, GalleryCase, INCOMPLETE, Picture, RunInput};
pub use json::json;
pub use latex::latex;
pub use markdown::markdown;
pub use masks::{MaskClass, MaskRow, MaskStats, masks_csv, masks_from_json, masks_html, masks_json, masks_markdown};
pub use ranks::{RankClass, RankFeature, RankInput, Thumbnail, ranks_html};
pub use reading::reading;
