//! Checkpoints with a few changes at random: errors, never panics.

#[path = "corpus/changes.rs"]
mod changes;
#[path = "corpus/check.rs"]
mod check;

use std::path::Path;

fn check(rounds: u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changed.pth");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/checkpoints");
    for entry in std::fs::read_dir(golden).unwrap() {
        let whole = std::fs::read(entry.unwrap().path()).unwrap();
        for round in 0..rounds {
            check::checkpoint(&path, &changes::changed(&whole, round));
        }
    }
}

#[test]
fn changed_checkpoints() {
    check(50);
}

#[test]
#[ignore = "takes minutes: cargo test --release -p hard-imagenet-models --test corpus -- --ignored"]
fn many_changed_checkpoints() {
    check(5000);
}
