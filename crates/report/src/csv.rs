use crate::RunInput;
use crate::page::Page;
use crate::versus::versus;
use hard_imagenet_metrics::{Estimate, Score};
use std::fmt::Write;

/// Every score as comma-separated values, one number and its interval a line, in full precision.
///
/// `average` is "sample" (every sample weighs the same), "class" (every class does), or "in" with the class in the
/// column `class`. What a model has on the first dataset more than on another has lines of its own, whose dataset is
/// "first − other". Undefined scores have no line. Lines end with a line feed; quotes follow RFC 4180.
pub fn csv(runs: &[RunInput]) -> String {
    let mut out = String::from("model,dataset,preset,metric,condition,average,class,value,low,high,n,skipped\n");
    for run in runs {
        for metric in &run.scores.metrics {
            for score in &metric.scores {
                let mut line = |average: &str, class: &str, estimate: Option<Estimate>| {
                    let Some(e) = estimate else { return };
                    let names = [&run.model, &run.dataset, &run.preset, &metric.id, &score.condition, average, class];
                    names.iter().for_each(|name| out.extend([quote(name).as_str(), ","]));
                    let _ = writeln!(out, "{},{},{},{},{}", e.value, e.low, e.high, e.n, score.skipped);
                };
                line("sample", "", score.sample_mean);
                line("class", "", score.class_mean);
                for (class, estimate) in classes(run, score) {
                    line("in", class, estimate);
                }
            }
        }
    }
    let page = Page::new(runs);
    for versus in versus(&page) {
        for row in &versus.rows {
            for difference in &row.contrast.differences {
                let mut line = |average: &str, estimate: Option<Estimate>| {
                    let Some(e) = estimate else { return };
                    let (run, metric) = (row.run.input, &difference.metric);
                    let names = [&run.model, &versus.title, &run.preset, metric, &difference.condition, average, ""];
                    names.iter().for_each(|name| out.extend([quote(name).as_str(), ","]));
                    let _ = writeln!(out, "{},{},{},{},", e.value, e.low, e.high, e.n);
                };
                line("sample", difference.sample_mean);
                line("class", difference.class_mean);
            }
        }
    }
    out
}

fn classes<'a>(run: &'a RunInput, score: &'a Score) -> impl Iterator<Item = (&'a str, Option<Estimate>)> {
    run.scores.classes.iter().map(|c| c.name.as_str()).zip(score.classes.iter().copied())
}

pub(crate) fn quote(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
