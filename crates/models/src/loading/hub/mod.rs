mod cache;
mod transfer;

use crate::ModelError;
use crate::loading::checkpoint::{ShardIndex, sha256_of_file};
use crate::loading::file_names::HUB_FILE_NAMES as WEIGHT_FILES;
use cache::RepoCache;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use transfer::{Client, TransferError};

/// Weights from the Hugging Face hub, in the cache that Python's `huggingface_hub` uses too: each finds what the other
/// has downloaded.
///
/// The weights of a model of the zoo are expected in the repository `timm/<name>`, unless
/// [`repository`](Self::repository) names another. Cached files are used without asking the hub, so that a run that is
/// started again uses the weights it began with. On every load, a file's sha256 is compared with the one that the hub
/// announced, which is the file's name in the cache. This check needs the cache's links, which Windows does not have,
/// and the hub gives a sha256 only for large files, such as weights. An interrupted download is resumed by the next
/// call. Several processes, also Python's, can use the cache at once: one of them downloads a file, and the others wait.
/// A cache that already has the files can be read-only.
///
/// Requests go through the proxy that the environment variables `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` name, if
/// any, and trust the certificates of the operating system.
#[derive(Clone)]
pub struct Hub {
    cache: PathBuf,
    endpoint: String,
    token: Option<String>,
    offline: bool,
    repository: Option<String>,
    revision: String,
    progress: Option<ProgressCallback>,
}

/// Called with (bytes done, bytes in total) while a file arrives.
type ProgressCallback = Arc<dyn Fn(u64, u64) + Send + Sync>;

impl Hub {
    /// Creates a client of the public hub with its cache in a folder (Python's is `~/.cache/huggingface/hub`).
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self {
            cache: cache.into(),
            endpoint: "https://huggingface.co".into(),
            token: None,
            offline: false,
            repository: None,
            revision: "main".into(),
            progress: None,
        }
    }

    /// Uses the hub at another address, such as a mirror.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = url.into();
        self
    }

    /// Sends an access token, which private repositories and those with terms require.
    ///
    /// The token goes to the endpoint alone, and not to the hosts that it redirects to.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Restricts loading to what is in the cache.
    pub fn offline(mut self, offline: bool) -> Self {
        self.offline = offline;
        self
    }

    /// Loads from the repository "owner/name" instead of timm's.
    pub fn repository(mut self, repository: impl Into<String>) -> Self {
        self.repository = Some(repository.into());
        self
    }

    /// Loads from a branch, tag or commit; the default is "main".
    pub fn revision(mut self, revision: impl Into<String>) -> Self {
        self.revision = revision.into();
        self
    }

    /// Sets a function that is called with (bytes done, bytes in total) while a file arrives.
    pub fn progress(mut self, report: impl Fn(u64, u64) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(report));
        self
    }

    /// Returns the path of a model's weights in the cache, after downloading them if they are not there and checking them.
    /// For weights in shards, this is the path of their index, and the shards lie in the same folder.
    ///
    /// # Errors
    /// If they are not in the cache and the hub does not deliver them, or if they are damaged.
    pub(crate) fn fetch(&self, model: &str) -> Result<PathBuf, ModelError> {
        let repository = self.repository_of(model);
        let path = self.fetch_file(&repository, &self.revision, &WEIGHT_FILES)?;
        if path.extension().is_some_and(|extension| extension == "json") {
            // A branch may move between two downloads; the commit of the index stays.
            let commit = commit_of(&path).unwrap_or(&self.revision);
            for shard in ShardIndex::read(&path)?.shards() {
                self.fetch_file(&repository, commit, &[shard])?;
            }
        }
        Ok(path)
    }

    /// Returns the path of the first of some files that is in the cache, or else of the first that the hub has.
    fn fetch_file(&self, repository: &str, revision: &str, files: &[&str]) -> Result<PathBuf, ModelError> {
        let cache = RepoCache::new(&self.cache, repository, revision);
        if let Some((file, path)) = files.iter().find_map(|file| Some((file, cache.find(file)?))) {
            self.verify(&cache, repository, revision, file, &path)?;
            return Ok(path);
        }
        if self.offline {
            let message = format!(
                "{} is not in the cache {}, and offline mode keeps the hub from being asked; on a computer with a \
                 connection, `hf download {repository} {} --revision {revision}` downloads it",
                alternatives(files),
                self.cache.display(),
                files[0],
            );
            return Err(self.error(repository, message));
        }
        let client = Client::new(&self.endpoint, self.token.as_deref());
        for file in files {
            match self.download(&client, &cache, repository, revision, file) {
                Err(TransferError::NotFound) => {}
                Err(error) => return Err(self.error(repository, self.explain(&error, repository, files))),
                Ok(path) => {
                    self.verify(&cache, repository, revision, file, &path)?;
                    return Ok(path);
                }
            }
        }
        Err(self.error(repository, self.explain(&TransferError::NotFound, repository, files)))
    }

    /// Downloads one file into the cache, or completes an interrupted download of it.
    fn download(
        &self,
        client: &Client<'_>,
        cache: &RepoCache,
        repository: &str,
        revision: &str,
        file: &str,
    ) -> Result<PathBuf, TransferError> {
        let remote = client.metadata(repository, revision, file)?;
        let blob = cache.blob(&remote);
        if let Some(folder) = blob.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let report = |done, total| self.progress.iter().for_each(|report| report(done, total));
        // A process that waits shows the progress of the one that downloads.
        let arrived = || std::fs::metadata(cache.incomplete(&remote, true)).map_or(0, |incomplete| incomplete.len());
        let lock =
            cache.lock(&remote.etag, || remote.size.iter().for_each(|&size| report(arrived().min(size), size)))?;
        // Another process may have finished it in the meantime, or another revision may have the same file.
        if !blob.exists() {
            let incomplete = cache.incomplete(&remote, lock.is_some());
            client.download(repository, file, &remote, &incomplete, report)?;
            std::fs::rename(&incomplete, &blob)?;
        }
        Ok(cache.publish(file, &remote)?)
    }

    /// Compares a cached file's sha256 with the one that the hub announced. If they differ, the file is removed, so that
    /// the next call downloads it again, unless the hub cannot be asked for it.
    fn verify(
        &self,
        cache: &RepoCache,
        repository: &str,
        revision: &str,
        file: &str,
        path: &Path,
    ) -> Result<(), ModelError> {
        let Ok(blob) = std::fs::read_link(path) else { return Ok(()) };
        let named = blob.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if named.len() != 64 || !named.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(());
        }
        let sha256 = sha256_of_file(path)?;
        if named == sha256 {
            return Ok(());
        }
        let then = if self.offline {
            format!(
                "offline mode leaves it in the cache; on a computer with a connection, `hf download {repository} {file} \
                 --revision {revision} --force-download` downloads it anew"
            )
        } else {
            match cache.remove_damaged(path, named) {
                Ok(()) => "it has been removed from the cache; try again to download it anew".to_owned(),
                Err(error) => format!("it could not be removed ({error}); remove it by hand and try again"),
            }
        };
        let message = format!("{} is damaged: its sha256 is {sha256} instead of {named}; {then}", path.display());
        Err(self.error(repository, message))
    }

    /// Returns the repository and commit that a cached file belongs to, as "timm/resnet50.tv_in1k@<commit>".
    pub(crate) fn origin(&self, model: &str, path: &Path) -> Option<String> {
        Some(format!("{}@{}", self.repository_of(model), commit_of(path)?))
    }

    fn repository_of(&self, model: &str) -> String {
        self.repository.clone().unwrap_or_else(|| format!("timm/{model}"))
    }

    fn error(&self, repository: &str, message: String) -> ModelError {
        ModelError::Hub { repository: repository.to_owned(), revision: self.revision.clone(), message }
    }

    /// Describes what went wrong and what to do.
    fn explain(&self, error: &TransferError, repository: &str, files: &[&str]) -> String {
        let endpoint = &self.endpoint;
        match error {
            TransferError::Denied => format!(
                "{endpoint} denies access: if the repository exists, accept its terms at {endpoint}/{repository} \
                 and pass a token from {endpoint}/settings/tokens"
            ),
            TransferError::NotFound => format!("{endpoint} has no {} there", alternatives(files)),
            TransferError::Cache(error) => {
                let cache = self.cache.display();
                format!("the cache {cache} lacks the file and cannot be written ({error}); use another folder as cache")
            }
            _ => {
                format!("the download from {endpoint} failed: {error}; try again, and what has arrived is kept")
            }
        }
    }
}

/// Returns the commit of a file in the folder snapshots/<commit>.
fn commit_of(path: &Path) -> Option<&str> {
    path.parent()?.file_name()?.to_str()
}

/// Lists the names of files of which one is wanted. An index is the same as its file to a reader.
fn alternatives(files: &[&str]) -> String {
    let names: Vec<&str> = files.iter().copied().filter(|name| !name.ends_with(".index.json")).collect();
    names.join(" or ")
}

/// Leaves out the token.
impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cache, endpoint, offline, repository, revision, .. } = self;
        let mut debug = f.debug_struct("Hub");
        debug.field("cache", cache).field("endpoint", endpoint).field("offline", offline);
        debug.field("repository", repository).field("revision", revision).finish_non_exhaustive()
    }
}
