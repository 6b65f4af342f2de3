//! Weight downloads from a small local server that also corrupts files, drops connections and refuses requests.
#![allow(clippy::disallowed_methods, reason = "a test may print and read its settings")]

use candle_core::{DType, Device};
use hard_imagenet_models::{Hub, Model, ModelError, Weights, generated, zoo};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

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
    /// Sends the file in small pieces.
    Slow,
    /// Redirects to another path of its own.
    Moved,
    /// Redirects to another server, as the hub does with large files.
    Stored(String),
}

/// A hub with files in one repository. It records "METHOD path token" of every request, and the range if there is one.
struct Fake {
    endpoint: String,
    manner: Arc<Mutex<Manner>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    fn new(file: &str, bytes: Vec<u8>, manner: Manner) -> Self {
        Self::with_files(HashMap::from([(file.to_owned(), bytes)]), manner)
    }

    fn with_files(files: HashMap<String, Vec<u8>>, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let fake = Self { endpoint, manner: Arc::new(Mutex::new(manner)), asked: Arc::default() };
        let (manner, asked) = (fake.manner.clone(), fake.asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that closes the connection early is no failure of the server.
                let _ = answer(stream.unwrap(), &files, &manner, &asked);
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
    files: &HashMap<String, Vec<u8>>,
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
    let own = path.strip_prefix("/elsewhere").unwrap_or(path).strip_prefix(&format!("/timm/{MODEL}/resolve/"));
    let file = own.and_then(|own| ["main/", COMMIT].iter().find_map(|revision| own.strip_prefix(revision)));
    let file = file.and_then(|file| files.get(file.trim_start_matches('/')));
    let (there, bytes) = (file.is_some(), file.map_or(&[][..], Vec::as_slice));
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
            Manner::Slow => {
                for piece in body.chunks(body.len().div_ceil(20).max(1)) {
                    stream.write_all(piece)?;
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
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
    fails(fake.hub(cache.path()), &["damaged", "removed from the cache"]);
    assert!(!blob.exists());
    load(fake.hub(cache.path())).unwrap();
}

/// Returns the files below a folder with their contents, and the links with their targets.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if let Ok(target) = std::fs::read_link(&path) {
            all.insert(path, target.into_os_string().into_encoded_bytes());
        } else if path.is_dir() {
            all.extend(contents(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            all.insert(path, bytes);
        }
    }
    all
}

#[test]
fn offline_nothing_is_removed() {
    let (bytes, cache) = (weights(), tempfile::tempdir().unwrap());
    let fake = Fake::new("model.safetensors", bytes.clone(), Manner::Good);
    load(fake.hub(cache.path())).unwrap();
    let blob = cache.path().join(format!("models--timm--{MODEL}/blobs")).join(sha256(&bytes));
    for damaged in [&bytes[..1000], b"", b"version https://git-lfs.github.com/spec/v1\n"] {
        std::fs::write(&blob, damaged).unwrap();
        let before = contents(cache.path());
        let download = "hf download timm/planted_resnet model.safetensors --revision main --force-download";
        fails(fake.hub(cache.path()).offline(true), &["damaged", &sha256(&bytes), "offline", download]);
        assert_eq!(contents(cache.path()), before);
    }
}

#[cfg(unix)]
#[test]
fn a_cache_that_cannot_be_written_is_read() {
    use std::os::unix::fs::PermissionsExt;
    let (bytes, cache) = (weights(), tempfile::tempdir().unwrap());
    let fake = Fake::new("model.safetensors", bytes, Manner::Good);
    load(fake.hub(cache.path())).unwrap();
    let before = contents(cache.path());
    let folders = || {
        let mut all = vec![cache.path().to_owned()];
        let mut i = 0;
        while let Some(folder) = all.get(i).cloned() {
            let entries = std::fs::read_dir(folder).unwrap().flatten();
            all.extend(entries.filter(|e| e.file_type().unwrap().is_dir()).map(|e| e.path()));
            i += 1;
        }
        all
    };
    let set_mode = |mode| {
        for folder in folders().into_iter().rev() {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    set_mode(0o555);
    let loaded =
        [load(fake.hub(cache.path())), load(fake.hub(cache.path()).offline(true))].map(|model| model.map(drop));
    set_mode(0o755);
    loaded.into_iter().for_each(Result::unwrap);
    assert_eq!(contents(cache.path()), before, "nothing is written");

    // What cannot be written is named. A file in place of the folder stops the superuser, too.
    let file = cache.path().join("file");
    std::fs::write(&file, b"").unwrap();
    fails(fake.hub(&file), &["cannot be written", "use another folder"]);
}

/// The weights in two shards, their index, and the hash of all.
fn shards() -> (HashMap<String, Vec<u8>>, String) {
    let folder = tempfile::tempdir().unwrap();
    let weights = generated::weights(&zoo::graph(MODEL, 8).unwrap()).unwrap();
    let names: Vec<String> = (1..=2).map(|i| format!("model-0000{i}-of-00002.safetensors")).collect();
    let shard_of = |name: &str| &names[usize::from(name > "layer2")];
    let map: BTreeMap<&String, &String> = weights.keys().map(|name| (name, shard_of(name))).collect();
    let index = format!("{{\"metadata\": {{}}, \"weight_map\": {map:?}}}").into_bytes();
    let mut files = HashMap::from([("model.safetensors.index.json".to_owned(), index.clone())]);
    let mut all = index;
    for shard in &names {
        let part: HashMap<_, _> = weights.clone().into_iter().filter(|(name, _)| shard_of(name) == shard).collect();
        let path = folder.path().join(shard);
        candle_core::safetensors::save(&part, &path).unwrap();
        let bytes = std::fs::read(path).unwrap();
        all.extend_from_slice(&bytes);
        files.insert(shard.clone(), bytes);
    }
    (files, sha256(&all))
}

#[test]
fn shards_are_downloaded_with_their_index() {
    let (files, hash) = shards();
    let cache = tempfile::tempdir().unwrap();
    let fake = Fake::with_files(files.clone(), Manner::Good);
    let model = load(fake.hub(cache.path())).unwrap();
    assert_eq!(model.weights_sha256(), hash);
    assert_eq!(model.weights_origin(), Some(format!("timm/{MODEL}@{COMMIT}").as_str()));
    let asked = fake.asked();
    assert_eq!(asked.iter().filter(|request| request.starts_with("GET")).count(), 3, "{asked:?}");
    load(fake.hub(cache.path()).offline(true)).unwrap();
    load(fake.hub(cache.path())).unwrap();
    assert!(fake.asked().is_empty(), "cached files are not requested");

    // Each shard is checked, and a missing one is named.
    let shard = "model-00002-of-00002.safetensors";
    let blob = cache.path().join(format!("models--timm--{MODEL}/blobs")).join(sha256(&files[shard]));
    std::fs::write(&blob, b"other").unwrap();
    fails(fake.hub(cache.path()).offline(true), &["damaged", shard, "offline"]);
    fails(fake.hub(cache.path()), &["damaged", shard, "removed from the cache"]);
    fails(fake.hub(cache.path()).offline(true), &[&format!("{shard} is not in the cache"), "hf download"]);
    assert_eq!(load(fake.hub(cache.path())).unwrap().weights_sha256(), hash);

    let mut without = files;
    without.remove(shard);
    let cache = tempfile::tempdir().unwrap();
    fails(Fake::with_files(without, Manner::Good).hub(cache.path()), &[&format!("has no {shard} there")]);
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

/// The variables that tell a process of [`start_process`] what to load.
const ENDPOINT: &str = "HARD_IMAGENET_TEST_ENDPOINT";
const CACHE: &str = "HARD_IMAGENET_TEST_CACHE";

/// Starts this test binary again. The process loads the model from the hub and ends.
fn start_process(endpoint: &str, cache: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "load_in_a_process_of_its_own", "--ignored"]);
    command.env(ENDPOINT, endpoint).env(CACHE, cache).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[test]
#[ignore = "other tests start this one in processes of its own"]
fn load_in_a_process_of_its_own() {
    let (Ok(endpoint), Some(cache)) = (std::env::var(ENDPOINT), std::env::var_os(CACHE)) else { return };
    let hub = Hub::new(cache).endpoint(endpoint);
    assert_eq!(load(hub).unwrap().spec().classes, 8);
}

/// Twenty processes of a cluster's job start at once with an empty cache.
#[test]
fn twenty_processes_download_once() {
    let (bytes, cache) = (weights(), tempfile::tempdir().unwrap());
    let fake = Fake::new("model.safetensors", bytes.clone(), Manner::Slow);
    let processes: Vec<Child> = (0..20).map(|_| start_process(&fake.endpoint, cache.path())).collect();
    for process in processes {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    }
    let asked = fake.asked();
    assert_eq!(asked.iter().filter(|request| request.starts_with("GET")).count(), 1, "{asked:?}");
    let blobs = cache.path().join(format!("models--timm--{MODEL}/blobs"));
    let names: Vec<_> = std::fs::read_dir(blobs).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [sha256(&bytes).as_str()], "nothing else remains");
}

#[test]
fn a_killed_process_leaves_neither_a_lock_nor_a_damaged_file() {
    let (bytes, cache) = (weights(), tempfile::tempdir().unwrap());
    let fake = Fake::new("model.safetensors", bytes.clone(), Manner::Slow);
    let blobs = cache.path().join(format!("models--timm--{MODEL}/blobs"));
    let incomplete = blobs.join(format!("{}.incomplete", sha256(&bytes)));
    let mut process = start_process(&fake.endpoint, cache.path());
    while !std::fs::metadata(&incomplete).is_ok_and(|file| file.len() > 0) {
        assert!(process.try_wait().unwrap().is_none(), "the process ended before it was killed");
        std::thread::sleep(Duration::from_millis(2));
    }
    // A second process waits for the first, and takes over.
    let waiting = start_process(&fake.endpoint, cache.path());
    std::thread::sleep(Duration::from_millis(50));
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(waiting.wait_with_output().unwrap().status.success());
    assert_eq!(load(fake.hub(cache.path()).offline(true)).unwrap().weights_sha256(), sha256(&bytes));
    assert!(!incomplete.exists());
}

#[test]
fn waiting_shows_the_progress_of_the_other_process() {
    let (bytes, cache) = (weights(), tempfile::tempdir().unwrap());
    let fake = Fake::new("model.safetensors", bytes.clone(), Manner::Good);
    let storage = Fake::new("model.safetensors", bytes.clone(), Manner::Good);
    *fake.manner.lock().unwrap() = Manner::Stored(storage.endpoint.clone());
    let locks = cache.path().join(".locks").join(format!("models--timm--{MODEL}"));
    let blobs = cache.path().join(format!("models--timm--{MODEL}/blobs"));
    std::fs::create_dir_all(&locks).unwrap();
    std::fs::create_dir_all(&blobs).unwrap();
    std::fs::write(blobs.join(format!("{}.incomplete", sha256(&bytes))), &bytes[..1000]).unwrap();
    let lock = std::fs::File::create(locks.join(format!("{}.lock", sha256(&bytes)))).unwrap();
    lock.lock().unwrap();
    let (sender, seen) = std::sync::mpsc::channel();
    let hub = fake.hub(cache.path()).progress(move |done, total| sender.send((done, total)).unwrap_or_default());
    let second = std::thread::spawn(move || load(hub).map(drop));
    assert_eq!(seen.recv_timeout(Duration::from_secs(20)).unwrap(), (1000, bytes.len() as u64));
    drop(lock);
    second.join().unwrap().unwrap();
}

/// Python's lock and this one exclude each other:
///
///     PYTHON=python3 cargo test -p hard-imagenet-models --features hub --test hub python -- --ignored
#[test]
#[ignore = "needs Python with filelock, which huggingface_hub installs"]
fn python_and_rust_wait_for_each_other() {
    let (bytes, cache) = (weights(), tempfile::tempdir().unwrap());
    let fake = Fake::new("model.safetensors", bytes.clone(), Manner::Good);
    let lock = cache.path().join(format!(".locks/models--timm--{MODEL}/{}.lock", sha256(&bytes)));
    std::fs::create_dir_all(lock.parent().unwrap()).unwrap();
    let python = |program: &str| {
        let mut command = Command::new(std::env::var("PYTHON").unwrap_or_else(|_| "python3".into()));
        command.args(["-c", program]).arg(&lock).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
    };
    // Python holds the lock until its standard input ends.
    let holds = "import sys, filelock\nwith filelock.FileLock(sys.argv[1], mode=0o664): print(1, flush=True); input()";
    let mut holder = python(holds);
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
    let hub = fake.hub(cache.path());
    let loading = std::thread::spawn(move || load(hub).map(drop));
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(fake.asked().len(), 1, "HEAD, and no GET while Python holds the lock");
    holder.stdin.take().unwrap().write_all(b"\n").unwrap();
    loading.join().unwrap().unwrap();
    assert!(holder.wait().unwrap().success());

    let held = std::fs::File::create(&lock).unwrap();
    held.lock().unwrap();
    let tries = "import sys, filelock\ntry: filelock.FileLock(sys.argv[1], timeout=0.2).acquire(); print('free')\n\
                 except filelock.Timeout: print('held')";
    let output = |child: Child| String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(output(python(tries)).trim(), "held");
    drop(held);
    assert_eq!(output(python(tries)).trim(), "free");
}
