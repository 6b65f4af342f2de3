use crate::FileError;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use tempfile::{Builder, NamedTempFile};

/// The end of the name of a file that is still being written.
const UNFINISHED: &str = ".tmp";

/// Writes a file so that readers see all of `bytes` or the previous state, and creates its folder if necessary.
///
/// The content is on the disk when the function returns. A file that already has this name is replaced. Two processes,
/// also on different machines that share the folder, can write the same file at once: one of the two contents remains.
///
/// # Errors
/// Returns [`FileError`] if the folder cannot be created or the file cannot be written. The previous state remains.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    write_with(path, |file| file.write_all(bytes))
}

/// Writes a file like [`write_whole`], with content that `write` produces piece by piece through a buffer.
///
/// # Errors
/// Returns [`FileError`] if the folder cannot be created, the file cannot be written, or `write` fails. The previous
/// state remains.
pub fn write_whole_with(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), FileError> {
    write_with(path, |file| {
        let mut buffered = BufWriter::new(file);
        write(&mut buffered)?;
        buffered.flush()
    })
}

fn write_with(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), FileError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(FileError::because("create the folder", folder))?;
    let written = || {
        // Dropping the temporary file removes it, on errors and panics alike.
        let mut temporary = create_temporary(path, folder)?;
        write(temporary.as_file_mut())?;
        temporary.as_file().sync_all()?;
        temporary.persist(path)?;
        io::Result::Ok(())
    };
    written().map_err(FileError::because("write", path))?;
    // The folder holds the new name, so it must reach the disk too. Some systems cannot synchronize folders.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Creates `NAME.RANDOM.tmp` beside the file that it will become.
fn create_temporary(path: &Path, folder: &Path) -> io::Result<NamedTempFile> {
    let mut prefix = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_owned();
    prefix.push(".");
    let mut builder = Builder::new();
    builder.prefix(&prefix).suffix(UNFINISHED).rand_bytes(16);
    // By default only the owner can read a temporary file. This one becomes an ordinary file, so the umask decides.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Removes what killed writers left unfinished in a folder, of the files whose names `is_ours` accepts. Returns how
/// many files were removed.
///
/// `is_ours` receives the name of the finished file. Accept only files that no other process is writing now.
///
/// # Errors
/// Returns [`FileError`] if the folder cannot be read or a file cannot be removed.
pub fn remove_unfinished(folder: &Path, is_ours: impl Fn(&str) -> bool) -> Result<usize, FileError> {
    let entries = fs::read_dir(folder).map_err(FileError::because("read", folder))?;
    let mut removed = 0;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let finished = name.to_str().and_then(|name| name.strip_suffix(UNFINISHED)?.rsplit_once('.'));
        if finished.is_some_and(|(finished, _random)| is_ours(finished)) {
            let path = entry.path();
            fs::remove_file(&path).map_err(FileError::because("remove", &path))?;
            removed += 1;
        }
    }
    Ok(removed)
}
