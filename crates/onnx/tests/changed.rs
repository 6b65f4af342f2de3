//! ONNX files with a few random changes cause errors and never panics.

#[path = "../../models/tests/corpus/changes.rs"]
mod changes;
#[path = "corpus/check.rs"]
mod check;

use std::path::{Path, PathBuf};

fn check(rounds: u64) {
    let folder = std::env::temp_dir().join(format!("hard-imagenet-onnx-changed-{}-{rounds}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path: PathBuf = folder.join("changed.onnx");
    let forms =
        ["uint8_rows_first", "table_as_truth", "attention_masked", "rotary_embedding", "softmax_in_parts", "top_k"];
    let networks = ["cnn_old_any", "cnn_new_fixed", "sharp_old_any", "vit_older_any"].map(str::to_owned);
    for file in networks.into_iter().chain(forms.map(|form| format!("forms/{form}"))) {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{file}.onnx"));
        let whole = std::fs::read(golden).unwrap();
        for round in 0..rounds {
            check::onnx(&path, &changes::change(&whole, round));
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn changed_files_do_not_panic() {
    check(100);
}

#[test]
#[ignore = "takes minutes: cargo test --release -p hard-imagenet-onnx --test changed -- --ignored"]
fn many_changed_files_do_not_panic() {
    check(5000);
}
