use crate::facts::facts;
use crate::page::{Entry, Page};
use crate::versus::{Versus, versus};
use serde_json::{Map, Value, json};

/// Every score as JSON.
pub(crate) fn render(page: &Page) -> String {
    let all = versus(page);
    let against = |run: &Entry| -> Vec<Value> {
        let of = |versus: &Versus| {
            let row = versus.rows.iter().find(|row| std::ptr::eq(row.run, run))?;
            Some(json!({ "dataset": page.datasets[versus.other], "differences": row.contrast.differences }))
        };
        all.iter().filter_map(of).collect()
    };
    let run = |run: &Entry| {
        let facts: Map<String, Value> = facts(run.scored).into_iter().map(|(k, v)| (k, v.into())).collect();
        json!({
            "model": run.description().model,
            "dataset": run.dataset_name(),
            "preset": run.description().preset,
            "facts": facts,
            "findings": run.run().findings(),
            "scores": run.scores(),
            "against": against(run),
        })
    };
    format!("{:#}\n", Value::Array(page.runs.iter().map(run).collect()))
}
