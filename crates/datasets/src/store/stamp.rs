//! What identifies the current state of a file without reading it.

use std::fs::Metadata;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Returns the canonical path, the size and the modification time of a file, as a text that changes when the file does.
pub(crate) fn stamp(path: &Path) -> String {
    let shown = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    match std::fs::metadata(path) {
        Ok(metadata) => format!("{} {} {}", shown.display(), metadata.len(), modified(&metadata)),
        Err(_) => format!("{} missing", shown.display()),
    }
}

/// Returns the seconds since 1970 with nanoseconds, as far as the system knows them.
fn modified(metadata: &Metadata) -> String {
    let Ok(time) = metadata.modified() else { return "?".into() };
    let (sign, since) = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => ("", since),
        Err(before) => ("-", before.duration()),
    };
    format!("{sign}{}.{:09}", since.as_secs(), since.subsec_nanos())
}
