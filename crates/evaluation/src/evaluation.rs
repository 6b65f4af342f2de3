use crate::extensions::Extensions;
use crate::findings::Before;
use crate::parts::{self, Parts};
use crate::progress::Observer;
use crate::setup::{Request, Setup};
use crate::{EvaluationError, Event, Result, findings, finish};
use hard_imagenet_datasets::Dataset;
use hard_imagenet_findings::Finding;
use hard_imagenet_metrics::Metric;
use hard_imagenet_models::Model;
use hard_imagenet_perturbations::{Perturb, Preset};
use hard_imagenet_runs::{Protocol, Quirks, Run, RunFolder};
use hard_imagenet_saliency::Explain;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

/// The default number of images in a forward pass.
const BATCH_SIZE: usize = 32;

/// An evaluation to be run: what is asked of any model on one dataset.
///
/// What the crates do not have can be added: a [`perturbation`](Self::perturbation), an
/// [`explainer`](Self::explainer), a [`metric`](Self::metric). Each is treated like a built-in one.
pub struct Evaluation<'a> {
    dataset: &'a dyn Dataset,
    protocol: Protocol,
    quirks: Quirks,
    seed: u64,
    batch_size: usize,
    shard: (usize, usize),
    restart: bool,
    strict_inputs: bool,
    extensions: Extensions<'a>,
    observer: Observer<'a>,
}

impl<'a> Evaluation<'a> {
    /// Creates an evaluation of a dataset with the whole protocol of the paper, `Preset::Paper`, seed 0 and batches of 32
    /// images.
    pub fn new(dataset: &'a dyn Dataset) -> Self {
        Self {
            dataset,
            protocol: Protocol::paper(),
            quirks: Preset::Paper.into(),
            seed: 0,
            batch_size: BATCH_SIZE,
            shard: (0, 1),
            restart: false,
            strict_inputs: false,
            extensions: Extensions::default(),
            observer: Box::new(|_| ControlFlow::Continue(())),
        }
    }

    /// Sets the protocol: which conditions, trials and explainers.
    #[must_use]
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// Adds a perturbation that is not built in.
    ///
    /// It takes part like a built-in one: its images get records, its random numbers follow from the seed, and the run
    /// can be interrupted, resumed and shared. A protocol may name its id; otherwise its condition is added at the end of
    /// the protocol, with as many trials as the other random conditions have if it is random. `run.json` describes it,
    /// and a run that was started under another [`version`](Perturb::version) is refused.
    #[must_use]
    pub fn perturbation(mut self, perturb: impl Perturb + 'a) -> Self {
        self.extensions.perturbations.push(Arc::new(perturb));
        self
    }

    /// Adds an explainer that is not built in. A protocol may name its word, also with `@predicted` or `@CLASS`; otherwise
    /// it is added as the last explainer. `run.json` describes it, and a run that was started under another
    /// [`version`](Explain::version) is refused.
    #[must_use]
    pub fn explainer(mut self, explain: impl Explain + 'a) -> Self {
        self.extensions.explainers.push(Arc::new(explain));
        self
    }

    /// Adds a metric that is not built in to those in `scores.json`. Records do not depend on metrics, so a complete run
    /// can be opened with another metric, which then is computed from its records.
    #[must_use]
    pub fn metric(mut self, metric: impl Metric + 'a) -> Self {
        self.extensions.metrics.push(Arc::new(metric));
        self
    }

    /// Sets all switches to those of the published code or of the method.
    #[must_use]
    pub fn preset(self, preset: Preset) -> Self {
        self.quirks(preset.into())
    }

    /// Sets each switch.
    #[must_use]
    pub fn quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        self
    }

    /// Sets the seed of everything random.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the number of images in a forward pass. Another number changes how sums are rounded.
    #[must_use]
    pub fn batch_size(mut self, images: usize) -> Self {
        self.batch_size = images;
        self
    }

    /// Evaluates only every `count`-th part, starting from part `index`, so that several processes or machines share a
    /// folder.
    #[must_use]
    pub fn shard(mut self, index: usize, count: usize) -> Self {
        self.shard = (index, count);
        self
    }

    /// Removes the run in the folder, if there is one, and computes everything again. A shard removes only its own parts.
    #[must_use]
    pub fn restart(mut self, restart: bool) -> Self {
        self.restart = restart;
        self
    }

    /// Makes everything suspicious about the dataset, the model and its first results an error. All images and masks are
    /// decoded before the first part is computed.
    #[must_use]
    pub fn strict_inputs(mut self, strict: bool) -> Self {
        self.strict_inputs = strict;
        self
    }

    /// Calls `observer` after each step. Returning `Break` cancels the run; the parts that are complete are kept and the
    /// next run resumes there.
    #[must_use]
    pub fn progress(mut self, observer: impl FnMut(&Event<'_>) -> ControlFlow<()> + 'a) -> Self {
        self.observer = Box::new(observer);
        self
    }

    /// Checks everything that [`run`](Self::run) can refuse before it decodes an image: the options, the protocol, the classes
    /// and nodes of the model, and the run in the folder. Nothing is written.
    ///
    /// # Errors
    /// Returns the error that [`run`](Self::run) would return.
    pub fn check(&self, model: &Model, folder: impl AsRef<Path>) -> Result<()> {
        let setup = self.setup(model)?;
        if self.restart {
            return Ok(());
        }
        Ok(RunFolder::new(folder).check(&setup.description)?)
    }

    /// Resolves what is asked for.
    fn setup<'s>(&'s self, model: &'s Model) -> Result<Setup<'s>> {
        let (index, count) = self.shard;
        if index >= count {
            return Err(option(format!("shard {index} of {count} does not exist; count from 0, below {count}")));
        }
        if self.batch_size == 0 {
            return Err(option("a batch needs at least 1 image".to_owned()));
        }
        let request = Request {
            protocol: &self.protocol,
            quirks: self.quirks,
            seed: self.seed,
            batch_size: self.batch_size,
            extensions: &self.extensions,
        };
        Setup::new(self.dataset, model, &request)
    }

    /// Evaluates a model into a folder, or computes what is missing there. Returns the run, which is incomplete if it was
    /// canceled or if other shards are missing.
    ///
    /// A sample that cannot be evaluated becomes a record with an error.
    ///
    /// # Errors
    /// Returns an error
    /// - for options that cannot be used, and a protocol with unknown words
    /// - for a model whose classes are not those of the dataset, or that lacks a node to look from
    /// - [`RunError::OtherRun`](hard_imagenet_runs::RunError::OtherRun) for a folder with a run of something else
    /// - for files that cannot be read or written, and failures of the model
    pub fn run(&mut self, model: &Model, folder: impl AsRef<Path>) -> Result<Run> {
        // The observer is needed while the rest of the evaluation is borrowed.
        let mut observer = std::mem::replace(&mut self.observer, Box::new(|_| ControlFlow::Continue(())));
        let outcome = self.run_observed(model, &RunFolder::new(folder), &mut observer);
        self.observer = observer;
        outcome
    }

    fn run_observed(&self, model: &Model, folder: &RunFolder, observer: &mut Observer<'a>) -> Result<Run> {
        let setup = self.setup(model)?;
        let (index, count) = self.shard;
        let own: Vec<usize> = (index..setup.description.parts()).step_by(count).collect();
        // A run that is refused leaves the folder as it was.
        let clean = if self.strict_inputs { Some(self.require_clean(&setup, folder, observer)?) } else { None };
        self.begin(&setup, folder, &own)?;
        let Parts { mut records, missing, findings } = parts::load(&setup, folder, &own, observer)?;
        let before = match clean {
            Some(before) => before,
            None => findings::before(&setup, folder, missing.is_empty(), false)?,
        };
        let reported: Vec<Finding> = findings.iter().chain(before.all()).cloned().collect();
        let mut canceled = findings::report(&reported, observer);
        canceled = canceled || parts::evaluate(&setup, folder, &own, &missing, &mut records, observer)?.is_break();
        let run = Run::open_with_parts(folder.path(), records)?;
        let all = findings::after(&setup, folder, &run, before)?;
        let new: Vec<Finding> =
            all.iter().filter(|finding| reported.iter().all(|known| known.kind != finding.kind)).cloned().collect();
        canceled |= findings::report(&new, observer);
        if !canceled && run.is_complete() {
            let metrics = &self.extensions.metrics;
            if !missing.is_empty() || !finish::is_finished(folder, metrics, &all)? {
                finish::finish(&setup, folder, &run, metrics, &all, observer)?;
            }
        }
        Ok(run.with_findings(all))
    }

    /// Looks at all inputs, and returns an error if something about them is suspicious.
    fn require_clean(&self, setup: &Setup<'_>, folder: &RunFolder, observer: &mut Observer<'a>) -> Result<Before> {
        let before = findings::before(setup, folder, false, true)?;
        let found: Vec<Finding> = before.all().cloned().collect();
        if found.iter().any(|finding| finding.severity.is_suspicious()) {
            findings::report(&found, observer);
        }
        findings::refuse(setup, &found)?;
        Ok(before)
    }

    /// Makes the folder one of this run, and removes what an earlier run left there.
    fn begin(&self, setup: &Setup<'_>, folder: &RunFolder, own: &[usize]) -> Result<()> {
        let alone = self.shard.1 == 1;
        if self.restart && alone {
            folder.remove_run()?;
        }
        folder.begin(&setup.description)?;
        folder.remove_leftovers(own, alone)?;
        if self.restart && !alone {
            for &part in own.iter().filter(|&&part| folder.part_path(part).exists()) {
                folder.remove_part(part)?;
            }
        }
        Ok(())
    }
}

fn option(message: String) -> EvaluationError {
    EvaluationError::Option { message }
}
