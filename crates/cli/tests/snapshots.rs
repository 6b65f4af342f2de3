//! Snapshots of what the program prints: the help of every command, the main errors, and tables.
//!
//! After a change of a text, `INSTA_UPDATE=always cargo test -p hard-imagenet-cli --test snapshots` writes the files in
//! `tests/snapshots/` again, and their difference in git shows what a user will see.
#![allow(clippy::disallowed_methods, reason = "a test runs the program")]

use std::path::Path;
use std::process::{Command, Output};

const MODEL: &str = "planted_resnet.object";

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hard-imagenet"));
    // Tests use neither the network nor the user's cache.
    command.env("HF_HUB_OFFLINE", "1").env("HF_HUB_CACHE", "cache");
    command.current_dir(folder).args(arguments).output().expect("the program starts")
}

/// Returns standard output of a command that succeeds.
fn printed(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(folder.path(), arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").replace("hard-imagenet.exe", "hard-imagenet")
}

#[test]
fn help() {
    let commands = [
        &[][..],
        &["demo"],
        &["eval"],
        &["headline"],
        &["report"],
        &["compare"],
        &["explain"],
        &["ablate"],
        &["rank"],
        &["rank", "classes"],
        &["rank", "compare"],
        &["rank", "ends"],
        &["finetune"],
        &["datasets"],
        &["datasets", "list"],
        &["datasets", "stats"],
        &["doctor"],
        &["models"],
        &["models", "list"],
        &["models", "show"],
        &["convert"],
    ];
    for command in commands {
        let name = ["help"].iter().chain(command).copied().collect::<Vec<_>>().join("-");
        insta::assert_snapshot!(name, printed(&[command, &["--help"]].concat()));
    }
}

/// The snapshots above cover every command.
#[test]
fn no_command_is_forgotten() {
    let names = |text: &str| -> Vec<String> {
        let lines = text.lines().skip_while(|line| *line != "Commands:").skip(1);
        let names = lines.take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next());
        names.filter(|name| *name != "help").map(str::to_owned).collect()
    };
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    for command in names(&printed(&["--help"])) {
        assert!(snapshots.join(format!("snapshots__help-{command}.snap")).is_file(), "{command}");
        for inner in names(&printed(&[&command, "--help"])) {
            assert!(snapshots.join(format!("snapshots__help-{command}-{inner}.snap")).is_file(), "{command} {inner}");
        }
    }
}

/// On Unix only, because the operating system's own words are part of some messages.
#[cfg(unix)]
#[test]
fn errors() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("broken.png"), "no image").expect("a file");
    image::RgbImage::new(8, 8).save(path("image.png")).expect("an image");
    image::GrayImage::new(8, 6).save(path("mask.png")).expect("a mask");
    let explain = ["explain", "image.png", "-m"];
    let eval = ["eval", "-o", "out", "-m"];
    let cases: Vec<Vec<&str>> = vec![
        vec![],
        vec!["evaluate"],
        [&explain[..], &["resnet51"]].concat(),
        [&explain[..], &["resnet50"]].concat(),
        [&explain[..], &["resnet50", "--weights", "missing.pth"]].concat(),
        [&explain[..], &["resnet50", "--weights", "broken.png"]].concat(),
        [&explain[..], &["resnet50", "--weights", "hf:me/mine@v2"]].concat(),
        [&explain[..], &[MODEL, "--class", "9"]].concat(),
        [&explain[..], &[MODEL, "--node", "layer9"]].concat(),
        [&explain[..], &[MODEL, "--method", "gradcem"]].concat(),
        [&explain[..], &[MODEL, "--device", "cuda:0"]].concat(),
        vec!["explain", "broken.png", "-m", MODEL],
        vec!["explain", "missing.png", "-m", MODEL],
        vec!["ablate", "image.png", "mask.png", "--kind", "grey", "-o", "out.png"],
        vec!["ablate", "image.png", "mask.png", "--kind", "gray", "--no-transform", "-o", "out.png"],
        vec!["ablate", "image.png", "mask.png", "--kind", "mixed-rand", "-o", "out.png"],
        [&eval[..], &["no-such*", "-d", "planted-hard"]].concat(),
        [&eval[..], &[MODEL, "-d", "imagenet"]].concat(),
        [&eval[..], &[MODEL, "-d", "hard-imagenet"]].concat(),
        [&eval[..], &[MODEL, "-d", "hard-imagenet", "--images", "missing", "--masks", "missing"]].concat(),
        [&eval[..], &[MODEL, "-d", "planted-hard", "--protocol", "broken.png"]].concat(),
        [&eval[..], &[MODEL, "-d", "planted-hard", "--shard", "2/2"]].concat(),
        vec!["eval", "-m", MODEL, "-d", "planted-hard", "--limit", "8", "-o", "broken.png"],
        vec!["report", "missing"],
        vec!["report", "."],
        vec!["compare", "missing", "."],
        vec!["doctor", "-d", "rival20", "--images", "missing"],
        vec!["datasets", "stats", "-d", "planted-easy", "--against", "broken.png", "-o", "out"],
        vec!["rank", "-m", MODEL, "-d", "planted-hard", "--verdicts", "votes", "-o", "out"],
        vec!["finetune", "-m", MODEL, "-d", "planted-hard", "--objective", "x", "-o", "out"],
        vec!["convert", "broken.png", "out.safetensors"],
        vec!["models", "show", "resnet5O"],
    ];
    let mut text = String::new();
    for arguments in cases {
        let output = run(folder.path(), &arguments);
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{arguments:?} succeeded");
        let code = output.status.code().expect("an exit code");
        text += &format!("$ hard-imagenet {}\n{}\nexit code {code}\n\n", arguments.join(" "), message.trim_end());
    }
    let folder = folder.path().to_string_lossy().into_owned();
    insta::assert_snapshot!("errors", text.replace(&folder, "FOLDER"));
}

#[test]
fn tables() {
    insta::assert_snapshot!("models-list", printed(&["models", "list", "resnet*"]));
    insta::assert_snapshot!("models-show", printed(&["models", "show", "resnet50"]));
    insta::assert_snapshot!("models-show-tokens", printed(&["models", "show", "deit_tiny_patch16_224"]));
    insta::assert_snapshot!("datasets-list", printed(&["datasets", "list"]));
}
