//! The runs of a report, arranged models by datasets, and the conditions that represent the others.

use crate::scored::ScoredRun;
use hard_imagenet_metrics::{
    CLEAN, Estimate, MAP, MetricDescription, NoiseCondition, Record, Scores, parse_noise_level,
};
use hard_imagenet_runs::{Conditions, Run, RunDescription};

/// The data of all tables and figures.
pub(crate) struct Page<'a> {
    /// The runs in the given order.
    pub(crate) runs: Vec<Entry<'a>>,
    /// The models in the order in which they appear.
    pub(crate) models: Vec<String>,
    /// The datasets in the order in which they appear.
    pub(crate) datasets: Vec<String>,
    /// The ablation that represents all of them: the one that hides the object and its shape, if it was run.
    pub(crate) ablation: Option<String>,
    /// The noise level that represents all of them.
    pub(crate) noise: Option<String>,
    /// The conditions of all runs in words.
    words: Conditions,
}

/// A run and its place on the page.
pub(crate) struct Entry<'a> {
    pub(crate) scored: &'a ScoredRun<'a>,
    /// The model's name, made unique if the model has several runs on one dataset.
    pub(crate) label: String,
    /// The index in [`Page::models`].
    pub(crate) model: usize,
    /// The index in [`Page::datasets`].
    pub(crate) dataset: usize,
}

impl Entry<'_> {
    pub(crate) fn run(&self) -> &Run {
        self.scored.run
    }

    pub(crate) fn description(&self) -> &RunDescription {
        self.scored.description()
    }

    pub(crate) fn dataset_name(&self) -> &str {
        &self.description().dataset.name
    }

    pub(crate) fn records(&self) -> &[Record] {
        self.scored.run.records()
    }

    pub(crate) fn scores(&self) -> &Scores {
        &self.scored.scores
    }

    pub(crate) fn headline(&self, metric: &str, condition: Option<&str>) -> Option<Estimate> {
        self.scores().headline(metric, condition?)
    }
}

impl<'a> Page<'a> {
    pub(crate) fn new(scored: &'a [ScoredRun<'a>]) -> Self {
        let words = Conditions::new(scored.iter().map(ScoredRun::description));
        let (runs, models, datasets) = (Vec::new(), Vec::new(), Vec::new());
        let mut page = Self { runs, models, datasets, ablation: None, noise: None, words };
        let preset = |scored: &'a ScoredRun| scored.description().preset.as_str();
        let presets_differ = scored.iter().any(|run| preset(run) != preset(&scored[0]));
        for run in scored {
            let (name, on) = (&run.description().model, &run.description().dataset.name);
            let name = if presets_differ { format!("{name} · {}", preset(run)) } else { name.clone() };
            let mut label = name.clone();
            let taken = |label: &str| page.runs.iter().any(|r| r.label == label && r.dataset_name() == on);
            let mut copy = 2;
            while taken(&label) {
                label = format!("{name} · {copy}");
                copy += 1;
            }
            let model = place(&mut page.models, &label);
            let dataset = place(&mut page.datasets, on);
            page.runs.push(Entry { scored: run, label, model, dataset });
        }
        page.ablation = page.choose("relative-drop", |name| match name {
            // A gray object still shows its outline; a box does not.
            "gray-box" => 0,
            "tile" => 1,
            "gray" => 2,
            _ if !page.words.keeps_object(name) => 3,
            _ => 9,
        });
        // The level of the paper's table of ten models, or the closest one.
        page.noise = page.choose("rfs", |name| match parse_noise_level(name) {
            Some(("linf", sigma)) => ((sigma - 0.25).abs() * 1e4).min(1e8) as u64,
            Some((_, sigma)) => 1_000_000_000 + (sigma * 1e4).min(1e15) as u64,
            None => u64::MAX,
        });
        page
    }

    /// Returns the condition of the lowest rank among those for which any run has the metric.
    fn choose(&self, metric: &str, rank: impl Fn(&str) -> u64) -> Option<String> {
        let all = self.runs.iter().flat_map(|r| r.scores().all(metric)).map(|s| s.condition.as_str());
        all.filter(|name| metric == "rfs" || rank(name) < 9).min_by_key(|name| rank(name)).map(str::to_owned)
    }

    /// Returns the run of a model on a dataset.
    pub(crate) fn at(&self, model: usize, dataset: usize) -> Option<&Entry<'a>> {
        self.runs.iter().find(|r| r.model == model && r.dataset == dataset)
    }

    /// Returns the clean condition and those without the object, in reading order, over all runs.
    pub(crate) fn ablations(&self) -> Vec<String> {
        self.conditions().into_iter().filter(|name| name == CLEAN || !self.words.keeps_object(name)).collect()
    }

    /// Returns the clean condition and those that keep the object, in reading order, over all runs.
    pub(crate) fn mixtures(&self) -> Vec<String> {
        self.conditions().into_iter().filter(|name| self.words.keeps_object(name)).collect()
    }

    /// Returns all conditions except noise, in reading order.
    pub(crate) fn conditions(&self) -> Vec<String> {
        let mut names = Vec::new();
        for run in &self.runs {
            for name in
                run.scores().conditions.iter().filter(|c| NoiseCondition::parse(c).is_none() && !c.starts_with(MAP))
            {
                place(&mut names, name);
            }
        }
        names.sort_by(|a, b| self.words.compare(a, b));
        names
    }

    /// Returns the norms that have at least one noise level in both regions.
    pub(crate) fn norms(&self) -> Vec<String> {
        let mut norms = Vec::new();
        for score in self.runs.iter().flat_map(|r| r.scores().all("rfs")) {
            if let Some((norm, _)) = parse_noise_level(&score.condition) {
                place(&mut norms, norm);
            }
        }
        norms
    }

    /// Returns the short title of a condition: "object gray".
    pub(crate) fn condition(&self, id: &str) -> String {
        self.words.title(id)
    }

    /// Returns how a norm of noise is written: "ℓ∞".
    pub(crate) fn norm(&self, norm: &str) -> String {
        self.words.title(&format!("noise:{norm}"))
    }

    /// Returns the conditions of all runs in words.
    pub(crate) fn words(&self) -> &Conditions {
        &self.words
    }

    /// Returns the metrics that are not built in.
    pub(crate) fn further_metrics(&self) -> Vec<&MetricDescription> {
        let mut found: Vec<&MetricDescription> = Vec::new();
        for description in self.runs.iter().flat_map(|run| &run.scores().metrics).filter_map(|m| m.description.as_ref())
        {
            if found.iter().all(|known| known.id != description.id) {
                found.push(description);
            }
        }
        found
    }

    /// Describes a metric, whether it is built in or not.
    pub(crate) fn metric(&self, id: &str) -> Option<MetricDescription> {
        self.runs.iter().find_map(|run| run.scores().describe(id))
    }

    /// Returns "model" or, with several datasets, "model on dataset".
    pub(crate) fn title(&self, run: &Entry) -> String {
        if self.datasets.len() > 1 { format!("{} on {}", run.label, run.dataset_name()) } else { run.label.clone() }
    }
}

/// Returns the index of a name in a list; appends it if it is new.
fn place(names: &mut Vec<String>, name: &str) -> usize {
    names.iter().position(|n| n == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}
