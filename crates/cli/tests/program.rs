//! Tests of the program as a user runs it: started, killed, resumed, and given wrong input.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hard-imagenet"));
    // Tests use neither the network nor the user's cache.
    command.env("HF_HUB_OFFLINE", "1").env("HF_HUB_CACHE", env!("CARGO_TARGET_TMPDIR"));
    command
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().expect("the program starts")
}

/// Returns the exit code.
fn run_for_code(arguments: &[&str]) -> Option<i32> {
    run(arguments).status.code()
}

fn succeeds(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Checks that the program fails with a message that contains all of `expected`.
fn fails(arguments: &[&str], expected: &[&str]) {
    let output = run(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{arguments:?} succeeded");
    assert!(!said.contains("panicked"), "{arguments:?}: {said}");
    for words in expected {
        assert!(said.contains(words), "{arguments:?} does not print {words:?} but {said}");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are text")
}

/// Returns name and bytes of every part, in order.
fn parts(run: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(run.join("records")) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "parquet"));
    paths.sort();
    let name = |path: &PathBuf| path.file_name().expect("a file").to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), fs::read(path).expect("a part"))).collect()
}

const MODEL: &str = "planted_resnet.object";

fn evaluation<'a>(output: &'a str, shard: &'a str) -> Vec<&'a str> {
    let mut arguments = vec!["eval", "-m", MODEL, "-d", "planted-hard", "--limit", "80", "--protocol", "quick"];
    arguments.extend(["--shard", shard, "-o", output]);
    arguments
}

#[test]
fn a_killed_run_is_resumed_and_ends_with_the_same_records() {
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, killed, divided) =
        (folder.path().join("whole"), folder.path().join("killed"), folder.path().join("divided"));
    let said = succeeds(&evaluation(text(&whole), "0/1"));
    assert!(said.contains("report.html"), "{said}");

    // Kill the run several times, each time after it has written another part.
    let run = killed.join(MODEL);
    for already in 0..3 {
        let mut child = program()
            .args(evaluation(text(&killed), "0/1"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let started = Instant::now();
        while parts(&run).len() <= already && child.try_wait().expect("a child").is_none() {
            assert!(started.elapsed() < Duration::from_secs(120), "no part was written");
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().expect("a child to kill");
        child.wait().expect("a killed child");
    }
    let there = parts(&run);
    assert!(!there.is_empty(), "nothing was written before the kill");
    succeeds(&evaluation(text(&killed), "0/1"));
    let resumed = parts(&run);
    assert!(there.iter().all(|part| resumed.contains(part)), "a finished part was touched");
    assert_eq!(resumed, parts(&whole.join(MODEL)));

    // The first shard leaves the run incomplete, which its exit code says.
    assert_eq!(run_for_code(&evaluation(text(&divided), "1/2")), Some(4));
    assert_eq!(run_for_code(&evaluation(text(&divided), "0/2")), Some(0));
    assert_eq!(parts(&divided.join(MODEL)), parts(&whole.join(MODEL)));
    assert_eq!(
        fs::read(divided.join(MODEL).join("scores.json")).expect("scores"),
        fs::read(whole.join(MODEL).join("scores.json")).expect("scores")
    );

    // Scores and pages are made again without the model.
    let again = folder.path().join("again");
    succeeds(&["report", text(&whole), "--format", "html,md,csv,json,latex", "-o", text(&again)]);
    for ending in ["html", "md", "csv", "json", "tex"] {
        assert!(fs::metadata(again.join("report").with_extension(ending)).expect(ending).len() > 100, "{ending}");
    }
    // A run with other settings is refused in the same folder, and the records stay.
    let mut other = evaluation(text(&whole), "0/1");
    other.extend(["--seed", "1"]);
    fails(&other, &["seed", text(&whole)]);
    assert_eq!(resumed, parts(&whole.join(MODEL)));
}

/// Writes an image and its mask, 64 × 64: a bright square on stripes.
fn picture(folder: &Path) -> (PathBuf, PathBuf) {
    let inside = |x: u32, y: u32| (20..44).contains(&x) && (16..40).contains(&y);
    let stripes = |x: u32| if x % 8 < 4 { [40, 90, 160] } else { [90, 140, 60] };
    let image =
        image::RgbImage::from_fn(64, 64, |x, y| image::Rgb(if inside(x, y) { [230, 200, 40] } else { stripes(x) }));
    let mask = image::GrayImage::from_fn(64, 64, |x, y| image::Luma([if inside(x, y) { 255 } else { 0 }]));
    let (image_path, mask_path) = (folder.join("picture.png"), folder.join("mask.png"));
    image.save(&image_path).expect("a picture");
    mask.save(&mask_path).expect("a mask");
    (image_path, mask_path)
}

#[test]
fn explain_writes_arrays_and_an_overlay() {
    let folder = tempfile::tempdir().expect("a folder");
    let (image, mask) = picture(folder.path());
    let (overlay, arrays) = (folder.path().join("overlay.png"), folder.path().join("arrays.safetensors"));
    let said = succeeds(&[
        "explain",
        text(&image),
        "-m",
        MODEL,
        "--class",
        "3",
        "--mask",
        text(&mask),
        "--no-transform",
        "-o",
        text(&overlay),
        "--arrays",
        text(&arrays),
    ]);
    assert!(said.contains("class 3 by gradcam") && said.contains("IoU"), "{said}");
    assert_eq!(image::open(&overlay).expect("an overlay").to_rgb8().dimensions(), (64, 64));
    let bytes = fs::read(&arrays).expect("arrays");
    let tensors = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
    for (name, shape) in [("logits", &[8][..]), ("features", &[96]), ("saliency", &[64, 64])] {
        let tensor = tensors.tensor(name).expect(name);
        assert_eq!((tensor.shape(), tensor.dtype()), (shape, safetensors::Dtype::F32), "{name}");
    }
    assert_eq!(tensors.tensor("saliency_raw").expect("the raw map").shape().len(), 2);
}

#[test]
fn explain_accepts_every_kind_of_method() {
    let folder = tempfile::tempdir().expect("a folder");
    let (image, _) = picture(folder.path());
    let explain = ["explain", text(&image), "-m", MODEL, "--class", "3"];
    for (options, expected) in [
        (&["--method", "scorecam"][..], "by scorecam, seen from layer3"),
        (&["--method", "layercam", "--node", "layer2"], "by layercam:layer2, seen from layer2"),
        (&["--method", "random:layer1", "--seed", "7"], "by random:layer1, seen from layer1"),
        (&["--method", "centre"], "by centre\n"),
    ] {
        let said = succeeds(&[&explain[..], options].concat());
        assert!(said.contains(expected), "{said}");
    }
    fails(&[&explain[..], &["--method", "gradcem"]].concat(), &["gradcem", "gradcam[:NODE]", "ablationcam[:NODE]"]);
    fails(&[&explain[..], &["--method", "centre", "--node", "layer1"]].concat(), &["it takes no node"]);
}

#[test]
fn ablate_changes_only_the_object() {
    let folder = tempfile::tempdir().expect("a folder");
    let (image, mask) = picture(folder.path());
    let before = image::open(&image).expect("a picture").to_rgb8();
    let mask_pixels = image::open(&mask).expect("a mask").to_luma8();
    for kind in ["gray", "gray-box", "tile", "mean", "blur:4", "noise-fill", "noise:linf:0.5:fg", "noise:l2:20:fg"] {
        let output = folder.path().join("out.png");
        succeeds(&[
            "ablate",
            text(&image),
            text(&mask),
            "--kind",
            kind,
            "--preset",
            "strict",
            "--no-transform",
            "-o",
            text(&output),
        ]);
        let after = image::open(&output).expect("a picture").to_rgb8();
        let differs = |x: u32, y: u32| after.get_pixel(x, y) != before.get_pixel(x, y);
        let object = |x: u32, y: u32| mask_pixels.get_pixel(x, y).0[0] > 0;
        let all = || (0..64).flat_map(|y| (0..64).map(move |x| (x, y)));
        assert!(all().filter(|&(x, y)| object(x, y)).filter(|&(x, y)| differs(x, y)).count() > 500, "{kind}");
        assert!(all().filter(|&(x, y)| !object(x, y)).all(|(x, y)| !differs(x, y)), "{kind}");
    }
}

#[test]
fn ablate_borrows_a_background() {
    let folder = tempfile::tempdir().expect("a folder");
    let (image, mask) = picture(folder.path());
    let (image, mask) = (text(&image), text(&mask));
    // A green image with a white object in its left half.
    let (donor, donor_mask) = (folder.path().join("donor.png"), folder.path().join("donor-mask.png"));
    let green = |x, _| if x < 32 { image::Rgb([255; 3]) } else { image::Rgb([0, 200, 0]) };
    image::RgbImage::from_fn(64, 64, green).save(&donor).expect("a picture");
    let left = |x, _| image::Luma([if x < 32 { 255 } else { 0u8 }]);
    image::GrayImage::from_fn(64, 64, left).save(&donor_mask).expect("a mask");
    let output = folder.path().join("out.png");
    let (donor, donor_mask, output) = (text(&donor), text(&donor_mask), text(&output));

    let ablate = ["ablate", image, mask, "--kind", "mixed-rand", "--preset", "strict", "--no-transform", "-o", output];
    succeeds(&[&ablate[..], &["--donor", donor, "--donor-mask", donor_mask]].concat());
    let after = image::open(output).expect("a picture").to_rgb8();
    let (before, object) = (image::open(image).unwrap().to_rgb8(), image::open(mask).unwrap().to_luma8());
    for (x, y, pixel) in after.enumerate_pixels() {
        let expected = if object.get_pixel(x, y).0[0] > 0 { before.get_pixel(x, y).0 } else { [0, 200, 0] };
        assert_eq!(pixel.0, expected, "{x} {y}");
    }
    fails(&ablate, &["mixed-rand", "--donor IMAGE --donor-mask MASK"]);
    fails(&[&ablate[..], &["--donor", donor]].concat(), &["--donor-mask"]);
    let gray = ["ablate", image, mask, "--kind", "gray", "-o", output, "--donor", donor, "--donor-mask", donor_mask];
    fails(&gray, &["gray needs no second image"]);
}

#[test]
fn errors_name_the_bad_input_and_what_helps() {
    let folder = tempfile::tempdir().expect("a folder");
    let (image, mask) = picture(folder.path());
    let (image, mask) = (text(&image), text(&mask));
    let broken = folder.path().join("broken.png");
    fs::write(&broken, "no picture").expect("a file");
    let broken = text(&broken);
    let missing = folder.path().join("missing");
    let missing = text(&missing);
    let output = folder.path().join("out.png");
    let output = text(&output);

    fails(&["explain", missing, "-m", MODEL], &[missing]);
    fails(&["explain", broken, "-m", MODEL], &[broken, "JPEG, PNG"]);
    fails(&["explain", image, "-m", "resnet50"], &["timm/resnet50.tv_in1k@main", "offline", "hf download"]);
    fails(
        &["explain", image, "-m", "resnet50", "--weights", "hf:me/mine@v2"],
        &["me/mine@v2", "offline", "--weights FILE"],
    );
    fails(&["explain", image, "-m", "resnet51"], &["resnet51", "resnet50"]);
    fails(&["explain", image, "-m", "resnet51", "--weights", missing], &["resnet51", "resnet50"]);
    fails(&["explain", image, "-m", "resnet50", "--weights", missing], &[missing]);
    fails(&["explain", image, "-m", MODEL, "--weights", broken], &[broken]);
    fails(
        &["explain", image, "-m", "a.onnx", "--weights", "hf:me/mine"],
        &["a.onnx contains its weights", "hf:me/mine"],
    );
    fails(&["explain", image, "-m", MODEL, "--class", "9"], &["class 9", "0 to 7"]);
    fails(&["explain", image, "-m", MODEL, "--node", "layer9"], &["layer9"]);
    fails(&["explain", image, "-m", MODEL, "--device", "cuda:0"], &["cuda"]);
    fails(&["explain", image, "-m", MODEL, "-o", &format!("{missing}/out.png")], &[missing]);
    fails(&["ablate", image, broken, "--kind", "gray", "-o", output], &[broken]);
    fails(&["ablate", image, mask, "--kind", "grey", "-o", output], &["grey", "gray-box"]);
    fails(&["eval", "-m", MODEL, "-d", "hard-imagenet", "--images", missing, "-o", output], &["--masks"]);
    fails(
        &["eval", "-m", MODEL, "-d", "hard-imagenet", "--images", missing, "--masks", missing, "-o", output],
        &[missing],
    );
    fails(&["eval", "-m", "no-such*", "-d", "planted-hard", "-o", output], &["no-such*", "models"]);
    fails(&["eval", "-m", MODEL, "-d", "planted-hard", "--protocol", broken, "-o", output], &[broken]);
    // The output folder is a file.
    fails(&["eval", "-m", MODEL, "-d", "planted-hard", "--limit", "8", "-o", broken], &[broken, "choose a folder"]);
    fails(&["datasets", "stats", "-d", "hard-imagenet", "-o", output], &["--masks"]);
    fails(&["datasets", "stats", "-d", "planted-easy", "--against", broken, "-o", output], &[broken, "stats.json"]);
    fails(&["doctor", "-d", "rival20", "--images", missing], &["--masks"]);
    fails(&["report", missing], &[missing]);
    fails(&["report", text(folder.path())], &["run.json"]);
}

#[test]
fn a_bad_image_does_not_end_a_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let (images, masks) = (folder.path().join("images"), folder.path().join("masks"));
    for (class, files) in [("a", ["1", "2"]), ("b", ["1", "2"])] {
        fs::create_dir_all(images.join(class)).expect("a folder");
        fs::create_dir_all(masks.join(class)).expect("a folder");
        for file in files {
            let (image, mask) = picture(folder.path());
            fs::copy(image, images.join(class).join(file).with_extension("png")).expect("a copy");
            fs::copy(mask, masks.join(class).join(file).with_extension("png")).expect("a copy");
        }
    }
    for class in ["c", "d", "e", "f", "g", "h"] {
        fs::create_dir_all(images.join(class)).expect("a folder");
        fs::create_dir_all(masks.join(class)).expect("a folder");
        let (image, mask) = picture(folder.path());
        fs::copy(image, images.join(class).join("1.png")).expect("a copy");
        fs::copy(mask, masks.join(class).join("1.png")).expect("a copy");
    }
    fs::write(images.join("b/2.png"), "no picture").expect("a file");
    fs::write(masks.join("c/1.png"), "no mask").expect("a file");
    let output = folder.path().join("runs");
    let arguments = [
        "eval",
        "-m",
        MODEL,
        "-d",
        "masked-folder",
        "--images",
        text(&images),
        "--masks",
        text(&masks),
        "--protocol",
        "quick",
        "-o",
        text(&output),
    ];
    // More of the ten failed than usually may; asked for, that is no failure.
    assert_eq!(run_for_code(&arguments), Some(3));
    let lenient: Vec<&str> = arguments.into_iter().chain(["--max-failed", "0.2"]).collect();
    succeeds(&lenient);
    let page = fs::read_to_string(output.join("report.html")).expect("a page");
    assert!(page.contains("b/2") && page.contains("c/1"), "the page names what failed");
    let scores = fs::read_to_string(output.join(MODEL).join("scores.json")).expect("scores");
    assert!(scores.contains("\"failed\": 2"), "{scores}");
}

#[test]
fn masks_are_measured_and_datasets_compared() {
    let said = succeeds(&["datasets", "list"]);
    for entry in hard_imagenet::datasets::DATASETS {
        assert!(said.contains(&format!("{} ", entry.word)) && said.contains(entry.summary), "{}: {said}", entry.word);
    }
    assert!(said.contains("--masks: the JSON file"), "{said}");
    let guide = include_str!("../../../docs/datasets.md");
    for entry in hard_imagenet::datasets::DATASETS {
        assert!(guide.contains(&format!("`{}`", entry.word)), "docs/datasets.md does not list {}", entry.word);
    }

    let folder = tempfile::tempdir().expect("a folder");
    let (easy, hard) = (folder.path().join("easy"), folder.path().join("hard"));
    succeeds(&["datasets", "stats", "-d", "planted-easy", "--limit", "32", "-o", text(&easy)]);
    let against = easy.join("stats.json");
    let mut arguments = vec!["datasets", "stats", "-d", "planted-hard", "--limit", "32", "--preset", "strict"];
    arguments.extend(["--against", text(&against), "--format", "html,json,csv,md", "-o", text(&hard)]);
    succeeds(&arguments);
    let read = |name: &str| fs::read_to_string(hard.join(name)).expect(name);
    assert!(read("stats.html").contains("Masks of planted-hard, planted-easy"));
    assert_eq!(read("stats.csv").lines().count(), 1 + 2 * 32);
    assert_eq!(read("stats.md").matches("| all | 32 |").count(), 2);
    assert!(!read("stats.json").contains("planted-easy"), "a file for each dataset");
    let crops = folder.path().join("crops");
    let arguments =
        ["datasets", "stats", "-d", "planted-easy", "--limit", "8", "--random-crops", "3", "--format", "csv"];
    succeeds(&[&arguments[..], &["-o", text(&crops)]].concat());
    assert_eq!(fs::read_to_string(crops.join("stats.csv")).expect("a row a crop").lines().count(), 1 + 3 * 8);

    let bytes = fs::read(hard.join("average_masks.safetensors")).expect("mean masks");
    let tensors = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
    assert_eq!(tensors.len(), 8);
    assert!(tensors.iter().all(|(_, t)| t.shape() == [224, 224] && t.dtype() == safetensors::Dtype::F32));
}

#[test]
fn the_doctor_reports_problems_and_repairs() {
    let folder = tempfile::tempdir().expect("a folder");
    let (masks, images) = (folder.path().join("masks"), folder.path().join("imagenet"));
    let (image, mask) = picture(folder.path());
    let class = images.join("val/n03218198");
    for path in [&masks.join("val"), &class] {
        fs::create_dir_all(path).expect("a folder");
    }
    for i in 0..2 {
        fs::copy(&image, class.join(format!("ILSVRC2012_val_{i}.JPEG"))).expect("a copy");
        fs::copy(&mask, masks.join(format!("val/n03218198_ILSVRC2012_val_{i}.JPEG"))).expect("a copy");
    }
    let arguments = ["doctor", "--masks", text(&masks), "--images", text(&images)];
    let said = succeeds(&arguments);
    assert!(
        said.contains("note: 15 classes whose number of validation masks") && said.contains("dog sled: 2"),
        "{said}"
    );
    fails(&["doctor", "--masks", text(&images), "--images", text(&masks)], &["1 finding"]);

    fs::write(class.join("ILSVRC2012_val_1.JPEG"), "").expect("a file");
    let output = run(&arguments);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("error: 1 of 2 files that cannot be decoded") && said.contains("→ get"), "{said}");
    let quick: Vec<&str> = arguments.into_iter().chain(["--quick", "--json"]).collect();
    let parts: serde_json::Value = serde_json::from_str(&succeeds(&quick)).expect("JSON");
    assert_eq!(parts[0]["split"], "val");
    assert!(parts[0]["findings"].as_array().expect("findings").iter().any(|finding| finding["kind"] == "class-count"));
}

#[test]
fn models_are_listed_and_shown() {
    let listed = succeeds(&["models"]);
    assert_eq!(listed, succeeds(&["models", "list"]));
    assert!(listed.contains("resnet50.tv_in1k") && listed.contains("weights included"), "{listed}");
    assert!(!succeeds(&["models", "list", "deit*"]).contains("resnet"));
    let shown = succeeds(&["models", "show", "resnet50"]);
    for part in ["25.56 million", "4.09 GMACs", "CAM node     layer4", "2048 × 7 × 7"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("layer1.0.conv1"), "{shown}");
    assert!(succeeds(&["models", "show", "resnet50", "--nodes"]).contains("layer1.0.conv1"));
    fails(&["models", "show", "resnet5O"], &["resnet50.tv_in1k"]);
}

#[test]
fn weights_are_converted() {
    let folder = tempfile::tempdir().expect("a folder");
    let (plain, named) = (folder.path().join("plain.safetensors"), folder.path().join("named.safetensors"));
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/demo/planted_resnet.cue.safetensors");
    let said = succeeds(&["convert", demo, text(&plain)]);
    assert!(said.contains("fc.weight") && said.contains("sha256") && said.contains("f32"), "{said}");
    succeeds(&["convert", text(&plain), text(&named), "-m", "planted_resnet"]);
    let read = |path: &Path| fs::read(path).expect("weights");
    assert_eq!(read(&plain), read(&named));
    fails(&["convert", demo, text(&named), "-m", "resnet18"], &["does not contain the weights of resnet18"]);
    fails(&["convert", text(folder.path()), text(&named)], &["contains no readable weights"]);
    fails(&["convert", demo, text(&named), "--zero-shot", text(&plain)], &["--model"]);
    let names = folder.path().join("names.txt");
    fs::write(&names, "dog sled\n\nbalance beam\n").expect("a file");
    let zero_shot = ["convert", demo, text(&named), "-m", "planted_resnet", "--zero-shot", text(&names)];
    fails(&zero_shot, &[demo, "whole checkpoint of CLIP"]);
    let torch = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/golden/checkpoints/robust_old.ckpt");
    assert!(succeeds(&["convert", torch, text(&named)]).contains("module.model.0.weight"));
}

#[test]
fn the_papers_table_is_made_and_two_of_its_runs_are_compared() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("table");
    let both = ["planted_resnet.cue", MODEL];
    let said = succeeds(&[
        "headline",
        "--planted",
        "-m",
        both[0],
        both[1],
        "--limit",
        "24",
        "--protocol",
        "quick",
        "-o",
        text(&output),
    ]);
    assert!(said.contains("## planted-hard − planted-easy (shares in points)"), "{said}");
    for ending in ["html", "md", "csv", "json", "tex"] {
        let table = fs::read_to_string(output.join("report").with_extension(ending)).expect("a table");
        assert!(table.contains("planted-hard") && table.contains(['−', '-']), "{table}");
    }
    let csv = fs::read_to_string(output.join("report.csv")).expect("a table");
    assert!(csv.lines().any(|line| {
        line.starts_with("planted_resnet.object,planted-hard − planted-easy,paper,drop,gray-box,sample,,")
    }));

    let [first, second] = both.map(|model| output.join("planted-hard").join(model));
    let said = succeeds(&["compare", text(&first), text(&second)]);
    assert!(said.starts_with("# planted\\_resnet.cue against planted\\_resnet.object"), "{said}");
    assert!(said.contains("| Accuracy drop | box gray |") && said.contains("on the 24 images"), "{said}");
    let page = folder.path().join("compare.html");
    succeeds(&["compare", text(&first), text(&second), "--format", "html", "-o", text(&page)]);
    assert!(fs::read_to_string(&page).expect("a page").contains("Classes that differ"));
    let easy = output.join("planted-easy").join(MODEL);
    fails(&["compare", text(&first), text(&easy)], &["no image in common", "hard-imagenet report"]);
    fails(&["compare", text(&first), text(folder.path())], &["run.json"]);
}

#[test]
fn features_are_ranked_and_rankings_compared() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cue, object) = (folder.path().join("cue"), folder.path().join("object"));
    let rank = |model: &str, output: &Path| {
        succeeds(&["rank", "-m", model, "-d", "planted-hard", "--limit", "240", "-o", text(output)])
    };
    let said = rank("planted_resnet.cue", &cue);
    assert!(said.matches("  hard").count() >= 5 && said.contains("rank.html"), "{said}");
    let page = fs::read_to_string(cue.join("rank.html")).expect("a page");
    assert!(page.contains("masks: spurious") && page.contains("data:image/jpeg;base64,") && !page.contains("http"));
    assert!(fs::read_to_string(cue.join("features.csv")).expect("a table").lines().count() == 41);
    // Stored features are reused; those of another model are refused.
    let again = rank("planted_resnet.cue", &cue);
    assert_eq!(said, again);
    fails(
        &["rank", "-m", "planted_resnet.object", "-d", "planted-hard", "--limit", "240", "-o", text(&cue)],
        &["holds another run"],
    );
    assert!(
        !succeeds(&["rank", "classes", "-m", "planted_resnet.object", "-d", "planted-hard", "-o", text(&object)])
            .contains("hard")
    );

    let ranks = cue.join("paths_by_rank.pkl");
    let compared = succeeds(&["rank", "compare", text(&ranks), text(&cue.join("paths_by_rank.json"))]);
    assert!(compared.lines().skip(1).all(|line| line.contains("1.000")), "{compared}");
    // The accuracy of the model that learned the cue depends on the cue.
    let run = folder.path().join("runs");
    let mut judged =
        vec!["eval", "-m", "planted_resnet.cue", "-d", "planted-hard", "--limit", "240", "--protocol", "quick"];
    judged.extend(["--ranks", text(&ranks), "-o", text(&run)]);
    succeeds(&judged);
    let ends = succeeds(&["rank", "ends", text(&run.join("planted_resnet.cue")), "-k", "3"]);
    let line = ends.lines().find(|line| line.starts_with("accuracy       none")).expect("a line");
    let numbers: Vec<f64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert!(numbers[0] > numbers[1] + 0.4, "{line}");
    fails(&["rank", "--by", "median", "-d", "planted-hard"], &["--by is one of sum, weighted-sum"]);
    fails(
        &["rank", "-m", MODEL, "-d", "planted-hard", "--verdicts", "votes", "-o", text(&object)],
        &["--verdicts masks"],
    );
}

#[test]
fn a_model_is_finetuned_and_evaluated() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("tuned");
    let mut arguments =
        vec!["finetune", "-m", "planted_resnet.cue", "-d", "planted-easy", "--limit", "160", "--new-head"];
    arguments.extend(["--objective", "core-risk", "--rate", "5e-3", "--epochs", "3", "-o", text(&output)]);
    let said = succeeds(&arguments);
    let weights = output.join("planted_resnet.cue.safetensors");
    assert!(said.contains("evaluate it") && weights.exists(), "{said}");
    assert_eq!(fs::read_to_string(output.join("epochs.csv")).expect("a table").lines().count(), 4);
    assert!(fs::read_to_string(output.join("recipe.json")).expect("a recipe").contains("core-risk:0.25"));
    // A finished training resumes from its checkpoint and writes the same bytes.
    let before = fs::read(&weights).expect("weights");
    succeeds(&arguments);
    assert_eq!(fs::read(&weights).expect("weights"), before);
    let other: Vec<&str> = arguments.iter().map(|word| if *word == "5e-3" { "1e-3" } else { word }).collect();
    fails(&other, &["rate was 0.005 and is 0.001"]);

    let run = folder.path().join("run");
    let mut judged = vec!["eval", "-m", "planted_resnet.cue", "--weights", text(&output), "-d", "planted-hard"];
    judged.extend(["--limit", "16", "--protocol", "quick", "-o", text(&run)]);
    succeeds(&judged);
    let mut words =
        vec!["finetune", "-m", "planted_resnet.cue", "-d", "planted-hard", "--limit", "40", "--epochs", "1"];
    words.extend(["--objective", "reweighting:2", "-o", text(&run)]);
    succeeds(&words);

    // The same holds for a user's own network.
    let output = folder.path().join("mine");
    let onnx = concat!(env!("CARGO_MANIFEST_DIR"), "/../onnx/tests/golden/vit_old_any.onnx");
    let mut arguments = vec!["finetune", "-m", onnx, "-d", "planted-hard", "--limit", "8", "--epochs", "1"];
    arguments.extend(["--part", "all", "-o", text(&output)]);
    let said = succeeds(&arguments);
    assert!(said.contains("vit_old_any.safetensors"), "{said}");
    let mut judged = vec!["eval", "-m", onnx, "--weights", text(&output), "-d", "planted-hard"];
    judged.extend(["--limit", "2", "--protocol", "quick", "-o", text(&run)]);
    succeeds(&judged);
    fails(
        &["finetune", "-m", MODEL, "-d", "planted-hard", "--objective", "x", "-o", "y"],
        &["known objectives are erm"],
    );
    fails(
        &[
            "finetune",
            "-m",
            MODEL,
            "-d",
            "planted-hard",
            "--objective",
            "group-dro",
            "--groups",
            "ranks",
            "-o",
            text(&run),
        ],
        &["--ranks FILE"],
    );
}
