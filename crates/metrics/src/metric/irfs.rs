use super::{Averaging, Better, Measure, Metric, MetricMeta, Unit, rfs};
use crate::{Contribution, NoiseCondition, NoiseRegion, Records};

/// Returns the relative foreground sensitivity of one image: [`rfs`] of the label's mean probability with noise on the
/// object and with noise on everything else. Returns 0 where that is NaN, as in the published code.
///
/// ```
/// # use hard_imagenet_metrics::irfs;
/// assert_eq!(irfs(0.25, 0.75), 0.5);
/// assert_eq!(irfs(f64::NAN, 0.5), 0.0);
/// ```
pub fn irfs(foreground: f64, background: f64) -> f64 {
    let value = rfs(foreground, background);
    if value.is_nan() { 0.0 } else { value.clamp(-1.0, 1.0) }
}

pub(super) struct ImageForegroundSensitivity;

static META: MetricMeta = MetricMeta {
    id: "irfs",
    title: "Foreground sensitivity of single images",
    unit: Unit::Number,
    range: (-1.0, 1.0),
    better: Better::Higher,
    average: Averaging::Sample,
    formula: "mean of (p_bg − p_fg) / (2 min(p, 1 − p)), p = (p_fg + p_bg) / 2, p the label's probability",
    source: "Moayeri, Pope, Balaji, Feizi 2022 (RIVAL10)",
    description: "The relative foreground sensitivity of each image, computed from probabilities instead of \
                  accuracies, averaged over images.",
};

impl Metric for ImageForegroundSensitivity {
    fn meta(&self) -> &'static MetricMeta {
        &META
    }

    /// Returns a measure for each norm and strength that was run on both regions.
    fn measure(&self, records: &Records) -> Vec<Measure> {
        let of_level = |condition: &String| {
            let noise = NoiseCondition::parse(condition).filter(|noise| noise.region == NoiseRegion::Foreground)?;
            let pair = records.pair(condition, &format!("{}:bg", noise.level()), |cell| cell.confidence)?;
            let value = |(foreground, background): (&Contribution, &Contribution)| match foreground
                .mean()
                .zip(background.mean())
            {
                Some((foreground, background)) => Contribution::one(irfs(foreground, background)),
                None => Contribution::default(),
            };
            let column: Vec<Contribution> = pair.first.iter().zip(&pair.second).map(value).collect();
            pair.has_any().then(|| Measure {
                condition: noise.level().to_owned(),
                columns: vec![column],
                combine: |means| Some(means[0]),
                range: META.range,
                skipped: 0,
            })
        };
        records.conditions().iter().filter_map(of_level).collect()
    }
}
