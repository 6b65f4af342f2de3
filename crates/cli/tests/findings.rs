//! Situations in which a number could be silently wrong: what the program prints, stores and returns.

#[path = "findings/squares.rs"]
mod squares;

use hard_imagenet::findings::Finding;
use hard_imagenet::metrics::{Options, score};
use hard_imagenet::runs::Run;
use squares::Squares;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hard-imagenet"));
    // Tests use neither the network nor the user's cache.
    command.env("HF_HUB_OFFLINE", "1").env("HF_HUB_CACHE", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// Runs `eval` in a folder of squares.
fn eval(squares: &Squares, more: &[&str]) -> Output {
    let mut command = program();
    command.current_dir(squares.folder.path());
    command.args(["eval", "-d", "masked-folder", "--protocol", "quick"]);
    let usual = [("-m", "model.onnx"), ("--images", "images"), ("--masks", "masks"), ("-o", "out")];
    for (option, value) in usual.iter().filter(|(option, _)| !more.contains(option)) {
        command.args([option, value]);
    }
    command.args(more).output().expect("the program starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Checks the exit code; returns what was printed on standard error.
fn ends_with(output: &Output, code: i32) -> String {
    let said = said(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

/// Opens the run of a model.
fn open(squares: &Squares, model: &str) -> Run {
    Run::open(squares.at("out").join(model)).expect("a run")
}

/// Returns the kinds of findings that are errors or warnings, except that the ONNX files here state no preprocessing.
fn suspicious(run: &Run) -> Vec<&str> {
    let suspicious = run.findings().iter().filter(|finding| finding.severity.is_suspicious());
    suspicious.map(|finding| finding.kind.as_str()).filter(|kind| *kind != "preprocessing-assumed").collect()
}

/// Returns a score in percent, rounded.
fn percent(run: &Run, metric: &str, condition: &str) -> Option<i32> {
    let scores = score(run.records(), &Options::default());
    scores.headline(metric, condition).map(|estimate| (100.0 * estimate.value).round() as i32)
}

/// Returns the share of the object in each sample.
fn object_fractions(run: &Run) -> Vec<Option<f32>> {
    run.records().iter().filter(|record| record.condition == "none").map(|record| record.object_fraction).collect()
}

#[test]
fn clean_inputs_give_no_finding() {
    let squares = Squares::new(2, 255);
    let said = ends_with(&eval(&squares, &["--mean", "0.5,0.5,0.5", "--std", "0.2,0.2,0.2"]), 0);
    assert_eq!(said, "");
    let run = open(&squares, "model");
    assert_eq!(run.findings(), []);
    assert_eq!(run.description().preprocess.mean, [0.5; 3]);
    assert_eq!((percent(&run, "accuracy", "none"), percent(&run, "drop", "gray")), (Some(100), Some(67)));
}

#[test]
fn the_demo_gives_no_finding() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = program().args(["demo", "--limit", "48", "-o"]).arg(folder.path()).output().expect("the program");
    assert_eq!(ends_with(&output, 0), "");
    for dataset in ["planted-hard", "planted-easy"] {
        for model in ["planted_resnet.cue", "planted_resnet.object"] {
            let run = Run::open(folder.path().join(dataset).join(model)).expect("a run");
            assert_eq!(run.findings(), [], "{model} on {dataset}");
        }
    }
}

#[test]
fn masks_of_labels_mean_their_object() {
    let white = Squares::new(1, 255);
    ends_with(&eval(&white, &["--preset", "strict"]), 0);
    let expected = object_fractions(&open(&white, "model"));
    for value in [1, 2, 64, 100] {
        let squares = Squares::new(1, value);
        let said = ends_with(&eval(&squares, &["--preset", "strict"]), 0);
        let run = open(&squares, "model");
        assert_eq!(object_fractions(&run), expected, "{value}");
        assert_eq!(suspicious(&run), ["label-mask"], "{value}");
        assert!(said.contains(&format!("a/0: values {value}")) && said.contains("--mask-value"), "{said}");
    }
}

#[test]
fn the_values_of_the_object_can_be_chosen_and_belong_to_the_run() {
    let squares = Squares::new(1, 2);
    ends_with(&eval(&squares, &["--mask-value", "2"]), 0);
    let run = open(&squares, "model");
    assert_eq!(suspicious(&run), [""; 0]);
    assert_eq!(run.description().dataset.settings.get("masks").map(String::as_str), Some("values 2"));
    let said = ends_with(&eval(&squares, &["--mask-value", "1"]), 1);
    assert!(said.contains("holds another run") && said.contains("settings.masks"), "{said}");
    let said = ends_with(&eval(&squares, &["--mask-value", "1", "-o", "other"]), 0);
    assert!(said.contains("3 of 3 masks without an object"), "{said}");
}

#[test]
fn empty_masks_are_reported_before_and_after() {
    let squares = Squares::new(1, 0);
    let said = ends_with(&eval(&squares, &[]), 0);
    assert_eq!(said.matches("3 of 3 masks without an object").count(), 1, "{said}");
    assert_eq!(suspicious(&open(&squares, "model")), ["empty-mask"]);
    let scores = fs::read_to_string(squares.at("out/model/scores.json")).expect("scores");
    assert!(scores.contains("\"findings\": 2"), "{scores}");
}

#[test]
fn suspicious_inputs_can_be_an_error() {
    let squares = Squares::new(1, 0);
    let said = ends_with(&eval(&squares, &["--strict-inputs"]), 1);
    assert!(said.contains("suspicious") && said.contains("3 of 3 masks without an object"), "{said}");
    assert!(!squares.at("out/model").exists());
    // A run that exists stays, even if it was to be computed again.
    ends_with(&eval(&squares, &[]), 0);
    ends_with(&eval(&squares, &["--strict-inputs", "--restart"]), 1);
    assert!(open(&squares, "model").is_complete());
}

#[test]
fn files_that_failed_are_tried_again() {
    let squares = Squares::new(1, 255);
    let image = fs::read(squares.image("b", 0)).expect("an image");
    fs::write(squares.image("b", 0), b"not an image").expect("a file");
    let said = ends_with(&eval(&squares, &[]), 3);
    assert!(said.contains("b/0 is skipped") && said.contains("1 of 3 samples"), "{said}");
    assert_eq!(suspicious(&open(&squares, "model")), ["left-out"]);
    // Nothing changed, so nothing is computed again.
    let part = squares.at("out/model/records/part-00000.parquet");
    let inputs = fs::read_to_string(squares.at("out/model/records/part-00000.inputs.json")).expect("inputs");
    assert!(!inputs.contains("images") && inputs.contains("\"digest\""), "no path of this disk: {inputs}");
    let written = fs::metadata(&part).expect("a part").modified().expect("a time");
    ends_with(&eval(&squares, &[]), 3);
    assert_eq!(fs::metadata(&part).expect("a part").modified().expect("a time"), written);

    fs::write(squares.image("b", 0), image).expect("a file");
    let said = ends_with(&eval(&squares, &[]), 0);
    assert!(said.contains("1 of 3 samples whose image or mask changed"), "{said}");
    let run = open(&squares, "model");
    assert_eq!((suspicious(&run), percent(&run, "accuracy", "none")), (vec![], Some(100)));
}

#[test]
fn replaced_masks_and_images_are_noticed() {
    let squares = Squares::new(1, 255);
    squares.write_masks("empty", 1, 0);
    ends_with(&eval(&squares, &["--masks", "empty"]), 0);
    assert_eq!(percent(&open(&squares, "model"), "drop", "gray"), Some(0));
    // Other masks of the same names.
    let said = ends_with(&eval(&squares, &[]), 0);
    assert!(said.contains("3 of 3 samples whose image or mask changed"), "{said}");
    let run = open(&squares, "model");
    assert_eq!((percent(&run, "drop", "gray"), suspicious(&run)), (Some(67), vec![]));
    // The same content under a new time is the same.
    let mask = squares.at("masks/a/0.png");
    let content = fs::read(&mask).expect("a mask");
    fs::remove_file(&mask).expect("a file");
    fs::write(&mask, content).expect("a file");
    let said = ends_with(&eval(&squares, &[]), 0);
    assert!(!said.contains("changed") && said.contains("records were kept"), "{said}");
    // An image with the pixels of another.
    fs::copy(squares.image("b", 0), squares.image("a", 0)).expect("a copy");
    let said = ends_with(&eval(&squares, &[]), 0);
    assert!(said.contains("1 of 3 samples whose image or mask changed"), "{said}");
    assert_eq!(percent(&open(&squares, "model"), "accuracy", "none"), Some(67));
    // Records of files that are gone stay.
    fs::write(squares.image("c", 0), b"").expect("a file");
    let said = ends_with(&eval(&squares, &[]), 0);
    assert!(said.contains("1 of 3 samples whose files can no longer be read"), "{said}");
    assert_eq!(percent(&open(&squares, "model"), "accuracy", "none"), Some(67));
    let said = ends_with(&eval(&squares, &["--restart"]), 3);
    assert!(said.contains("c/0 is skipped"), "{said}");
    assert_eq!(percent(&open(&squares, "model"), "accuracy", "none"), Some(50));
}

#[test]
fn exit_codes_say_how_a_command_ended() {
    let squares = Squares::new(2, 255);
    ends_with(&eval(&squares, &[]), 0);
    ends_with(&eval(&squares, &["--seed", "1"]), 1);
    ends_with(&eval(&squares, &["--limit", "0", "-o", "none"]), 2);
    ends_with(&eval(&squares, &["--shard", "1/2", "-o", "parts"]), 4);
    let report = |more: &[&str]| program().current_dir(squares.folder.path()).arg("report").args(more).output();
    ends_with(&report(&["parts"]).expect("the program"), 4);
    let said = ends_with(&eval(&squares, &["--images", "elsewhere", "-o", "none"]), 1);
    assert!(said.contains("elsewhere"), "{said}");

    fs::write(squares.image("a", 0), b"no image").expect("a file");
    ends_with(&eval(&squares, &["-o", "bad"]), 3);
    ends_with(&eval(&squares, &["-o", "bad", "--max-failed", "0.2"]), 0);
    ends_with(&report(&["bad"]).expect("the program"), 3);
    for (class, _) in squares::CLASSES {
        (0..2).for_each(|number| fs::write(squares.image(class, number), LFS).expect("a file"));
    }
    let said = ends_with(&eval(&squares, &["-o", "nothing", "--max-failed", "1"]), 3);
    assert!(said.contains("git lfs pull") && said.contains("6 of 6 samples failed"), "{said}");
}

/// The beginning of a file that Git LFS has not fetched.
const LFS: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";

#[test]
fn a_model_that_fails_is_left_out() {
    let squares = Squares::new(1, 255);
    // A model whose mistake is found while it is loaded ends the command before anything is computed.
    fs::write(squares.at("broken.onnx"), LFS).expect("a file");
    let said = ends_with(&eval(&squares, &["-m", "model.onnx", "broken.onnx"]), 1);
    assert!(said.contains("git lfs pull"), "{said}");
    assert!(!squares.at("out/model").exists());
    // A folder that holds another run is found early, too.
    squares.write_model("second.onnx", &[1.0; 9]);
    ends_with(&eval(&squares, &["-m", "second.onnx"]), 0);
    squares.write_model("second.onnx", &[2.0; 9]);
    let said = ends_with(&eval(&squares, &["-m", "model.onnx", "second.onnx"]), 1);
    assert!(said.contains("holds another run") && !squares.at("out/model").exists(), "{said}");
}

#[test]
fn models_of_one_file_name_have_runs_of_their_own() {
    let squares = Squares::new(1, 255);
    squares.write_model("resnet/model.onnx", &[10.0, 0.0, 0.0, 0.0, 10.0, 0.0, 0.0, 0.0, 10.0]);
    squares.write_model("vit/model.onnx", &[0.0, 0.0, 10.0, 10.0, 0.0, 0.0, 0.0, 10.0, 0.0]);
    ends_with(&eval(&squares, &["-m", "resnet/model.onnx", "vit/model.onnx"]), 0);
    let accuracy = |name: &str| percent(&open(&squares, name), "accuracy", "none");
    assert_eq!((accuracy("resnet-model"), accuracy("vit-model")), (Some(100), Some(0)));
    let page = fs::read_to_string(squares.at("out/report.html")).expect("a page");
    assert!(page.contains("resnet-model") && page.contains("vit-model"));
}

#[test]
fn outputs_that_are_not_numbers_are_errors() {
    let squares = Squares::new(1, 255);
    squares.write_model("model.onnx", &[f32::NAN; 9]);
    for preset in ["paper", "strict"] {
        let said = ends_with(&eval(&squares, &["--preset", preset, "-o", preset]), 0);
        assert!(said.contains("error: 3 of 3 images") && said.contains("not numbers (NaN)"), "{said}");
        let run = Run::open(squares.at(preset).join("model")).expect("a run");
        assert_eq!(suspicious(&run), ["not-numbers"]);
        let page = fs::read_to_string(squares.at(preset).join("report.html")).expect("a page");
        assert!(page.contains("not numbers (NaN)"));
    }
    let explain =
        program().current_dir(squares.folder.path()).args(["explain", "images/a/0.png", "-m", "model.onnx"]).output();
    let said = ends_with(&explain.expect("the program"), 1);
    assert!(said.contains("not numbers (NaN)"), "{said}");
}

#[test]
fn models_that_answer_nothing_useful_are_suspicious() {
    let check = |weights: &[f32], expected: &[&str]| {
        let squares = Squares::new(4, 255);
        squares.write_model("model.onnx", weights);
        ends_with(&eval(&squares, &[]), 0);
        assert_eq!(suspicious(&open(&squares, "model")), expected, "{weights:?}");
    };
    check(&[0.0; 9], &["constant-output", "one-class", "at-chance"]);
    // Always the third class, with other confidences.
    check(&[1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 90.0, 90.0, 90.0], &["one-class", "at-chance"]);
    // The classes in another order, which nothing states.
    check(&[0.0, 10.0, 0.0, 0.0, 0.0, 10.0, 10.0, 0.0, 0.0], &["at-chance"]);
}

#[test]
fn named_classes_are_matched_by_name() {
    let squares = Squares::new(4, 255);
    // The outputs are c, a, b.
    let weights = [0.0, 0.0, 10.0, 10.0, 0.0, 0.0, 0.0, 10.0, 0.0];
    squares.write_model("model.onnx", &weights);
    fs::write(squares.at("model.json"), r#"{"label_names": ["c", "a", "b"]}"#).expect("a file");
    let said = ends_with(&eval(&squares, &[]), 0);
    assert!(said.contains("matched to the model's outputs by name"), "{said}");
    let run = open(&squares, "model");
    assert_eq!((percent(&run, "accuracy", "none"), suspicious(&run)), (Some(100), vec![]));
    assert_eq!(run.description().columns, Some(vec![1, 2, 0]));

    fs::write(squares.at("model.json"), r#"{"id2label": {"0": "x", "1": "y", "2": "z"}}"#).expect("a file");
    ends_with(&eval(&squares, &["-o", "unknown"]), 0);
    let run = Run::open(squares.at("unknown/model")).expect("a run");
    assert_eq!(suspicious(&run), ["classes-unmatched", "at-chance"]);

    fs::write(squares.at("model.json"), r#"{"labels_of_my_own": ["c", "a", "b"]}"#).expect("a file");
    let said = ends_with(&eval(&squares, &["-o", "wrong"]), 1);
    assert!(said.contains("model.json") && said.contains("label_names"), "{said}");
}

#[test]
fn the_page_shows_what_is_suspicious_first() {
    let squares = Squares::new(4, 1);
    squares.write_masks("masks", 1, 0);
    squares.write_model("model.onnx", &[0.0, 10.0, 0.0, 0.0, 0.0, 10.0, 10.0, 0.0, 0.0]);
    fs::write(squares.image("b", 3), b"no image").expect("a file");
    fs::write(squares.at("images/a/photo.heic"), b"x").expect("a file");
    ends_with(&eval(&squares, &[]), 3);
    let page = fs::read_to_string(squares.at("out/report.html")).expect("a page");
    let (top, _) = page.split_once("<figure").expect("a figure");
    for words in [
        "masks without an object",
        "values are few and small",
        "not be evaluated",
        "guessing",
        "preprocessed",
        "not read",
    ] {
        assert!(top.contains(words), "{words}");
    }
}

/// Returns all files of a folder by their names.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for path in fs::read_dir(next).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("inside").to_string_lossy().into_owned();
                files.insert(name, fs::read(&path).expect("a file"));
            }
        }
    }
    files
}

#[test]
fn forty_kills_leave_the_files_of_an_undisturbed_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let command = |output: &str| {
        let mut command = program();
        command.args([
            "eval",
            "-m",
            "planted_resnet.object",
            "-d",
            "planted-hard",
            "--limit",
            "64",
            "--protocol",
            "quick",
        ]);
        command.arg("-o").arg(folder.path().join(output)).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let start = Instant::now();
    assert!(command("whole").status().expect("the program").success());
    let whole = start.elapsed();
    // Kills are spread over a whole run, so that some fall into each of its phases.
    let mut state = 7u64;
    for kill in 0..40 {
        let mut child = command("killed").spawn().expect("the program");
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        std::thread::sleep(whole.mul_f64((state >> 33) as f64 / (1u64 << 31) as f64));
        child.kill().expect("a signal");
        child.wait().expect("an end");
        // A complete folder is begun anew, so that all kills meet work.
        if kill % 4 == 3 && folder.path().join("killed/report.html").exists() {
            fs::remove_dir_all(folder.path().join("killed")).expect("a folder");
        }
    }
    assert!(command("killed").status().expect("the program").success());
    let (killed, expected) = (tree(&folder.path().join("killed")), tree(&folder.path().join("whole")));
    assert_eq!(killed.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, bytes) in expected {
        assert!(killed[&name] == bytes, "{name} differs");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_says_how_to_resume() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = program();
    command.args(["eval", "-m", "planted_resnet.object", "-d", "planted-hard", "--limit", "800", "-o"]);
    let child = command.arg(folder.path()).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the program");
    let part = folder.path().join("planted_resnet.object/records/part-00000.parquet");
    let start = Instant::now();
    while !part.exists() && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill").success());
    let output = child.wait_with_output().expect("an end");
    let said = ends_with(&output, 4);
    assert!(said.contains("interrupted") && said.contains("the same command resumes there"), "{said}");
    let run = Run::open(folder.path().join("planted_resnet.object")).expect("a run");
    assert!(!run.is_complete() && !run.records().is_empty());
}

#[test]
fn findings_are_stored_as_json() {
    let squares = Squares::new(1, 0);
    ends_with(&eval(&squares, &[]), 0);
    let text = fs::read_to_string(squares.at("out/model/findings.json")).expect("findings");
    let findings: Vec<Finding> = serde_json::from_str(&text).expect("findings");
    let empty = findings.iter().find(|finding| finding.kind == "empty-mask").expect("the finding");
    assert_eq!((empty.count, empty.of, empty.examples.len()), (3, Some(3), 3));
    assert!(!empty.effect.is_empty() && !empty.remedy.is_empty());
}
