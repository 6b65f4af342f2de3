//! Prints the tables of the guide that follow from lists in the code: datasets, conditions, explainers, metrics
//! and findings.
//!
//! `cargo xtask tables guide` writes them into `docs/`. The test of this program compares the pages with the lists.
#![allow(clippy::disallowed_macros, reason = "a program prints")]

use hard_imagenet::datasets::{DATASETS, PathUse};
use hard_imagenet::findings::FindingKind;
use hard_imagenet::metrics::metrics;
use hard_imagenet::perturbations::KINDS;
use hard_imagenet::saliency::EXPLAINERS;

fn main() {
    for (_, name, table) in tables() {
        println!("<!-- begin: {name} -->\n{table}<!-- end: {name} -->");
    }
}

/// Returns page, name and text of every table.
fn tables() -> [(&'static str, &'static str, String); 5] {
    [
        ("datasets.md", "datasets", datasets()),
        ("protocols.md", "conditions", conditions()),
        ("explainers.md", "explainers", explainers()),
        ("results.md", "metric-list", metrics_table()),
        ("findings.md", "findings", findings()),
    ]
}

fn datasets() -> String {
    let path = |path: PathUse| match path {
        PathUse::Required(contents) | PathUse::Optional(contents) => contents.to_owned(),
        PathUse::Unused => String::new(),
    };
    let row = |entry: &&hard_imagenet::datasets::DatasetEntry| {
        [format!("`{}`", entry.word), entry.summary.to_owned(), path(entry.masks), path(entry.images)]
    };
    markdown(["`-d`", "what it is", "`--masks`", "`--images`"], DATASETS.iter().map(row))
}

fn conditions() -> String {
    let row = |kind: &&hard_imagenet::perturbations::PerturbationKind| {
        let object = if kind.keeps_object { "stays" } else { "is removed" };
        let trials = if kind.is_random { "random" } else { "" };
        [format!("`{}`", kind.pattern), kind.help.to_owned(), object.to_owned(), trials.to_owned()]
    };
    markdown(["word", "what is done", "the object", "trials"], KINDS.iter().map(row))
}

fn explainers() -> String {
    let row = |one: &hard_imagenet::saliency::ExplainerInfo| {
        let word = if one.takes_node() { format!("`{}[:NODE]`", one.word) } else { format!("`{}`", one.word) };
        [word, one.title.to_owned(), one.sentence.to_owned(), one.source.to_owned()]
    };
    markdown(["word", "name", "what a pixel's value is", "source"], EXPLAINERS.iter().map(row))
}

fn metrics_table() -> String {
    let row = |metric: &'static dyn hard_imagenet::metrics::Metric| {
        let meta = metric.meta();
        [format!("`{}`", meta.id), meta.title.to_owned(), meta.description.to_owned()]
    };
    markdown(["id", "name", "what it is"], metrics().map(row))
}

/// Every kind of finding, one table for each group.
fn findings() -> String {
    let row = |kind: &&FindingKind| {
        let [word, what] = [kind.severity.word(), kind.what].map(str::to_owned);
        [format!("`{}`", kind.id), word, what, kind.effect.to_owned(), kind.remedy.to_owned()]
    };
    let group = |(title, kinds): &(&str, &[&FindingKind])| {
        format!(
            "### {title}\n\n{}\n",
            markdown(["id", "severity", "what", "effect", "what to do"], kinds.iter().map(row))
        )
    };
    hard_imagenet::findings::KINDS.iter().map(group).collect()
}

/// Returns a Markdown table.
fn markdown<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut table = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(N));
    for row in rows {
        table += &format!("| {} |\n", row.map(|cell| cell.replace('|', "\\|").replace('<', "\\<")).join(" | "));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::tables;

    #[test]
    fn the_guide_shows_what_the_code_lists() {
        for (page, name, table) in tables() {
            let path = format!("{}/../docs/{page}", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(&path).unwrap();
            let marked = format!("<!-- begin: {name} -->\n{table}<!-- end: {name} -->\n");
            assert!(text.contains(&marked), "docs/{page} is out of date; `cargo xtask tables guide` renews it");
        }
    }
}
