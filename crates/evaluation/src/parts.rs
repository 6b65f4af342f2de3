//! The parts of a run: which ones exist, and computing the others.

use crate::progress::{Observer, Phase};
use crate::setup::Setup;
use crate::stages::decode::decode_all;
use crate::stages::evaluate as evaluate_part;
use crate::stages::interrupt::{Interrupt, Step};
use crate::{Event, Result, inputs};
use hard_imagenet_findings::Finding;
use hard_imagenet_metrics::{MAP, Record};
use hard_imagenet_runs::{RunError, RunFolder};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Instant;

/// The parts of one shard.
pub(crate) struct Parts {
    /// The records of the parts that exist.
    pub(crate) records: BTreeMap<usize, Vec<Record>>,
    /// The numbers of the parts that do not, or that were computed from other files.
    pub(crate) missing: Vec<usize>,
    /// What is worth a word about the parts that exist.
    pub(crate) findings: Vec<Finding>,
}

/// Reads the parts `own`, each once. A part that is damaged or belongs to another run is reported, removed and missing. A part
/// that was computed from other files is missing, but stays until it is replaced.
pub(crate) fn load(setup: &Setup<'_>, folder: &RunFolder, own: &[usize], observer: &mut Observer<'_>) -> Result<Parts> {
    let mut parts = Parts { records: BTreeMap::new(), missing: Vec::new(), findings: Vec::new() };
    for &part in own {
        let reason = match folder.read_part(part) {
            Ok(Some(records)) if is_complete(setup, part, &records) => {
                parts.records.insert(part, records);
                continue;
            }
            Ok(Some(_)) => Some("it holds records of other samples or conditions".to_owned()),
            Ok(None) => None,
            Err(RunError::Damaged { reason, .. }) => Some(reason),
            Err(error) => return Err(error.into()),
        };
        parts.missing.push(part);
        if let Some(reason) = reason {
            // Whether to cancel is asked again before anything is computed.
            let _ = observer(&Event::DamagedPart { path: &folder.part_path(part), reason: &reason });
            folder.remove_part(part)?;
        }
    }
    let (changed, findings) = inputs::verify(setup, folder, &parts.records, observer)?;
    parts.findings = findings;
    for part in changed {
        parts.records.remove(&part);
        parts.missing.push(part);
    }
    parts.missing.sort_unstable();
    Ok(parts)
}

/// Computes the `missing` parts of the shard's `own`, writes each as soon as it is complete, and adds it to `records`.
pub(crate) fn evaluate(
    setup: &Setup<'_>,
    folder: &RunFolder,
    own: &[usize],
    missing: &[usize],
    records: &mut BTreeMap<usize, Vec<Record>>,
    observer: &mut Observer<'_>,
) -> Result<ControlFlow<()>> {
    let mut progress = Progress::new(setup, own, missing, observer);
    if progress.report().is_break() {
        return Ok(ControlFlow::Break(()));
    }
    let decode = |&part: &usize| (part, decode_all(setup, setup.description.samples_of(part)));
    let mut current = missing.first().map(decode);
    let mut following = missing.iter().skip(1);
    while let Some((part, decoded)) = current {
        let upcoming = following.next();
        let mut next = None;
        let before = progress.done;
        // While the model computes, the next part is decoded.
        let computed = rayon::in_place_scope(|scope| {
            scope.spawn(|_| next = upcoming.map(decode));
            let samples = setup.description.samples_of(part);
            evaluate_part(setup, samples, decoded.samples, &mut |step| progress.step(&step))
        });
        let of_part = match computed {
            Ok(records) => records,
            Err(Interrupt::Canceled) => return Ok(ControlFlow::Break(())),
            Err(Interrupt::Failed(error)) => return Err(*error),
        };
        // In this order, records never lack what they were computed from.
        folder.write_inputs(part, &decoded.inputs)?;
        folder.write_part(part, &of_part)?;
        let canceled = progress.report_errors(&of_part);
        records.insert(part, of_part);
        // The images of samples that failed count as well.
        progress.done = before + images(setup, part);
        if progress.report().is_break() || canceled {
            return Ok(ControlFlow::Break(()));
        }
        current = next;
    }
    Ok(ControlFlow::Continue(()))
}

/// The number of images of a part.
fn images(setup: &Setup<'_>, part: usize) -> usize {
    setup.description.samples_of(part).len() * setup.description.protocol.images_per_sample()
}

/// Counts images and reports them.
struct Progress<'p, 'o> {
    observer: &'p mut Observer<'o>,
    start: Instant,
    done: usize,
    total: usize,
    resumed: usize,
}

impl<'p, 'o> Progress<'p, 'o> {
    fn new(setup: &Setup<'_>, own: &[usize], missing: &[usize], observer: &'p mut Observer<'o>) -> Self {
        let count = |parts: &[usize]| parts.iter().map(|&part| images(setup, part)).sum::<usize>();
        let (total, missing) = (count(own), count(missing));
        Self { observer, start: Instant::now(), done: total - missing, total, resumed: total - missing }
    }

    fn report(&mut self) -> ControlFlow<()> {
        let Self { done, total, resumed, .. } = *self;
        (self.observer)(&Event::Progress {
            phase: Phase::Evaluate,
            done,
            total,
            resumed,
            elapsed: self.start.elapsed(),
        })
    }

    fn step(&mut self, step: &Step<'_>) -> ControlFlow<()> {
        match *step {
            Step::Answered(images) => {
                self.done += images;
                self.report()
            }
            Step::Explaining { explainer, done, of } => (self.observer)(&Event::Explaining { explainer, done, of }),
        }
    }

    /// Reports each sample that failed; returns whether one of the reports canceled the run.
    fn report_errors(&mut self, records: &[Record]) -> bool {
        let mut canceled = false;
        for (sample, error) in records.iter().filter_map(|r| Some((r.sample.as_str(), r.error.as_deref()?))) {
            canceled |= (self.observer)(&Event::BadSample { sample, error }).is_break();
        }
        canceled
    }
}

/// Returns whether these are the records of that part.
fn is_complete(setup: &Setup<'_>, part: usize, records: &[Record]) -> bool {
    let mut rest = records.iter();
    for sample in setup.description.samples_of(part) {
        let id = setup.dataset.id(sample);
        if rest.as_slice().first().is_some_and(|record| record.error.is_some()) {
            if rest.next().is_none_or(|record| record.sample != id) {
                return false;
            }
            continue;
        }
        for condition in &setup.conditions {
            for trial in 0..condition.trials {
                let expected = |r: &Record| r.sample == id && r.condition == condition.id && r.trial == trial;
                if !rest.next().is_some_and(expected) {
                    return false;
                }
            }
        }
        for explainer in setup.explainers.iter().skip(1) {
            let word = |r: &Record| r.condition.strip_prefix(MAP) == Some(explainer.word.as_str());
            if !rest.next().is_some_and(|r| r.sample == id && word(r)) {
                return false;
            }
        }
    }
    rest.next().is_none()
}
