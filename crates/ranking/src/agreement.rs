use crate::{FeatureId, Verdict, Verdicts};

/// How far two sources of verdicts agree on the features that both decide.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    /// Number of features by the verdict of the first source (rows: core, spurious) and of the second (columns).
    pub table: [[usize; 2]; 2],
    /// Cohen's κ (1960): 1 for equal verdicts, 0 for agreement by chance. It is undefined if both sources give all
    /// features the same verdict.
    pub kappa: Option<f64>,
    /// Features that one source calls core and the other spurious, in order.
    pub disagreements: Vec<FeatureId>,
}

/// Compares two sources. Features that one of them leaves undecided do not count.
pub fn measure_agreement(first: &Verdicts, second: &Verdicts) -> Agreement {
    let mut table = [[0; 2]; 2];
    let mut disagreements = Vec::new();
    for (&id, &a) in first.iter() {
        let Some(b) = second.get(id) else { continue };
        table[usize::from(a == Verdict::Spurious)][usize::from(b == Verdict::Spurious)] += 1;
        if a != b {
            disagreements.push(id);
        }
    }
    Agreement { table, kappa: kappa(&table), disagreements }
}

fn kappa(table: &[[usize; 2]; 2]) -> Option<f64> {
    let all: usize = table.iter().flatten().sum();
    let share = |n: usize| n as f64 / all as f64;
    let observed = share(table[0][0] + table[1][1]);
    let by_chance: f64 = (0..2).map(|i| share(table[i][0] + table[i][1]) * share(table[0][i] + table[1][i])).sum();
    (all > 0 && by_chance < 1.0).then(|| (observed - by_chance) / (1.0 - by_chance))
}

#[cfg(test)]
mod tests {
    use super::*;

    // sklearn.metrics.cohen_kappa_score
    #[test]
    fn kappas_agree_with_scikit_learn() {
        let check = |table: [[usize; 2]; 2], want: Option<f64>| match (kappa(&table), want) {
            (Some(got), Some(want)) => assert!((got - want).abs() < 1e-12, "{table:?}: {got}"),
            (got, want) => assert_eq!(got, want, "{table:?}"),
        };
        check([[20, 5], [10, 15]], Some(0.4));
        check([[0, 4], [3, 0]], Some(-0.96));
        check([[7, 0], [0, 0]], None);
        check([[0, 0], [0, 0]], None);
    }

    #[test]
    fn only_features_that_both_decide_count() {
        let id = |feature| FeatureId { class: 0, feature };
        let first: Verdicts = [(id(1), Verdict::Core), (id(2), Verdict::Spurious), (id(3), Verdict::Core)].into();
        let second: Verdicts = [(id(2), Verdict::Spurious), (id(3), Verdict::Spurious), (id(4), Verdict::Core)].into();
        let agreement = measure_agreement(&first, &second);
        assert_eq!(agreement.table, [[0, 1], [0, 1]]);
        assert_eq!(agreement.disagreements, [id(3)]);
    }
}
