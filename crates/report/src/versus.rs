//! What a model has on one dataset that it has not on another: the third block of the paper's tables.

use crate::page::{Entry, Page};
use crate::table::Column;
use hard_imagenet_metrics::{Contrast, Estimate, Unit, contrast};

/// The differences between the first dataset and another one, model by model.
pub(crate) struct Versus<'a> {
    /// "hard-imagenet − rival20".
    pub(crate) title: String,
    /// Place of the other dataset in the page's list.
    pub(crate) other: usize,
    pub(crate) rows: Vec<Row<'a>>,
}

/// One model on both.
pub(crate) struct Row<'a> {
    pub(crate) run: &'a Entry<'a>,
    pub(crate) contrast: Contrast,
}

impl Row<'_> {
    pub(crate) fn estimate(&self, column: &Column) -> Option<Estimate> {
        self.contrast.get(&column.metric.id, &column.condition)?.mean(column.metric.average)
    }
}

/// The unit of a difference: of shares it is points.
pub(crate) fn unit(unit: Unit) -> Unit {
    if unit == Unit::Percent { Unit::Points } else { unit }
}

/// The first dataset against each other one that shares a model with it.
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
