use crate::{FORMAT, Gallery, Result, RunDescription, RunError, RunFolder};
use hard_imagenet_metrics::Record;
use std::collections::BTreeMap;
use std::path::Path;

/// What an evaluation left in its folder: a description and records.
#[derive(Clone, Debug)]
pub struct Run {
    folder: RunFolder,
    description: RunDescription,
    records: Vec<Record>,
    missing: Vec<usize>,
}

impl Run {
    /// Reads a run folder, complete or not.
    ///
    /// # Errors
    /// No description, one of another format, a damaged part.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        Self::open_with_parts(folder, BTreeMap::new())
    }

    /// Reads a run folder whose parts are partly known, so that no part is read twice. `known` has the records of such
    /// parts by their number.
    ///
    /// # Errors
    /// The errors of [`open`](Self::open).
    pub fn open_with_parts(folder: impl AsRef<Path>, mut known: BTreeMap<usize, Vec<Record>>) -> Result<Self> {
        let folder = RunFolder::new(folder);
        let description = folder.description()?;
        if description.format != FORMAT {
            return Err(RunError::Unreadable {
                path: folder.path().join("run.json"),
                reason: format!(
                    "its format is {}, this program reads {FORMAT}; use version {} of the program",
                    description.format, description.version
                ),
            });
        }
        let (mut records, mut missing) = (Vec::new(), Vec::new());
        for part in 0..description.parts() {
            let of_part = match known.remove(&part) {
                Some(of_part) => Some(of_part),
                None => folder.read_part(part)?,
            };
            match of_part {
                Some(of_part) => records.extend(of_part),
                None => missing.push(part),
            }
        }
        Ok(Self { folder, description, records, missing })
    }

    /// The folder it lies in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What was evaluated.
    pub fn description(&self) -> &RunDescription {
        &self.description
    }

    /// All records there are: samples in the order of the dataset, conditions in the order of the protocol, trials.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Numbers of the parts that are not there yet, out of [`RunDescription::parts`].
    pub fn missing_parts(&self) -> &[usize] {
        &self.missing
    }

    /// The pictures of the run; `None` before it is complete.
    ///
    /// # Errors
    /// A list that cannot be read.
    pub fn gallery(&self) -> Result<Option<Gallery>> {
        self.folder.read_json(RunFolder::GALLERY)
    }

    /// Is every part there?
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }
}
