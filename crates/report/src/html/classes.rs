use crate::page::{Entry, Page};
use crate::write::{self, escape};
use hard_imagenet_metrics::{CLEAN, Estimate, Unit};
use std::fmt::Write;

/// The numbers in the row of a class.
struct Row<'a> {
    name: &'a str,
    samples: usize,
    clean: Option<Estimate>,
    ablated: Option<Estimate>,
    drop: Option<Estimate>,
    rfs: Option<Estimate>,
    iou: Option<Estimate>,
    density: Option<Estimate>,
}

/// Writes a table for each run. The classes are sorted by drop; the object matters least for the first one.
pub(super) fn tables(out: &mut String, page: &Page) {
    if page.runs.iter().all(|r| r.scores().classes.len() < 2) {
        return;
    }
    out.push_str("<h2>Class by class</h2>\n");
    let ablation = page.ablation.as_deref().map_or(String::new(), |id| page.condition(id));
    let _ = writeln!(
        out,
        "<p class=\"caption\">The classes are sorted by their drop: those that lose the least accuracy without the object \
         ({}) come first. The dark bar is the accuracy on unchanged images, the bright bar the accuracy without the object. \
         Point at a number to see its interval.</p>",
        escape(&ablation)
    );
    // Open tables stand side by side. If there are many, they are folded, because they would dominate the page.
    let open = page.runs.len() <= 4;
    out.push_str("<div class=\"tables\">\n");
    for run in &page.runs {
        let _ = writeln!(
            out,
            "<details{}><summary><span class=\"key m{}\"></span>{}</summary>",
            if open { " open=\"open\"" } else { "" },
            run.model % 8,
            escape(&page.title(run))
        );
        table(out, page, run);
        out.push_str("</details>\n");
    }
    out.push_str("</div>\n");
}

fn table(out: &mut String, page: &Page, run: &Entry) {
    let mut rows = rows(page, run);
    rows.sort_by(|a, b| {
        let key = |r: &Row| r.drop.map_or(f64::INFINITY, |e| e.value);
        key(a).total_cmp(&key(b)).then_with(|| a.name.cmp(b.name))
    });
    let noise = rows.iter().any(|r| r.rfs.is_some());
    let saliency = rows.iter().any(|r| r.iou.is_some() || r.density.is_some());
    out.push_str("<table class=\"classes\"><thead><tr><th class=\"name\">Class</th><th>n</th>");
    out.push_str("<th class=\"bars\">accuracy, %</th><th>drop</th>");
    if noise {
        out.push_str("<th>RFS</th>");
    }
    if saliency {
        out.push_str("<th>IoU</th><th>Δ</th>");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &rows {
        let _ = write!(out, "<tr><th class=\"name\">{}</th><td>{}</td>", escape(row.name), row.samples);
        bars(out, row);
        number(out, row.drop, Unit::Points);
        if noise {
            number(out, row.rfs, Unit::Number);
        }
        if saliency {
            number(out, row.iou, Unit::Number);
            number(out, row.density, Unit::Number);
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table>\n");
}

fn rows<'a>(page: &Page, run: &'a Entry) -> Vec<Row<'a>> {
    let scores = run.scores();
    let of = |metric: &str, condition: Option<&str>, class: usize| -> Option<Estimate> {
        *scores.get(metric, condition?)?.classes.get(class)?
    };
    let (clean, ablation, noise) = (Some(CLEAN), page.ablation.as_deref(), page.noise.as_deref());
    scores
        .classes
        .iter()
        .enumerate()
        .map(|(i, class)| Row {
            name: &class.name,
            samples: class.samples,
            clean: of("accuracy", clean, i),
            ablated: of("accuracy", ablation, i),
            drop: of("drop", ablation, i),
            rfs: of("rfs", noise, i),
            iou: of("iou", clean, i),
            density: of("delta-density", clean, i),
        })
        .collect()
}

/// Writes the clean and the ablated accuracy as two thin bars and two numbers.
fn bars(out: &mut String, row: &Row) {
    out.push_str("<td class=\"bars\">");
    for (estimate, class) in [(row.clean, "b0"), (row.ablated, "b2")] {
        let Some(e) = estimate else { continue };
        let _ = write!(
            out,
            "<span class=\"line\" title=\"{}\"><span class=\"track\"><i class=\"{class}\" style=\"width:{:.1}%\"></i></span>{}</span>",
            escape(&write::full(e, Unit::Percent)),
            e.value * 100.0,
            write::value(e.value, Unit::Percent)
        );
    }
    out.push_str("</td>");
}

fn number(out: &mut String, estimate: Option<Estimate>, unit: Unit) {
    let _ = match estimate {
        None => write!(out, "<td class=\"missing\">{}</td>", write::MISSING),
        Some(e) => write!(out, "<td title=\"{}\">{}</td>", escape(&write::full(e, unit)), write::value(e.value, unit)),
    };
}
