//! A feature bank on disk, and what its samples looked like.

use crate::Result;
use hard_imagenet_files::{read_if_exists, write_whole};
use hard_imagenet_ranking::FeatureBank;
use hard_imagenet_runs::{RunError, SampleInput};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// A file of features, and the file next to it that says what they were computed from.
pub(crate) struct BankFiles {
    pub(crate) folder: PathBuf,
    pub(crate) bank: PathBuf,
    inputs: PathBuf,
}

/// What a sample looked like when its features were computed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SampleFeatures {
    #[serde(flatten)]
    pub(crate) input: SampleInput,
    /// Why it has no features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

impl SampleFeatures {
    pub(crate) fn new(sample: &str, stamp: Option<String>) -> Self {
        Self { input: SampleInput { sample: sample.to_owned(), stamp, ..SampleInput::default() }, error: None }
    }

    /// A sample of a bank that does not say what it was computed from.
    pub(crate) fn unknown(sample: &str, known: &HashSet<&str>) -> Self {
        let error = || "it could not be read when the features were computed".to_owned();
        Self { error: (!known.contains(sample)).then(error), ..Self::new(sample, None) }
    }
}

/// Lists the samples without features, and the reasons.
pub(crate) fn failures(inputs: &[SampleFeatures]) -> Vec<(String, String)> {
    inputs.iter().filter_map(|one| Some((one.input.sample.clone(), one.error.clone()?))).collect()
}

impl BankFiles {
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        let at = |ending: &str| folder.join(format!("{name}.{ending}"));
        Self { folder: folder.to_owned(), bank: at("safetensors"), inputs: at("inputs.json") }
    }

    /// Reads what the samples looked like; `None` if that is not known.
    pub(crate) fn read_inputs(&self) -> Result<Option<Vec<SampleFeatures>>> {
        let bytes = read_if_exists(&self.inputs).map_err(RunError::from)?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Writes features, which thus never lack what they were computed from.
    pub(crate) fn write(&self, bank: &FeatureBank, inputs: &[SampleFeatures]) -> Result<()> {
        let text = serde_json::to_vec(inputs)
            .map_err(|error| RunError::Encode { path: self.inputs.clone(), reason: error.to_string() })?;
        write_whole(&self.inputs, &text).map_err(RunError::from)?;
        Ok(bank.write(&self.bank)?)
    }

    /// Removes both files. What cannot be removed does no harm.
    pub(crate) fn remove(&self) {
        for file in [&self.bank, &self.inputs] {
            let _ = std::fs::remove_file(file);
        }
    }
}
