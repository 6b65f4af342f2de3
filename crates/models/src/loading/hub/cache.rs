//! The cache of Hugging Face files, laid out like that of Python's `huggingface_hub`.

use super::transfer::RemoteFile;
use crate::loading::checkpoint::sha256_of_file;
use hard_imagenet_files::write_whole;
use hf_hub::{Cache, Repo, RepoType};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The pause between two attempts to take a lock.
const LOCK_PAUSE: Duration = Duration::from_millis(50);

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

    /// Returns the path of what has arrived of a file so far. Without a lock, every process has a file of its own.
    pub(super) fn incomplete(&self, remote: &RemoteFile, is_locked: bool) -> PathBuf {
        let process = if is_locked { String::new() } else { format!(".{}", std::process::id()) };
        self.blobs().join(format!("{}{process}.incomplete", remote.etag))
    }

    fn blobs(&self) -> PathBuf {
        self.cache.path().join(self.repo.folder_name()).join("blobs")
    }

    /// Takes the lock that every writer of a blob holds, Python's included. While another process holds it, `waiting` is
    /// called every few milliseconds. The system releases the lock of a process that ends. Returns `None` if the file
    /// system has no locks.
    ///
    /// # Errors
    /// If the lock file cannot be created or locked.
    pub(super) fn lock(&self, etag: &str, waiting: impl Fn()) -> io::Result<Option<File>> {
        let folder = self.cache.path().join(".locks").join(self.repo.folder_name());
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{etag}.lock"));
        let file = open_lock(&path)?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(file)),
                Err(TryLockError::WouldBlock) => {
                    waiting();
                    std::thread::sleep(LOCK_PAUSE);
                }
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// Gives a blob its name in the snapshot of its commit, and returns that path. Other processes that read this name see
    /// a whole file at all times.
    ///
    /// # Errors
    /// If the folders or the link cannot be written.
    pub(super) fn publish(&self, file: &str, remote: &RemoteFile) -> io::Result<PathBuf> {
        let repo = self.cache.repo(self.repo.clone());
        let snapshot = repo.pointer_path(&remote.commit);
        fs::create_dir_all(&snapshot)?;
        let (path, blob) = (snapshot.join(file), self.blob(remote));
        let length = |path: &Path| fs::metadata(path).map(|file| file.len()).ok();
        let is_there = match fs::read_link(&path) {
            Ok(link) => link.file_name() == blob.file_name() && path.exists(),
            // Without links, the file is a copy.
            Err(_) => cfg!(not(unix)) && length(&path).is_some_and(|l| Some(l) == length(&blob)),
        };
        if !is_there {
            let temporary = snapshot.join(format!(".{file}.{}.tmp", std::process::id()));
            match fs::remove_file(&temporary) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => link(&blob, &temporary)?,
            }
            fs::rename(&temporary, &path)?;
        }
        if self.repo.revision() != remote.commit {
            let named = self.cache.path().join(self.repo.folder_name()).join("refs").join(self.repo.revision());
            if fs::read_to_string(&named).ok().as_deref() != Some(&remote.commit) {
                write_whole(&named, remote.commit.as_bytes()).map_err(|error| error.source)?;
            }
        }
        Ok(path)
    }

    /// Removes a damaged blob and the link to it, so that other programs do not find it dangling. Does nothing if another
    /// process has replaced the blob in the meantime.
    ///
    /// # Errors
    /// If the files cannot be removed, or the lock of the blob cannot be taken.
    pub(super) fn remove_damaged(&self, path: &Path, sha256: &str) -> io::Result<()> {
        let _lock = self.lock(sha256, || ())?;
        if sha256_of_file(path).is_ok_and(|now| now == sha256) {
            return Ok(());
        }
        // A blob can be a link, too; what it leads to belongs to others.
        let blob = fs::read_link(path)?;
        fs::remove_file(path.parent().unwrap_or(Path::new(".")).join(blob))?;
        fs::remove_file(path)
    }
}

/// Opens a lock file, which is created with the permissions that Python gives it: everybody in the group may lock it.
fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o664);
    match options.open(path) {
        // Another user's lock file can be locked without the right to write to it.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => File::open(path).map_err(|_| error),
        opened => opened,
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
