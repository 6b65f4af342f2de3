//! Checks the links of all Markdown files.

use crate::markdown::{anchors, links};
use crate::run::{Result, files, root};
use std::path::Path;

/// Where this repository is published. Links to it are checked against the files here.
const PUBLISHED: [&str; 2] = [
    "https://github.com/hard-imagenet/hard-imagenet/blob/main/",
    "https://github.com/hard-imagenet/hard-imagenet/tree/main/",
];

/// Fails if a link points at a file or heading that does not exist. Other sites are not asked.
pub(crate) fn run() -> Result<()> {
    let (checked, broken) = check()?;
    if !broken.is_empty() {
        return Err(broken.join("\n").into());
    }
    println!("{checked} links point at what they should");
    Ok(())
}

/// Returns the number of links to files of this repository and a line for each broken one.
fn check() -> Result<(usize, Vec<String>)> {
    let root = root();
    let (mut checked, mut broken) = (0, Vec::new());
    for file in files(&root, &|name| name.ends_with(".md"))? {
        let text = std::fs::read_to_string(&file)?;
        for (line, target) in links(&text) {
            let place = format!("{}:{line}", file.strip_prefix(&root)?.display());
            let published = PUBLISHED.iter().find_map(|site| target.strip_prefix(site));
            if published.is_none() && (target.contains("://") || target.starts_with("mailto:")) {
                continue;
            }
            checked += 1;
            let (path, anchor) = target.split_once('#').map_or((target.as_str(), None), |(path, a)| (path, Some(a)));
            let folder = file.parent().unwrap_or(&root);
            let path = match (published, path) {
                (Some(_), path) => {
                    let path = PUBLISHED.iter().find_map(|site| path.strip_prefix(site)).unwrap_or(path);
                    root.join(path)
                }
                (None, "") => file.clone(),
                (None, path) => folder.join(path),
            };
            if let Some(fault) = fault(&path, anchor)? {
                broken.push(format!("{place}: {target}: {fault}"));
            }
        }
    }
    Ok((checked, broken))
}

/// Returns what is wrong with a link to a file, or to a heading in it.
fn fault(path: &Path, anchor: Option<&str>) -> Result<Option<&'static str>> {
    if !path.exists() {
        return Ok(Some("no such file"));
    }
    match anchor {
        Some(anchor) if path.extension().is_some_and(|ending| ending == "md") => {
            let known = anchors(&std::fs::read_to_string(path)?);
            Ok((!known.iter().any(|known| known == anchor)).then_some("no such heading"))
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_link_points_at_a_file() {
        let (checked, broken) = super::check().unwrap();
        assert!(checked > 50);
        assert!(broken.is_empty(), "{}", broken.join("\n"));
    }

    #[test]
    fn code_in_readmes_and_the_guide_is_tested() {
        let root = crate::run::root();
        let tested = std::fs::read_to_string(root.join("examples/lib.rs")).unwrap();
        let folders =
            ["crates", "docs"].map(|folder| crate::run::files(&root.join(folder), &|name| name.ends_with(".md")));
        for page in folders.into_iter().flat_map(Result::unwrap) {
            let path = page.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
            let has_code = std::fs::read_to_string(&page).unwrap().contains("```rust");
            assert!(!has_code || tested.contains(&format!("../{path}")), "examples/lib.rs does not test {path}");
        }
    }

    #[test]
    fn every_page_is_a_chapter_of_the_guide() {
        let docs = crate::run::root().join("docs");
        let summary = std::fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
        for page in crate::run::files(&docs, &|name| name.ends_with(".md") && name != "SUMMARY.md").unwrap() {
            let name = page.file_name().unwrap().to_string_lossy().into_owned();
            assert!(summary.contains(&format!("({name})")), "{name} is in no chapter");
        }
    }
}
