//! The little of Markdown that links need.

/// Returns the targets of the links and images in a text, with their line numbers from 1. Skips code.
pub(crate) fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let line = without_code(line);
        let mut rest = line.as_str();
        while let Some(start) = rest.find("](") {
            rest = &rest[start + 2..];
            let Some(end) = rest.find(')') else { break };
            // A title may follow the target.
            let target = rest[..end].split_whitespace().next().unwrap_or_default();
            found.push((number, target.to_owned()));
            rest = &rest[end..];
        }
    }
    found
}

/// Returns the anchors of a text's headings, as GitHub and mdBook write them.
pub(crate) fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).into_iter().filter_map(|(_, line)| {
        let heading = line.trim_start_matches('#');
        (heading.len() < line.len() && heading.starts_with(' ')).then(|| anchor(heading.trim()))
    });
    headings.collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// Returns the lines outside fenced code, with their numbers from 1.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut in_code = false;
    let mut lines = Vec::new();
    for (i, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            lines.push((i + 1, line));
        }
    }
    lines
}

fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("x")
}

#[cfg(test)]
mod tests {
    use super::{anchors, links};

    #[test]
    fn links_in_code_do_not_count() {
        let text = "See [a](one.md) and ![b](two.png \"title\").\n```\n[no](no.md)\n```\n`[no](no.md)` but [`x`](three.md#four)";
        let expected = [(1, "one.md"), (1, "two.png"), (5, "three.md#four")];
        assert_eq!(links(text), expected.map(|(line, target)| (line, target.to_owned())));
    }

    #[test]
    fn anchors_are_lower_case_with_hyphens() {
        assert_eq!(
            anchors("# How it is checked\n#![no]\n## A model, or `two`"),
            ["how-it-is-checked", "a-model-or-two"]
        );
    }
}
