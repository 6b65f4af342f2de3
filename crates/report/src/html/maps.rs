use super::headline::cell;
use crate::page::{Page, Run};
use crate::write::escape;
use hard_imagenet_metrics::{CLEAN, MAP, MetricMeta, meta};
use std::fmt::Write;

/// Scores that say different things of a map, with short names; the files of numbers have all.
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

/// What every explainer's maps are worth, run by run. Nothing where a run has a single explainer and no scores but the
/// headline's.
pub(super) fn table(out: &mut String, page: &Page) {
    let runs: Vec<(&Run, Vec<(String, String)>)> = page.runs.iter().map(|run| (run, rows(run))).collect();
    let measured = |id: &str| {
        let of = |(run, rows): &(&Run, Vec<(String, String)>)| {
            rows.iter().any(|(_, condition)| run.headline(id, Some(condition)).is_some())
        };
        runs.iter().any(of)
    };
    let columns: Vec<(&MetricMeta, &str)> =
        COLUMNS.iter().filter(|(id, _)| measured(id)).filter_map(|(id, name)| Some((meta(id)?, *name))).collect();
    if columns.len() < 3 && runs.iter().all(|(_, rows)| rows.len() < 2) {
        return;
    }
    out.push_str("<div class=\"scroll\"><table class=\"headline\">\n<thead>\n<tr><th class=\"name\">Explainer</th>");
    for (meta, name) in &columns {
        let hint = escape(&format!("{}: {}. {}", meta.title, meta.formula, meta.description));
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
            columns.iter().for_each(|(meta, _)| cell(out, run.headline(meta.id, Some(condition)), meta.unit));
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody>\n");
    }
    out.push_str(
        "</table></div>\n<p class=\"caption\"><b>Maps by explainer.</b> Means over images with their intervals. \
         <i>random</i> and <i>centre</i> are floors: a map that does not beat them says nothing of the model. Point at a \
         column’s name for its definition.</p>\n",
    );
}

/// Name of each explainer, and the condition under which its scores stand.
fn rows(run: &Run) -> Vec<(String, String)> {
    let own = run.headline("iou", Some(CLEAN)).is_some();
    let name = run.input.explainer.clone().unwrap_or_else(|| "the run’s own".to_owned());
    let further = run.scores().conditions.iter().filter_map(|c| Some((c.strip_prefix(MAP)?.to_owned(), c.clone())));
    own.then(|| (name, CLEAN.to_owned())).into_iter().chain(further).collect()
}
