//! Everything that is suspicious about an evaluation, before it begins and after it ended.

use crate::content;
use crate::probe::{PROBED, probe};
use crate::progress::Observer;
use crate::setup::Setup;
use crate::{EvaluationError, Event, Result};
use hard_imagenet_datasets::Dataset;
use hard_imagenet_findings::{Finding, FindingKind, KINDS};
use hard_imagenet_images::PairedTransform;
use hard_imagenet_runs::{Run, RunFolder, check_results};

/// The number of samples whose content is looked at before the first part, unless inputs must be clean.
pub(crate) const FIRST: usize = 64;

/// What is known before the first part.
pub(crate) struct Before {
    /// About the dataset, the model and its first results.
    pub(crate) lasting: Vec<Finding>,
    /// About the content of the first samples. The content of all samples is known when all parts exist.
    pub(crate) first: Vec<Finding>,
}

impl Before {
    /// Iterates over everything that is known.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Finding> {
        self.lasting.iter().chain(&self.first)
    }
}

/// Collects what is suspicious about the dataset, the model and its first results.
///
/// If nothing is left to compute, the model is not asked, and what an earlier run found about its results is kept.
pub(crate) fn before(setup: &Setup<'_>, folder: &RunFolder, is_complete: bool, strict: bool) -> Result<Before> {
    let mut lasting: Vec<Finding> =
        setup.dataset.findings().into_iter().filter(|finding| finding.severity.is_suspicious()).collect();
    lasting.extend(setup.model.findings().iter().cloned());
    lasting.extend(setup.finding.clone());
    let stored: Option<Vec<Finding>> = if is_complete { folder.read_json(RunFolder::FINDINGS)? } else { None };
    if let Some(stored) = stored {
        let of_probe = |finding: &Finding| PROBED.iter().any(|kind| kind.id == finding.kind);
        merge(&mut lasting, stored.into_iter().filter(of_probe).collect());
        return Ok(Before { lasting, first: Vec::new() });
    }
    merge(&mut lasting, probe(setup)?);
    let count = if strict { setup.dataset.len() } else { FIRST };
    Ok(Before { lasting, first: content::look(setup.dataset, &setup.transform, count) })
}

/// Returns what is suspicious about a dataset: what was noticed when it was opened, and the content of the first `samples`
/// samples, spread over the classes, under a transform. An evaluation does the same by itself.
pub fn check_inputs(dataset: &dyn Dataset, transform: &PairedTransform, samples: usize) -> Vec<Finding> {
    let mut found: Vec<Finding> =
        dataset.findings().into_iter().filter(|finding| finding.severity.is_suspicious()).collect();
    merge(&mut found, content::look(dataset, transform, samples));
    found
}

/// Completes the findings by what the content of all parts and the records show. Writes them into the folder.
pub(crate) fn after(setup: &Setup<'_>, folder: &RunFolder, run: &Run, before: Before) -> Result<Vec<Finding>> {
    let mut found = content::summarize(setup, folder)?;
    merge(&mut found, check_results(run.description(), run.records()));
    merge(&mut found, before.lasting);
    if !run.is_complete() {
        merge(&mut found, before.first);
    }
    found.sort_by_key(|finding| (finding.severity, order(&finding.kind)));
    if folder.read_json::<Vec<Finding>>(RunFolder::FINDINGS)?.as_ref() != Some(&found) {
        folder.write_json(RunFolder::FINDINGS, &found)?;
    }
    Ok(found)
}

/// Adds the findings whose kind is not among the others.
fn merge(found: &mut Vec<Finding>, more: Vec<Finding>) {
    for finding in more {
        if found.iter().all(|known| known.kind != finding.kind) {
            found.push(finding);
        }
    }
}

/// The place of a kind in the list of all kinds.
fn order(kind: &str) -> usize {
    let mut all = KINDS.iter().flat_map(|(_, kinds)| kinds.iter());
    all.position(|known: &&FindingKind| known.id == kind).unwrap_or(usize::MAX)
}

/// Passes findings on to the caller; returns whether one of the reports canceled the run.
pub(crate) fn report(findings: &[Finding], observer: &mut Observer<'_>) -> bool {
    // Each finding is reported, whatever the answer to the one before it.
    let mut canceled = false;
    for finding in findings {
        canceled |= observer(&Event::Finding(finding)).is_break();
    }
    canceled
}

/// Returns an error if one of the findings is suspicious.
pub(crate) fn refuse(setup: &Setup<'_>, findings: &[Finding]) -> Result<()> {
    let suspicious: Vec<Finding> =
        findings.iter().filter(|finding| finding.severity.is_suspicious()).cloned().collect();
    if suspicious.is_empty() {
        return Ok(());
    }
    let (model, dataset) = (setup.model.spec().name.clone(), setup.dataset.info().name.clone());
    Err(EvaluationError::Suspicious { model, dataset, findings: suspicious })
}
