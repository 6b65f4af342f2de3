use crate::findings::{Found, found};
use crate::page::Page;
use crate::write::{count, escape};
use hard_imagenet_findings::{Finding, Severity};
use std::fmt::Write;

/// Writes what is suspicious about the runs at the top of the page, and below it, folded, what is only worth knowing.
pub(super) fn section(out: &mut String, page: &Page) {
    let place = |runs: &[String]| match runs.len() {
        _ if page.runs.len() == 1 => String::new(),
        all if all == page.runs.len() => "all runs".to_owned(),
        _ => runs.join(", "),
    };
    let found: Vec<(&Finding, String)> =
        found(page).into_iter().map(|Found { finding, runs }| (finding, place(&runs))).collect();
    write(out, &found);
}

/// Writes findings with the places that they concern, which may be empty.
pub(crate) fn write(out: &mut String, found: &[(&Finding, String)]) {
    let (suspicious, notes): (Vec<_>, Vec<_>) = found.iter().partition(|(finding, _)| finding.severity.is_suspicious());
    if !suspicious.is_empty() {
        out.push_str("<section class=\"findings\"><h3>Look at this before you believe a number</h3>\n");
        list(out, &suspicious);
        out.push_str("</section>\n");
    }
    if !notes.is_empty() {
        let _ = writeln!(out, "<details class=\"findings\"><summary>{}</summary>", count(notes.len(), "note"));
        list(out, &notes);
        out.push_str("</details>\n");
    }
}

fn list(out: &mut String, found: &[&(&Finding, String)]) {
    out.push_str("<ul>\n");
    for (finding, place) in found {
        let error = if finding.severity == Severity::Error { "Error: " } else { "" };
        let _ = write!(out, "<li><b>{error}{}</b>", escape(&capitalized(&finding.headline())));
        if !place.is_empty() {
            let _ = write!(out, " <span class=\"where\">{}</span>", escape(place));
        }
        for sentence in [&finding.effect, &finding.remedy].into_iter().filter(|sentence| !sentence.is_empty()) {
            let _ = write!(out, "<br/>{}.", escape(&capitalized(sentence)));
        }
        for example in &finding.examples {
            let _ = write!(out, "<br/><code>{}</code>", escape(example));
        }
        if finding.count > finding.examples.len() && !finding.examples.is_empty() {
            let _ = write!(out, "<br/>and {} more", finding.count - finding.examples.len());
        }
        out.push_str("</li>\n");
    }
    out.push_str("</ul>\n");
}

/// Returns a sentence with a capital letter at its beginning.
fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
