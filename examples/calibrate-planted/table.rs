//! The tables: for people as Markdown, for programs as CSV.

use crate::figure::title;
use crate::judge::Judgement;
use crate::statistics::Estimate;
use crate::subject::{CUES, Subject};
use crate::trial::{Measure, Outcome};
use std::fmt::Write;

/// The judgements of one group: the models of a kind on a preset.
pub(crate) struct Section<'a> {
    pub(crate) kind: &'a str,
    pub(crate) preset: &'a str,
    /// Mean cost of the scene at each strength of the cue: the truth by behaviour.
    pub(crate) cost: Vec<Option<(f64, f64)>>,
    /// Mean accuracy in scenes that are not the objects' own.
    pub(crate) foreign: Vec<Option<(f64, f64)>>,
    pub(crate) judgements: Vec<Judgement>,
}

impl Section<'_> {
    /// The judgement of a score.
    pub(crate) fn of(&self, measure: &Measure) -> Option<&Judgement> {
        self.judgements.iter().find(|judgement| judgement.measure == *measure)
    }
}

/// Two scores together: the share of pairs that they order rightly in each section, by cue and by behaviour.
pub(crate) struct Pair {
    pub(crate) name: String,
    pub(crate) by_cue: Vec<f64>,
    pub(crate) by_behaviour: Vec<f64>,
}

/// Every score of every model, a row each.
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

/// Every judgement, a row each.
pub(crate) fn judgements_csv(sections: &[Section<'_>]) -> String {
    let mut csv = String::from("kind,preset,metric,condition");
    for cue in CUES {
        let _ = write!(csv, ",mean@{cue},half@{cue}");
    }
    for name in ["spearman-cue", "spearman-cost", "pairs", "neighbours", "behaviour"] {
        let _ = write!(csv, ",{name},{name}-low,{name}-high");
    }
    csv.push_str(",cue@10%,cue@50%,cue@90%,with-accuracy\n");
    for section in sections {
        for j in &section.judgements {
            let _ = write!(csv, "{},{},{},{}", section.kind, section.preset, j.measure.0, j.measure.1);
            let levels = j.levels.iter().flat_map(|level| [level.map(|l| l.0), level.map(|l| l.1)]);
            let estimates = [j.cue, j.cost, j.pairs, j.neighbours, j.behaviour];
            let parts = estimates.iter().flat_map(|e| [e.map(|e| e.value), e.map(|e| e.low), e.map(|e| e.high)]);
            for value in levels.chain(parts).chain(j.crossings).chain([j.accuracy]) {
                let _ = write!(csv, ",{}", value.map_or(String::new(), |value| format!("{value:.4}")));
            }
            csv.push('\n');
        }
    }
    csv
}

/// All tables as Markdown.
pub(crate) fn markdown(sections: &[Section<'_>], pairs: &[Pair]) -> String {
    let mut out = String::from("### Share of pairs in the right order\n\n");
    overview(&mut out, sections);
    out.push_str("\n### Two scores together\n\n");
    combined(&mut out, sections, pairs);
    for section in sections {
        let _ = writeln!(out, "\n### {}, {}\n", section.kind, section.preset);
        details(&mut out, section);
    }
    out
}

/// The best on average first.
fn overview(out: &mut String, sections: &[Section<'_>]) {
    let heads: Vec<String> = sections.iter().map(|s| format!("{}, {}", s.kind, s.preset)).collect();
    let _ = writeln!(out, "| score | {} | mean by cue | mean by behaviour |", heads.join(" | "));
    let _ = writeln!(out, "|:--|{}--:|--:|", "--:|".repeat(sections.len()));
    let Some(first) = sections.first() else { return };
    let mut rows: Vec<(f64, String)> = Vec::new();
    for judgement in &first.judgements {
        let of = |section: &Section<'_>| {
            let found = section.of(&judgement.measure)?;
            Some((found.pairs?.value, found.behaviour?.value))
        };
        let Some(shares) = sections.iter().map(of).collect::<Option<Vec<_>>>() else { continue };
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / shares.len() as f64;
        let (cue, behaviour) = (mean(&mut shares.iter().map(|s| s.0)), mean(&mut shares.iter().map(|s| s.1)));
        let cells: Vec<String> = shares.iter().map(|(c, b)| format!("{c:.2} / {b:.2}")).collect();
        rows.push((cue + behaviour, format!("| {} | {} | {cue:.3} | {behaviour:.3} |", title(&judgement.measure), cells.join(" | "))));
    }
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    rows.iter().for_each(|(_, row)| _ = writeln!(out, "{row}"));
}

fn combined(out: &mut String, sections: &[Section<'_>], pairs: &[Pair]) {
    let heads: Vec<String> = sections.iter().map(|s| format!("{}, {}", s.kind, s.preset)).collect();
    let _ = writeln!(out, "| scores | {} | mean by cue | mean by behaviour |", heads.join(" | "));
    let _ = writeln!(out, "|:--|{}--:|--:|", "--:|".repeat(sections.len()));
    for pair in pairs {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let cells: Vec<String> =
            pair.by_cue.iter().zip(&pair.by_behaviour).map(|(c, b)| format!("{c:.2} / {b:.2}")).collect();
        let (cue, behaviour) = (mean(&pair.by_cue), mean(&pair.by_behaviour));
        let _ = writeln!(out, "| {} | {} | {cue:.3} | {behaviour:.3} |", pair.name, cells.join(" | "));
    }
}

/// What was measured at each strength of the cue, and how the scores did.
fn details(out: &mut String, section: &Section<'_>) {
    let cues: Vec<String> = CUES.iter().skip(1).map(f64::to_string).collect();
    let _ = writeln!(out, "| score | chance | {} | 10 % | 50 % | 90 % |", cues.join(" | "));
    let _ = writeln!(out, "|:--|{}", "--:|".repeat(CUES.len() + 3));
    for (name, levels) in [("*cost of the scene*", &section.cost), ("*accuracy, foreign scene*", &section.foreign)] {
        let _ = writeln!(out, "| {name} | {} | | | |", cells(levels));
    }
    for j in &section.judgements {
        let [tenth, half, most] = j.crossings.map(number);
        let _ = writeln!(out, "| {} | {} | {tenth} | {half} | {most} |", title(&j.measure), cells(&j.levels));
    }
    out.push_str("\n| score | Spearman, cue | Spearman, cost | pairs | neighbours | behaviour | with accuracy |\n");
    let _ = writeln!(out, "|:--|{}", "--:|".repeat(6));
    for j in &section.judgements {
        let estimates = [j.cue, j.cost, j.pairs, j.neighbours, j.behaviour].map(estimate).join(" | ");
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
    let cell = |level: &Option<(f64, f64)>| level.map_or("–".to_owned(), |(mean, half)| format!("{mean:.2} ± {half:.2}"));
    levels.iter().map(cell).collect::<Vec<_>>().join(" | ")
}
