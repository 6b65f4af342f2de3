use crate::chunk::Step;
use crate::plan::Plan;
use crate::{EvaluationError, Event, Phase, Result, chunk, finish};
use hard_imagenet_datasets::Dataset;
use hard_imagenet_metrics::{MAP, Record};
use hard_imagenet_models::Model;
use hard_imagenet_perturbations::Preset;
use hard_imagenet_runs::{Protocol, Quirks, Run, RunError, RunFolder};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

/// Images a forward pass unless told otherwise.
const BATCH_SIZE: usize = 32;

/// Who hears of the progress, and may break off.
type Listener<'a> = Box<dyn FnMut(&Event<'_>) -> ControlFlow<()> + 'a>;

/// An evaluation to be run: what is asked of any model on one dataset.
pub struct Evaluation<'a> {
    dataset: &'a dyn Dataset,
    protocol: Protocol,
    quirks: Quirks,
    seed: u64,
    batch_size: usize,
    shard: (usize, usize),
    listener: Listener<'a>,
}

impl<'a> Evaluation<'a> {
    /// The paper's protocol with the quirks of the published code, seed 0, 32 images a batch, in one shard.
    pub fn new(dataset: &'a dyn Dataset) -> Self {
        Self {
            dataset,
            protocol: Protocol::paper(),
            quirks: Quirks::from(Preset::Paper),
            seed: 0,
            batch_size: BATCH_SIZE,
            shard: (0, 1),
            listener: Box::new(|_| ControlFlow::Continue(())),
        }
    }

    /// What is asked.
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// Sets every switch to the published code or to the method.
    pub fn preset(self, preset: Preset) -> Self {
        self.quirks(Quirks::from(preset))
    }

    /// Sets the switches one by one.
    pub fn quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        self
    }

    /// Seed of the noise.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Most images in one forward pass, at least 1.
    pub fn batch_size(mut self, images: usize) -> Self {
        self.batch_size = images;
        self
    }

    /// Computes only every `count`-th part of the run, beginning with part `index`. Shards may share a folder, on
    /// one machine or several: whoever finishes last finds the run complete.
    pub fn shard(mut self, index: usize, count: usize) -> Self {
        self.shard = (index, count);
        self
    }

    /// Calls `listener` now and then, at least after every batch. [`ControlFlow::Break`] ends the run where it
    /// stands; what is in the folder stays and the next run goes on from there.
    pub fn progress(mut self, listener: impl FnMut(&Event<'_>) -> ControlFlow<()> + 'a) -> Self {
        self.listener = Box::new(listener);
        self
    }

    /// Evaluates `model` into `folder`, or what is missing there. A run that is complete afterwards also gets its
    /// `scores.json` and `gallery/`.
    ///
    /// Samples that cannot be decoded are recorded with their error. The result need not be complete: other shards
    /// may be missing, or the listener broke off.
    ///
    /// # Errors
    /// Before anything is computed: unknown words, classes that do not match, a folder that holds another run or
    /// cannot be written. Later: a model that cannot be run, a full disk.
    pub fn run(&mut self, model: &Model, folder: impl AsRef<Path>) -> Result<Run> {
        let (index, count) = self.shard;
        if index >= count {
            return Err(option(format!("shard {index} of {count} does not exist; count from 0, below {count}")));
        }
        if self.batch_size == 0 {
            return Err(option("a batch of 0 images gets nowhere; take at least 1".to_owned()));
        }
        let plan = Plan::new(self.dataset, model, &self.protocol, self.quirks, self.seed, self.batch_size)?;
        let folder = RunFolder::new(folder);
        folder.begin(&plan.description)?;
        let parts: Vec<usize> = (index..plan.description.parts()).step_by(count).collect();
        folder.remove_leftovers(&parts)?;
        let todo = missing(&plan, &folder, &parts, &mut self.listener)?;
        let flow = evaluate(&plan, &folder, &parts, &todo, &mut self.listener)?;
        let run = Run::open(folder.path())?;
        let finished = todo.is_empty() && folder.has(RunFolder::SCORES) && folder.has(RunFolder::GALLERY);
        if flow.is_continue() && run.is_complete() && !finished {
            finish::finish(&plan, &folder, &run, &mut self.listener)?;
        }
        Ok(run)
    }
}

fn option(message: String) -> EvaluationError {
    EvaluationError::Option { message }
}

/// The parts that are not in the folder. A damaged one is told of and removed.
fn missing(plan: &Plan<'_>, folder: &RunFolder, parts: &[usize], listener: &mut Listener<'_>) -> Result<Vec<usize>> {
    let mut missing = Vec::new();
    for &part in parts {
        let reason = match folder.read_part(part) {
            Ok(Some(records)) if holds(plan, part, &records) => continue,
            Ok(Some(_)) => Some("it holds records of other samples or conditions".to_owned()),
            Ok(None) => None,
            Err(RunError::Damaged { reason, .. }) => Some(reason),
            Err(error) => return Err(error.into()),
        };
        missing.push(part);
        if let Some(reason) = reason {
            // Whether to break off is asked again before anything is computed.
            let _ = listener(&Event::DamagedPart { path: &folder.part_path(part), reason: &reason });
            folder.remove_part(part)?;
        }
    }
    Ok(missing)
}

/// Computes the parts `todo` of those that are this shard's, each written as soon as it is done.
fn evaluate(
    plan: &Plan<'_>,
    folder: &RunFolder,
    parts: &[usize],
    todo: &[usize],
    listener: &mut Listener<'_>,
) -> Result<ControlFlow<()>> {
    let start = Instant::now();
    let samples = |part: usize| plan.description.samples_of(part);
    let pictures = |part: usize| samples(part).len() * plan.description.protocol.images_per_sample();
    let total: usize = parts.iter().map(|&part| pictures(part)).sum();
    let resumed = total - todo.iter().map(|&part| pictures(part)).sum::<usize>();
    let tell = |listener: &mut Listener<'_>, done| {
        listener(&Event::Progress { phase: Phase::Evaluate, done, total, resumed, elapsed: start.elapsed() })
    };
    let mut done = resumed;
    if tell(listener, done).is_break() {
        return Ok(ControlFlow::Break(()));
    }

    let prepare = |&part: &usize| (part, plan.prepare_all(samples(part)));
    let mut current = todo.first().map(prepare);
    let mut following = todo.iter().skip(1);
    while let Some((part, prepared)) = current {
        let upcoming = following.next();
        let mut next = None;
        let before = done;
        // While the model computes, the next chunk is decoded.
        let records = rayon::in_place_scope(|scope| {
            scope.spawn(|_| next = upcoming.map(prepare));
            chunk::evaluate(plan, samples(part), prepared, &mut |step| match step {
                Step::Pictures(pictures) => {
                    done += pictures;
                    tell(listener, done)
                }
                Step::Explaining { explainer, done, of } => listener(&Event::Explaining { explainer, done, of }),
            })
        })?;
        let Some(records) = records else { return Ok(ControlFlow::Break(())) };
        folder.write_part(part, &records)?;
        let mut stop = false;
        for (sample, error) in records.iter().filter_map(|r| Some((r.sample.as_str(), r.error.as_deref()?))) {
            stop |= listener(&Event::BadSample { sample, error }).is_break();
        }
        // Samples that failed count as well.
        done = before + pictures(part);
        if tell(listener, done).is_break() || stop {
            return Ok(ControlFlow::Break(()));
        }
        current = next;
    }
    Ok(ControlFlow::Continue(()))
}

/// Are these the records of that part?
fn holds(plan: &Plan<'_>, part: usize, records: &[Record]) -> bool {
    let mut rest = records.iter();
    for sample in plan.description.samples_of(part) {
        let id = plan.dataset.id(sample);
        if rest.as_slice().first().is_some_and(|record| record.error.is_some()) {
            if rest.next().is_none_or(|record| record.sample != id) {
                return false;
            }
            continue;
        }
        for condition in &plan.conditions {
            for trial in 0..condition.trials {
                let expected = |r: &Record| r.sample == id && r.condition == condition.id && r.trial == trial;
                if !rest.next().is_some_and(expected) {
                    return false;
                }
            }
        }
        for explainer in plan.explainers.iter().skip(1) {
            let word = |r: &Record| r.condition.strip_prefix(MAP) == Some(explainer.word.as_str());
            if !rest.next().is_some_and(|r| r.sample == id && word(r)) {
                return false;
            }
        }
    }
    rest.next().is_none()
}
