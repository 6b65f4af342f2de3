use super::{Averaging, Better, Measure, Metric, MetricMeta, Unit};
use crate::{Contribution, NoiseCondition, NoiseRegion, Records};

/// Returns the relative foreground sensitivity of two accuracies in [0, 1].
///
/// `foreground` is the accuracy with noise on the object, `background` with noise on everything else. With `a` as their
/// mean, RFS is `(background - foreground) / (2 min(a, 1 - a))`, in [-1, 1]: the difference as a share of the largest
/// difference that is possible at this mean. At 1 only the object matters, at -1 only the surroundings do. If `a` is
/// exactly 0 or 1, RFS is 0 by definition.
///
/// ```
/// # use hard_imagenet_metrics::rfs;
/// assert_eq!(rfs(0.25, 0.75), 0.5);
/// assert_eq!(rfs(0.0, 0.0), 0.0);
/// assert_eq!(rfs(1.0, 1.0), 0.0);
/// assert_eq!(rfs(0.0, 1.0), 1.0);
/// ```
///
/// Moayeri, Pope, Balaji, Feizi 2022, "A Comprehensive Study of Image Classification Model Sensitivity to Foregrounds,
/// Backgrounds, and Visual Attributes" (RIVAL10), used by Hard ImageNet.
pub fn rfs(foreground: f64, background: f64) -> f64 {
    let mean = (foreground + background) / 2.0;
    if mean == 0.0 || mean == 1.0 {
        return 0.0;
    }
    (background - foreground) / (2.0 * mean.min(1.0 - mean))
}

pub(super) struct RelativeForegroundSensitivity;

static META: MetricMeta = MetricMeta {
    id: "rfs",
    title: "Relative foreground sensitivity",
    unit: Unit::Number,
    range: (-1.0, 1.0),
    better: Better::Higher,
    average: Averaging::Class,
    formula: "(a_bg − a_fg) / (2 min(a, 1 − a)), a = (a_fg + a_bg) / 2",
    source: "Moayeri, Pope, Balaji, Feizi 2022 (RIVAL10); Moayeri, Singla, Feizi 2022",
    description: "Whether noise hurts more on the object (towards 1) or on the surroundings (towards −1). a_fg and \
                  a_bg are the accuracies, averaged over classes and trials, with noise on the object and off it. \
                  Their difference is divided by the largest one possible at their mean.",
};

impl Metric for RelativeForegroundSensitivity {
    fn meta(&self) -> &'static MetricMeta {
        &META
    }

    /// Returns a measure for each norm and strength that was run on both regions.
    fn measure(&self, records: &Records) -> Vec<Measure> {
        let both_regions = |condition: &String| {
            let noise = NoiseCondition::parse(condition).filter(|n| n.region == NoiseRegion::Foreground)?;
            Some(Measure {
                condition: noise.level().to_owned(),
                columns: regions(records, noise.level())?.into(),
                combine: |means| Some(rfs(means[0], means[1]).clamp(-1.0, 1.0)),
                range: (0.0, 1.0),
                skipped: 0,
            })
        };
        records.conditions().iter().filter_map(both_regions).collect()
    }
}

/// Returns what samples contribute to the accuracies with noise of a level on the object and off it, or `None` if
/// either was not run.
pub(super) fn regions(records: &Records, level: &str) -> Option<[Vec<Contribution>; 2]> {
    let correct = |region: &str| -> Option<Vec<Contribution>> {
        Some(records.cells(&format!("{level}:{region}"))?.iter().map(|cell| cell.correct).collect())
    };
    Some([correct("fg")?, correct("bg")?])
}
