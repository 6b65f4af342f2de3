//! The headline table: its columns, shared by every format.

use crate::page::{Page, Run};
use crate::write;
use hard_imagenet_metrics::{CLEAN, Estimate, Unit, meta};

/// One column of the headline table.
pub(crate) struct Column {
    /// Over several columns: "Accuracy".
    pub(crate) group: &'static str,
    /// Over one: "object gray".
    pub(crate) head: String,
    pub(crate) metric: &'static str,
    pub(crate) condition: String,
    pub(crate) unit: Unit,
}

impl Column {
    pub(crate) fn estimate(&self, run: &Run) -> Option<Estimate> {
        run.scores().headline(self.metric, &self.condition)
    }

    /// "Accuracy, object gray (%)"
    pub(crate) fn name(&self) -> String {
        let sign = match self.unit {
            Unit::Percent => " (%)",
            Unit::Points => " (points)",
            Unit::Number => "",
        };
        format!("{}, {}{sign}", self.group, self.head)
    }
}

/// Accuracy clean and changed, the drop that stands for all, RFS, alignment. Columns that no run has are left out.
pub(crate) fn columns(page: &Page) -> Vec<Column> {
    let column = |group, metric: &'static str, condition: &str, head: Option<&str>| Column {
        group,
        head: head.map_or_else(|| write::condition(condition), str::to_owned),
        metric,
        condition: condition.to_owned(),
        unit: meta(metric).map_or(Unit::Number, |m| m.unit),
    };
    let mut columns: Vec<Column> =
        page.conditions().iter().map(|condition| column("Accuracy", "accuracy", condition, None)).collect();
    columns.extend(page.ablation.iter().map(|ablation| column("Drop", "drop", ablation, None)));
    columns.extend(page.noise.iter().map(|noise| column("RFS", "rfs", noise, None)));
    columns.push(column("Saliency", "iou", CLEAN, Some("IoU")));
    columns.push(column("Saliency", "delta-density", CLEAN, Some("Δ density")));
    columns.retain(|c| page.runs.iter().any(|run| c.estimate(run).is_some()));
    columns
}
