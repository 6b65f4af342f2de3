use super::headline::cell;
use crate::page::{Entry, Page};
use crate::write::escape;
use hard_imagenet_metrics::{CLEAN, MAP, MetricDescription};
use std::fmt::Write;

/// A selection of scores that complement each other, with short names. The CSV and JSON files contain all scores.
const COLUMNS: [(&str, &str); 11] = [
    ("iou", "IoU"),
    ("iou-best", "best IoU"),
    ("delta-density", "Δ density"),
    ("inside-fraction", "inside"),
    ("rank-accuracy", "rank accuracy"),
    ("average-precision", "average precision"),
    ("auc", "AUC"),
    ("pointing", "pointing"),
    ("insertion", "insertion"),
    ("deletion", "deletion"),
    ("road", "ROAD"),
];

/// Writes a table of the scores of every explainer's maps, run by run. Writes nothing if every run has a single explainer
/// and no other scores than the headline table.
pub(super) fn table(out: &mut String, page: &Page) {
    let runs: Vec<(&Entry, Vec<(String, String)>)> = page.runs.iter().map(|run| (run, rows(run))).collect();
    let measured = |id: &str| {
        let of = |(run, rows): &(&Entry, Vec<(String, String)>)| {
            rows.iter().any(|(_, condition)| run.headline(id, Some(condition)).is_some())
        };
        runs.iter().any(of)
    };
    let mut columns: Vec<(MetricDescription, String)> = COLUMNS
        .iter()
        .filter(|(id, _)| measured(id))
        .filter_map(|(id, name)| Some((page.metric(id)?, (*name).to_owned())))
        .collect();
    let of_maps =
        |id: &str| page.runs.iter().any(|run| run.scores().all(id).iter().any(|s| s.condition.starts_with(MAP)));
    let further = page.further_metrics().into_iter().filter(|metric| of_maps(&metric.id));
    columns.extend(further.map(|metric| (metric.clone(), metric.title.clone())));
    if columns.len() < 3 && runs.iter().all(|(_, rows)| rows.len() < 2) {
        return;
    }
    out.push_str("<div class=\"scroll\"><table class=\"headline\">\n<thead>\n<tr><th class=\"name\">Explainer</th>");
    for (metric, name) in &columns {
        let hint = escape(&format!("{}: {}. {}", metric.title, metric.formula, metric.description));
        let _ = write!(out, "<th title=\"{hint}\">{}</th>", escape(name));
    }
    out.push_str("</tr>\n</thead>\n");
    for (run, rows) in &runs {
        let _ = writeln!(
            out,
            "<tbody>\n<tr class=\"group\"><th colspan=\"{}\"><span class=\"key m{}\"></span>{}</th></tr>",
            columns.len() + 1,
            run.model % 8,
            escape(&page.title(run))
        );
        for (explainer, condition) in rows {
            let _ = write!(out, "<tr><th class=\"name\">{}</th>", escape(explainer));
            columns.iter().for_each(|(metric, _)| cell(out, run.headline(&metric.id, Some(condition)), metric.unit));
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody>\n");
    }
    out.push_str(
        "</table></div>\n<p class=\"caption\"><b>Maps by explainer.</b> Means over images with their intervals. \
         <i>random</i> and <i>centre</i> are baselines: a map that does not score better says nothing about the model. Point \
         at the name of a column to see its definition.</p>\n",
    );
}

/// Returns the name of each explainer, and the condition of its scores.
fn rows(run: &Entry) -> Vec<(String, String)> {
    let has_own = run.headline("iou", Some(CLEAN)).is_some();
    let own = run.description().protocol.explainers.first();
    let own = own.map_or_else(|| "the run’s own".to_owned(), |word| name(run, word));
    let further = run.scores().conditions.iter().filter_map(|c| Some((name(run, c.strip_prefix(MAP)?), c.clone())));
    has_own.then(|| (own, CLEAN.to_owned())).into_iter().chain(further).collect()
}

/// Returns the name of an explainer: its word if it is built in, else the title that its author stated, followed by the class
/// that it explains if that is not the label.
fn name(run: &Entry, word: &str) -> String {
    let (method, target) = word.rsplit_once('@').map_or((word, None), |(method, target)| (method, Some(target)));
    let stated = run.description().explainers.iter().find(|explainer| explainer.id == method);
    match (stated, target) {
        (None, _) => word.to_owned(),
        (Some(explainer), None) => explainer.title.clone(),
        (Some(explainer), Some(target)) => format!("{}@{target}", explainer.title),
    }
}
