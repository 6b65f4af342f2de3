use crate::correlation::ranks;

/// How the activations a₁, a₂, … of several features become one score.
///
/// The authors published their ranking, but not which of these made it. [`Aggregate::Sum`] is the simplest that fits
/// their description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// Σ aₖ.
    Sum,
    /// Σ wₖ aₖ, where wₖ is the weight of the last layer from feature k to the class.
    WeightedSum,
    /// The largest activation.
    Maximum,
    /// Σ (aₖ − mean of feature k) / standard deviation of feature k, both over the images of the class. A feature that
    /// does not vary adds nothing.
    ZScore,
    /// The mean of the image's ranks by each single feature, from 0 for the weakest to 1 for the strongest.
    MeanRank,
    /// Σ aₖ minus the largest such sum of any other class over its own spurious features: how far the cues of the class
    /// exceed those of its strongest rival. Features that two classes share cancel out, as does everything that raises
    /// all features equally. On planted images, this aggregate orders images by their cues best.
    Advantage,
}

impl Aggregate {
    /// All aggregates with their words.
    pub const ALL: [(&str, Self); 6] = [
        ("sum", Self::Sum),
        ("weighted-sum", Self::WeightedSum),
        ("maximum", Self::Maximum),
        ("z-score", Self::ZScore),
        ("mean-rank", Self::MeanRank),
        ("advantage", Self::Advantage),
    ];

    /// Returns the aggregate with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(name, aggregate)| (name == word).then_some(aggregate))
    }

    /// Returns the word that names the aggregate.
    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find_map(|(word, aggregate)| (aggregate == self).then_some(word)).unwrap_or_default()
    }

    /// Returns a score for each image of a class. A higher score means stronger spurious cues.
    ///
    /// `activations` has one row per image and one column per feature, `weights` one number per feature. `rivals` has
    /// the largest sum of another class for each image; only [`Aggregate::Advantage`] uses it. Sums are in f64.
    pub fn scores(self, activations: &[Vec<f32>], weights: &[f32], rivals: &[f64]) -> Vec<f64> {
        let each = |score: &dyn Fn(&[f32]) -> f64| activations.iter().map(|row| score(row)).collect();
        match self {
            Self::Sum => each(&sum),
            Self::Advantage => activations.iter().zip(rivals).map(|(row, rival)| sum(row) - rival).collect(),
            Self::WeightedSum => each(&|row| row.iter().zip(weights).map(|(&a, &w)| f64::from(a) * f64::from(w)).sum()),
            Self::Maximum => each(&|row| row.iter().fold(f64::NEG_INFINITY, |most, &a| most.max(f64::from(a)))),
            Self::ZScore => total(activations, |column| {
                let n = column.len() as f64;
                let mean = column.iter().sum::<f64>() / n;
                let std = (column.iter().map(|a| (a - mean).powi(2)).sum::<f64>() / n).sqrt();
                let scale = if std > 0.0 { std.recip() } else { 0.0 };
                column.iter().map(|a| (a - mean) * scale).collect()
            }),
            Self::MeanRank => {
                let most = (activations.len().max(2) - 1) as f64;
                let features = activations.first().map_or(1, |row| row.len().max(1)) as f64;
                let total = total(activations, |column| ranks(column).into_iter().map(|r| (r - 1.0) / most).collect());
                total.into_iter().map(|sum| sum / features).collect()
            }
        }
    }
}

pub(crate) fn sum(activations: &[f32]) -> f64 {
    activations.iter().map(|&a| f64::from(a)).sum()
}

/// Sums what `of_column` returns for the column of each feature.
fn total(activations: &[Vec<f32>], of_column: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let mut total = vec![0.0; activations.len()];
    for feature in 0..activations.first().map_or(0, Vec::len) {
        let column: Vec<f64> = activations.iter().map(|row| f64::from(row[feature])).collect();
        total.iter_mut().zip(of_column(&column)).for_each(|(total, one)| *total += one);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_by_hand() {
        let rows = vec![vec![1.0, 4.0], vec![3.0, 0.0], vec![2.0, 2.0]];
        let check = |aggregate: Aggregate, want: [f64; 3]| {
            let got = aggregate.scores(&rows, &[2.0, -1.0], &[1.0, 0.0, 5.0]);
            assert!(got.iter().zip(want).all(|(got, want)| (got - want).abs() < 1e-12), "{aggregate:?}: {got:?}");
        };
        check(Aggregate::Sum, [5.0, 3.0, 4.0]);
        check(Aggregate::WeightedSum, [-2.0, 6.0, 2.0]);
        check(Aggregate::Maximum, [4.0, 3.0, 2.0]);
        check(Aggregate::ZScore, [0.0, 0.0, 0.0]);
        check(Aggregate::MeanRank, [0.5, 0.5, 0.5]);
        check(Aggregate::Advantage, [4.0, 3.0, -1.0]);
        assert_eq!(Aggregate::ZScore.scores(&[vec![7.0], vec![7.0]], &[1.0], &[]), [0.0, 0.0]);
        assert_eq!(Aggregate::MeanRank.scores(&[vec![7.0]], &[1.0], &[]), [0.0]);
    }

    #[test]
    fn every_word_round_trips() {
        for (word, aggregate) in Aggregate::ALL {
            assert_eq!((Aggregate::parse(word), aggregate.word()), (Some(aggregate), word));
        }
        assert_eq!(Aggregate::parse("median"), None);
    }
}
