//! Weight downloads from a small local server that also corrupts files, drops connections and refuses requests.
#![allow(clippy::disallowed_methods, reason = "a test may print and read its settings")]

use candle_core::{DType, Device};
use hard_imagenet_models::{Hub, Model, ModelError, Weights, generated, zoo};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

const MODEL: &str = "planted_resnet";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// How the server answers requests for its file.
#[derive(Clone)]
enum Manner {
    Good,
    /// Sends other bytes than it announced.
    Damaged,
    /// Closes the connection half way.
    Breaks,
    /// Answers every request with this status.
    Refuses(u16),
    /// Answers so many requests with status 503 before it behaves.
    Busy(usize),
    /// Sends the whole file whatever range is requested.
    IgnoresRanges,
    /// Redirects to another path of its own.
    Moved,
    /// Redirects to another server, as the hub does with large files.
    Stored(String),
}

/// A hub with one file in one repository. It records "METHOD path token" of every request, and the range if there is one.
struct Fake {
    endpoint: String,
    manner: Arc<Mutex<Manner>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    fn new(file: &'static str, bytes: Vec<u8>, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let fake = Self { endpoint, manner: Arc::new(Mutex::new(manner)), asked: Arc::default() };
        let (manner, asked) = (fake.manner.clone(), fake.asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that closes the connection early is no failure of the server.
                let _ = answer(stream.unwrap(), file, &bytes, &manner, &asked);
            }
        });
        fake
    }

    fn hub(&self, cache: &Path) -> Hub {
        Hub::new(cache).endpoint(&self.endpoint).token("secret")
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

/// Reads one request, responds, and closes the connection.
fn answer(
    mut stream: TcpStream,
    file: &str,
    bytes: &[u8],
    manner: &Mutex<Manner>,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    let mut headers = HashMap::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let (method, path) = request.trim_end_matches(" HTTP/1.1").split_once(' ').unwrap_or_default();
    let token = headers.get("authorization").map_or("", String::as_str);
    let range = headers.get("range").map_or(String::new(), |range| format!(" {range}"));
    asked.lock().unwrap().push(format!("{method} {path} {token}{range}"));
    // "bytes=FIRST-LAST"
    let part = headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let part = part.map(|(first, last)| first.parse::<usize>().unwrap()..last.parse::<usize>().unwrap() + 1);

    let current = manner.lock().unwrap().clone();
    if let Manner::Busy(left) = current {
        *manner.lock().unwrap() = if left > 1 { Manner::Busy(left - 1) } else { Manner::Good };
    }
    let revisions = ["main", COMMIT].map(|revision| format!("/timm/{MODEL}/resolve/{revision}/{file}"));
    let there = revisions.contains(&path.to_owned()) || path.starts_with("/elsewhere/");
    let (status, location) = match &current {
        Manner::Refuses(status) => (*status, String::new()),
        Manner::Busy(_) => (503, String::new()),
        Manner::Moved if !path.starts_with("/elsewhere/") => (307, format!("/elsewhere{path}")),
        Manner::Stored(server) => (302, format!("{server}/elsewhere{path}")),
        Manner::IgnoresRanges if there => (200, String::new()),
        _ if there && part.is_some() && method == "GET" => (206, String::new()),
        _ if there => (200, String::new()),
        _ => (404, String::new()),
    };
    let body = match (status, &part) {
        (200, _) => bytes,
        (206, Some(part)) => &bytes[part.clone()],
        _ => &[],
    };
    write!(stream, "HTTP/1.1 {status} Status\r\nConnection: close\r\nContent-Length: {}\r\n", body.len())?;
    // A file in other storage is described by headers of its own.
    let (etag, size) = if status == 302 { ("X-Linked-ETag", bytes.len()) } else { ("ETag", 0) };
    write!(stream, "{etag}: \"{}\"\r\nX-Repo-Commit: {COMMIT}\r\n", sha256(bytes))?;
    match (status, part) {
        (302, _) => write!(stream, "X-Linked-Size: {size}\r\nLocation: {location}\r\n")?,
        (307, _) => write!(stream, "Location: {location}\r\n")?,
        (206, Some(part)) => {
            write!(stream, "Content-Range: bytes {}-{}/{}\r\n", part.start, part.end - 1, bytes.len())?;
        }
        _ => {}
    }
    stream.write_all(b"\r\n")?;
    if method == "GET" {
        match current {
            Manner::Damaged => stream.write_all(&vec![7; body.len()])?,
            Manner::Breaks => stream.write_all(&body[..body.len() / 2])?,
            _ => stream.write_all(body)?,
        }
    }
    Ok(())
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Generated weights as a safetensors file.
fn weights() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    generated::write(&zoo::graph(MODEL, 8).unwrap(), &path).unwrap();
    std::fs::read(path).unwrap()
}

fn load(hub: Hub) -> Result<Model, ModelError> {
    zoo::load(MODEL, &Weights::Hub(hub), &Device::Cpu, DType::F32)
}

/// Checks that loading fails with a message that contains all of `expected`.
fn fails(hub: Hub, expected: &[&str]) {
    let error = load(hub).unwrap_err().to_string();
    for words in expected {
        assert!(error.contains(words), "{error:?} does not contain {words:?}");
    }
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn weights_are_downloaded_once_and_then_used_from_the_cache() {
    let (bytes, cache) = (weights(), tempfile::tempdir().unwrap());
    let fake = Fake::new("model.safetensors", bytes.clone(), Manner::Good);
    let seen = Arc::new(Mutex::new((0, 0)));
    let last = seen.clone();
    let model =
        load(fake.hub(cache.path()).progress(move |done, total| *last.lock().unwrap() = (done, total))).unwrap();
    assert_eq!(model.weights_sha256(), sha256(&bytes));
    assert_eq!(model.weights_origin(), Some(format!("timm/{MODEL}@{COMMIT}").as_str()));
    assert_eq!(*seen.lock().unwrap(), (bytes.len() as u64, bytes.len() as u64));
    let request =
        |method, revision| format!("{method} /timm/{MODEL}/resolve/{revision}/model.safetensors Bearer secret");
    assert_eq!(fake.asked(), [request("HEAD", "main"), request("GET", COMMIT)]);

    load(fake.hub(cache.path())).unwrap();
    load(fake.hub(cache.path()).offline(true)).unwrap();
    load(fake.hub(cache.path()).revision(COMMIT)).unwrap();
    assert!(fake.asked().is_empty(), "cached files are not requested");
}

#[test]
fn the_cache_is_laid_out_like_pythons() {
    let (bytes, cache) = (weights(), tempfile::tempdir().unwrap());
    let fake = Fake::new("model.safetensors", bytes.clone(), Manner::Good);
    load(fake.hub(cache.path())).unwrap();
    let folder = cache.path().join(format!("models--timm--{MODEL}"));
    assert_eq!(std::fs::read_to_string(folder.join("refs/main")).unwrap(), COMMIT);
    let blob = folder.join("blobs").join(sha256(&bytes));
    assert_eq!(std::fs::read(&blob).unwrap(), bytes);
    let snapshot = folder.join("snapshots").join(COMMIT).join("model.safetensors");
    assert_eq!(snapshot.canonicalize().unwrap(), blob.canonicalize().unwrap());
}

#[test]
fn the_second_name_is_tried() {
    let cache = tempfile::tempdir().unwrap();
    let fake = Fake::new("pytorch_model.bin", weights(), Manner::Good);
    load(fake.hub(cache.path())).unwrap();
    load(fake.hub(cache.path()).offline(true)).unwrap();
}

#[test]
fn damaged_files_are_refused_and_downloaded_again() {
    let (bytes, cache) = (weights(), tempfile::tempdir().unwrap());
    let fake = Fake::new("model.safetensors", bytes.clone(), Manner::Damaged);
    fails(fake.hub(cache.path()), &["damaged", &sha256(&bytes), "removed from the cache"]);
    *fake.manner.lock().unwrap() = Manner::Good;
    load(fake.hub(cache.path())).unwrap();

    // The disk may damage a file, too.
    let blob = cache.path().join(format!("models--timm--{MODEL}/blobs")).join(sha256(&bytes));
    std::fs::write(&blob, &bytes[..1000]).unwrap();
    fails(fake.hub(cache.path()).offline(true), &["damaged", "removed from the cache"]);
    assert!(!blob.exists());
    load(fake.hub(cache.path())).unwrap();
}

#[test]
fn an_interrupted_download_leaves_no_file() {
    let cache = tempfile::tempdir().unwrap();
    let fake = Fake::new("model.safetensors", weights(), Manner::Breaks);
    fails(fake.hub(cache.path()), &["timm/planted_resnet@main", "the download from", "failed"]);
    fails(fake.hub(cache.path()).offline(true), &["is not in the cache"]);
    *fake.manner.lock().unwrap() = Manner::Good;
    load(fake.hub(cache.path())).unwrap();
}

#[test]
fn an_interrupted_download_is_resumed() {
    let (bytes, cache) = (weights(), tempfile::tempdir().unwrap());
    let fake = Fake::new("model.safetensors", bytes.clone(), Manner::Breaks);
    fails(fake.hub(cache.path()), &["the download from"]);
    fake.asked();
    *fake.manner.lock().unwrap() = Manner::Good;
    assert_eq!(load(fake.hub(cache.path())).unwrap().weights_sha256(), sha256(&bytes));
    let asked: Vec<_> = fake.asked().into_iter().filter(|request| request.starts_with("GET")).collect();
    let part = format!("bytes={}-{}", bytes.len() / 2, bytes.len() - 1);
    assert!(asked.len() == 1 && asked[0].ends_with(&part), "{asked:?} instead of {part}");

    // The remains of another file do not matter.
    let cache = tempfile::tempdir().unwrap();
    let blobs = cache.path().join(format!("models--timm--{MODEL}/blobs"));
    std::fs::create_dir_all(&blobs).unwrap();
    std::fs::write(blobs.join("0000.incomplete"), b"old").unwrap();
    load(fake.hub(cache.path())).unwrap();
}

#[test]
fn denied_access_is_explained() {
    for status in [401, 403] {
        let cache = tempfile::tempdir().unwrap();
        let fake = Fake::new("model.safetensors", Vec::new(), Manner::Refuses(status));
        let page = format!("{}/timm/{MODEL}", fake.endpoint);
        fails(fake.hub(cache.path()), &["accept its terms", &page, "pass a token"]);
    }
}

#[test]
fn missing_weights_are_named() {
    let cache = tempfile::tempdir().unwrap();
    let fake = Fake::new("other.txt", Vec::new(), Manner::Good);
    let expected = ["timm/planted_resnet@main", "has no model.safetensors or pytorch_model.bin"];
    fails(fake.hub(cache.path()), &expected);
    fails(fake.hub(cache.path()).repository("me/mine").revision("v2"), &["me/mine@v2"]);

    // No server listens there, and none is asked.
    let nowhere = Hub::new(cache.path().join("empty")).endpoint("http://127.0.0.1:9");
    fails(nowhere.offline(true), &["offline", "hf download timm/planted_resnet model.safetensors --revision main"]);
}

#[test]
fn a_server_that_ignores_ranges_sends_the_whole_file_again() {
    let (bytes, cache) = (weights(), tempfile::tempdir().unwrap());
    let fake = Fake::new("model.safetensors", bytes.clone(), Manner::Breaks);
    fails(fake.hub(cache.path()), &["the download from"]);
    *fake.manner.lock().unwrap() = Manner::IgnoresRanges;
    assert_eq!(load(fake.hub(cache.path())).unwrap().weights_sha256(), sha256(&bytes));
}

#[test]
fn requests_are_repeated_while_the_server_is_busy() {
    let cache = tempfile::tempdir().unwrap();
    let fake = Fake::new("model.safetensors", weights(), Manner::Busy(2));
    load(fake.hub(cache.path())).unwrap();
    assert_eq!(fake.asked().len(), 4, "two of HEAD in vain, then HEAD and GET");
}

#[test]
fn redirects_are_followed_and_the_token_stays_with_its_host() {
    let (bytes, cache) = (weights(), tempfile::tempdir().unwrap());
    let moved = Fake::new("model.safetensors", bytes.clone(), Manner::Moved);
    load(moved.hub(cache.path())).unwrap();
    assert!(moved.asked().iter().all(|request| request.ends_with("Bearer secret")));

    let cache = tempfile::tempdir().unwrap();
    let storage = Fake::new("model.safetensors", bytes.clone(), Manner::Good);
    let fake = Fake::new("model.safetensors", bytes.clone(), Manner::Stored(storage.endpoint.clone()));
    assert_eq!(load(fake.hub(cache.path())).unwrap().weights_sha256(), sha256(&bytes));
    assert_eq!(fake.asked().len(), 2);
    let path = format!("/elsewhere/timm/{MODEL}/resolve/{COMMIT}/model.safetensors");
    assert_eq!(storage.asked(), [format!("GET {path} ")]);

    // The same holds for the rest of an interrupted download.
    let cache = tempfile::tempdir().unwrap();
    *storage.manner.lock().unwrap() = Manner::Breaks;
    fails(fake.hub(cache.path()), &["the download from"]);
    *storage.manner.lock().unwrap() = Manner::Good;
    storage.asked();
    assert_eq!(load(fake.hub(cache.path())).unwrap().weights_sha256(), sha256(&bytes));
    assert_eq!(storage.asked(), [format!("GET {path}  bytes={}-{}", bytes.len() / 2, bytes.len() - 1)]);
}

#[test]
fn a_second_process_waits_for_the_first() {
    let (bytes, cache) = (weights(), tempfile::tempdir().unwrap());
    let fake = Fake::new("model.safetensors", bytes.clone(), Manner::Good);
    let locks = cache.path().join(".locks").join(format!("models--timm--{MODEL}"));
    std::fs::create_dir_all(&locks).unwrap();
    let lock = std::fs::File::create(locks.join(format!("{}.lock", sha256(&bytes)))).unwrap();
    lock.lock().unwrap();
    let blobs = cache.path().join(format!("models--timm--{MODEL}/blobs"));
    std::fs::create_dir_all(&blobs).unwrap();
    let hub = fake.hub(cache.path());
    let second = std::thread::spawn(move || load(hub).map(drop));
    while fake.asked.lock().unwrap().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    std::fs::write(blobs.join(sha256(&bytes)), &bytes).unwrap();
    drop(lock);
    second.join().unwrap().unwrap();
    assert_eq!(fake.asked().len(), 1, "only HEAD: the first process has downloaded the file");
}
