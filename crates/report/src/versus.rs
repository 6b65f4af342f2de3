//! Differences between datasets for the same model: the third block of the paper's tables.

use crate::page::{Entry, Page};
use crate::table::Column;
use hard_imagenet_metrics::{Contrast, Estimate, Unit, contrast};

/// The differences between the first dataset and another one, model by model.
pub(crate) struct Versus<'a> {
    /// The title: "hard-imagenet − rival20".
    pub(crate) title: String,
    /// The index of the other dataset in the page's list.
    pub(crate) other: usize,
    pub(crate) rows: Vec<Row<'a>>,
}

/// One model on both datasets.
pub(crate) struct Row<'a> {
    pub(crate) run: &'a Entry<'a>,
    pub(crate) contrast: Contrast,
}

impl Row<'_> {
    pub(crate) fn estimate(&self, column: &Column) -> Option<Estimate> {
        self.contrast.get(&column.metric.id, &column.condition)?.mean(column.metric.average)
    }
}

/// Returns the unit of a difference: a difference of shares is in points.
pub(crate) fn unit(unit: Unit) -> Unit {
    if unit == Unit::Percent { Unit::Points } else { unit }
}

/// Compares the first dataset with each other dataset that shares a model with it.
pub(crate) fn versus<'a>(page: &'a Page<'a>) -> Vec<Versus<'a>> {
    let against = |other: usize| {
        let rows: Vec<Row<'a>> = page
            .runs
            .iter()
            .filter(|run| run.dataset == 0)
            .filter_map(|run| {
                let second = page.at(run.model, other)?;
                Some(Row { run, contrast: contrast(run.scores(), second.scores()) })
            })
            .collect();
        let title = format!("{} − {}", page.datasets[0], page.datasets[other]);
        (!rows.is_empty()).then_some(Versus { title, other, rows })
    };
    (1..page.datasets.len()).filter_map(against).collect()
}
