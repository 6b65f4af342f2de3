//! Weights through a small hub on loopback: what is asked of it, what is kept, and what is said when it goes wrong.
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

/// What the hub does with a request for the file it has.
#[derive(Clone, Copy)]
enum Manner {
    Good,
    /// Sends other bytes than it announced.
    Damaged,
    /// Hangs up half way.
    Breaks,
    /// Sends every request away with this status.
    Refuses(u16),
}

/// A hub with one file in one repository, which notes "METHOD path token" of every request, and the range where a part is
/// asked for.
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
                // A client that has gone away is its own affair.
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

/// Reads one request, answers it, and closes the connection.
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

    let manner = *manner.lock().unwrap();
    let revisions = ["main", COMMIT].map(|revision| format!("/timm/{MODEL}/resolve/{revision}/{file}"));
    let there = revisions.contains(&path.to_owned());
    let status = match manner {
        Manner::Refuses(status) => status,
        _ if there && headers.get("if-none-match") == Some(&format!("\"{}\"", sha256(bytes))) => 304,
        _ if there && part.is_some() && method == "GET" => 206,
        _ if there => 200,
        _ => 404,
    };
    let body = match (status, part) {
        (200, _) => bytes,
        (206, Some(part)) => &bytes[part],
        _ => &[],
    };
    write!(
        stream,
        "HTTP/1.1 {status} Status\r\nConnection: close\r\nContent-Length: {}\r\nETag: \"{}\"\r\nX-Repo-Commit: {COMMIT}\r\n\r\n",
        body.len(),
        sha256(bytes)
    )?;
    if method == "GET" {
        match manner {
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

/// Loading fails and says all of `expected`.
fn fails(hub: Hub, expected: &[&str]) {
    let error = load(hub).unwrap_err().to_string();
    for words in expected {
        assert!(error.contains(words), "{error:?} does not say {words:?}");
    }
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn fetched_once_then_used_without_asking() {
    let (bytes, cache) = (weights(), tempfile::tempdir().unwrap());
    let fake = Fake::new("model.safetensors", bytes.clone(), Manner::Good);
    let seen = Arc::new(Mutex::new((0, 0)));
    let last = seen.clone();
    let model =
        load(fake.hub(cache.path()).progress(move |done, total| *last.lock().unwrap() = (done, total))).unwrap();
    assert_eq!(model.weights_sha256(), sha256(&bytes));
    assert_eq!(model.weights_origin(), Some(format!("timm/{MODEL}@{COMMIT}").as_str()));
    assert_eq!(*seen.lock().unwrap(), (bytes.len() as u64, bytes.len() as u64));
    let path = format!("/timm/{MODEL}/resolve/main/model.safetensors Bearer secret");
    assert_eq!(fake.asked(), [format!("HEAD {path}"), format!("GET {path}")]);

    load(fake.hub(cache.path())).unwrap();
    load(fake.hub(cache.path()).offline(true)).unwrap();
    load(fake.hub(cache.path()).revision(COMMIT)).unwrap();
    assert!(fake.asked().is_empty(), "what is in the cache is not asked for");
}

#[test]
fn the_cache_is_laid_out_as_pythons() {
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
fn damaged_bytes_are_refused_and_fetched_again() {
    let (bytes, cache) = (weights(), tempfile::tempdir().unwrap());
    let fake = Fake::new("model.safetensors", bytes.clone(), Manner::Damaged);
    fails(fake.hub(cache.path()), &["damaged", &sha256(&bytes), "removed from the cache"]);
    *fake.manner.lock().unwrap() = Manner::Good;
    load(fake.hub(cache.path())).unwrap();

    // The disk may do the damage, too.
    let blob = cache.path().join(format!("models--timm--{MODEL}/blobs")).join(sha256(&bytes));
    std::fs::write(&blob, &bytes[..1000]).unwrap();
    fails(fake.hub(cache.path()).offline(true), &["damaged", "removed from the cache"]);
    assert!(!blob.exists());
    load(fake.hub(cache.path())).unwrap();
}

#[test]
fn a_download_that_breaks_off_is_no_file() {
    let cache = tempfile::tempdir().unwrap();
    let fake = Fake::new("model.safetensors", weights(), Manner::Breaks);
    fails(fake.hub(cache.path()), &["timm/planted_resnet@main", "not fetched from", "--weights FILE"]);
    fails(fake.hub(cache.path()).offline(true), &["is not in the cache"]);
    *fake.manner.lock().unwrap() = Manner::Good;
    load(fake.hub(cache.path())).unwrap();
}

#[test]
fn the_rest_of_a_broken_download_is_fetched() {
    let (bytes, cache) = (weights(), tempfile::tempdir().unwrap());
    let fake = Fake::new("model.safetensors", bytes.clone(), Manner::Breaks);
    fails(fake.hub(cache.path()), &["not fetched from"]);
    fake.asked();
    *fake.manner.lock().unwrap() = Manner::Good;
    assert_eq!(load(fake.hub(cache.path())).unwrap().weights_sha256(), sha256(&bytes));
    let asked: Vec<_> = fake.asked().into_iter().filter(|request| request.starts_with("GET")).collect();
    let part = format!("bytes={}-{}", bytes.len() / 2, bytes.len() - 1);
    assert!(asked.len() == 1 && asked[0].ends_with(&part), "{asked:?} instead of {part}");

    // What is left of another file than the hub now has is of no use, and no hindrance.
    let cache = tempfile::tempdir().unwrap();
    let blobs = cache.path().join(format!("models--timm--{MODEL}/blobs"));
    std::fs::create_dir_all(&blobs).unwrap();
    std::fs::write(blobs.join("0000.incomplete"), b"old").unwrap();
    load(fake.hub(cache.path())).unwrap();
}

#[test]
fn refusals_say_what_to_do() {
    for status in [401, 403] {
        let cache = tempfile::tempdir().unwrap();
        let fake = Fake::new("model.safetensors", Vec::new(), Manner::Refuses(status));
        let page = format!("{}/timm/{MODEL}", fake.endpoint);
        fails(fake.hub(cache.path()), &["accept its terms", &page, "HF_TOKEN"]);
    }
}

#[test]
fn what_is_not_there_is_named() {
    let cache = tempfile::tempdir().unwrap();
    let fake = Fake::new("other.txt", Vec::new(), Manner::Good);
    let expected = ["timm/planted_resnet@main", "model.safetensors or pytorch_model.bin", "--weights FILE"];
    fails(fake.hub(cache.path()), &expected);
    fails(fake.hub(cache.path()).repository("me/mine").revision("v2"), &["me/mine@v2"]);

    // Nobody listens there, and nobody is asked.
    let nowhere = Hub::new(cache.path().join("empty")).endpoint("http://127.0.0.1:9");
    fails(nowhere.offline(true), &["offline", "hf download timm/planted_resnet model.safetensors --revision main"]);
}
