//! The rest of a file whose download broke off; hf-hub by itself begins anew.

use hf_hub::{HFRepositorySync, HFResult, RepoTypeModel};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// Bytes asked for at a time.
const PIECE: u64 = 1 << 24;

/// Completes what an earlier download left in the cache's folder of a repository, so that hf-hub finds the file there.
///
/// Does nothing where nothing is left, where another process is at it, or where the hub sends something else than the
/// piece that was asked for.
///
/// # Errors
/// From the hub, or from the disk; what has come so far stays.
pub(super) fn resume(
    repo: &HFRepositorySync<RepoTypeModel>,
    cache: &Path,
    folder: &str,
    (file, revision): (&str, &str),
    report: impl Fn(u64, u64),
) -> HFResult<()> {
    let blobs = cache.join(folder).join("blobs");
    let is_left = |entry: fs::DirEntry| entry.path().extension().is_some_and(|ending| ending == "incomplete");
    if !fs::read_dir(&blobs).is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(is_left))) {
        return Ok(());
    }
    let known = repo.get_file_metadata().filepath(file).revision(revision).send()?;
    // It becomes a file's name.
    if known.etag.contains(['/', '\\']) {
        return Ok(());
    }
    let (whole, size) = (blobs.join(&known.etag), known.file_size);
    let left = blobs.join(format!("{}.incomplete", known.etag));
    let locks = cache.join(".locks").join(folder);
    fs::create_dir_all(&locks)?;
    let lock = File::create(locks.join(format!("{}.lock", known.etag)))?;
    if lock.try_lock().is_err() || !left.is_file() {
        return Ok(());
    }
    let mut done = fs::metadata(&left)?.len();
    let mut out = OpenOptions::new().append(true).open(&left)?;
    while done < size {
        let piece = done..size.min(done + PIECE);
        let length = piece.end - piece.start;
        let request = repo.download_file_to_bytes().filename(file).revision(&*known.commit_hash);
        let bytes = request.range(piece).send()?;
        if bytes.len() as u64 != length {
            return Ok(());
        }
        out.write_all(&bytes)?;
        done += length;
        report(done, size);
    }
    if done == size {
        fs::rename(&left, &whole)?;
    }
    Ok(())
}
