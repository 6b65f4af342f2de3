//! Perturbations, explainers and metrics that the caller brings.

use crate::{EvaluationError, Result};
use hard_imagenet_metrics::{MAP, Metric};
use hard_imagenet_perturbations::{Perturb, PerturbationKind};
use hard_imagenet_runs::{Condition, ExplainerDescription, PerturbationDescription, Protocol};
use hard_imagenet_saliency::Explain;
use std::sync::Arc;

/// Everything that an evaluation uses besides what is built in.
#[derive(Clone, Default)]
pub(crate) struct Extensions<'a> {
    pub(crate) perturbations: Vec<Arc<dyn Perturb + 'a>>,
    pub(crate) explainers: Vec<Arc<dyn Explain + 'a>>,
    pub(crate) metrics: Vec<Arc<dyn Metric + 'a>>,
}

impl<'a> Extensions<'a> {
    /// Returns the perturbation of an id.
    pub(crate) fn perturbation(&self, id: &str) -> Option<Arc<dyn Perturb + 'a>> {
        self.perturbations.iter().find(|perturb| perturb.id() == id).cloned()
    }

    /// Returns the explainer of a word.
    pub(crate) fn explainer(&self, word: &str) -> Option<Arc<dyn Explain + 'a>> {
        self.explainers.iter().find(|explain| explain.id() == word).cloned()
    }

    /// Describes the perturbations for `run.json`.
    pub(crate) fn describe_perturbations(&self) -> Vec<PerturbationDescription> {
        self.perturbations.iter().map(|perturb| PerturbationDescription::new(&**perturb)).collect()
    }

    /// Describes the explainers for `run.json`. Metrics are not listed there, because records do not depend on them.
    pub(crate) fn describe_explainers(&self) -> Vec<ExplainerDescription> {
        let describe = |explain: &Arc<dyn Explain + 'a>| ExplainerDescription {
            id: explain.id(),
            version: explain.version(),
            title: explain.title(),
            sentence: explain.sentence(),
        };
        self.explainers.iter().map(describe).collect()
    }

    /// Checks that ids are usable in records and file names, differ from each other, and are not built in.
    pub(crate) fn check(&self) -> Result<()> {
        let perturbations: Vec<String> = self.perturbations.iter().map(|perturb| perturb.id()).collect();
        let explainers: Vec<String> = self.explainers.iter().map(|explain| explain.id()).collect();
        let metrics: Vec<String> = self.metrics.iter().map(|metric| metric.meta().id.to_owned()).collect();
        check_ids("perturbation", &perturbations, |id| PerturbationKind::find(id).is_some())?;
        check_ids("explainer", &explainers, |id| hard_imagenet_saliency::parse(id).is_ok())?;
        check_ids("metric", &metrics, |id| hard_imagenet_metrics::meta(id).is_some())
    }

    /// Returns a protocol that uses every perturbation and explainer: those that it does not name are added at its end. A
    /// random perturbation gets as many trials as the other random conditions have.
    pub(crate) fn complete(&self, protocol: &Protocol) -> Protocol {
        let mut complete = protocol.clone();
        let most = protocol.conditions.iter().map(|condition| condition.trials).max().unwrap_or(1);
        for perturb in &self.perturbations {
            let id = perturb.id();
            if !complete.conditions.iter().any(|condition| condition.id == id) {
                complete.conditions.push(Condition { id, trials: if perturb.is_random() { most } else { 1 } });
            }
        }
        for word in self.explainers.iter().map(|explain| explain.id()) {
            let method = |known: &String| known.rsplit_once('@').map_or(known.as_str(), |(method, _)| method) == word;
            if !complete.explainers.iter().any(method) {
                complete.explainers.push(word);
            }
        }
        complete
    }
}

fn check_ids(kind: &str, ids: &[String], is_built_in: impl Fn(&str) -> bool) -> Result<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    for (at, id) in ids.iter().enumerate() {
        let reason = if id.is_empty() || !id.chars().all(allowed) || id.starts_with('.') {
            "an id consists of ASCII letters, digits, -, _, . and : and does not begin with a dot"
        } else if id.starts_with(MAP) || is_built_in(id) {
            "this id is taken by a built-in one; choose another"
        } else if ids[..at].contains(id) {
            "it was added twice"
        } else {
            continue;
        };
        return Err(EvaluationError::Option { message: format!("{kind} {id:?}: {reason}") });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_ids;

    #[test]
    fn ids_are_usable_and_distinct() {
        let check = |ids: &[&str], expected: Option<&str>| {
            let ids: Vec<String> = ids.iter().map(|&id| id.to_owned()).collect();
            let error = check_ids("perturbation", &ids, |id| id == "gray").err().map(|error| error.to_string());
            match expected {
                Some(expected) => assert!(error.as_ref().is_some_and(|error| error.contains(expected)), "{error:?}"),
                None => assert_eq!(error, None),
            }
        };
        check(&["mirror", "mirror:2", "invert.v2"], None);
        check(&["mirror", "mirror"], Some("added twice"));
        check(&["gray"], Some("built-in"));
        check(&["map:mirror"], Some("built-in"));
        for odd in ["", "../x", "a/b", "a b", ".."] {
            check(&[odd], Some("ASCII"));
        }
    }
}
