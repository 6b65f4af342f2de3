use crate::page::Page;
use crate::table::{Column, columns};
use crate::versus::{unit, versus};
use crate::write::{self, escape};
use hard_imagenet_metrics::{Better, Unit};
use std::fmt::Write;

/// Writes the headline table: a row for each run, with the intervals below the numbers.
pub(super) fn table(out: &mut String, page: &Page) {
    let columns = columns(page);
    if columns.is_empty() {
        return;
    }
    out.push_str("<div class=\"scroll\"><table class=\"headline\">\n<thead>\n<tr><th></th><th></th>");
    for group in columns.chunk_by(|a, b| a.group == b.group) {
        let unit = match group[0].unit() {
            Unit::Percent => ", %",
            Unit::Points => ", points",
            Unit::Number => "",
        };
        let _ = write!(out, "<th class=\"over\" colspan=\"{}\">{}{unit}</th>", group.len(), escape(&group[0].group));
    }
    out.push_str("</tr>\n<tr><th class=\"name\">Model</th><th>images</th>");
    columns.iter().for_each(|c| _ = write!(out, "<th{}>{}</th>", hint(c), escape(&c.head)));
    out.push_str("</tr>\n</thead>\n");
    for (dataset, name) in page.datasets.iter().enumerate() {
        out.push_str("<tbody>\n");
        if page.datasets.len() > 1 {
            let _ =
                writeln!(out, "<tr class=\"group\"><th colspan=\"{}\">{}</th></tr>", columns.len() + 2, escape(name));
        }
        for run in page.runs.iter().filter(|r| r.dataset == dataset) {
            let _ = write!(
                out,
                "<tr><th class=\"name\"><span class=\"key m{}\"></span>{}</th><td>{}</td>",
                run.model % 8,
                write::breakable(&run.label),
                run.scores().counts.samples
            );
            for column in &columns {
                cell(out, column.estimate(run), column.unit());
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody>\n");
    }
    for versus in versus(page) {
        let title = escape(&versus.title);
        let _ = writeln!(
            out,
            "<tbody>\n<tr class=\"group\"><th colspan=\"{}\">{title}, shares in points</th></tr>",
            columns.len() + 2
        );
        for row in &versus.rows {
            let label = write::breakable(&row.run.label);
            let model = row.run.model % 8;
            let _ = write!(out, "<tr><th class=\"name\"><span class=\"key m{model}\"></span>{label}</th><td></td>");
            columns.iter().for_each(|column| cell(out, row.estimate(column), unit(column.unit())));
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody>\n");
    }
    let _ = write!(
        out,
        "</table></div>\n<p class=\"caption\"><b>Table 1.</b> Headline numbers with their {} % intervals. Accuracy and \
         saliency scores are means over images; RFS is computed from means over classes. {}</p>\n",
        page.runs[0].scores().options.confidence * 100.0,
        match &page.ablation {
            Some(ablation) => format!("The drop is measured under “{}”.", escape(&page.condition(ablation))),
            None => String::new(),
        }
    );
}

/// Writes a number with its interval, or a dash.
pub(super) fn cell(out: &mut String, estimate: Option<hard_imagenet_metrics::Estimate>, unit: Unit) {
    let _ = match estimate {
        None => write!(out, "<td class=\"missing\">{}</td>", write::MISSING),
        Some(e) => write!(out, "<td>{}<small>{}</small></td>", write::value(e.value, unit), write::interval(e, unit)),
    };
}

fn hint(column: &Column) -> String {
    let metric = &column.metric;
    let better = match metric.better {
        Better::Higher if column.condition == hard_imagenet_metrics::CLEAN => " Higher is better.",
        Better::Lower => " Lower is better.",
        _ => "",
    };
    format!(" title=\"{}{better}\"", escape(&format!("{}: {}.", metric.title, metric.formula)))
}
