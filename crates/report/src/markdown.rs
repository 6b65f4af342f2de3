use crate::findings::{Found, found};
use crate::page::Page;
use crate::reading::{Signals, evidence, verdict};
use crate::table::columns;
use crate::versus::{unit, versus};
use crate::write;
use hard_imagenet_metrics::{Estimate, Unit};
use std::fmt::Write;

/// The headline table and the reading of each run as Markdown.
pub(crate) fn render(page: &Page) -> String {
    let columns = columns(page);
    let mut out = String::from("# Hard ImageNet\n");
    for (dataset, name) in page.datasets.iter().enumerate() {
        let _ = writeln!(out, "\n## {}\n", escape(name));
        let _ = write!(out, "| model | samples |");
        columns.iter().for_each(|c| _ = write!(out, " {} |", escape(&c.name())));
        let _ = writeln!(out, "\n|:--|--:|{}", "--:|".repeat(columns.len()));
        for run in page.runs.iter().filter(|r| r.dataset == dataset) {
            let _ = write!(out, "| {} | {} |", escape(&run.label), run.scores().counts.samples);
            columns.iter().for_each(|column| cell(&mut out, column.estimate(run), column.unit()));
            out.push('\n');
        }
    }
    for versus in versus(page) {
        let _ = writeln!(out, "\n## {} (shares in points)\n", escape(&versus.title));
        out.push_str("| model |");
        columns.iter().for_each(|c| _ = write!(out, " {} |", escape(&format!("{}, {}", c.group, c.head))));
        let _ = writeln!(out, "\n|:--|{}", "--:|".repeat(columns.len()));
        for row in &versus.rows {
            let _ = write!(out, "| {} |", escape(&row.run.label));
            columns.iter().for_each(|column| cell(&mut out, row.estimate(column), unit(column.unit())));
            out.push('\n');
        }
    }
    suspicious(&mut out, page);
    out.push_str("\n## In words\n\n");
    for run in &page.runs {
        let verdict = verdict(&Signals::of(page, run));
        let evidence = evidence(page, run);
        let _ = writeln!(out, "- **{}** {verdict}. {}", escape(&page.title(run)), escape(&evidence));
        let counts = run.scores().counts;
        if counts.failed > 0 {
            let _ = writeln!(out, "  {} could not be evaluated.", write::count(counts.failed, "sample"));
        }
    }
    let level = page.runs.first().map_or(95.0, |run| run.scores().options.confidence * 100.0);
    let presets: std::collections::BTreeSet<&str> =
        page.runs.iter().map(|run| run.description().preset.as_str()).collect();
    let presets: Vec<&str> = presets.into_iter().collect();
    let _ = writeln!(out, "\nIntervals cover {level} %. Preset: {}.", escape(&presets.join(", ")));
    out
}

/// Lists what is suspicious about the runs, if anything is.
fn suspicious(out: &mut String, page: &Page) {
    let found = found(page);
    let mut headed = false;
    for Found { finding, runs } in found.iter().filter(|found| found.finding.severity.is_suspicious()) {
        if !headed {
            out.push_str("\n## Suspicious\n\n");
            headed = true;
        }
        let (word, headline) = (finding.severity.word(), escape(&finding.headline()));
        let _ = writeln!(out, "- {word}, {}: {headline}. {}.", escape(&runs.join(", ")), escape(&finding.effect));
    }
}

fn cell(out: &mut String, estimate: Option<Estimate>, unit: Unit) {
    let value = |x| write::value(x, unit);
    let _ = match estimate {
        None => write!(out, " {} |", write::MISSING),
        Some(e) => write!(out, " {} [{}, {}] |", value(e.value), value(e.low), value(e.high)),
    };
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('|', "\\|")
        .replace('<', "&lt;")
        .replace('*', "\\*")
        .replace('_', "\\_")
        .replace('\n', " ")
}
