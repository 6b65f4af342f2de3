use crate::page::Page;
use crate::scored::ScoredRun;
use hard_imagenet_metrics::{Metric, Options, Scores, metrics, score_with};
use hard_imagenet_runs::{Conditions, Result, Run};
use std::cell::OnceCell;

/// A report of some runs: scores their records and writes them in several forms.
///
/// Several runs are arranged models by datasets. The functions [`html`](crate::html()), [`markdown`](crate::markdown()) and
/// so on are short for a report with the built-in metrics.
pub struct Report<'a> {
    runs: &'a [Run],
    metrics: Vec<&'a dyn Metric>,
    options: Options,
    scored: OnceCell<Vec<ScoredRun<'a>>>,
}

impl<'a> Report<'a> {
    /// Reports runs by the built-in metrics.
    pub fn new(runs: &'a [Run]) -> Self {
        Self {
            runs,
            metrics: metrics().map(|metric| metric as _).collect(),
            options: Options::default(),
            scored: OnceCell::new(),
        }
    }

    /// Adds metrics that are not built in. Each has a column in the headline table, a figure, a paragraph in the method
    /// section, and lines in the CSV and JSON files.
    pub fn metrics(mut self, metrics: &[&'a dyn Metric]) -> Self {
        self.metrics.extend(metrics);
        self.scored = OnceCell::new();
        self
    }

    /// Sets how intervals are made.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self.scored = OnceCell::new();
        self
    }

    /// Returns the scores of each run, in the order of the runs.
    pub fn scores(&self) -> Vec<&Scores> {
        self.scored().iter().map(|scored| &scored.scores).collect()
    }

    /// Returns one HTML page that works without a network.
    ///
    /// Style, figures (SVG) and images (data URIs) are inside; there is no script and no request. The page follows the
    /// reader's light or dark theme and prints well.
    ///
    /// # Errors
    /// Returns an error that names the file if a gallery or one of its images cannot be read.
    pub fn html(&self) -> Result<String> {
        crate::html::render(&self.page())
    }

    /// Returns the headline table and the reading of each run as Markdown (GitHub's tables).
    pub fn markdown(&self) -> String {
        crate::markdown::render(&self.page())
    }

    /// Returns every score as comma-separated values, one number with its interval a line, in full precision.
    ///
    /// `average` is "sample" (every sample weighs the same), "class" (every class weighs the same), or "in" for the class in
    /// the column `class`. Differences between the first dataset and another have lines of their own, whose dataset is
    /// "first − other". Undefined scores have no line. Lines end with a line feed; quotes follow RFC 4180.
    pub fn csv(&self) -> String {
        crate::csv::render(&self.page())
    }

    /// Returns every score as JSON: an array with one object for each run, whose `scores` is what `scores.json` holds. A run
    /// on the first dataset has under `against` its differences from the same model's runs on other datasets.
    pub fn json(&self) -> String {
        crate::json::render(&self.page())
    }

    /// Returns the headline table as LaTeX; it needs the package `booktabs`.
    pub fn latex(&self) -> String {
        crate::latex::render(&self.page())
    }

    /// Returns what the numbers of each run say, in two or three sentences of plain text, with intervals in parentheses.
    ///
    /// A measure takes a side only if its whole interval lies there: more or less than half of the accuracy is lost with
    /// the object; relative foreground sensitivity or delta saliency density is above or below 0.
    pub fn readings(&self) -> Vec<String> {
        crate::reading::readings(&self.page())
    }

    fn page(&self) -> Page<'_> {
        Page::new(self.scored())
    }

    fn scored(&self) -> &[ScoredRun<'a>] {
        self.scored.get_or_init(|| {
            let conditions = Conditions::new(self.runs.iter().map(Run::description));
            let score = |run| {
                let mut scores = score_with(Run::records(run), &self.options, &self.metrics);
                scores.sort_conditions(|a, b| conditions.compare(a, b));
                scores.counts.findings = Run::findings(run).iter().filter(|one| one.severity.is_suspicious()).count();
                ScoredRun { run, scores }
            };
            self.runs.iter().map(score).collect()
        })
    }
}

/// Writes one HTML page about runs, by the built-in metrics; see [`Report::html`].
///
/// # Errors
/// Returns an error that names the file if a gallery or one of its images cannot be read.
pub fn html(runs: &[Run]) -> Result<String> {
    Report::new(runs).html()
}

/// Writes the headline table and the readings of runs as Markdown; see [`Report::markdown`].
pub fn markdown(runs: &[Run]) -> String {
    Report::new(runs).markdown()
}

/// Writes every score of runs as comma-separated values; see [`Report::csv`].
pub fn csv(runs: &[Run]) -> String {
    Report::new(runs).csv()
}

/// Writes every score of runs as JSON; see [`Report::json`].
pub fn json(runs: &[Run]) -> String {
    Report::new(runs).json()
}

/// Writes the headline table of runs as LaTeX; see [`Report::latex`].
pub fn latex(runs: &[Run]) -> String {
    Report::new(runs).latex()
}

/// Says in two or three sentences what the numbers of a run say; see [`Report::readings`].
pub fn reading(run: &Run) -> String {
    Report::new(std::slice::from_ref(run)).readings().remove(0)
}
