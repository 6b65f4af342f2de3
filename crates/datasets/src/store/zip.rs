use super::name::{UNSAFE_NAME, safe_name};
use super::part::Part;
use super::{Files, SkippedEntry};
use std::io::Read;
use zip::ZipArchive;
use zip::result::ZipResult;

/// The type bits of a Unix mode, and their value for a plain file.
const TYPE: u32 = 0o170_000;
const PLAIN: u32 = 0o100_000;

/// A zip and the indices of its files.
///
/// Clones of the archive share its directory and read at their own positions, so threads can decompress in parallel.
pub(super) struct Zip {
    archive: ZipArchive<Part>,
    pub(super) files: Files<usize>,
}

impl Zip {
    /// Reads the directory at the end of the file.
    pub(super) fn open(file: Part) -> ZipResult<Self> {
        let archive = ZipArchive::new(file)?;
        let mut files = Files::default();
        for i in 0..archive.len() {
            let entry = archive.by_index_data(i)?;
            let raw = entry.name_raw();
            // Some writers for Windows put backslashes between folders, which the format does not allow.
            let slashed: Vec<u8> = raw.iter().map(|&byte| if byte == b'\\' { b'/' } else { byte }).collect();
            match safe_name(&slashed) {
                _ if entry.is_dir() || slashed.ends_with(b"/") => {}
                Some(name) if matches!(entry.unix_mode().unwrap_or(0) & TYPE, 0 | PLAIN) => {
                    files.by_name.insert(name, i);
                }
                Some(_) => {
                    files.skipped.push(SkippedEntry::new(raw, "it is a link or a device, which is never followed"))
                }
                None => files.skipped.push(SkippedEntry::new(raw, UNSAFE_NAME)),
            }
        }
        Ok(Self { archive, files })
    }

    /// Decompresses at most `limit` bytes of a file, whatever size its header claims, and verifies its checksum.
    pub(super) fn read(&self, file: usize, limit: u64) -> ZipResult<Vec<u8>> {
        let mut archive = self.archive.clone();
        let mut bytes = Vec::new();
        archive.by_index(file)?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
