//! Runs the fuzz targets.

use crate::run::{Result, command, root};
use std::time::Instant;

/// Runs the named targets, or all, each for `--seconds N`.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let (mut targets, mut seconds) = (Vec::new(), 60u64);
    let mut rest = arguments.iter();
    while let Some(&word) = rest.next() {
        match word {
            "--seconds" => seconds = rest.next().ok_or("--seconds takes a number")?.parse()?,
            target => targets.push(target.to_owned()),
        }
    }
    if targets.is_empty() {
        targets = self::targets()?;
    }
    for target in targets {
        let started = Instant::now();
        let limit = format!("-max_total_time={seconds}");
        let mut fuzz = command("cargo", &["fuzz", "run", "--sanitizer", "none", &target, "--", &limit]);
        // A stable toolchain fuzzes too if it accepts the flags that a nightly one would.
        crate::run::run(fuzz.env("RUSTC_BOOTSTRAP", "1"))?;
        println!("{target}: nothing found in {} s", started.elapsed().as_secs());
    }
    Ok(())
}

/// Returns the names of all targets.
fn targets() -> Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in std::fs::read_dir(root().join("fuzz/fuzz_targets"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "rs") {
            targets.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    targets.sort();
    Ok(targets)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_target_is_a_program_of_the_fuzz_package() {
        let manifest = std::fs::read_to_string(crate::run::root().join("fuzz/Cargo.toml")).unwrap();
        let targets = super::targets().unwrap();
        assert!(!targets.is_empty());
        for target in targets {
            assert!(manifest.contains(&format!("name = \"{target}\"")), "{target}");
        }
    }
}
