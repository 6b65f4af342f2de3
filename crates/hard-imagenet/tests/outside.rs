//! A crate outside the workspace can bring a dataset, a perturbation, an explainer and a metric.
//!
//! The test writes such a crate into a temporary folder, from `tests/outside/program.rs`, builds it with a path
//! dependency on `hard-imagenet`, and runs it. It uses the target folder, the lock file and the profiles of the workspace,
//! so that only dependencies with other features are built again.
#![allow(clippy::disallowed_methods, reason = "the test runs cargo")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The manifest of the crate. The profiles of the workspace follow.
fn manifest(workspace: &Path) -> String {
    let root = std::fs::read_to_string(workspace.join("Cargo.toml")).unwrap();
    let profiles = &root[root.find("[profile.dev]").unwrap()..];
    format!(
        "[package]\nname = \"outside\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n\
         [[bin]]\nname = \"outside\"\npath = \"main.rs\"\n\n\
         [dependencies]\nhard-imagenet = {{ path = {:?} }}\n\n[workspace]\n\n{profiles}",
        env!("CARGO_MANIFEST_DIR")
    )
}

/// The target folder of the workspace, which holds this test.
fn target_dir() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // target/debug/deps/outside-1234
    test.ancestors().nth(3).unwrap().to_owned()
}

#[test]
fn a_crate_outside_the_workspace_evaluates_what_it_brings() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("Cargo.toml"), manifest(workspace)).unwrap();
    std::fs::copy(workspace.join("Cargo.lock"), dir.path().join("Cargo.lock")).unwrap();
    std::fs::write(dir.path().join("main.rs"), include_str!("outside/program.rs")).unwrap();

    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--offline", "--"])
        .arg(dir.path().join("run"))
        .env("CARGO_TARGET_DIR", target_dir())
        .current_dir(dir.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", output.status);
    let page = std::fs::read_to_string(dir.path().join("run/report.html")).unwrap();
    for name in ["shapes", "disk", "object inverted", "The colors of the object are inverted.", "Middle", "Certain"] {
        assert!(page.contains(name), "the page does not name {name:?}");
    }
}
