//! Snapshots of the page and the tables of synthetic runs.
//!
//! After a change of a text, `INSTA_UPDATE=always cargo test -p hard-imagenet-report --test snapshots` writes the files in
//! `tests/snapshots/` again.
#![allow(clippy::disallowed_methods, reason = "a test may print and read its settings")]

#[allow(dead_code, reason = "the other test uses more of it")]
mod synthetic;

use hard_imagenet_report::Report;

/// Returns the text that a reader sees, a line for each element, without styles, images and the shapes of figures.
fn visible_text(page: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let mut hidden = false;
    for piece in page.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("a tag ends");
        hidden = match tag {
            "style" => true,
            "/style" => false,
            _ => hidden,
        };
        let text = text.trim();
        if !hidden && !text.is_empty() {
            lines.push(text);
        }
    }
    lines.join("\n")
}

#[test]
fn page_and_tables() {
    let (_folder, runs) = synthetic::write(&synthetic::demo());
    let report = Report::new(&runs);
    insta::assert_snapshot!("page", visible_text(&report.html().expect("a page")));
    insta::assert_snapshot!("table-markdown", report.markdown());
    insta::assert_snapshot!("table-latex", report.latex());
    insta::assert_snapshot!("readings", report.readings().join("\n\n"));
    // The first rows show the columns and the form of the numbers.
    let rows: Vec<String> = report.csv().lines().take(40).map(str::to_owned).collect();
    insta::assert_snapshot!("scores-csv", rows.join("\n"));
}
