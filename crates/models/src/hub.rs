mod resume;

use crate::ModelError;
use crate::weights::OF_THE_HUB;
use hf_hub::progress::{DownloadEvent, FileStatus, ProgressEvent, ProgressHandler};
use hf_hub::{HFClient, HFError, split_id};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Weights from the Hugging Face hub, kept in the cache that Python's `huggingface_hub` keeps: what one has fetched
/// the other finds.
///
/// A model of the zoo is looked for in the repository `timm/<name>`, unless [`repository`](Self::repository) names
/// another. What is in the cache is used without asking the hub, so a run that is started again meets the weights it
/// began with. Files are checked against the sha256 the hub gave for them, which is their name in the cache, whenever
/// they are loaded; only where the cache holds links (not on Windows) and only for large files, which weights are. A
/// download that broke off goes on where it ended.
#[derive(Clone)]
pub struct Hub {
    cache: PathBuf,
    endpoint: String,
    token: Option<String>,
    offline: bool,
    repository: Option<String>,
    revision: String,
    progress: Option<Report>,
}

/// Told (bytes done, bytes in all) while a file arrives.
type Report = Arc<dyn Fn(u64, u64) + Send + Sync>;

impl Hub {
    /// The public hub, with its cache in a folder (Python's is `~/.cache/huggingface/hub`).
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

    /// A mirror's address.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = url.into();
        self
    }

    /// For repositories that ask who comes. Without one, `hf-hub` uses the token that Python would.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Use only what is in the cache.
    pub fn offline(mut self, offline: bool) -> Self {
        self.offline = offline;
        self
    }

    /// Another repository than timm's: "owner/name".
    pub fn repository(mut self, repository: impl Into<String>) -> Self {
        self.repository = Some(repository.into());
        self
    }

    /// A branch, tag or commit; "main" unless told.
    pub fn revision(mut self, revision: impl Into<String>) -> Self {
        self.revision = revision.into();
        self
    }

    /// Called with (bytes done, bytes in all) while a file arrives, from another thread.
    pub fn progress(mut self, report: impl Fn(u64, u64) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(report));
        self
    }

    /// Path of a model's weights in the cache, fetched if they are not there.
    pub(crate) fn fetch(&self, model: &str) -> Result<PathBuf, ModelError> {
        let repository = self.repository_of(model);
        let fail = |error: &HFError| self.error(&repository, self.explain(error, &repository));
        let client = HFClient::builder().endpoint(&*self.endpoint).cache_dir(&self.cache);
        let client = match &self.token {
            Some(token) => client.token(token),
            None => client,
        };
        let client = client.build_sync().map_err(|error| fail(&error))?;
        let (owner, name) = split_id(&repository);
        let repo = client.model(owner, name);
        let get = |file: &str, cached: bool| {
            let progress = self.progress.clone().map(|report| hf_hub::progress::Progress::new(Handler(report)));
            let request = repo.download_file().filename(file).revision(&*self.revision);
            request.local_files_only(cached).maybe_progress(progress).send()
        };
        if let Some(path) = OF_THE_HUB.iter().find_map(|file| get(file, true).ok()) {
            return Ok(path);
        }
        if self.offline {
            let message = format!(
                "{} is not in the cache {}, and the hub may not be asked (offline); on a computer that may, \
                 `hf download {repository} {} --revision {}` fetches it, or pass a file as weights",
                OF_THE_HUB.join(" or "),
                self.cache.display(),
                OF_THE_HUB[0],
                self.revision
            );
            return Err(self.error(&repository, message));
        }
        let mut missing = None;
        for file in OF_THE_HUB {
            let folder = format!("models--{}", repository.replace('/', "--"));
            let report = |done, total| self.progress.iter().for_each(|report| report(done, total));
            match resume::resume(&repo, &self.cache, &folder, (file, &self.revision), report) {
                Ok(()) | Err(HFError::EntryNotFound { .. }) => {}
                Err(error) => return Err(fail(&error)),
            }
            let mut outcome = get(file, false);
            // Another process is fetching it, and hf-hub waits ten seconds only.
            while matches!(outcome, Err(HFError::CacheLockTimeout { .. })) {
                outcome = get(file, false);
            }
            match outcome {
                Err(error @ HFError::EntryNotFound { .. }) => missing = Some(error),
                outcome => return outcome.map_err(|error| fail(&error)),
            }
        }
        Err(fail(&missing.expect("every name was tried")))
    }

    /// Is a file of the cache what the hub said it is? If not it is removed, so that the next call fetches it again.
    pub(crate) fn verify(&self, model: &str, path: &Path, sha256: &str) -> Result<(), ModelError> {
        let Ok(blob) = std::fs::read_link(path) else { return Ok(()) };
        let named = blob.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_sha256 = named.len() == 64 && named.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_sha256 || named == sha256 {
            return Ok(());
        }
        // The link as well: while it is there hf-hub asks only whether the file has changed.
        let removed = path.canonicalize().and_then(std::fs::remove_file).and_then(|()| std::fs::remove_file(path));
        let then = match removed {
            Ok(()) => "it has been removed from the cache; try again to fetch it anew".to_owned(),
            Err(error) => format!("it could not be removed ({error}); remove it by hand and try again"),
        };
        let message = format!("{} is damaged: its sha256 is {sha256} instead of {named}; {then}", path.display());
        Err(self.error(&self.repository_of(model), message))
    }

    /// Repository and commit that a file of the cache is of: "timm/resnet50.tv_in1k@<commit>".
    pub(crate) fn origin(&self, model: &str, path: &Path) -> Option<String> {
        // The folder snapshots/<commit>.
        let commit = path.parent()?.file_name()?.to_str()?;
        Some(format!("{}@{commit}", self.repository_of(model)))
    }

    fn repository_of(&self, model: &str) -> String {
        self.repository.clone().unwrap_or_else(|| format!("timm/{model}"))
    }

    fn error(&self, repository: &str, message: String) -> ModelError {
        ModelError::Hub { repository: repository.to_owned(), revision: self.revision.clone(), message }
    }

    /// What went wrong, and what to do.
    fn explain(&self, error: &HFError, repository: &str) -> String {
        let endpoint = &self.endpoint;
        match error {
            HFError::AuthRequired { .. } | HFError::Forbidden { .. } => format!(
                "{endpoint} does not let us in: if the repository exists, accept its terms at \
                 {endpoint}/{repository} and set HF_TOKEN to a token from {endpoint}/settings/tokens"
            ),
            HFError::RepoNotFound { .. } | HFError::RevisionNotFound { .. } | HFError::EntryNotFound { .. } => {
                format!("{endpoint} has no {} there; pass a file as weights (--weights FILE)", OF_THE_HUB.join(" or "))
            }
            _ => {
                // hf-hub's own words end before the cause, such as a refused connection.
                let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
                let causes = causes.map(|cause| format!(": {cause}")).collect::<String>();
                format!(
                    "not fetched from {endpoint}: {error}{causes}; try again, or pass a file as weights (--weights FILE)"
                )
            }
        }
    }
}

/// Without the token.
impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cache, endpoint, offline, repository, revision, .. } = self;
        let mut debug = f.debug_struct("Hub");
        debug.field("cache", cache).field("endpoint", endpoint).field("offline", offline);
        debug.field("repository", repository).field("revision", revision).finish_non_exhaustive()
    }
}

/// From hf-hub's events to two numbers.
struct Handler(Report);

impl ProgressHandler for Handler {
    fn on_progress(&self, event: &ProgressEvent) {
        match event {
            ProgressEvent::Download(DownloadEvent::Progress { files }) => {
                for file in files.iter().filter(|file| file.status != FileStatus::Started) {
                    (self.0)(file.bytes_completed, file.total_bytes);
                }
            }
            ProgressEvent::Download(DownloadEvent::AggregateProgress { bytes_completed, total_bytes, .. }) => {
                (self.0)(*bytes_completed, *total_bytes);
            }
            _ => {}
        }
    }
}
