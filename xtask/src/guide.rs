//! Builds the guide.

use crate::run::{Result, command};
use std::process::Stdio;

/// Runs `mdbook build`, and fails on its warnings.
pub(crate) fn run() -> Result<()> {
    let output = command("mdbook", &["build"]).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("cannot run mdbook ({error}); `cargo install mdbook` gets it"))?;
    let log = String::from_utf8_lossy(&output.stderr);
    eprint!("{log}");
    if !output.status.success() || log.contains("WARN") {
        return Err("the guide does not build without warnings".into());
    }
    println!("target/guide/index.html");
    Ok(())
}
