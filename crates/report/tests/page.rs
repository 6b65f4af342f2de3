//! Tests of whole pages: they are well-formed, load nothing, and contain the numbers.
#![allow(clippy::disallowed_methods, reason = "a test may print and read its settings")]

mod synthetic;

use hard_imagenet_metrics::{Averaging, Better, Contribution, MapScores, Measure, Metric, MetricMeta, Records, Unit};
use hard_imagenet_report::{
    MaskClass, MaskRow, MaskStats, Report, RunComparison, masks_csv, masks_from_json, masks_html, masks_json,
    masks_markdown,
};
use hard_imagenet_runs::{ExplainerDescription, PerturbationDescription};
use synthetic::{CUE, Fixture, OBJECT, Profile, demo, run, write};

fn html(fixtures: &[Fixture]) -> String {
    let (_folder, runs) = write(fixtures);
    hard_imagenet_report::html(&runs).unwrap()
}

fn text(fixtures: &[Fixture], write_text: impl Fn(&Report) -> String) -> String {
    let (_folder, runs) = write(fixtures);
    write_text(&Report::new(&runs))
}

fn markdown(fixtures: &[Fixture]) -> String {
    text(fixtures, |report| report.markdown())
}

fn latex(fixtures: &[Fixture]) -> String {
    text(fixtures, |report| report.latex())
}

fn csv(fixtures: &[Fixture]) -> String {
    text(fixtures, |report| report.csv())
}

fn json(fixtures: &[Fixture]) -> String {
    text(fixtures, |report| report.json())
}

fn reading(fixture: &Fixture) -> String {
    text(std::slice::from_ref(fixture), |report| report.readings().remove(0))
}

/// Checks that elements are nested and closed. Void elements must be self-closing, as in XML.
fn check_well_formed(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>\n").expect("starts with the document type");
    while let Some(at) = rest.find('<') {
        assert!(!rest[..at].contains('>'), "a bare > in {:?}", &rest[..at.min(80)]);
        let end = at + rest[at..].find('>').expect("a tag ends");
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closing {name}");
        } else {
            assert_eq!(tag.matches('"').count() % 2, 0, "quotes in {tag}");
            if !tag.ends_with('/') {
                open.push(tag.split_whitespace().next().unwrap());
            }
            if tag == "style" {
                rest = &rest[rest.find("</style>").unwrap()..];
            }
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

/// Checks that the page loads nothing: no addresses except data URIs, no scripts, no imports.
fn check_self_contained(page: &str) {
    for word in ["http:", "https:", "//cdn", "<script", "<link", "@import", "url(", "srcset"] {
        assert!(!page.contains(word), "the page has {word}");
    }
    assert_eq!(page.matches("src=").count(), page.matches("src=\"data:image/png;base64,").count());
}

fn check(page: &str) {
    check_well_formed(page);
    check_self_contained(page);
    // The conditions of the protocol contain "linf".
    let page = page.replace("noise:linf", "");
    assert!(!page.contains("NaN") && !page.contains("inf"), "the page has an undefined number");
}

/// Two datasets with a class without masks, a mask that could not be read, and a mask without an object.
fn mask_stats() -> Vec<MaskStats> {
    let row = |i: usize| MaskRow {
        sample: format!("val/{i}"),
        class: i % 2,
        raw: Some(i as f64 / 40.0),
        transformed: Some(i as f64 / 30.0),
        retained: (i > 0).then(|| 1.0 - i as f64 / 100.0),
        centroid: (i > 0).then(|| (i as f64 / 24.0, 0.5)),
        eccentricity: (i > 0).then_some(0.25),
        components: Some(i % 3),
        at_border: (i > 0).then_some(i.is_multiple_of(4)),
        error: None,
    };
    let broken = MaskRow {
        raw: None,
        transformed: None,
        retained: None,
        components: None,
        error: Some("a.png: <the file is empty>".into()),
        ..row(0)
    };
    let class = |name: &str, level: f32| MaskClass { name: name.into(), average: vec![vec![level; 28]; 28] };
    let stats = |dataset: &str, masks: Vec<MaskRow>| MaskStats {
        dataset: dataset.into(),
        facts: vec![("transform".into(), "squash".into())],
        classes: vec![
            class("dog, sled", 0.31),
            class("ski & pole", 0.0),
            MaskClass { name: "none".into(), average: vec![] },
        ],
        masks,
    };
    vec![stats("hard", (0..24).map(row).chain([broken]).collect()), stats("<easy>", (4..8).map(row).collect())]
}

#[test]
fn mask_page() {
    let all = mask_stats();
    let page = masks_html(&all);
    check(&page);
    for words in [
        "Masks of hard, &lt;easy&gt;",
        "ski &amp; pole",
        "1 of 25 masks could not be measured",
        "&lt;the file is empty&gt;",
    ] {
        assert!(page.contains(words), "{words} is missing");
    }
    // The class without masks appears in no figure and no table. A level of 0.31 is drawn as the third of ten levels.
    assert!(
        !page.contains(">none<") && page.contains("fill-opacity=\"0.3\"") && !page.contains("fill-opacity=\"0.4\"")
    );
    check(&masks_html(&[]));
    let nothing = MaskStats { masks: vec![], ..all[0].clone() };
    check(&masks_html(&[nothing]));
}

#[test]
fn mask_tables() {
    let all = mask_stats();
    let csv = masks_csv(&all);
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 1 + 25 + 4);
    assert_eq!(lines[1], "hard,val/0,\"dog, sled\",,,0,0,,,0,,");
    assert_eq!(lines[3], "hard,val/2,\"dog, sled\",0.08333333333333333,0.5,0.05,0.06666666666666667,0.98,0.25,2,0,");
    assert!(lines[25].ends_with("a.png: <the file is empty>"));
    let markdown = masks_markdown(&all);
    // Means of 0, 2, .. 22 over 40 and over 30, and of the retained shares of all masks except the empty one.
    assert!(markdown.contains("| dog, sled | 12 | 27.5 | 36.7 | 88.0 | 0.25 | 1.00 | 45.5 |"), "{markdown}");
    assert!(markdown.contains("1 of 25 masks could not be measured."));
    // Only the last digits of numbers may differ, and no page shows them.
    let read = masks_from_json(&masks_json(&all).unwrap()).unwrap();
    assert!(masks_html(&read) == masks_html(&all) && masks_markdown(&read) == markdown);
    let wrong = masks_json(&all).unwrap().replace("\"class\":1", "\"class\":9");
    assert!(masks_from_json(&wrong).unwrap_err().to_string().contains("hard"));
    assert!(masks_from_json("{}").is_err());
}

#[test]
fn demo_page() {
    let runs = demo();
    let page = html(&runs);
    check(&page);
    for heading in ["Removing the object", "Noise on the object", "Where the model looks", "Class by class", "Method"] {
        assert!(page.contains(heading), "{heading} is missing");
    }
    assert!(page.contains("planted-cue on hard</b> leans on the surroundings."));
    assert!(page.contains("planted-object on hard</b> leans on the object."));
    assert!(page.contains("1 of 321 samples that could not be evaluated</b>"));
    assert!(page.contains("val/broken &amp; &lt;small&gt;"));
    assert!(page.contains("expected 3 channels, found 4"));
    let clean = runs[0].scores().headline("accuracy", "none").unwrap();
    assert!(page.contains(&format!("<td>{:.1}<small>", clean.value * 100.0)));
    assert_eq!(page.matches("<img").count(), 4 * 4 * 4);
    assert_eq!(html(&runs), page, "the same runs give the same bytes");
}

#[test]
fn names_are_escaped() {
    let name = "</style><script>alert(1)</script>\"'&";
    let mut evil = run(name, name, OBJECT, 2, 6, &[0.25]);
    evil.description.preset = name.to_owned();
    evil.description.version = name.to_owned();
    evil.description.protocol.explainers = vec![name.to_owned()];
    evil.gallery.exhibits[0].title = name.to_owned();
    evil.gallery.exhibits[0].panels[0].title = name.to_owned();
    for r in &mut evil.records {
        r.class = name.to_owned();
    }
    check(&html(&[evil]));
}

#[test]
fn missing_scores_are_dashes() {
    let mut bare = run("bare", "hard", CUE, 3, 10, &[]);
    bare.records.retain(|r| r.condition == "none");
    for r in &mut bare.records {
        r.map = MapScores::default();
    }
    bare.missing = 720;
    bare.gallery.exhibits.clear();
    let alone = html(std::slice::from_ref(&bare));
    check(&alone);
    assert!(alone.contains("was not measured for what it leans on"));
    assert!(alone.contains("bare is incomplete:</b> 45 of 47 parts are missing"));
    let beside = html(&[bare.clone(), run("full", "hard", OBJECT, 3, 10, &[0.25])]);
    check(&beside);
    assert!(beside.contains("<td class=\"missing\">–</td>"));
    assert!(markdown(&[bare, run("full", "hard", OBJECT, 3, 10, &[])]).contains("| – |"));
}

#[test]
fn runs_with_little_or_no_data_make_a_page() {
    check(&html(&[]));
    let mut empty = Fixture { records: vec![], gallery: Default::default(), ..run("m", "d", OBJECT, 1, 1, &[]) };
    empty.description.preset = "paper".into();
    let page = html(std::slice::from_ref(&empty));
    check(&page);
    assert!(page.contains("no sample was evaluated"));
    assert_eq!(reading(&empty), "m on d was not measured for what it leans on.");
    check(&html(&[run("one", "hard", OBJECT, 1, 1, &[0.25])]));
    markdown(&[]);
    latex(&[]);
}

#[test]
fn two_runs_of_one_model_are_both_shown() {
    let mut strict = run("m", "hard", OBJECT, 2, 10, &[]);
    strict.description.preset = "strict".into();
    let mut paper = strict.clone();
    paper.description.preset = "paper".into();
    let page = html(&[strict.clone(), paper]);
    assert!(page.contains("m · strict") && page.contains("m · paper"));
    let page = html(&[strict.clone(), strict]);
    assert!(page.contains("m · 2"));
}

#[test]
fn readings_make_no_claim_without_evidence() {
    // About half of the accuracy is lost, there is no noise, and saliency is around 0: nothing is clear.
    let even = Profile { clean: 0.9, ablated: [0.45; 3], slopes: [0.5, 0.5], iou: 0.2, density: 0.0 };
    let text = reading(&run("even", "hard", even, 4, 6, &[]));
    assert!(text.starts_with("even on hard shows no clear side."), "{text}");
    // The ablation supports the object, the noise supports the surroundings.
    let torn = Profile { clean: 0.9, ablated: [0.1; 3], slopes: [0.1, 1.5], iou: 0.2, density: 0.4 };
    let text = reading(&run("torn", "hard", torn, 4, 30, &[0.25]));
    assert!(text.starts_with("torn on hard uses both: the measures support different sides."), "{text}");
}

#[test]
fn csv_and_json_contain_every_score() {
    let runs = demo();
    let table = csv(&runs);
    let scores = runs[0].scores();
    let e = scores.get("iou", "none").unwrap().class_mean.unwrap();
    let line = format!("planted-cue,hard,strict,iou,none,class,,{},{},{},{},0", e.value, e.low, e.high, e.n);
    assert!(table.lines().any(|l| l == line), "{line} is missing");
    assert!(table.lines().all(|l| l.split(',').count() == 12), "a line has another number of fields");

    let value: serde_json::Value = serde_json::from_str(&json(&runs)).unwrap();
    assert_eq!(value[3]["model"], "planted-object");
    assert_eq!(value[0]["scores"]["counts"]["failed"], 1);
    let back: hard_imagenet_metrics::Scores = serde_json::from_value(value[0]["scores"].clone()).unwrap();
    // One finding: the sample that failed.
    assert_eq!(back.counts, hard_imagenet_metrics::Counts { findings: 1, ..scores.counts });
}

/// Writes pages for inspection: `HARD_IMAGENET_PAGES=dir cargo test -p hard-imagenet-report -- --ignored`.
#[test]
#[ignore = "writes pages for inspection: HARD_IMAGENET_PAGES=dir cargo test -p hard-imagenet-report -- --ignored"]
fn write_pages_for_inspection() {
    let dir =
        std::path::PathBuf::from(std::env::var("HARD_IMAGENET_PAGES").expect("HARD_IMAGENET_PAGES names a folder"));
    let save = |name: &str, runs: &[Fixture]| std::fs::write(dir.join(name), html(runs)).unwrap();
    save("demo.html", &demo());
    let levels = [0.125, 0.25, 0.375, 0.5, 0.625, 0.75];
    let deit = Profile { clean: 0.79, ablated: [0.59, 0.57, 0.55], slopes: [0.4, 0.5], iou: 0.17, density: 0.2 };
    save("one.html", &[run("deit_small_patch16_224.fb_in1k", "hard-imagenet", deit, 15, 50, &levels)]);
    let names = [
        "resnet50.tv_in1k",
        "resnet18.tv_in1k",
        "deit_small_patch16_224.fb_in1k",
        "swin_small_patch4_window7_224.ms_in1k",
        "convit_small.fb_in1k",
        "densenet161.tv_in1k",
        "vgg16.tv_in1k",
        "convnext_tiny.fb_in1k",
        "vit_base_patch16_224.augreg",
        "mixer_b16_224",
    ];
    let mut ten = Vec::new();
    for (dataset, object) in [("hard-imagenet", 0.55), ("rival20", 0.15)] {
        for (i, name) in names.iter().enumerate() {
            let clean = 0.7 + 0.02 * i as f64;
            let profile = Profile {
                clean,
                ablated: [1.1, 1.0, 0.9].map(|f| f * clean * (object + 0.03 * i as f64)),
                slopes: [0.9 - 0.1 * i as f64, 0.4 + 0.05 * i as f64],
                iou: 0.45 - 0.5 * object,
                density: 0.4 - 0.04 * i as f64,
            };
            ten.push(run(name, dataset, profile, 15, 20, &levels));
        }
    }
    save("ten.html", &ten);
    save("quick.html", &[run("resnet50.tv_in1k", "hard-imagenet", deit, 15, 10, &[0.25])]);
    for (name, text) in [("demo.md", markdown(&demo())), ("demo.tex", latex(&demo())), ("demo.csv", csv(&demo()))] {
        std::fs::write(dir.join(name), text).unwrap();
    }
}

/// Two samples: one is always right, the other is wrong without the object.
fn small() -> Fixture {
    let mut run = run("resnet50_v1", "hard & easy", OBJECT, 1, 2, &[]);
    run.records.retain(|r| r.condition == "none" || r.condition == "gray-box");
    for (i, r) in run.records.iter_mut().enumerate() {
        r.correct = Some(i < 3);
        r.map = MapScores::default();
    }
    run
}

#[test]
fn an_object_in_front_of_another_background_is_not_removed() {
    let mut run = run("resnet50_v1", "hard & easy", OBJECT, 1, 60, &[]);
    run.records.retain(|r| matches!(r.condition.as_str(), "none" | "gray" | "gray-box"));
    for record in &mut run.records {
        match record.condition.as_str() {
            "gray" => record.condition = "mixed-same".to_owned(),
            "gray-box" => record.condition = "only-fg".to_owned(),
            _ => (),
        }
    }
    let page = html(&[run.clone()]);
    assert!(!page.contains("Accuracy on unchanged images and without the object\""));
    assert!(page.contains("Accuracy on unchanged images and with the object disturbed"));
    for text in ["all else black", "background of its class"] {
        assert!(page.contains(&format!(">{text}<")), "{text}");
    }
    assert!(!page.contains("<dt>box gray</dt>"), "only the conditions of the run are explained");
    assert!(!reading(&run).contains("of its accuracy"), "{}", reading(&run));
}

fn check_text(text: &str, expected: &str) {
    assert_eq!(text, expected, "the text is now\n{text}");
}

#[test]
fn markdown_of_a_small_run() {
    check_text(&markdown(&[small()]), MARKDOWN);
}

#[test]
fn latex_of_a_small_run() {
    check_text(&latex(&[small()]), LATEX);
}

#[test]
fn csv_of_a_small_run() {
    let text = csv(&[small()]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "model,dataset,preset,metric,condition,average,class,value,low,high,n,skipped");
    // Values have full precision, so the last digits of an interval depend on the platform.
    assert!(lines[1].starts_with("resnet50_v1,hard & easy,strict,accuracy,none,sample,,1,0.3423"), "{}", lines[1]);
    assert!(lines[3].starts_with("resnet50_v1,hard & easy,strict,accuracy,none,in,dog sled,1,0.3423"), "{}", lines[3]);
}

const MARKDOWN: &str = r##"# Hard ImageNet

## hard & easy

| model | samples | Accuracy, unchanged (%) | Accuracy, box gray (%) | Drop, box gray (points) |
|:--|--:|--:|--:|--:|
| resnet50\_v1 | 2 | 100.0 [34.2, 100.0] | 50.0 [9.5, 90.5] | 50.0 [0.0, 100.0] |

## In words

- **resnet50\_v1** shows no clear side. Without the object (box gray), it keeps 50.0 % (0.0–223.6) of its accuracy.

Intervals cover 95 %. Preset: strict.
"##;
const LATEX: &str = r##"% \usepackage{booktabs}
\begin{tabular}{lrrr}
\toprule
 & \multicolumn{2}{c}{Accuracy (\%)} & \multicolumn{1}{c}{Drop (points)} \\
\cmidrule(lr){2-3}\cmidrule(lr){4-4}
Model & unchanged & box gray & box gray \\
\midrule
\multicolumn{4}{l}{\emph{hard \& easy}} \\
resnet50\_v1 & $100.0$ {\tiny $[34.2, 100.0]$} & $50.0$ {\tiny $[9.5, 90.5]$} & $50.0$ {\tiny $[0.0, 100.0]$} \\
\bottomrule
\end{tabular}
"##;

/// The share of images that are wrong, by a metric that is not built in.
struct ErrorRate;

static ERROR_RATE: MetricMeta = MetricMeta {
    id: "error-rate",
    title: "Error <rate>",
    unit: Unit::Percent,
    range: (0.0, 1.0),
    better: Better::Lower,
    average: Averaging::Sample,
    formula: "wrong / all",
    source: "a test",
    description: "The share of images that are wrong.",
};

impl Metric for ErrorRate {
    fn meta(&self) -> &'static MetricMeta {
        &ERROR_RATE
    }

    fn measure(&self, records: &Records) -> Vec<Measure> {
        let wrong = |cell: &hard_imagenet_metrics::Cell| Contribution {
            sum: cell.correct.count - cell.correct.sum,
            count: cell.correct.count,
        };
        Measure::means(records, ERROR_RATE.range, wrong)
    }
}

#[test]
fn a_metric_from_outside_appears_everywhere() {
    let (_folder, runs) = write(&demo()[..2]);
    let report = Report::new(&runs).metrics(&[&ErrorRate]);
    let page = report.html().unwrap();
    check(&page);
    assert!(page.contains("<h2>Further measures</h2>"));
    for place in [">Error &lt;rate&gt;, %</th>", "aria-label=\"Error &lt;rate&gt;\"", "<dt>Error &lt;rate&gt;</dt>"] {
        assert!(page.contains(place), "{place} is missing");
    }
    assert!(report.markdown().contains("| Error &lt;rate>, box gray (%) |"), "{}", report.markdown());
    assert!(report.latex().contains("Error <rate> (\\%)"), "{}", report.latex());
    assert!(report.csv().contains("planted-cue,hard,strict,error-rate,gray,sample,,"));
    let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
    let metrics = json[0]["scores"]["metrics"].as_array().unwrap();
    assert_eq!(metrics.last().unwrap()["description"]["title"], "Error <rate>");
    let comparison = RunComparison::with_metrics(&runs[0], &runs[1], &[&ErrorRate]);
    assert!(comparison.markdown().contains("| Error &lt;rate> | object gray |"), "{}", comparison.markdown());
}

#[test]
fn perturbations_and_explainers_from_outside_are_named() {
    let mut outside = run("m", "hard", OBJECT, 2, 20, &[]);
    for record in &mut outside.records {
        match record.condition.as_str() {
            "gray-box" => record.condition = "inverted".to_owned(),
            "map:random" => record.condition = "map:own@predicted".to_owned(),
            _ => (),
        }
    }
    outside.description.perturbations.push(PerturbationDescription {
        id: "inverted".into(),
        version: "7".into(),
        title: "object inverted".into(),
        sentence: "The colors of the object are inverted.".into(),
        keeps_object: false,
        is_random: false,
    });
    outside.description.explainers.push(ExplainerDescription {
        id: "own".into(),
        version: "2".into(),
        title: "My maps".into(),
        sentence: "It draws maps.".into(),
    });
    let page = html(&[outside]);
    check(&page);
    for text in [
        ">object inverted</text>",
        ">object inverted</th>",
        "<dt>object inverted</dt><dd>The colors of the object are inverted.</dd>",
        "<th class=\"name\">My maps@predicted</th>",
        "inverted (version 7), own (version 2)",
    ] {
        assert!(page.contains(text), "{text} is missing");
    }
}

#[test]
fn the_error_names_a_missing_image() {
    let (_folder, runs) = write(&[run("m", "hard", OBJECT, 2, 6, &[])]);
    let panel = &runs[0].gallery().unwrap().unwrap().exhibits[0].panels[0];
    let path = runs[0].folder().join(&panel.file);
    std::fs::remove_file(&path).unwrap();
    let message = hard_imagenet_report::html(&runs).unwrap_err().to_string();
    assert!(message.contains(&path.display().to_string()), "{message}");
}
