use super::rfs::regions;
use super::{Averaging, Better, Measure, Metric, MetricMeta, Unit, rfs};
use crate::{NoiseCondition, NoiseRegion, Records};

pub(super) struct MeanForegroundSensitivity;

static META: MetricMeta = MetricMeta {
    id: "rfs-mean",
    title: "Relative foreground sensitivity over all strengths",
    unit: Unit::Number,
    range: (-1.0, 1.0),
    better: Better::Higher,
    average: Averaging::Class,
    formula: "mean over the strengths of one norm of (a_bg − a_fg) / (2 min(a, 1 − a))",
    source: "the curve of Moayeri, Singla, Feizi 2022 as one number",
    description: "The mean height of the curve of relative foreground sensitivity over the strengths that were run. \
                  For equally spaced strengths it is the area under the curve divided by their range.",
};

impl Metric for MeanForegroundSensitivity {
    fn meta(&self) -> &'static MetricMeta {
        &META
    }

    /// Returns a measure for each norm with at least two strengths, under the norm's name: "noise:linf".
    fn measure(&self, records: &Records) -> Vec<Measure> {
        let mut measures: Vec<Measure> = Vec::new();
        for condition in records.conditions() {
            let Some(noise) = NoiseCondition::parse(condition).filter(|noise| noise.region == NoiseRegion::Foreground)
            else {
                continue;
            };
            let Some(columns) = regions(records, noise.level()) else { continue };
            let condition = format!("noise:{}", noise.norm);
            match measures.iter_mut().find(|measure| measure.condition == condition) {
                Some(measure) => measure.columns.extend(columns),
                None => measures.push(Measure {
                    condition,
                    columns: columns.into(),
                    combine: |means| {
                        let strengths = means.as_chunks::<2>().0;
                        let sum: f64 = strengths.iter().map(|[fg, bg]| rfs(*fg, *bg).clamp(-1.0, 1.0)).sum();
                        Some(sum / strengths.len() as f64)
                    },
                    range: (0.0, 1.0),
                    skipped: 0,
                }),
            }
        }
        measures.retain(|measure| measure.columns.len() > 2);
        measures
    }
}
