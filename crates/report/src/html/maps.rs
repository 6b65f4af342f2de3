use super::headline::cell;
use crate::page::{Page, Run};
use crate::write::{self, escape};
use hard_imagenet_metrics::{CLEAN, MAP, MetricMeta, map_scores};
use std::fmt::Write;

/// Every score of every explainer's maps, a row for each run and explainer. Nothing where a run has a single explainer
/// and no scores but the headline's.
pub(super) fn table(out: &mut String, page: &Page) {
    let rows: Vec<(&Run, String, String)> = page.runs.iter().flat_map(rows).collect();
    let measured = |meta: &&MetricMeta| rows.iter().any(|(run, _, at)| run.headline(meta.id, Some(at)).is_some());
    let columns: Vec<&MetricMeta> = map_scores().filter(measured).collect();
    if columns.len() < 3 && rows.len() <= page.runs.len() {
        return;
    }
    out.push_str("<div class=\"scroll\"><table class=\"headline\">\n<thead>\n<tr><th class=\"name\">Model</th>");
    out.push_str("<th class=\"name\">Explainer</th>");
    for meta in &columns {
        let hint = escape(&format!("{}: {}. {}", meta.title, meta.formula, meta.description));
        let _ = write!(out, "<th title=\"{hint}\">{}</th>", escape(meta.title));
    }
    out.push_str("</tr>\n</thead>\n<tbody>\n");
    for (run, explainer, condition) in &rows {
        let _ = write!(
            out,
            "<tr><th class=\"name\"><span class=\"key m{}\"></span>{}</th><th class=\"name\">{}</th>",
            run.model % 8,
            write::breakable(&page.title(run)),
            escape(explainer)
        );
        columns.iter().for_each(|meta| cell(out, run.headline(meta.id, Some(condition)), meta.unit));
        out.push_str("</tr>\n");
    }
    out.push_str(
        "</tbody>\n</table></div>\n<p class=\"caption\"><b>Maps by explainer.</b> Means over images with their \
         intervals. <i>random</i> and <i>centre</i> are floors: a map that does not beat them says nothing of the \
         model. Point at a column’s name for its definition.</p>\n",
    );
}

/// Run, name of the explainer, condition under which its scores stand.
fn rows<'a, 'p>(run: &'a Run<'p>) -> Vec<(&'a Run<'p>, String, String)> {
    let own = run.headline("iou", Some(CLEAN)).is_some();
    let name = run.input.explainer.clone().unwrap_or_else(|| "the run’s own".to_owned());
    let further =
        run.scores().conditions.iter().filter_map(|c| Some((run, c.strip_prefix(MAP)?.to_owned(), c.clone())));
    own.then(|| (run, name, CLEAN.to_owned())).into_iter().chain(further).collect()
}
