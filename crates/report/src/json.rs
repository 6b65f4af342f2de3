use crate::RunInput;
use serde_json::{Map, Value, json};

/// Every score as JSON: an array with one object a run, whose `scores` is what `scores.json` holds.
pub fn json(runs: &[RunInput]) -> String {
    let run = |run: &RunInput| {
        let facts: Map<String, Value> = run.facts.iter().map(|(k, v)| (k.clone(), v.clone().into())).collect();
        json!({
            "model": run.model,
            "dataset": run.dataset,
            "preset": run.preset,
            "facts": facts,
            "scores": run.scores,
        })
    };
    format!("{:#}\n", Value::Array(runs.iter().map(run).collect()))
}
