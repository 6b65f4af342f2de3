//! The runs of one report, arranged: models by datasets, and the conditions that stand for the rest.

use crate::RunInput;
use hard_imagenet_metrics::{CLEAN, Estimate, MAP, NoiseCondition, Scores, keeps_object, parse_noise_level};

/// What all tables and figures look at.
pub(crate) struct Page<'a> {
    /// Runs in the order given.
    pub(crate) runs: Vec<Run<'a>>,
    /// Models in the order in which they appear.
    pub(crate) models: Vec<String>,
    /// Datasets likewise.
    pub(crate) datasets: Vec<String>,
    /// The ablation that stands for all: the one that hides shape and object, if it was run.
    pub(crate) ablation: Option<String>,
    /// The noise level that stands for all.
    pub(crate) noise: Option<String>,
}

/// One run and its place.
pub(crate) struct Run<'a> {
    pub(crate) input: &'a RunInput,
    /// The model's name, made distinct where it stands twice on one dataset.
    pub(crate) label: String,
    /// Its place in [`Page::models`].
    pub(crate) model: usize,
    /// Its place in [`Page::datasets`].
    pub(crate) dataset: usize,
}

impl Run<'_> {
    pub(crate) fn scores(&self) -> &Scores {
        &self.input.scores
    }

    pub(crate) fn headline(&self, metric: &str, condition: Option<&str>) -> Option<Estimate> {
        self.scores().headline(metric, condition?)
    }
}

impl<'a> Page<'a> {
    pub(crate) fn new(inputs: &'a [RunInput]) -> Self {
        let mut page = Self { runs: Vec::new(), models: Vec::new(), datasets: Vec::new(), ablation: None, noise: None };
        let presets_differ = inputs.iter().any(|r| r.preset != inputs[0].preset);
        for input in inputs {
            let mut label = input.model.clone();
            if presets_differ {
                label = format!("{label} · {}", input.preset);
            }
            let taken = |label: &str| page.runs.iter().any(|r| r.label == label && r.input.dataset == input.dataset);
            let name = label.clone();
            let mut copy = 2;
            while taken(&label) {
                label = format!("{name} · {copy}");
                copy += 1;
            }
            let model = place(&mut page.models, &label);
            let dataset = place(&mut page.datasets, &input.dataset);
            page.runs.push(Run { input, label, model, dataset });
        }
        page.ablation = page.choose("relative-drop", |name| match name {
            // A gray object still shows its outline; a box does not.
            "gray-box" => 0,
            "tile" => 1,
            "gray" => 2,
            _ if !keeps_object(name) => 3,
            _ => 9,
        });
        // The level of the paper's table over ten models, or the closest to it.
        page.noise = page.choose("rfs", |name| match parse_noise_level(name) {
            Some(("linf", sigma)) => ((sigma - 0.25).abs() * 1e4).min(1e8) as u64,
            Some((_, sigma)) => 1_000_000_000 + (sigma * 1e4).min(1e15) as u64,
            None => u64::MAX,
        });
        page
    }

    /// Of the conditions that any run has under the metric, that with the lowest rank.
    fn choose(&self, metric: &str, rank: impl Fn(&str) -> u64) -> Option<String> {
        let all = self.runs.iter().flat_map(|r| r.scores().all(metric)).map(|s| s.condition.as_str());
        all.filter(|name| metric == "rfs" || rank(name) < 9).min_by_key(|name| rank(name)).map(str::to_owned)
    }

    /// The run of a model on a dataset.
    pub(crate) fn at(&self, model: usize, dataset: usize) -> Option<&Run<'a>> {
        self.runs.iter().find(|r| r.model == model && r.dataset == dataset)
    }

    /// Clean and without the object, in reading order, over all runs.
    pub(crate) fn ablations(&self) -> Vec<String> {
        self.conditions().into_iter().filter(|name| name == CLEAN || !keeps_object(name)).collect()
    }

    /// Clean and with the object, disturbed or before another background, likewise.
    pub(crate) fn mixtures(&self) -> Vec<String> {
        self.conditions().into_iter().filter(|name| keeps_object(name)).collect()
    }

    /// All but noise, clean first.
    pub(crate) fn conditions(&self) -> Vec<String> {
        let mut names = Vec::new();
        for run in &self.runs {
            for name in
                run.scores().conditions.iter().filter(|c| NoiseCondition::parse(c).is_none() && !c.starts_with(MAP))
            {
                place(&mut names, name);
            }
        }
        names.sort_by_key(|n| n != CLEAN);
        names
    }

    /// Norms with at least one noise level on both regions.
    pub(crate) fn norms(&self) -> Vec<String> {
        let mut norms = Vec::new();
        for score in self.runs.iter().flat_map(|r| r.scores().all("rfs")) {
            if let Some((norm, _)) = parse_noise_level(&score.condition) {
                place(&mut norms, norm);
            }
        }
        norms
    }

    /// "model" or, with several datasets, "model on dataset".
    pub(crate) fn title(&self, run: &Run) -> String {
        if self.datasets.len() > 1 { format!("{} on {}", run.label, run.input.dataset) } else { run.label.clone() }
    }
}

/// The place of a name in a list, appended if it is new.
fn place(names: &mut Vec<String>, name: &str) -> usize {
    names.iter().position(|n| n == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}
