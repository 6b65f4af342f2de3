//! What was run, as names and values.

use crate::scored::ScoredRun;

/// Returns the facts about a run, in the order in which they are shown.
pub(crate) fn facts(scored: &ScoredRun) -> Vec<(String, String)> {
    let description = scored.description();
    let protocol = &description.protocol;
    let conditions: Vec<&str> = protocol.conditions.iter().map(|condition| condition.id.as_str()).collect();
    let mut facts = vec![
        ("samples", description.dataset.samples.to_string()),
        ("images per sample", protocol.images_per_sample().to_string()),
        ("conditions", conditions.join(", ")),
        ("explainers", if protocol.explainers.is_empty() { "none".into() } else { protocol.explainers.join(", ") }),
        ("weights (sha256)", description.weights_sha256.clone()),
        ("precision", description.dtype.clone()),
        ("seed", description.seed.to_string()),
        ("version", description.version.clone()),
    ];
    let stated = description.perturbations.iter().map(|one| (&one.id, &one.version));
    let stated: Vec<String> = stated
        .chain(description.explainers.iter().map(|one| (&one.id, &one.version)))
        .map(|(id, version)| format!("{id} (version {version})"))
        .collect();
    if !stated.is_empty() {
        facts.push(("not built in", stated.join(", ")));
    }
    facts.extend(missing(scored).map(|missing| ("incomplete", missing)));
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Says which parts of a run are missing; `None` if it is complete.
pub(crate) fn missing(scored: &ScoredRun) -> Option<String> {
    let (missing, all) = (scored.run.missing_parts().len(), scored.description().parts());
    let text = || format!("{missing} of {all} parts are missing; run the same command again to resume");
    (missing > 0).then(text)
}
