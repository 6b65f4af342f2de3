//! Tables in `docs/` that a command measures.
//!
//! The command prints each table between the comments `<!-- begin: NAME -->` and `<!-- end: NAME -->`; the page has the same
//! comments, and what stands between them is replaced.

use crate::run::{Result, command, files, output, root};

/// A command and the tables that it prints.
struct Source {
    name: &'static str,
    about: &'static str,
    /// Commands before the one that prints.
    before: &'static [&'static [&'static str]],
    command: &'static [&'static str],
}

const SOURCES: [Source; 8] = [
    Source {
        name: "guide",
        about: "lists of the code that the guide shows: datasets, conditions, explainers, metrics",
        before: &[],
        command: &["cargo", "run", "--quiet", "-p", "hard-imagenet-examples", "--bin", "guide-tables"],
    },
    Source {
        name: "build",
        about: "processor time of a release build, crate by crate",
        before: &[],
        command: &["python3", "benches/build.py"],
    },
    Source {
        name: "networks",
        about: "networks on the CPU in turns with torch, torch.compile, ONNX Runtime and OpenVINO",
        before: &[],
        command: &["python3", "benches/compare_cpu.py"],
    },
    Source {
        name: "gpu",
        about: "networks on a GPU beside torch (HARD_IMAGENET_DEVICE=cuda:0)",
        before: &[&[
            "cargo",
            "bench",
            "-p",
            "hard-imagenet-benches",
            "--bench",
            "devices",
            "--features",
            "networks,hard-imagenet/cudnn",
        ]],
        command: &["python3", "benches/compare_gpu.py", "target/criterion"],
    },
    Source {
        name: "kernels",
        about: "masks, images, perturbations and metrics beside Python (PUBLISHED=FOLDER adds the published code)",
        before: &[],
        command: &["python3", "benches/compare.py", "--quick", "--rounds", "3"],
    },
    Source {
        name: "finetuning",
        about: "objectives of finetuning on planted cues, twenty minutes",
        before: &[],
        command: &[
            "cargo",
            "run",
            "--release",
            "-p",
            "hard-imagenet-examples",
            "--bin",
            "finetune-planted",
            "--",
            "all",
        ],
    },
    Source {
        name: "records",
        about: "columns of the records",
        before: &[],
        command: &["cargo", "run", "-p", "hard-imagenet-runs", "--example", "columns"],
    },
    Source {
        name: "calibration",
        about: "which scores to trust, an hour; the study resumes in runs/calibration",
        before: &[&[
            "cargo",
            "run",
            "--release",
            "-p",
            "hard-imagenet-examples",
            "--bin",
            "calibrate-planted",
            "--",
            "runs/calibration",
        ]],
        command: &["cat", "runs/calibration/tables.md"],
    },
];

/// Measures the named tables and writes them into the pages that show them. Without names, lists them.
pub(crate) fn run(names: &[&str]) -> Result<()> {
    if names.is_empty() {
        for source in &SOURCES {
            println!("{:12} {}", source.name, source.about);
        }
    }
    for name in names {
        let source = SOURCES.iter().find(|source| source.name == *name);
        let source = source.ok_or_else(|| format!("no tables are called {name:?}; cargo xtask tables lists them"))?;
        for before in source.before {
            crate::run::run(&mut command(before[0], &before[1..]))?;
        }
        write(&output(&mut command(source.command[0], &source.command[1..]))?)?;
    }
    Ok(())
}

/// Writes the tables in files that hold what a command printed.
pub(crate) fn write_from(paths: &[&str]) -> Result<()> {
    for path in paths {
        write(&std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?)?;
    }
    Ok(())
}

/// Writes every marked table of a text into each page of `docs/` that has its markers.
fn write(printed: &str) -> Result<()> {
    let tables = tables(printed)?;
    if tables.is_empty() {
        return Err("the command printed no table between markers".into());
    }
    for page in files(&root().join("docs"), &|name| name.ends_with(".md"))? {
        let before = std::fs::read_to_string(&page)?;
        let mut after = before.clone();
        for (name, table) in &tables {
            after = replace(&after, name, table)?;
        }
        if after != before {
            std::fs::write(&page, after)?;
            println!("{}", page.display());
        }
    }
    Ok(())
}

fn markers(name: &str) -> (String, String) {
    (format!("<!-- begin: {name} -->\n"), format!("<!-- end: {name} -->\n"))
}

/// Returns name and content of everything between markers.
fn tables(text: &str) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("<!-- begin: ") {
        rest = &rest[start + "<!-- begin: ".len()..];
        let name = rest.split_once(" -->").ok_or("a marker does not end")?.0;
        let (begin, end) = markers(name);
        let inner = rest.get(begin.len() - "<!-- begin: ".len()..).ok_or("a marker stands at the end")?;
        let length = inner.find(&end).ok_or_else(|| format!("the end of {name} is missing"))?;
        found.push((name.to_owned(), inner[..length].to_owned()));
        rest = &inner[length..];
    }
    Ok(found)
}

/// Replaces what stands between the markers of a name, if the text has them.
fn replace(text: &str, name: &str, table: &str) -> Result<String> {
    let (begin, end) = markers(name);
    let Some(start) = text.find(&begin) else { return Ok(text.to_owned()) };
    let start = start + begin.len();
    let length = text[start..].find(&end).ok_or_else(|| format!("the end of {name} is missing"))?;
    Ok(format!("{}{table}{}", &text[..start], &text[start + length..]))
}

#[cfg(test)]
mod tests {
    use super::{replace, tables};

    #[test]
    fn a_table_replaces_what_stands_between_its_markers() {
        let printed =
            "noise\n<!-- begin: a -->\n| new |\n<!-- end: a -->\n<!-- begin: b -->\n| other |\n<!-- end: b -->\n";
        let found = tables(printed).unwrap();
        assert_eq!(found[0], ("a".to_owned(), "| new |\n".to_owned()));
        assert_eq!(found[1].1, "| other |\n");
        let page = "# Page\n<!-- begin: a -->\n| old |\n<!-- end: a -->\nmore\n";
        let page = replace(page, &found[0].0, &found[0].1).unwrap();
        assert_eq!(page, "# Page\n<!-- begin: a -->\n| new |\n<!-- end: a -->\nmore\n");
        assert_eq!(replace(&page, "b", "| other |\n").unwrap(), page);
        assert!(tables("<!-- begin: a -->\n| cut off |\n").is_err());
    }

    #[test]
    fn the_markers_of_every_page_match() {
        for page in crate::run::files(&crate::run::root().join("docs"), &|name| name.ends_with(".md")).unwrap() {
            let text = std::fs::read_to_string(&page).unwrap();
            let found = tables(&text).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
            assert_eq!(found.len(), text.matches("<!-- end: ").count(), "{}", page.display());
        }
    }
}
