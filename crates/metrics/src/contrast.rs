use crate::{Averaging, Estimate, Scores};
use serde::{Deserialize, Serialize};

/// The differences between two runs on different samples, such as one model on two datasets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contrast {
    /// First minus second, for each metric under each condition that both runs have.
    pub differences: Vec<Unpaired>,
}

/// One metric under one condition, first minus second, on different samples. Undefined values are `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unpaired {
    /// The metric's id; [`meta`](crate::meta) describes it.
    pub metric: String,
    /// The condition; "noise:linf:0.25", without a region, for scores that need both regions.
    pub condition: String,
    /// The difference of means over samples. Its `n` is the number of samples of the smaller run, as in `class_mean`.
    pub sample_mean: Option<Estimate>,
    /// The difference of means over classes.
    pub class_mean: Option<Estimate>,
}

impl Unpaired {
    /// Returns the difference of means over samples or over classes.
    pub fn mean(&self, average: Averaging) -> Option<Estimate> {
        match average {
            Averaging::Sample => self.sample_mean,
            Averaging::Class => self.class_mean,
        }
    }
}

impl Contrast {
    /// Returns the difference of a metric under a condition, or `None` if either run did not measure it.
    pub fn get(&self, metric: &str, condition: &str) -> Option<&Unpaired> {
        self.differences.iter().find(|d| d.metric == metric && d.condition == condition)
    }
}

/// Computes first minus second from the scores of runs on different samples. The classes may differ too.
///
/// With values `x`, `y` and intervals `(l, u)`, the difference `d = x − y` has the interval from `d − √((x − l_x)² +
/// (u_y − y)²)` to `d + √((u_x − x)² + (y − l_y)²)` (Zou, Donner 2008). For two proportions with Wilson's intervals,
/// this is Newcombe's interval (1998, method 10). Both scores should have the same confidence level, which is then that
/// of the difference.
///
/// R. G. Newcombe: Interval estimation for the difference between independent proportions. Statistics in Medicine 17,
/// 1998. G. Y. Zou, A. Donner: Construction of confidence limits about effect measures: a general approach. Statistics
/// in Medicine 27, 2008.
pub fn contrast(first: &Scores, second: &Scores) -> Contrast {
    let mut differences = Vec::new();
    for metric in &first.metrics {
        let id = metric.id.as_str();
        for a in &metric.scores {
            let Some(b) = second.get(id, &a.condition) else { continue };
            differences.push(Unpaired {
                metric: id.to_owned(),
                condition: a.condition.clone(),
                sample_mean: a.sample_mean.zip(b.sample_mean).map(|(a, b)| a.minus_independent(&b)),
                class_mean: a.class_mean.zip(b.class_mean).map(|(a, b)| a.minus_independent(&b)),
            });
        }
    }
    Contrast { differences }
}

impl Estimate {
    /// Returns the difference from an estimate on other samples, with the interval of [`contrast`]. Its `n` is the
    /// smaller of the two.
    pub fn minus_independent(&self, other: &Self) -> Self {
        let value = self.value - other.value;
        Self {
            value,
            low: value - (self.value - self.low).hypot(other.high - other.value),
            high: value + (self.high - self.value).hypot(other.value - other.low),
            n: self.n.min(other.n),
        }
    }
}
