//! Writes the tables: as Markdown for people, as CSV for programs.

use crate::figure::title;
use crate::judge::crossings;
use crate::ranking::Ranked;
use crate::section::Section;
use crate::statistics::Estimate;
use crate::subject::{CUES, Subject};
use crate::trial::Outcome;
use std::fmt::Write;

/// Returns every score of every model, one row each.
pub(crate) fn scores_csv(rows: &[(&Subject, &str, &Outcome)]) -> String {
    let mut csv = String::from("kind,cue,seed,preset,metric,condition,value\n");
    for (subject, preset, outcome) in rows {
        let mut row = |metric: &str, condition: &str, value: f64| {
            let (kind, cue, seed) = (subject.kind.name, subject.cue, subject.seed);
            let _ = writeln!(csv, "{kind},{cue},{seed},{preset},{metric},{condition},{value:.6}");
        };
        row("cost-of-scene", "truth", outcome.cost);
        row("accuracy", "foreign-scene", outcome.foreign);
        outcome.scores.iter().for_each(|((metric, condition), value)| row(metric, condition, *value));
    }
    csv
}

/// Returns every judgment, one row each.
pub(crate) fn judgments_csv(sections: &[Section<'_>]) -> String {
    let mut csv = String::from("kind,preset,metric,condition");
    for cue in CUES {
        let _ = write!(csv, ",mean@{cue},half@{cue}");
    }
    for name in ["spearman-cue", "spearman-cost", "pairs", "neighbours", "behaviour"] {
        let _ = write!(csv, ",{name},{name}-low,{name}-high");
    }
    csv.push_str(",cue@10%,cue@50%,cue@90%,with-accuracy\n");
    for section in sections {
        for j in &section.judgments {
            let _ = write!(csv, "{},{},{},{}", section.kind, section.preset, j.measure.0, j.measure.1);
            let levels = j.levels.iter().flat_map(|level| [level.map(|l| l.0), level.map(|l| l.1)]);
            let estimates = [j.cue, j.cost, j.pairs, j.neighbors, j.behavior];
            let parts = estimates.iter().flat_map(|e| [e.map(|e| e.value), e.map(|e| e.low), e.map(|e| e.high)]);
            for value in levels.chain(parts).chain(crossings(&j.levels)).chain([j.accuracy]) {
                let _ = write!(csv, ",{}", value.map_or(String::new(), |value| format!("{value:.4}")));
            }
            csv.push('\n');
        }
    }
    csv
}

/// Returns all tables as Markdown: the ranking of the scores, of the other scores, and of the best ten pairs, then section by
/// section. `cargo xtask tables calibration` copies what stands between markers into docs/CALIBRATION.md.
pub(crate) fn markdown(sections: &[Section<'_>], singles: &[Ranked], others: &[Ranked], pairs: &[Ranked]) -> String {
    let mut out = String::from("### Share of pairs in the right order\n\n");
    marked(&mut out, "calibration-scores", |out| ranking(out, sections, singles));
    out.push_str("\n### The other scores\n\n");
    marked(&mut out, "calibration-others", |out| ranking(out, sections, others));
    out.push_str("\n### Two scores together\n\n");
    marked(&mut out, "calibration-pairs", |out| ranking(out, sections, &pairs[..pairs.len().min(10)]));
    out.push('\n');
    marked(&mut out, "calibration-sections", |out| all_sections(out, sections));
    out
}

/// Writes something between the markers of a name.
fn marked(out: &mut String, name: &str, write: impl FnOnce(&mut String)) {
    let _ = writeln!(out, "<!-- begin: {name} -->");
    write(out);
    let _ = writeln!(out, "<!-- end: {name} -->");
}

/// Writes the values and judgments of every section.
fn all_sections(out: &mut String, sections: &[Section<'_>]) {
    for section in sections {
        let _ = writeln!(out, "\n### {}\n", section.title());
        values(out, section);
        out.push('\n');
        judgments(out, section);
    }
    out.push('\n');
}

fn ranking(out: &mut String, sections: &[Section<'_>], ranked: &[Ranked]) {
    let heads: Vec<String> = sections.iter().map(Section::title).collect();
    let _ = writeln!(out, "| score | {} | mean by cue | mean by behavior |", heads.join(" | "));
    let _ = writeln!(out, "|:--|{}--:|--:|", "--:|".repeat(sections.len()));
    for row in ranked {
        let shares = row.by_cue.iter().zip(&row.by_behavior);
        let cells: Vec<String> = shares.map(|(cue, behavior)| format!("{cue:.2} / {behavior:.2}")).collect();
        let (cue, behavior) = row.means();
        let _ = writeln!(out, "| {} | {} | {cue:.3} | {behavior:.3} |", row.name, cells.join(" | "));
    }
}

/// Writes the values at each strength of the cue.
fn values(out: &mut String, section: &Section<'_>) {
    let cues: Vec<String> = CUES.iter().skip(1).map(f64::to_string).collect();
    let _ = writeln!(out, "| score | chance | {} | 10 % | 50 % | 90 % |", cues.join(" | "));
    let _ = writeln!(out, "|:--|{}", "--:|".repeat(CUES.len() + 3));
    let mut row = |name: &str, levels: &[Option<(f64, f64)>]| {
        let [tenth, half, most] = crossings(levels).map(number);
        let _ = writeln!(out, "| {name} | {} | {tenth} | {half} | {most} |", cells(levels));
    };
    row("*cost of the scene*", &section.cost);
    row("*accuracy, foreign scene*", &section.foreign);
    section.judgments.iter().for_each(|j| row(&title(&j.measure), &j.levels));
}

/// Writes how well the scores separate the models.
fn judgments(out: &mut String, section: &Section<'_>) {
    out.push_str("| score | Spearman, cue | Spearman, cost | pairs | neighbors | behavior | with accuracy |\n");
    let _ = writeln!(out, "|:--|{}", "--:|".repeat(6));
    for j in &section.judgments {
        let estimates = [j.cue, j.cost, j.pairs, j.neighbors, j.behavior].map(estimate).join(" | ");
        let _ = writeln!(out, "| {} | {estimates} | {} |", title(&j.measure), number(j.accuracy));
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.2}"))
}

fn estimate(estimate: Option<Estimate>) -> String {
    estimate.map_or("–".to_owned(), |e| format!("{:.2} [{:.2}, {:.2}]", e.value, e.low, e.high))
}

fn cells(levels: &[Option<(f64, f64)>]) -> String {
    let cell =
        |level: &Option<(f64, f64)>| level.map_or("–".to_owned(), |(mean, half)| format!("{mean:.2} ± {half:.2}"));
    levels.iter().map(cell).collect::<Vec<_>>().join(" | ")
}
