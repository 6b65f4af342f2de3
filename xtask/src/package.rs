//! Checks what would be published.

use crate::run::{Result, command, files, output, root};
use std::path::Path;

/// What every package contains.
const REQUIRED: [&str; 4] = ["Cargo.toml", "README.md", "LICENSE-MIT", "LICENSE-APACHE"];
/// What the manifest of every package states.
const FIELDS: [&str; 6] = ["description", "license", "repository", "readme", "keywords", "categories"];

/// Packages every crate without building it, after checking that each has its metadata, README and licenses.
pub(crate) fn run() -> Result<()> {
    let mut missing = Vec::new();
    for manifest in files(&root().join("crates"), &|name| name == "Cargo.toml")? {
        missing.extend(faults(&manifest)?);
    }
    if !missing.is_empty() {
        return Err(missing.join("\n").into());
    }
    let exclude = ["hard-imagenet-benches", "hard-imagenet-examples", "xtask"];
    let exclude = exclude.iter().flat_map(|name| ["--exclude", name]);
    let words = ["package", "--workspace", "--no-verify", "--allow-dirty"].into_iter().chain(exclude);
    crate::run::run(&mut command("cargo", &words.collect::<Vec<_>>()))
}

/// Returns what a package lacks, one line for each fault.
fn faults(manifest: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(manifest)?;
    let folder =
        manifest.parent().and_then(Path::file_name).map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let has = |field: &str| text.lines().any(|line| line.starts_with(field));
    let mut faults: Vec<String> =
        FIELDS.iter().filter(|field| !has(field)).map(|field| format!("{folder}: no {field} in Cargo.toml")).collect();
    if !text.contains("[package.metadata.docs.rs]") {
        faults.push(format!("{folder}: no settings for docs.rs in Cargo.toml"));
    }
    let path = manifest.to_string_lossy().into_owned();
    let list = output(&mut command("cargo", &["package", "--list", "--allow-dirty", "--manifest-path", &path]))?;
    let is_absent = |file: &&&str| !list.lines().any(|line| line == **file);
    faults.extend(REQUIRED.iter().filter(is_absent).map(|file| format!("{folder}: the package lacks {file}")));
    Ok(faults)
}
