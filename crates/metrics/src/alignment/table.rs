//! The list of all scores.

use super::mass::mass_thresholds_of_sorted;
use super::ranking::Ranking;
use super::{RunningSum, coverage, delta_density, dice, divided_by_max, inside_fraction, iou};
use crate::{Averaging, Better, MetricMeta, Unit};
use std::cell::OnceCell;

/// A score of how well a map and a mask agree.
#[derive(Clone, Copy, Debug)]
pub struct AlignmentScore {
    /// Its column in tables of records: "delta_density". The id of its metric is the same with hyphens:
    /// "delta-density".
    pub column: &'static str,
    /// What the metric is, for people.
    pub meta: MetricMeta,
    score: fn(&Pair) -> Option<f64>,
}

impl AlignmentScore {
    /// Computes the score of a map and a mask; `None` if it is undefined. [`scores`] is faster for several scores.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn score(&self, map: &[f32], mask: &[u8]) -> Option<f64> {
        (self.score)(&Pair::new(map, mask))
    }
}

/// Computes all [`SCORES`] of a map and a mask, in their order; `None` where a score is undefined.
///
/// ```
/// use hard_imagenet_metrics::alignment::{SCORES, scores};
/// let found = scores(&[0.9, 0.4, 0.1, 0.0], &[1, 0, 0, 0]);
/// let at = SCORES.iter().position(|s| s.column == "pointing").unwrap();
/// assert_eq!((found.len(), found[at]), (SCORES.len(), Some(1.0)));
/// ```
///
/// # Panics
/// If the slices differ in length.
pub fn scores(map: &[f32], mask: &[u8]) -> Vec<Option<f64>> {
    let pair = Pair::new(map, mask);
    SCORES.iter().map(|score| (score.score)(&pair)).collect()
}

/// A map, its mask, and intermediate results that several scores share.
struct Pair<'a> {
    map: &'a [f32],
    mask: &'a [u8],
    ranking: OnceCell<Ranking>,
    /// The values at which 25, 50 and 75 % of the mass are exceeded.
    thresholds: OnceCell<[f32; 3]>,
}

impl<'a> Pair<'a> {
    fn new(map: &'a [f32], mask: &'a [u8]) -> Self {
        Self { map, mask, ranking: OnceCell::new(), thresholds: OnceCell::new() }
    }

    fn ranking(&self) -> &Ranking {
        self.ranking.get_or_init(|| Ranking::new(self.map, self.mask))
    }

    /// Computes the [`coverage`] at one of the three thresholds.
    fn coverage(&self, at: usize) -> Option<f64> {
        let find = || mass_thresholds_of_sorted(&self.ranking().ascending, [0.25, 0.5, 0.75], RunningSum::F64);
        coverage(self.map, self.mask, self.thresholds.get_or_init(find)[at])
    }

    /// Computes a score at 0.5 of the map divided by its greatest value.
    fn divided(&self, score: fn(&[f32], &[u8], f32) -> f64) -> Option<f64> {
        Some(score(&divided_by_max(self.map), self.mask, 0.5))
    }
}

/// Declares a score in [0, 1].
const fn share(
    column: &'static str,
    id: &'static str,
    title: &'static str,
    formula: &'static str,
    source: &'static str,
    description: &'static str,
    score: fn(&Pair) -> Option<f64>,
) -> AlignmentScore {
    let meta = MetricMeta {
        id,
        title,
        unit: Unit::Number,
        range: (0.0, 1.0),
        better: Better::Higher,
        average: Averaging::Sample,
        formula,
        source,
        description,
    };
    AlignmentScore { column, meta, score }
}

/// Every score of a map and a mask. A new score is one line here.
#[rustfmt::skip]
pub const SCORES: &[AlignmentScore] = &[
    share("iou", "iou", "Saliency IoU",
        "|{map ≥ 0.5} ∩ mask| / |{map ≥ 0.5} ∪ mask|",
        HARD_IMAGENET,
        "How much the bright half of the saliency map overlaps the object: 1 means that they are identical, 0 that they are disjoint. The value depends on the object's size, so compare models on one dataset before comparing datasets.",
        |pair| Some(iou(pair.map, pair.mask, 0.5))),
    share("dice", "dice", "Saliency Dice",
        "2 |{map ≥ 0.5} ∩ mask| / (|{map ≥ 0.5}| + |mask|)",
        HARD_IMAGENET,
        "The overlap of the bright half of the saliency map and the object, as a Dice coefficient. It orders single images as IoU does and penalizes small overlaps less.",
        |pair| Some(dice(pair.map, pair.mask, 0.5))),
    share("iou_mean", "iou-mean", "Mean saliency IoU",
        "mean over t = 0.05, 0.1, .., 0.95 of |{map ≥ t} ∩ mask| / |{map ≥ t} ∪ mask|",
        OURS,
        "The overlap of saliency map and object, averaged over thresholds. It does not depend on where a map is cut.",
        |pair| Some(pair.ranking().iou_mean())),
    share("iou_best", "iou-best", "Best saliency IoU",
        "max over t = 0.05, 0.1, .., 0.95 of |{map ≥ t} ∩ mask| / |{map ≥ t} ∪ mask|",
        OURS,
        "The overlap of saliency map and object at the threshold that suits the image best: an upper bound for a map whose scale is unknown.",
        |pair| Some(pair.ranking().iou_best())),
    AlignmentScore {
        column: "delta_density",
        meta: MetricMeta {
            id: "delta-density",
            title: "Delta saliency density",
            unit: Unit::Number,
            range: (-1.0, 1.0),
            better: Better::Higher,
            average: Averaging::Sample,
            formula: "mean(map on the object) − mean(map off the object)",
            source: HARD_IMAGENET,
            description: "How much brighter the saliency map is on the object than off it. A map that ignores the object scores 0; below 0 the surroundings are brighter. Undefined if the mask is empty or full.",
        },
        score: |pair| delta_density(pair.map, pair.mask),
    },
    share("inside_fraction", "inside-fraction", "Saliency inside the object",
        "Σ(map on the object) / Σ map",
        "Moayeri, Pope, Balaji, Feizi 2022 (RIVAL10): saliency precision; Arras, Osman, Samek 2022: relevance mass accuracy",
        "The share of the map's mass that lies on the object. By chance it is the object's share of the image. Undefined for a map without mass.",
        |pair| inside_fraction(pair.map, pair.mask)),
    share("rank_accuracy", "rank-accuracy", "Relevance rank accuracy",
        "|top |mask| pixels of the map ∩ mask| / |mask|",
        "Arras, Osman, Samek 2022 (CLEVR-XAI)",
        "Among the brightest pixels, as many as the object has, the share that lies on the object. By chance it is the object's share of the image. Undefined for an empty mask.",
        |pair| pair.ranking().rank_accuracy()),
    share("coverage_25", "coverage-25", "Mask coverage by 75 % of the mass",
        "|{map ≥ t} ∩ mask| / |mask|, t where the ascending running sum exceeds 25 % of the mass",
        RIVAL10,
        "The share of the object that is covered by the pixels holding the upper 75 % of the map's mass. RIVAL10 plots this one. Undefined for an empty mask.",
        |pair| pair.coverage(0)),
    share("coverage_50", "coverage-50", "Mask coverage by 50 % of the mass",
        "|{map ≥ t} ∩ mask| / |mask|, t where the ascending running sum exceeds 50 % of the mass",
        RIVAL10,
        "The share of the object that is covered by the pixels holding the upper 50 % of the map's mass. Undefined for an empty mask.",
        |pair| pair.coverage(1)),
    share("coverage_75", "coverage-75", "Mask coverage by 25 % of the mass",
        "|{map ≥ t} ∩ mask| / |mask|, t where the ascending running sum exceeds 75 % of the mass",
        RIVAL10,
        "The share of the object that is covered by the pixels holding the upper 25 % of the map's mass. Undefined for an empty mask.",
        |pair| pair.coverage(2)),
    share("average_precision", "average-precision", "Saliency average precision",
        "Σ precision × gain in recall over the map's values",
        RIVAL10,
        "How well the map's values separate pixels of the object from others, with most weight on the highest values. By chance it is the object's share of the image. Undefined for an empty mask.",
        |pair| pair.ranking().average_precision()),
    share("auc", "auc", "Saliency ROC AUC",
        "P(map on the object > map off it) + P(equal) / 2",
        "Bylinskii, Judd, Oliva, Torralba, Durand 2019 (saliency AUC); midranks as Mann, Whitney 1947",
        "How often a pixel of the object is brighter than a pixel of the surroundings. By chance it is 0.5, whatever the object's size. Undefined if the mask is empty or full.",
        |pair| pair.ranking().auc()),
    share("pointing", "pointing", "Pointing game",
        "[argmax map ∈ mask]; with ties the share of the greatest pixels in the mask",
        "Zhang, Lin, Brandt, Shen, Sclaroff 2016 (without their margin)",
        "Whether the brightest pixel lies on the object. Undefined for an empty mask.",
        |pair| pair.ranking().pointing()),
    share("iou_rival10", "iou-rival10", "Saliency IoU, RIVAL10's",
        "|{map / max ≥ 0.5} ∩ mask| / |{map / max ≥ 0.5} ∪ mask|",
        RIVAL10,
        "The IoU of the object and the pixels with at least half of the map's greatest value.",
        |pair| pair.divided(iou)),
    share("dice_rival10", "dice-rival10", "Saliency Dice, RIVAL10's",
        "2 |{map / max ≥ 0.5} ∩ mask| / (|{map / max ≥ 0.5}| + |mask|)",
        RIVAL10,
        "The Dice coefficient of the object and the pixels with at least half of the map's greatest value.",
        |pair| pair.divided(dice)),
];

const HARD_IMAGENET: &str = "Moayeri, Singla, Feizi 2022: saliency alignment";
const RIVAL10: &str = "Moayeri, Pope, Balaji, Feizi 2022 (RIVAL10)";
const OURS: &str = "Overlap at 0.5 of Moayeri, Singla, Feizi 2022, over a range of thresholds";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_ids_name_the_same() {
        for (at, score) in SCORES.iter().enumerate() {
            assert_eq!(score.column.replace('_', "-"), score.meta.id);
            assert!(SCORES[..at].iter().all(|other| other.column != score.column), "{} twice", score.column);
        }
    }

    #[test]
    fn scores_stay_in_range_or_are_undefined() {
        let check = |map: &[f32], mask: &[u8], undefined: &[&str]| {
            let together = scores(map, mask);
            for (score, value) in SCORES.iter().zip(together) {
                assert_eq!(score.score(map, mask), value, "{}", score.column);
                assert_eq!(value.is_none(), undefined.contains(&score.column), "{} is {value:?}", score.column);
                let (from, to) = score.meta.range;
                assert!(value.is_none_or(|v| from <= v && v <= to), "{} is {value:?}", score.column);
            }
        };
        let of_object = ["rank_accuracy", "coverage_25", "coverage_50", "coverage_75", "average_precision", "pointing"];
        check(&[0.9, 0.5, f32::NAN, 0.25, 0.5, 0.0], &[1, 0, 1, 0, 1, 0], &[]);
        check(&[0.9, 0.5, 0.1], &[1; 3], &["delta_density", "auc"]);
        check(&[0.9, 0.5, 0.1], &[0; 3], &[&of_object[..], &["delta_density", "auc"]].concat());
        check(&[0.0; 3], &[1, 0, 0], &["inside_fraction"]);
        check(&[], &[], &[&of_object[..], &["delta_density", "auc", "inside_fraction"]].concat());
    }
}
