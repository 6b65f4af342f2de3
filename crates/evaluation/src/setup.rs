//! What a run will do, checked before it starts.

use crate::error::invalid;
use crate::extensions::Extensions;
use crate::labels::{Labels, match_labels};
use crate::resolve::{Change, Explainer, Target, resolve_condition, resolve_explainer};
use crate::{EvaluationError, Result, donor};
use hard_imagenet_datasets::Dataset;
use hard_imagenet_findings::Finding;
use hard_imagenet_images::PairedTransform;
use hard_imagenet_metrics::CLEAN;
use hard_imagenet_models::Model;
use hard_imagenet_perturbations::NoiseKey;
use hard_imagenet_runs::{
    Condition, DatasetDescription, LabelSpace, ModelDescription, Protocol, Quirks, RunDescription,
};

/// What the caller asks for, apart from the dataset and the model.
pub(crate) struct Request<'r, 'a> {
    pub(crate) protocol: &'r Protocol,
    pub(crate) quirks: Quirks,
    pub(crate) seed: u64,
    pub(crate) batch_size: usize,
    pub(crate) extensions: &'r Extensions<'a>,
}

/// A protocol with its words resolved, for one dataset and one model.
pub(crate) struct Setup<'a> {
    pub(crate) dataset: &'a dyn Dataset,
    pub(crate) model: &'a Model,
    pub(crate) description: RunDescription,
    pub(crate) conditions: Vec<ResolvedCondition<'a>>,
    pub(crate) explainers: Vec<Explainer<'a>>,
    pub(crate) batch_size: usize,
    pub(crate) transform: PairedTransform,
    /// The head's class for each class of the dataset.
    labels: Vec<u32>,
    /// What is suspicious about the names of the classes.
    pub(crate) finding: Option<Finding>,
}

/// A condition with what it does.
pub(crate) struct ResolvedCondition<'a> {
    pub(crate) id: String,
    pub(crate) trials: u32,
    pub(crate) change: Change<'a>,
}

impl<'a> Setup<'a> {
    /// Resolves and checks everything that can be checked before the first image is decoded.
    pub(crate) fn new(dataset: &'a dyn Dataset, model: &'a Model, request: &Request<'_, 'a>) -> Result<Self> {
        let Request { quirks, seed, batch_size, extensions, .. } = *request;
        extensions.check()?;
        let perturbations = extensions.describe_perturbations();
        let protocol = extensions.complete(request.protocol);
        protocol.check_with(&perturbations)?;
        let spec = model.spec();
        let labels = match_labels(dataset.info(), &spec.name, spec.classes, spec.class_names.as_deref())?;
        let Labels { space, columns: labels, finding } = labels;
        check_labels(dataset, model, &labels)?;
        let explainers: Vec<Explainer<'a>> =
            protocol.explainers.iter().map(|word| resolve_explainer(word, extensions)).collect::<Result<_>>()?;
        explainers.iter().try_for_each(|explainer| check_explainer(explainer, model))?;
        let resolve = |condition: &Condition| {
            let change = resolve_condition(&condition.id, &quirks, extensions)?;
            if let Change::Mix(mix) = change {
                donor::check(dataset, mix)?;
            }
            Ok(ResolvedCondition { id: condition.id.clone(), trials: condition.trials, change })
        };
        let conditions = protocol.conditions.iter().map(resolve).collect::<Result<_>>()?;
        let mut description =
            RunDescription::new(describe_dataset(dataset), describe_model(model), space, quirks, &protocol, seed);
        description.columns = (space == LabelSpace::Names).then(|| labels.clone());
        description.perturbations = perturbations;
        description.explainers = extensions.describe_explainers();
        let transform = quirks.transform(&spec.preprocess);
        Ok(Self { dataset, model, description, conditions, explainers, batch_size, transform, labels, finding })
    }

    /// Returns the index of the clean condition.
    pub(crate) fn clean(&self) -> Option<usize> {
        self.conditions.iter().position(|condition| condition.id == CLEAN)
    }

    /// Returns the class of the head that is right for a sample.
    pub(crate) fn label(&self, sample: usize) -> u32 {
        self.labels[self.dataset.class(sample)]
    }

    /// Returns the head's classes that are classes of the dataset, if it has others.
    pub(crate) fn within(&self) -> Option<&[u32]> {
        (self.labels.len() < self.model.spec().classes).then_some(&self.labels)
    }

    /// Returns the name of a sample's class.
    pub(crate) fn class(&self, sample: usize) -> &str {
        &self.dataset.info().classes[self.dataset.class(sample)].name
    }

    /// Returns the name of a class of the head, if it is one of the dataset's.
    pub(crate) fn class_name(&self, class: u32) -> Option<&str> {
        let at = self.labels.iter().position(|&label| label == class)?;
        self.dataset.info().classes.get(at).map(|class| class.name.as_str())
    }

    /// Returns the key of everything random about a sample and trial.
    pub(crate) fn key(&self, sample: usize, trial: u32) -> NoiseKey {
        NoiseKey::new(self.description.seed, self.dataset.id(sample), trial)
    }
}

/// Checks that every sample has a class that the head knows.
fn check_labels(dataset: &dyn Dataset, model: &Model, labels: &[u32]) -> Result<()> {
    let Some(i) = (0..dataset.len()).find(|&i| dataset.class(i) >= labels.len()) else { return Ok(()) };
    let reason = format!("sample {} is of class {} of {}", dataset.id(i), dataset.class(i), labels.len());
    let (model, dataset) = (model.spec().name.clone(), dataset.info().name.clone());
    Err(EvaluationError::Labels { model, dataset, reason })
}

/// Checks that the model has the node and the class that an explainer is asked about.
fn check_explainer(explainer: &Explainer<'_>, model: &Model) -> Result<()> {
    if let Some(node) = explainer.explain.node() {
        model.cut(node)?;
    }
    match explainer.target {
        Target::Class(class) if class as usize >= model.spec().classes => {
            let (word, classes) = (&explainer.word, model.spec().classes);
            Err(invalid(format!("explainer {word:?}: the model has {classes} classes")))
        }
        _ => Ok(()),
    }
}

/// Describes the dataset for `run.json`.
fn describe_dataset(dataset: &dyn Dataset) -> DatasetDescription {
    let described = DatasetDescription::new(&dataset.info().name, (0..dataset.len()).map(|i| dataset.id(i)));
    let (generated, settings) = (dataset.is_generated(), dataset.settings().into_iter().collect());
    DatasetDescription { generated, settings, ..described }
}

/// Describes the model for `run.json`.
fn describe_model(model: &Model) -> ModelDescription {
    ModelDescription {
        name: model.spec().name.clone(),
        weights_sha256: model.weights_sha256().to_owned(),
        weights_origin: model.weights_origin().map(str::to_owned),
        dtype: model.dtype().as_str().to_owned(),
        preprocess: model.spec().preprocess,
    }
}
