//! The headline table: its columns, shared by every format.

use crate::page::{Entry, Page};
use hard_imagenet_metrics::{CLEAN, Estimate, MetricDescription, Unit};

/// One column of the headline table.
pub(crate) struct Column {
    /// The head above several columns: "Accuracy".
    pub(crate) group: String,
    /// The head of this column: "object gray".
    pub(crate) head: String,
    pub(crate) metric: MetricDescription,
    pub(crate) condition: String,
}

impl Column {
    pub(crate) fn estimate(&self, run: &Entry) -> Option<Estimate> {
        run.scores().headline(&self.metric.id, &self.condition)
    }

    pub(crate) fn unit(&self) -> Unit {
        self.metric.unit
    }

    /// Returns the full name: "Accuracy, object gray (%)".
    pub(crate) fn name(&self) -> String {
        let sign = match self.unit() {
            Unit::Percent => " (%)",
            Unit::Points => " (points)",
            Unit::Number => "",
        };
        format!("{}, {}{sign}", self.group, self.head)
    }
}

/// Returns the columns: accuracy on unchanged and on changed images, the drop of the representative ablation, RFS, saliency, and the
/// metrics that are not built in. Columns without a value in any run are absent.
pub(crate) fn columns(page: &Page) -> Vec<Column> {
    let column = |group: &str, metric: &str, condition: &str, head: Option<&str>| {
        let head = head.map_or_else(|| page.condition(condition), str::to_owned);
        Some(Column { group: group.to_owned(), head, metric: page.metric(metric)?, condition: condition.to_owned() })
    };
    let mut columns: Vec<Option<Column>> =
        page.conditions().iter().map(|condition| column("Accuracy", "accuracy", condition, None)).collect();
    columns.extend(page.ablation.iter().map(|ablation| column("Drop", "drop", ablation, None)));
    columns.extend(page.noise.iter().map(|noise| column("RFS", "rfs", noise, None)));
    columns.push(column("Saliency", "iou", CLEAN, Some("IoU")));
    columns.push(column("Saliency", "delta-density", CLEAN, Some("Δ density")));
    for metric in page.further_metrics() {
        let conditions = page.conditions().into_iter().chain(page.noise.clone());
        columns.extend(conditions.map(|condition| column(&metric.title, &metric.id, &condition, None)));
    }
    let mut columns: Vec<Column> = columns.into_iter().flatten().collect();
    columns.retain(|column| page.runs.iter().any(|run| column.estimate(run).is_some()));
    columns
}
