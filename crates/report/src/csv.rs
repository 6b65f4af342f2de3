use crate::page::{Entry, Page};
use crate::versus::versus;
use hard_imagenet_metrics::{Estimate, Score};
use std::fmt::Write;

/// Every score as comma-separated values.
pub(crate) fn render(page: &Page) -> String {
    let mut out = String::from("model,dataset,preset,metric,condition,average,class,value,low,high,n,skipped\n");
    for run in &page.runs {
        let description = run.description();
        for metric in &run.scores().metrics {
            for score in &metric.scores {
                let mut line = |average: &str, class: &str, estimate: Option<Estimate>| {
                    let Some(e) = estimate else { return };
                    let (model, dataset) = (&description.model, &description.dataset.name);
                    let names = [model, dataset, &description.preset, &metric.id, &score.condition, average, class];
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
    for versus in versus(page) {
        for row in &versus.rows {
            for difference in &row.contrast.differences {
                let mut line = |average: &str, estimate: Option<Estimate>| {
                    let Some(e) = estimate else { return };
                    let (run, metric) = (row.run.description(), &difference.metric);
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

fn classes<'a>(run: &'a Entry, score: &'a Score) -> impl Iterator<Item = (&'a str, Option<Estimate>)> {
    run.scores().classes.iter().map(|c| c.name.as_str()).zip(score.classes.iter().copied())
}

pub(crate) fn quote(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
