//! Mask statistics as text, for programs and for people.

use super::MaskStats;
use super::columns::{COLUMNS, classes};
use crate::csv::quote;
use crate::markdown::escape;
use std::fmt::Write;

/// Writes every mask as a line of comma-separated values in full precision. Undefined values are empty.
pub fn masks_csv(all: &[MaskStats]) -> String {
    let mut out = String::from("dataset,sample,class,centroid_row,centroid_column");
    COLUMNS.iter().for_each(|column| _ = write!(out, ",{}", column.id));
    out.push_str(",error\n");
    for stats in all {
        for row in &stats.masks {
            let names = [&stats.dataset, &row.sample, &stats.classes[row.class].name];
            out.push_str(&names.map(|name| quote(name)).join(","));
            let place = row.centroid.map_or([None; 2], |(down, right)| [Some(down), Some(right)]);
            for value in place.into_iter().chain(COLUMNS.iter().map(|column| (column.pick)(row))) {
                out.push(',');
                value.iter().for_each(|value| _ = write!(out, "{value}"));
            }
            let _ = writeln!(out, ",{}", quote(row.error.as_deref().unwrap_or_default()));
        }
    }
    out
}

/// Writes the means of each class as Markdown (GitHub's tables).
pub fn masks_markdown(all: &[MaskStats]) -> String {
    let mut out = String::from("# Masks\n");
    for stats in all {
        let _ = write!(out, "\n## {}\n\n| class | n |", escape(&stats.dataset));
        COLUMNS.iter().for_each(|column| _ = write!(out, " {} |", column.name()));
        let _ = writeln!(out, "\n|:--|--:|{}", "--:|".repeat(COLUMNS.len()));
        let mut row = |name: &str, class: Option<usize>| {
            let _ = write!(out, "| {} | {} |", escape(name), stats.count(class));
            COLUMNS.iter().for_each(|column| _ = write!(out, " {} |", column.text(stats, class)));
            out.push('\n');
        };
        classes(stats).into_iter().for_each(|class| row(&stats.classes[class].name, Some(class)));
        row("all", None);
        if stats.failed() > 0 {
            let _ = writeln!(out, "\n{} of {} masks could not be measured.", stats.failed(), stats.masks.len());
        }
    }
    out
}

/// Writes everything as JSON for [`masks_from_json`] and other programs: an array with one object for each dataset.
///
/// # Errors
/// Returns the errors of the serializer; the types here cause none.
pub fn masks_json(all: &[MaskStats]) -> serde_json::Result<String> {
    Ok(format!("{}\n", serde_json::to_string(all)?))
}

/// Reads the JSON of [`masks_json`].
///
/// # Errors
/// Returns an error if the text is not such JSON, or if a mask has a class that is not listed.
pub fn masks_from_json(text: &str) -> serde_json::Result<Vec<MaskStats>> {
    let all: Vec<MaskStats> = serde_json::from_str(text)?;
    let listed = |stats: &MaskStats| stats.masks.iter().all(|row| row.class < stats.classes.len());
    match all.iter().find(|stats| !listed(stats)) {
        None => Ok(all),
        Some(stats) => {
            let text = format!("a mask of {} has a class that is not listed", stats.dataset);
            Err(serde::de::Error::custom(text))
        }
    }
}
