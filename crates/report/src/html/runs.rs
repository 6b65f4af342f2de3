use crate::facts;
use crate::page::{Entry, Page};
use crate::write::escape;
use std::fmt::Write;

/// The number of failures that are listed for a run; further failures are only counted.
const SHOWN: usize = 20;

/// Writes a warning for each run that is incomplete. Samples that failed are a finding.
pub(super) fn warnings(out: &mut String, page: &Page) {
    for run in &page.runs {
        let counts = run.scores().counts;
        let mut lacks: Vec<String> = Vec::new();
        lacks.extend(facts::missing(run.scored));
        if counts.samples == 0 {
            lacks.push("no sample was evaluated".to_owned());
        }
        if counts.complete < counts.samples {
            lacks.push(format!(
                "{} of {} samples lack conditions or trials",
                counts.samples - counts.complete,
                counts.samples
            ));
        }
        if !lacks.is_empty() {
            let title = escape(&page.title(run));
            let _ =
                writeln!(out, "<p class=\"warning\"><b>{title} is incomplete:</b> {}.</p>", escape(&lacks.join("; ")));
        }
    }
}

/// Writes the facts that all runs share, then the other facts and the failures of each run.
pub(super) fn facts(out: &mut String, page: &Page) {
    out.push_str("<h2>What was run</h2>\n");
    let own = |run: &Entry| -> Vec<(String, String)> {
        let counts = run.scores().counts;
        let mut all = vec![("preset".to_owned(), run.description().preset.clone())];
        all.extend(facts::facts(run.scored));
        all.push(("samples evaluated".to_owned(), counts.samples.to_string()));
        all.push(("samples failed".to_owned(), counts.failed.to_string()));
        all.push(("records".to_owned(), counts.records.to_string()));
        if counts.duplicates > 0 {
            all.push(("repeated records ignored".to_owned(), counts.duplicates.to_string()));
        }
        all
    };
    let all: Vec<Vec<(String, String)>> = page.runs.iter().map(own).collect();
    let shared = |fact: &&(String, String)| all.iter().all(|facts| facts.contains(fact));
    let common: Vec<_> = all[0].iter().filter(shared).collect();
    list(out, &common);
    for (run, facts) in page.runs.iter().zip(&all) {
        let rest: Vec<_> = facts.iter().filter(|f| !common.contains(f)).collect();
        if !rest.is_empty() {
            let _ =
                writeln!(out, "<h3><span class=\"key m{}\"></span>{}</h3>", run.model % 8, escape(&page.title(run)));
            list(out, &rest);
        }
        failures(out, run);
    }
}

fn list(out: &mut String, facts: &[&(String, String)]) {
    if facts.is_empty() {
        return;
    }
    out.push_str("<dl class=\"facts\">\n");
    for (name, value) in facts {
        let _ = writeln!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value));
    }
    out.push_str("</dl>\n");
}

fn failures(out: &mut String, run: &Entry) {
    let failures = &run.scores().failures;
    if failures.is_empty() {
        return;
    }
    out.push_str("<p>These samples could not be evaluated:</p>\n<ul class=\"failures\">\n");
    for failure in failures.iter().take(SHOWN) {
        let _ = writeln!(out, "<li><code>{}</code> {}</li>", escape(&failure.sample), escape(&failure.message));
    }
    if failures.len() > SHOWN {
        let _ = writeln!(out, "<li>and {} more, all in <code>scores.json</code></li>", failures.len() - SHOWN);
    }
    out.push_str("</ul>\n");
}
