//! Scores with intervals from the records of an evaluation. Pure functions: no tensor, no model, no file.
//!
//! A [`Record`] says what one image classifier did with one image under one condition: unchanged (`none`), with the
//! object taken away (`gray`, `gray-box`, `tile`), or with noise on the object or off it (`noise:linf:0.25:fg`).
//! [`score`] turns records into [`Scores`]: every metric, under every condition, over samples, over classes and in
//! each class, each an [`Estimate`] with an interval.
//!
//! In the order of use:
//! - [`Record`]: the input of everything. [`MapScores`] are those of a saliency map, by the functions of
//!   [`alignment`].
//! - [`score`] with [`Options`] gives [`Scores`]; [`score_strata`] those of small objects, of large ones, and so on.
//! - [`compare`] gives differences of two runs, [`compare_conditions`] of two conditions of one, paired by sample;
//!   [`contrast`] those of runs on different samples.
//! - [`Scores::headline`] is the number that the paper would quote; [`Scores::get`] has the rest.
//! - [`Metric`] is one way to look at [`Records`]; [`metrics`] lists all; [`rfs`] is the formula by itself.
//!
//! ```
//! use hard_imagenet_metrics::{score, Options, Record};
//!
//! // Eight images, all right; without the object six are still right.
//! let record = |sample: usize, condition: &str, correct: bool| Record {
//!     sample: format!("val/{sample}"),
//!     label: 537,
//!     class: "dog sled".into(),
//!     condition: condition.into(),
//!     trial: 0,
//!     prediction: Some(if correct { 537 } else { 0 }),
//!     correct: Some(correct),
//!     ..Record::default()
//! };
//! let records: Vec<Record> =
//!     (0..8).flat_map(|s| [record(s, "none", true), record(s, "gray", s < 6)]).collect();
//!
//! let scores = score(&records, &Options::default());
//! let drop = scores.headline("drop", "gray").unwrap();
//! assert_eq!(drop.value, 0.25);
//! assert!(drop.low < 0.25 && 0.25 < drop.high);
//! assert_eq!(scores.headline("rfs", "noise:linf:0.25"), None); // not run
//! ```
//!
//! # What counts
//! A record with `error` set scores nothing and is counted as failed. A prediction that is missing (the image or the
//! logits are not numbers) is wrong. A score that is missing where it is undefined, say delta density for an empty
//! mask, is left out and counted as skipped. Of records that repeat sample, condition and trial the first counts.
//! Nothing depends on the order of the records but which of two such records is the first.
//!
//! Accuracy under ablation is quoted as a mean over samples and relative foreground sensitivity from means over classes,
//! as in the published code (Q8); both means of every metric are there.
//!
//! # Intervals
//! - A plain proportion of one class, that is one right or wrong for each sample, has Wilson's interval (Wilson 1927).
//! - Everything else (means over classes, paired differences, several trials a sample, RFS, saliency) is resampled by a
//!   bootstrap over samples (Efron 1979): a sample is drawn with all its conditions and trials, so pairs stay pairs and
//!   trials are not taken for samples. Draws are stratified by class; classes of fewer than five samples are drawn from
//!   together. The generator is counter-based and seeded by the [`Options`]: equal records give equal intervals.
//! - The interval is the expanded percentile one (Hesterberg 2015): samples drawn from themselves vary too little by
//!   `(n − 1) / n` in each stratum, and Student's quantile takes the place of the normal one. An accuracy over several
//!   trials or classes has Wilson's interval for as many independent trials as would know as much (design effect, from the
//!   bootstrap's variance and two samples more, one all right and one all wrong): the number of samples in each class is
//!   fixed and no matter of chance, so unlike classes are known better than one mixed class of all samples would be.
//!   Ratios of accuracies (RFS, relative drop) have replicates of one sample more, by the toss of a coin. Without these,
//!   95 % intervals near 0 and 1 held 86 % of the time.
//! - In simulations (`tests/coverage.rs`) 95 % intervals over samples and over classes hold the truth in 93 to 97 % of runs
//!   of 50 samples, whether of one class or of ten classes of five. They are held more often where a result
//!   hangs on one or two samples (a drop of 3 points of 50 samples: 99 %) and, by a point or two, for RFS of accuracies
//!   near 1. In a single class of five, skewed saliency scores are held 81 to 93 % of the time, ratios nearly always.
//!   `examples/coverage.rs` draws small runs from a large one: of 600 draws of 200 out of 2,000 planted pictures, for a model
//!   whose scores lie all over their ranges, the intervals of every quoted score held the truth in 93.3 to 96.7 %. Where
//!   nearly nothing happens they do not: of drops that are one picture in 2,000 they always hold it, and of confidence
//!   drops that a few pictures in 2,000 make up in 11 to 84 %, for most draws have none of these pictures.
//! - What no replicate moves, since all samples agree, is not known for sure. As in the rule of three, `n` samples that
//!   agree may miss a share of up to `1 - 0.05^(1/n)` of the population; the interval reaches to where such a share at
//!   either end of the range would move the mean (for RFS: either accuracy). `n` is the number of samples, for means
//!   over classes Kish's effective number. So 20 right of 20 is never 100 % for certain, and an RFS of two accuracies
//!   that are 0 everywhere is 0 with an interval from -1 to 1: nothing is known.
//!
//! # Differences
//! Every [`Effect`] has an interval, a p-value by permutation (outcomes of a sample swapped; exact where few differ), its
//! size in standard deviations and the number of images needed to see it ([`ImagesNeeded`]). Accuracies with one trial
//! have McNemar's test too. Over classes, p-values are corrected by [`holm`]; [`benjamini_hochberg`] is there for other
//! collections of tests, [`sign_flip_p`] for other differences.
//!
//! # References
//! - M. Moayeri, S. Singla, S. Feizi: Hard ImageNet: Segmentations for Objects with Strong Spurious Cues. NeurIPS 2022
//!   (Datasets and Benchmarks).
//! - M. Moayeri, P. Pope, Y. Balaji, S. Feizi: A Comprehensive Study of Image Classification Model Sensitivity to
//!   Foregrounds, Backgrounds, and Visual Attributes. CVPR 2022 (RIVAL10).
//! - E. B. Wilson: Probable inference, the law of succession, and statistical inference. JASA 22, 1927.
//! - B. Efron: Bootstrap methods: another look at the jackknife. Annals of Statistics 7, 1979.
//! - T. Hesterberg: What teachers should know about the bootstrap. The American Statistician 69, 2015.
//! - A. Agresti, B. Caffo: Simple and effective confidence intervals for proportions and differences of proportions result
//!   from adding two successes and two failures. The American Statistician 54, 2000.

pub mod alignment;

mod bootstrap;
mod compare;
mod condition;
mod contrast;
mod correction;
mod description;
mod difference;
mod distribution;
mod ends;
mod estimate;
mod interval;
mod map_scores;
mod mcnemar;
mod metric;
mod narrowing;
mod permutation;
mod power;
mod record;
mod records;
mod score;
mod strata;

pub use compare::{Comparison, MetricDifferences, compare, compare_conditions, compare_with};
pub use condition::{CLEAN, MAP, NoiseCondition, NoiseRegion, condition_order, keeps_object, parse_noise_level};
pub use contrast::{Contrast, Unpaired, contrast};
pub use correction::{benjamini_hochberg, holm};
pub use description::MetricDescription;
pub use difference::{Difference, Effect};
pub use ends::{Ends, compare_ends};
pub use estimate::{Estimate, mean_estimate};
pub use map_scores::{FAITHFULNESS, MapScores, map_scores};
pub use mcnemar::{McNemar, mcnemar};
pub use metric::{Averaging, Better, Measure, Metric, MetricMeta, Unit, irfs, meta, metrics, rfs};
pub use permutation::sign_flip_p;
pub use power::ImagesNeeded;
pub use record::Record;
pub use records::{Cell, Class, Contribution, Failure, Pair, Records};
pub use score::{Counts, MetricScores, Options, Score, Scores, score, score_with};
pub use strata::{STRATA_METRICS, Strata, Stratum, score_strata};
