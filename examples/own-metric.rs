//! A metric of your own: implement `Metric`, and score any run with it, also an old one.
//!
//! ```sh
//! cargo run --release -p hard-imagenet-examples --bin own-metric
//! ```
//!
//! It measures how often a model is certain and wrong. The averages over samples and classes and their intervals come
//! from the crate.
#![allow(clippy::disallowed_macros, reason = "a program prints and reads its arguments")]

use hard_imagenet::metrics::{Averaging, Better, Contribution, Measure, MetricMeta, Records, Unit, score_with};
use hard_imagenet::prelude::*;
use hard_imagenet::report::Report;

struct CertainAndWrong;

static META: MetricMeta = MetricMeta {
    id: "certain-and-wrong",
    title: "Certain and wrong",
    unit: Unit::Percent,
    range: (0.0, 1.0),
    better: Better::Lower,
    average: Averaging::Sample,
    formula: "wrong predictions of probability above 0.9 / predictions",
    source: "an example",
    description: "Share of images whose prediction is wrong although its probability is above 0.9.",
};

impl Metric for CertainAndWrong {
    fn meta(&self) -> &'static MetricMeta {
        &META
    }

    /// Each sample contributes the number of such trials and the number of all trials, under each condition.
    fn measure(&self, records: &Records) -> Vec<Measure> {
        Measure::means(records, META.range, |cell| Contribution {
            sum: cell.certainty.iter().filter(|(certainty, right)| *certainty > 0.9 && !right).count() as f64,
            count: cell.certainty.len() as f64,
        })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data = PlantedCues::hard(11, 160, 64);
    let weights = Weights::Folder("crates/cli/demo".into());
    let model = zoo::load("planted_resnet.cue", &weights, &Device::Cpu, DType::F32)?;

    // With `metric`, the values are also in the `scores.json` of the run.
    let folder = std::env::temp_dir().join("hard-imagenet-own-metric");
    let mut evaluation =
        Evaluation::new(&data).protocol(Protocol::quick()).preset(Preset::Strict).metric(CertainAndWrong);
    let run = evaluation.run(&model, &folder)?;

    let scores = score_with(run.records(), &Options::default(), &[&CertainAndWrong]);
    for score in scores.all(META.id) {
        let value = score.sample_mean.ok_or("no sample was evaluated")?;
        println!("{:20} {:.2} ({:.2} to {:.2})", score.condition, value.value, value.low, value.high);
    }
    let page = Report::new(&[run]).metrics(&[&CertainAndWrong]).html()?;
    assert!(page.contains(META.title), "the page names the metric");
    std::fs::write(folder.join("report.html"), page)?;
    println!("{}", folder.join("report.html").display());
    Ok(())
}
