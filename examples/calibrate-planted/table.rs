//! The tables: for people as Markdown, for programs as CSV.

use crate::figure::title;
use crate::judge::Judgement;
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
    csv.push_str(",spearman_cue,low,high,spearman_cost,low,high,pairs,neighbours,behaviour,cue@10%,cue@50%,cue@90%\n");
    for section in sections {
        for j in &section.judgements {
            let _ = write!(csv, "{},{},{},{}", section.kind, section.preset, j.measure.0, j.measure.1);
            let interval = |interval: Option<(f64, f64)>| [interval.map(|i| i.0), interval.map(|i| i.1)];
            let levels = j.levels.iter().flat_map(|level| interval(*level));
            let values = levels
                .chain([j.cue])
                .chain(interval(j.cue_interval))
                .chain([j.cost])
                .chain(interval(j.cost_interval))
                .chain([j.pairs, j.neighbours, j.behaviour])
                .chain(j.crossings);
            for value in values {
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
            Some((found.pairs?, found.behaviour?))
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

fn details(out: &mut String, section: &Section<'_>) {
    let cues: Vec<String> = CUES.iter().skip(1).map(f64::to_string).collect();
    let _ = writeln!(
        out,
        "| score | chance | {} | Spearman, cue | Spearman, cost | pairs | neighbours | behaviour | 10 % | 50 % | 90 % |",
        cues.join(" | ")
    );
    let _ = writeln!(out, "|:--|{}", "--:|".repeat(CUES.len() + 8));
    for (name, levels) in [("*cost of the scene*", &section.cost), ("*accuracy, foreign scene*", &section.foreign)] {
        let _ = writeln!(out, "| {name} | {} |{}", cells(levels), " |".repeat(8));
    }
    for j in &section.judgements {
        let correlation = |value: Option<f64>, interval: Option<(f64, f64)>| match (value, interval) {
            (Some(value), Some((low, high))) => format!("{value:.2} [{low:.2}, {high:.2}]"),
            _ => "–".to_owned(),
        };
        let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.2}"));
        let [tenth, half, most] = j.crossings.map(number);
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {tenth} | {half} | {most} |",
            title(&j.measure),
            cells(&j.levels),
            correlation(j.cue, j.cue_interval),
            correlation(j.cost, j.cost_interval),
            number(j.pairs),
            number(j.neighbours),
            number(j.behaviour),
        );
    }
}

fn cells(levels: &[Option<(f64, f64)>]) -> String {
    let cell = |level: &Option<(f64, f64)>| level.map_or("–".to_owned(), |(mean, half)| format!("{mean:.2} ± {half:.2}"));
    levels.iter().map(cell).collect::<Vec<_>>().join(" | ")
}
