use crate::RunInput;
use crate::page::Page;
use crate::versus::{Versus, versus};
use serde_json::{Map, Value, json};

/// Every score as JSON: an array with one object a run, whose `scores` is what `scores.json` holds. A run on the first
/// dataset has under `against` what it has more than the same model's runs on others.
pub fn json(runs: &[RunInput]) -> String {
    let page = Page::new(runs);
    let all = versus(&page);
    let against = |run: &RunInput| -> Vec<Value> {
        let of = |versus: &Versus| {
            let row = versus.rows.iter().find(|row| std::ptr::eq(row.run.input, run))?;
            Some(json!({ "dataset": page.datasets[versus.other], "differences": row.contrast.differences }))
        };
        all.iter().filter_map(of).collect()
    };
    let run = |run: &RunInput| {
        let facts: Map<String, Value> = run.facts.iter().map(|(k, v)| (k.clone(), v.clone().into())).collect();
        json!({
            "model": run.model,
            "dataset": run.dataset,
            "preset": run.preset,
            "facts": facts,
            "scores": run.scores,
            "against": against(run),
        })
    };
    format!("{:#}\n", Value::Array(runs.iter().map(run).collect()))
}
