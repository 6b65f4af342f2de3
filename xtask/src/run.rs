//! The repository's root and other programs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Returns the repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_owned)
}

/// Returns a command that runs in the repository's root.
pub(crate) fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Runs a command and shows its output.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| format!("cannot run {}: {error}", text(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed ({status})", text(command)).into()) }
}

/// Runs a command, shows what it prints to stderr and returns what it prints to stdout.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("cannot run {}: {error}", text(command)))?;
    if !output.status.success() {
        return Err(format!("{} failed ({})", text(command), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn text(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// Returns every file below `folder` whose name passes `keep`, sorted. Skips `target` and hidden folders except `.github`.
pub(crate) fn files(folder: &Path, keep: &dyn Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let hidden = name.starts_with('.') && name != ".github";
            if entry.file_type()?.is_dir() {
                if name != "target" && !hidden {
                    open.push(entry.path());
                }
            } else if keep(&name) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}
