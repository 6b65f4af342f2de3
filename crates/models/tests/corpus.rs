//! Reads checkpoints with a few random changes, which must not panic.

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
            check::checkpoint(&path, &changes::change(&whole, round));
        }
    }
}

#[test]
fn changed_checkpoints_do_not_panic() {
    check(50);
}

#[test]
#[ignore = "takes minutes: cargo test --release -p hard-imagenet-models --test corpus -- --ignored"]
fn many_changed_checkpoints_do_not_panic() {
    check(5000);
}
