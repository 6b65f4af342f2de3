use crate::{FORMAT, Gallery, Panel, Result, RunDescription, RunError, RunFolder, check_results};
use hard_imagenet_files::read;
use hard_imagenet_findings::Finding;
use hard_imagenet_metrics::Record;
use std::collections::BTreeMap;
use std::path::Path;

/// A run folder that was read: the description and the records.
#[derive(Clone, Debug)]
pub struct Run {
    folder: RunFolder,
    description: RunDescription,
    records: Vec<Record>,
    missing: Vec<usize>,
    findings: Vec<Finding>,
}

impl Run {
    /// Reads a run folder, complete or not.
    ///
    /// # Errors
    /// [`RunError::Unreadable`] if there is no description or it has another format, [`RunError::Damaged`] for a damaged
    /// part, [`RunError::Io`].
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
                    "it has format {}, but this version reads format {FORMAT}; version {} wrote it and can read it",
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
        let stored: Option<Vec<Finding>> = folder.read_json(RunFolder::FINDINGS)?;
        let findings = stored.unwrap_or_else(|| check_results(&description, &records));
        Ok(Self { folder, description, records, missing, findings })
    }

    /// Writes a run of records that were made elsewhere, such as the answers of a model in another framework, and opens it.
    ///
    /// Records of one sample must not be divided by those of another. The folder must be new, or hold a part of the same
    /// run.
    ///
    /// # Errors
    /// [`RunError::OtherRun`] if the folder holds another run, and the errors of [`RunFolder::write`] and
    /// [`open`](Self::open).
    pub fn create(folder: impl AsRef<Path>, description: &RunDescription, records: &[Record]) -> Result<Self> {
        let folder = RunFolder::new(folder);
        folder.begin(description)?;
        let samples: Vec<&[Record]> = records.chunk_by(|a, b| a.sample == b.sample).collect();
        for (part, samples) in samples.chunks(description.samples_per_part.max(1)).enumerate() {
            folder.write_part(part, &samples.concat())?;
        }
        Self::open(folder.path())
    }

    /// Returns the path of the folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the description.
    pub fn description(&self) -> &RunDescription {
        &self.description
    }

    /// Returns the records of all parts that exist: by sample in the order of the dataset, by condition in the order of the
    /// protocol, by trial.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Returns the numbers of the missing parts, of [`RunDescription::parts`].
    pub fn missing_parts(&self) -> &[usize] {
        &self.missing
    }

    /// Returns what is suspicious about the run: what its evaluation found (`findings.json`), or, if that is not in the folder,
    /// what its records show.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Replaces what is suspicious about the run.
    #[must_use]
    pub fn with_findings(mut self, findings: Vec<Finding>) -> Self {
        self.findings = findings;
        self
    }

    /// Reads the list of drawn samples; returns `None` if the run has none yet.
    ///
    /// # Errors
    /// [`RunError::Unreadable`] if the list cannot be parsed; [`RunError::Io`].
    pub fn gallery(&self) -> Result<Option<Gallery>> {
        self.folder.read_json(RunFolder::GALLERY)
    }

    /// Reads the image of a panel of the gallery, as the bytes of a JPEG file.
    ///
    /// # Errors
    /// [`RunError::Io`] names the file.
    pub fn read_image(&self, panel: &Panel) -> Result<Vec<u8>> {
        Ok(read(&self.folder().join(&panel.file))?)
    }

    /// Returns whether every part exists.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }
}
