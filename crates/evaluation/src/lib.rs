//! skeleton
mod chunk;
mod description;
mod error;
mod evaluation;
mod finish;
mod folder;
mod gallery;
mod labels;
mod part;
mod plan;
mod progress;
mod protocol;
mod quirks;
mod run;
mod text;
mod words;

pub use description::{DatasetDescription, FORMAT, RunDescription};
pub use error::{EvaluationError, Result};
pub use evaluation::Evaluation;
pub use gallery::{Case, Gallery, Panel};
pub use labels::LabelSpace;
pub use progress::{Event, Phase};
pub use protocol::{Condition, Protocol};
pub use quirks::{Geometry, NanPrediction, Quirks, SaliencyInput};
pub use run::Run;
