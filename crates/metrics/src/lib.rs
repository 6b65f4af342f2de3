//! Computes scores with intervals from the records of an evaluation. All functions are pure: they see no tensor, no
//! model and no file.
//!
//! A [`Record`] states what an image classifier did with one image under one condition: unchanged (`none`), with the
//! object removed (`gray`, `gray-box`, `tile`), or with noise on the object or off it (`noise:linf:0.25:fg`). [`score`]
//! turns records into [`Scores`]: every metric under every condition, over samples, over classes and in each class,
//! each an [`Estimate`] with an interval.
//!
//! In the order of use:
//! - [`Record`] is the input of everything. Its [`MapScores`] are those of a saliency map; [`alignment`] computes them.
//! - [`score`] with [`Options`] returns [`Scores`]. [`score_strata`] scores small objects, large objects, and other
//!   strata separately.
//! - [`compare`] returns the differences between two runs on the same samples, and [`compare_conditions`] those between
//!   two conditions of one run, both paired by sample. [`contrast`] returns the differences between runs on different
//!   samples.
//! - [`Scores::headline`] is the number that the paper would quote; [`Scores::get`] returns all the others.
//! - [`Metric`] is one way to measure [`Records`]. [`metrics`] lists the built-in ones, [`score_with`] accepts others,
//!   and [`rfs`] is the formula alone.
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
//! A record with `error` set scores nothing and counts as failed. A missing prediction (the image or the logits are
//! NaN) counts as wrong. A score that is missing because it is undefined, such as delta density for an empty mask, is
//! skipped and counted as such. If records repeat a sample, condition and trial, the first one counts; apart from that,
//! the order of the records does not matter.
//!
//! As in the published code, accuracy under ablation is quoted as a mean over samples and relative foreground
//! sensitivity as a mean over classes (Q8). Both means of every metric are available.
//!
//! # Intervals
//! - A plain proportion of one class, with one right or wrong per sample, has Wilson's interval (Wilson 1927).
//! - Everything else (means over classes, paired differences, several trials per sample, RFS, saliency) is resampled by
//!   a bootstrap over samples (Efron 1979). A sample is drawn with all its conditions and trials, so pairs stay
//!   together and trials are not mistaken for samples. Draws are stratified by class; classes of fewer than five
//!   samples are pooled. The generator is counter-based and seeded by the [`Options`], so equal records give equal
//!   intervals.
//! - The interval is the expanded percentile interval (Hesterberg 2015): samples drawn from themselves vary too little
//!   by a factor of `(n − 1) / n` in each stratum, and Student's quantile replaces the normal one. An accuracy over
//!   several trials or classes has Wilson's interval for the number of independent trials that would determine it
//!   equally well (the design effect, from the bootstrap's variance and two added samples, one all right and one all
//!   wrong). The number of samples in each class is fixed and not a matter of chance, so several different classes
//!   determine an accuracy better than one mixed class of as many samples. Replicates of ratios of accuracies (RFS,
//!   relative drop) get one more sample by a coin toss. Without these corrections, 95 % intervals near 0 and 1
//!   contained the truth only 86 % of the time.
//! - In simulations (`tests/coverage.rs`), 95 % intervals over samples and over classes contain the truth in 93 to 97 %
//!   of runs of 50 samples, whether these form one class or ten classes of five. They contain it more often if a result
//!   depends on one or two samples (99 % for a drop of 3 points on 50 samples) and, by a point or two, for the RFS of
//!   accuracies near 1. In a single class of five samples, intervals of skewed saliency scores contain the truth 81 to
//!   93 % of the time, and those of ratios nearly always. `examples/coverage.rs` draws small runs from a large one: of
//!   600 draws of 200 out of 2,000 planted images, for a model whose scores cover their ranges, the intervals of every
//!   quoted score contained the truth in 93.3 to 96.7 %. This fails where almost nothing happens: intervals of drops
//!   that are caused by one image in 2,000 always contain it, and those of confidence drops that are caused by a few
//!   images in 2,000 contain it in 11 to 84 %, because most draws contain none of these images.
//! - A mean that no replicate changes, because all samples agree, is still uncertain. By the rule of three, `n` samples
//!   that agree may miss a share of up to `1 - 0.05^(1/n)` of the population. The interval extends to where such a
//!   share at either end of the range would move the mean (for RFS, either accuracy). Here `n` is the number of
//!   samples, or Kish's effective number for means over classes. So 20 right of 20 is never 100 % with certainty, and
//!   the RFS of two accuracies that are 0 everywhere is 0 with an interval from -1 to 1: nothing is known.
//!
//! # Differences
//! Every [`Effect`] has an interval, a p-value by permutation (the outcomes of a sample are swapped; exact if few
//! samples differ), its size in standard deviations, and the number of images needed to detect it ([`ImagesNeeded`]).
//! Accuracies with one trial also have McNemar's test. Over classes, p-values are corrected by [`holm`].
//! [`benjamini_hochberg`] corrects other collections of tests, and [`sign_flip_p`] tests other differences.
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
mod quantity;
mod record;
mod records;
mod score;
mod strata;

pub use compare::{Comparison, MetricDifferences, compare, compare_conditions, compare_with};
pub use condition::{CLEAN, MAP, NoiseCondition, NoiseRegion, condition_order, parse_noise_level};
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
