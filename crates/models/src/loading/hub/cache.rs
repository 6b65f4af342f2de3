//! The cache of Hugging Face files, laid out like that of Python's `huggingface_hub`.

use super::transfer::RemoteFile;
use hf_hub::{Cache, Repo, RepoType};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// The folder of one repository in the cache, seen at one revision.
pub(super) struct RepoCache {
    cache: Cache,
    repo: Repo,
}

impl RepoCache {
    pub(super) fn new(cache: &Path, repository: &str, revision: &str) -> Self {
        let repo = Repo::with_revision(repository.to_owned(), RepoType::Model, revision.to_owned());
        Self { cache: Cache::new(cache.to_owned()), repo }
    }

    /// Returns the path of a file that is in the cache.
    pub(super) fn find(&self, file: &str) -> Option<PathBuf> {
        let repo = self.cache.repo(self.repo.clone());
        // Only branches and tags have an entry in refs/; a commit names its snapshot itself.
        let snapshot = is_commit(self.repo.revision()).then(|| repo.pointer_path(self.repo.revision()).join(file));
        snapshot.filter(|path| path.exists()).or_else(|| repo.get(file))
    }

    /// Returns the path of a file's contents, whether they are there or not.
    pub(super) fn blob(&self, remote: &RemoteFile) -> PathBuf {
        self.blobs().join(&remote.etag)
    }

    /// Returns the path of what has arrived of a file so far.
    pub(super) fn incomplete(&self, remote: &RemoteFile) -> PathBuf {
        self.blobs().join(format!("{}.incomplete", remote.etag))
    }

    fn blobs(&self) -> PathBuf {
        self.cache.path().join(self.repo.folder_name()).join("blobs")
    }

    /// Takes the lock that every writer of a blob holds, Python's included. Waits for another process that holds it.
    ///
    /// # Errors
    /// If the lock file cannot be created or locked.
    pub(super) fn lock(&self, remote: &RemoteFile) -> io::Result<File> {
        let folder = self.cache.path().join(".locks").join(self.repo.folder_name());
        fs::create_dir_all(&folder)?;
        let file = File::create(folder.join(format!("{}.lock", remote.etag)))?;
        file.lock()?;
        Ok(file)
    }

    /// Gives a blob its name in the snapshot of its commit, and returns that path.
    ///
    /// # Errors
    /// If the folders or the link cannot be written.
    pub(super) fn publish(&self, file: &str, remote: &RemoteFile) -> io::Result<PathBuf> {
        let repo = self.cache.repo(self.repo.clone());
        let snapshot = repo.pointer_path(&remote.commit);
        fs::create_dir_all(&snapshot)?;
        if self.repo.revision() != remote.commit {
            repo.create_ref(&remote.commit)?;
        }
        let path = snapshot.join(file);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => link(&self.blob(remote), &path)?,
        }
        Ok(path)
    }
}

fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Links a snapshot's file to its blob, by a relative path so that the cache can be moved.
#[cfg(unix)]
fn link(blob: &Path, path: &Path) -> io::Result<()> {
    let name = blob.file_name().expect("a blob has a name");
    std::os::unix::fs::symlink(Path::new("../../blobs").join(name), path)
}

/// Links need special rights on Windows, so the file is copied.
#[cfg(not(unix))]
fn link(blob: &Path, path: &Path) -> io::Result<()> {
    fs::copy(blob, path).map(drop)
}
