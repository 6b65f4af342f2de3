//! The files of a run folder.

use crate::part::{read_part, write_part};
use crate::{PartInputs, Result, RunDescription, RunError};
use hard_imagenet_files::{read_if_exists, remove_unfinished, write_whole};
use hard_imagenet_metrics::Record;
use std::fs;
use std::path::{Path, PathBuf};

/// A run folder and the names of its files.
///
/// Every file is written under a temporary name and renamed into place, so that readers see it whole or not at all.
#[derive(Clone, Debug)]
pub struct RunFolder {
    root: PathBuf,
}

const DESCRIPTION: &str = "run.json";
const RECORDS: &str = "records";
const GALLERY_FOLDER: &str = "gallery";

impl RunFolder {
    /// The name of the file that holds the scores of a complete run:
    /// [`score`](hard_imagenet_metrics::score) of all records with default options.
    pub const SCORES: &str = "scores.json";
    /// The name of the file that holds the [`Gallery`](crate::Gallery).
    pub const GALLERY: &str = "gallery.json";
    /// The name of the file that holds what is suspicious: [`Run::findings`](crate::Run::findings).
    pub const FINDINGS: &str = "findings.json";

    /// Names a folder, which need not exist yet.
    pub fn new(root: impl AsRef<Path>) -> Self {
        Self { root: root.as_ref().to_owned() }
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Makes the folder a run of `asked`, or checks that it is one.
    ///
    /// # Errors
    /// [`RunError::OtherRun`] if the folder holds another run, and the errors of [`write`](Self::write).
    pub fn begin(&self, asked: &RunDescription) -> Result<()> {
        if !self.has(DESCRIPTION) {
            self.write_json(DESCRIPTION, asked)?;
        }
        // Read back even if just written: another run may have begun in the same moment.
        self.check(asked)
    }

    /// Checks that the folder holds the run `asked` or none.
    ///
    /// # Errors
    /// [`RunError::OtherRun`] if the folder holds another run, [`RunError::Unreadable`], [`RunError::Io`].
    pub fn check(&self, asked: &RunDescription) -> Result<()> {
        if !self.has(DESCRIPTION) {
            return Ok(());
        }
        let differences = self.description()?.differences(asked);
        if differences.is_empty() {
            return Ok(());
        }
        Err(RunError::OtherRun { folder: self.root.clone(), differences })
    }

    /// Reads the description.
    ///
    /// # Errors
    /// [`RunError::Unreadable`] if there is none or it cannot be parsed; [`RunError::Io`].
    pub fn description(&self) -> Result<RunDescription> {
        let path = self.root.join(DESCRIPTION);
        let missing = || RunError::Unreadable { path, reason: "the file does not exist; is this a run folder?".into() };
        self.read_json(DESCRIPTION)?.ok_or_else(missing)
    }

    /// Reads a JSON file of the folder; returns `None` if it does not exist.
    ///
    /// # Errors
    /// [`RunError::Unreadable`] if it cannot be parsed; [`RunError::Io`].
    pub fn read_json<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let path = self.root.join(name);
        let Some(bytes) = read_if_exists(&path)? else { return Ok(None) };
        let value = serde_json::from_slice(&bytes);
        value.map(Some).map_err(|error| RunError::Unreadable { path, reason: error.to_string() })
    }

    /// Returns whether the folder has a file of that name.
    pub fn has(&self, name: &str) -> bool {
        self.root.join(name).exists()
    }

    /// Returns the path of a part's file.
    pub fn part_path(&self, part: usize) -> PathBuf {
        self.root.join(RECORDS).join(part_name(part))
    }

    /// Reads the records of a part; returns `None` if it has not been computed.
    ///
    /// # Errors
    /// [`RunError::Damaged`] if its bytes cannot be read as records; [`RunError::Io`].
    pub fn read_part(&self, part: usize) -> Result<Option<Vec<Record>>> {
        let path = self.part_path(part);
        let Some(bytes) = read_if_exists(&path)? else { return Ok(None) };
        read_part(bytes).map(Some).map_err(|reason| RunError::Damaged { path, reason })
    }

    /// Removes a part.
    ///
    /// # Errors
    /// [`RunError::Io`].
    pub fn remove_part(&self, part: usize) -> Result<()> {
        let path = self.part_path(part);
        fs::remove_file(&path).map_err(|source| RunError::Io { action: "remove", path, source })
    }

    /// Writes the records of a part.
    ///
    /// # Errors
    /// [`RunError::Encode`] and the errors of [`write`](Self::write).
    pub fn write_part(&self, part: usize, records: &[Record]) -> Result<()> {
        let bytes = write_part(records)
            .map_err(|error| RunError::Encode { path: self.part_path(part), reason: error.to_string() })?;
        self.write(&format!("{RECORDS}/{}", part_name(part)), &bytes)
    }

    /// Reads what the samples of a part looked like when its records were computed; returns `None` if that is not known.
    ///
    /// # Errors
    /// [`RunError::Io`]. A file that cannot be parsed counts as absent.
    pub fn read_inputs(&self, part: usize) -> Result<Option<PartInputs>> {
        let bytes = read_if_exists(&self.root.join(RECORDS).join(inputs_name(part)))?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Writes what the samples of a part look like. Written before the records of the part, so that records never lack it.
    ///
    /// # Errors
    /// The errors of [`write_json`](Self::write_json).
    pub fn write_inputs(&self, part: usize, inputs: &PartInputs) -> Result<()> {
        self.write_json(&format!("{RECORDS}/{}", inputs_name(part)), inputs)
    }

    /// Removes the run: description, records, scores, gallery and findings. Other files stay.
    ///
    /// # Errors
    /// [`RunError::Io`].
    pub fn remove_run(&self) -> Result<()> {
        let removed = |path: PathBuf, outcome: std::io::Result<()>| match outcome {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(RunError::Io { action: "remove", path, source })
            }
            _ => Ok(()),
        };
        // The description goes last: what is left of an interrupted removal is still recognized as this run.
        for name in [RECORDS, GALLERY_FOLDER] {
            let path = self.root.join(name);
            let outcome = fs::remove_dir_all(&path);
            removed(path, outcome)?;
        }
        for name in [Self::SCORES, Self::GALLERY, Self::FINDINGS, DESCRIPTION] {
            let path = self.root.join(name);
            let outcome = fs::remove_file(&path);
            removed(path, outcome)?;
        }
        Ok(())
    }

    /// Writes a value as a JSON file of the folder.
    ///
    /// # Errors
    /// [`RunError::Encode`] and the errors of [`write`](Self::write).
    pub fn write_json(&self, name: &str, value: &impl serde::Serialize) -> Result<()> {
        let mut bytes = serde_json::to_vec_pretty(value)
            .map_err(|error| RunError::Encode { path: self.root.join(name), reason: error.to_string() })?;
        bytes.push(b'\n');
        self.write(name, &bytes)
    }

    /// Writes a file whole or not at all, even if the power fails. Missing folders are created.
    ///
    /// # Errors
    /// [`RunError::Io`] if the folder cannot be created or written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        Ok(write_whole(&self.root.join(name), bytes)?)
    }

    /// Removes the temporary files that an interrupted run left of the given parts. Another process may be writing the
    /// other parts. If `alone`, there is no other process, and the temporary files of everything else are removed too.
    ///
    /// # Errors
    /// [`RunError::Io`].
    pub fn remove_leftovers(&self, parts: &[usize], alone: bool) -> Result<()> {
        let folder = self.root.join(RECORDS);
        fs::create_dir_all(&folder).map_err(|source| RunError::Io {
            action: "create the folder",
            path: folder.clone(),
            source,
        })?;
        let is_own = |name: &str| parts.iter().any(|&part| name == part_name(part) || name == inputs_name(part));
        remove_unfinished(&folder, is_own)?;
        if alone {
            let known = [DESCRIPTION, Self::SCORES, Self::GALLERY, Self::FINDINGS];
            remove_unfinished(&self.root, |name| known.contains(&name))?;
            if self.root.join(GALLERY_FOLDER).is_dir() {
                remove_unfinished(&self.root.join(GALLERY_FOLDER), |name| name.ends_with(".jpg"))?;
            }
        }
        Ok(())
    }
}

/// Finds run folders: the given folder itself if it is one, else all below it at any depth, sorted.
///
/// # Errors
/// [`RunError::Io`] if a folder cannot be read.
pub fn find_run_folders(folder: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
    let folder = folder.as_ref();
    if folder.join(DESCRIPTION).is_file() {
        return Ok(vec![folder.to_owned()]);
    }
    let entries = fs::read_dir(folder);
    let entries =
        entries.map_err(|source| RunError::Io { action: "read the folder", path: folder.to_owned(), source })?;
    let mut inner: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect();
    inner.sort();
    let found = inner.iter().map(find_run_folders).collect::<Result<Vec<_>>>()?;
    Ok(found.into_iter().flatten().collect())
}

fn inputs_name(part: usize) -> String {
    format!("part-{part:05}.inputs.json")
}

fn part_name(part: usize) -> String {
    format!("part-{part:05}.parquet")
}

#[cfg(test)]
mod tests {
    use super::RunFolder;

    #[test]
    fn only_temporary_files_of_the_given_parts_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = RunFolder::new(dir.path());
        for name in ["part-00000.parquet.7.tmp", "part-00001.parquet.7.tmp", "part-00002.parquet", "notes.tmp"] {
            folder.write(&format!("records/{name}"), b"x").unwrap();
        }
        folder.remove_leftovers(&[0, 2], false).unwrap();
        let mut left: Vec<_> = std::fs::read_dir(dir.path().join("records"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["notes.tmp", "part-00001.parquet.7.tmp", "part-00002.parquet"]);
    }

    #[test]
    fn errors_name_what_cannot_be_written() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("run"), "a file where a folder should be").unwrap();
        let message = RunFolder::new(dir.path().join("run")).write("run.json", b"x").unwrap_err().to_string();
        assert!(message.starts_with("cannot create the folder") && message.contains("run"), "{message}");
    }
}
