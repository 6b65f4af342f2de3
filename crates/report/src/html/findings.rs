use crate::findings::{Found, found};
use crate::page::Page;
use crate::write::{count, escape};
use std::fmt::Write;

/// Writes what is suspicious about the runs at the top of the page, and below it, folded, what is only worth knowing.
pub(super) fn section(out: &mut String, page: &Page) {
    let (suspicious, notes): (Vec<Found>, Vec<Found>) =
        found(page).into_iter().partition(|found| found.finding.severity.is_suspicious());
    if !suspicious.is_empty() {
        out.push_str("<section class=\"findings\"><h3>Look at this before you believe a number</h3>\n");
        list(out, page, &suspicious);
        out.push_str("</section>\n");
    }
    if !notes.is_empty() {
        let _ = writeln!(out, "<details class=\"findings\"><summary>{}</summary>", count(notes.len(), "note"));
        list(out, page, &notes);
        out.push_str("</details>\n");
    }
}

fn list(out: &mut String, page: &Page, found: &[Found]) {
    out.push_str("<ul>\n");
    for Found { finding, runs } in found {
        let word = finding.severity.word();
        let _ = write!(out, "<li class=\"{word}\"><b>{}</b>", escape(&capitalized(&finding.headline())));
        if page.runs.len() > 1 {
            let runs = if runs.len() == page.runs.len() { "all runs".to_owned() } else { runs.join(", ") };
            let _ = write!(out, " <span class=\"where\">{}</span>", escape(&runs));
        }
        if !finding.effect.is_empty() {
            let _ = write!(out, "<br/>{}.", escape(&capitalized(&finding.effect)));
        }
        if !finding.remedy.is_empty() {
            let _ = write!(out, " <i>{}.</i>", escape(&capitalized(&finding.remedy)));
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
