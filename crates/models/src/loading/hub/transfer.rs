//! Downloads of single files from the Hugging Face hub: metadata, redirects, retries and resumed transfers.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;
use ureq::http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, ETAG, LOCATION, RANGE};
use ureq::http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

/// Redirects followed before giving up.
const MAX_REDIRECTS: usize = 10;

/// Pauses before a request is sent again after a failure that may pass.
const RETRY_DELAYS_MS: [u64; 5] = [100, 200, 400, 800, 1600];

/// A server that sends nothing for this long has failed.
const STALLED: Duration = Duration::from_secs(60);

/// Bytes read between two reports of progress.
const BUFFER: usize = 1 << 18;

/// What the hub says of a file before it is downloaded.
#[derive(Debug)]
pub(super) struct RemoteFile {
    /// The commit that the requested revision stands for.
    pub(super) commit: String,
    /// The file's name in the cache: its sha256 if it is large.
    pub(super) etag: String,
    /// Length in bytes, if the hub gives it.
    pub(super) size: Option<u64>,
}

/// Why a file could not be downloaded.
#[derive(Debug)]
pub(super) enum TransferError {
    /// The repository, revision or file does not exist.
    NotFound,
    /// The hub wants a token, or one with more rights.
    Denied,
    /// The server cannot be reached, or the connection broke.
    Http(ureq::Error),
    /// The server's reply is of no use.
    Reply(String),
    /// The cache cannot be written.
    Cache(io::Error),
}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("not found"),
            Self::Denied => f.write_str("access denied"),
            Self::Http(error) => error.fmt(f),
            Self::Reply(message) => f.write_str(message),
            Self::Cache(error) => write!(f, "cannot write to the cache: {error}"),
        }
    }
}

impl From<io::Error> for TransferError {
    fn from(error: io::Error) -> Self {
        Self::Cache(error)
    }
}

/// A connection to one hub.
pub(super) struct Client<'a> {
    agent: Agent,
    endpoint: &'a str,
    token: Option<&'a str>,
}

impl<'a> Client<'a> {
    pub(super) fn new(endpoint: &'a str, token: Option<&'a str>) -> Self {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .user_agent(concat!("hard-imagenet/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            // Redirects are followed here, because the token must not follow them to other hosts.
            .max_redirects(0)
            .timeout_connect(Some(STALLED))
            .timeout_per_read(Some(STALLED));
        Self { agent: config.build().into(), endpoint: endpoint.trim_end_matches('/'), token }
    }

    /// Asks the hub for a file's commit, etag and size.
    ///
    /// # Errors
    /// If the file does not exist, access is denied, or the hub cannot be reached or understood.
    pub(super) fn metadata(&self, repository: &str, revision: &str, file: &str) -> Result<RemoteFile, TransferError> {
        let response = self.send(&Method::HEAD, &self.url(repository, revision, file), None)?;
        let headers = response.headers();
        let missing = |name: &str| TransferError::Reply(format!("its reply about {file} has no header {name}"));
        // Files in large storage redirect to another host. "X-Linked-*" then describe the file itself.
        let etag = text(headers, "x-linked-etag").or_else(|| text(headers, ETAG.as_str()));
        let etag = etag.ok_or_else(|| missing("ETag"))?.trim_start_matches("W/").trim_matches('"').to_owned();
        let commit = text(headers, "x-repo-commit").ok_or_else(|| missing("X-Repo-Commit"))?.to_owned();
        // Both become names of files.
        if !is_plain(&etag) || !is_plain(&commit) {
            return Err(TransferError::Reply(format!("its reply about {file} names {etag:?} at {commit:?}")));
        }
        let own_length = || response.status().is_success().then(|| text(headers, CONTENT_LENGTH.as_str())).flatten();
        let size = text(headers, "x-linked-size").or_else(own_length).and_then(|size| size.parse().ok());
        Ok(RemoteFile { commit, etag, size })
    }

    /// Downloads a file to `incomplete`, after the bytes that an interrupted download left there.
    ///
    /// `report` is called with (bytes done, bytes in total).
    ///
    /// # Errors
    /// If the hub cannot be reached or stops early, or the disk cannot be written. The bytes that arrived stay.
    pub(super) fn download(
        &self,
        repository: &str,
        file: &str,
        remote: &RemoteFile,
        incomplete: &Path,
        report: impl Fn(u64, u64),
    ) -> Result<(), TransferError> {
        let mut out = OpenOptions::new().append(true).create(true).open(incomplete)?;
        let mut done = out.metadata()?.len();
        // Without a size, or with more bytes than that, nothing says what the rest is.
        if done > 0 && remote.size.is_none_or(|size| done > size) {
            out.set_len(0)?;
            done = 0;
        }
        if let Some(size) = remote.size.filter(|&size| done == size) {
            report(size, size);
            return Ok(());
        }
        // The commit, and not the revision: a branch may have moved since.
        let url = self.url(repository, &remote.commit, file);
        let range = remote.size.filter(|_| done > 0).map(|size| format!("bytes={done}-{}", size - 1));
        let mut response = self.send(&Method::GET, &url, range.as_deref())?;
        if range.is_some() && !continues_at(&response, done) {
            // The server sends the whole file, or cannot send this part of it.
            if response.status() != StatusCode::OK {
                response = self.send(&Method::GET, &url, None)?;
            }
            out.set_len(0)?;
            done = 0;
        }
        if !response.status().is_success() {
            return Err(TransferError::Reply(format!("it answered {}", response.status())));
        }
        let total = remote.size.or_else(|| response.body().content_length()).unwrap_or(0);
        copy(response.body_mut().as_reader(), &mut out, |new| {
            done += new;
            report(done, total);
        })?;
        if remote.size.is_some_and(|size| size != done) {
            return Err(TransferError::Reply(format!("{done} bytes of {file} arrived instead of {total}")));
        }
        Ok(out.sync_all()?)
    }

    fn url(&self, repository: &str, revision: &str, file: &str) -> String {
        format!("{}/{repository}/resolve/{}/{file}", self.endpoint, revision.replace('/', "%2F"))
    }

    /// Sends a request and follows redirects, with the token only where the hub itself is asked.
    ///
    /// A HEAD request stays on its host: the storage that the hub redirects to does not know commits.
    fn send(&self, method: &Method, url: &str, range: Option<&str>) -> Result<Response<Body>, TransferError> {
        let parse = |url: &str| url.parse::<Uri>().map_err(|error| TransferError::Reply(format!("{url:?}: {error}")));
        let first = parse(url)?;
        let mut uri = first.clone();
        for _ in 0..MAX_REDIRECTS {
            let mut request = Request::builder().method(method).uri(&uri).header(ACCEPT_ENCODING, "identity");
            if let Some(token) = self.token.filter(|_| same_origin(&uri, &first)) {
                request = request.header(AUTHORIZATION, format!("Bearer {token}"));
            }
            if let Some(range) = range {
                request = request.header(RANGE, range);
            }
            let request = request.body(()).map_err(|error| TransferError::Http(error.into()))?;
            let response = self.send_with_retries(&request)?;
            let redirect = response.status().is_redirection().then(|| text(response.headers(), LOCATION.as_str()));
            let Some(location) = redirect.flatten() else { return accept(response) };
            let next = match location.starts_with('/') && !location.starts_with("//") {
                true => parse(&format!("{}{location}", origin(&uri)))?,
                false => parse(location)?,
            };
            if method == Method::HEAD && !same_origin(&next, &uri) {
                return Ok(response);
            }
            uri = next;
        }
        Err(TransferError::Reply(format!("it redirected {MAX_REDIRECTS} times")))
    }

    fn send_with_retries(&self, request: &Request<()>) -> Result<Response<Body>, TransferError> {
        for delay in RETRY_DELAYS_MS {
            match self.agent.run(request.clone()) {
                Ok(response) if !is_transient(response.status()) => return Ok(response),
                Err(error) if !may_pass(&error) => return Err(TransferError::Http(error)),
                _ => std::thread::sleep(Duration::from_millis(delay)),
            }
        }
        self.agent.run(request.clone()).map_err(TransferError::Http)
    }
}

/// Turns the statuses that mean "no" into errors.
fn accept(response: Response<Body>) -> Result<Response<Body>, TransferError> {
    match response.status() {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(TransferError::Denied),
        StatusCode::NOT_FOUND => Err(TransferError::NotFound),
        // The caller asks again without a range.
        status if status.is_success() || status == StatusCode::RANGE_NOT_SATISFIABLE => Ok(response),
        status => Err(TransferError::Reply(format!("it answered {status}"))),
    }
}

/// Does the response hold the bytes from `start` on?
fn continues_at(response: &Response<Body>, start: u64) -> bool {
    // "bytes FIRST-LAST/TOTAL"
    let range = text(response.headers(), CONTENT_RANGE.as_str());
    let first = range.and_then(|range| range.strip_prefix("bytes ")?.split_once('-')?.0.parse::<u64>().ok());
    response.status() == StatusCode::PARTIAL_CONTENT && first == Some(start)
}

/// Copies all bytes and reports how many each step copied.
fn copy(mut from: impl Read, to: &mut File, mut report: impl FnMut(u64)) -> Result<(), TransferError> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                to.write_all(&buffer[..count])?;
                report(count as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(TransferError::Http(ureq::Error::from(error))),
        }
    }
}

fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

/// Is this a failure of the network rather than of the request?
fn may_pass(error: &ureq::Error) -> bool {
    use ureq::Error::{ConnectionFailed, HostNotFound, Io, Timeout};
    matches!(error, ConnectionFailed | HostNotFound | Io(_) | Timeout(_))
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn same_origin(a: &Uri, b: &Uri) -> bool {
    a.scheme() == b.scheme() && a.authority() == b.authority()
}

fn origin(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or("https");
    format!("{scheme}://{}", uri.authority().map_or("", |authority| authority.as_str()))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}
