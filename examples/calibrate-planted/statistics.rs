//! Statistics of how well a score follows the truth.

/// Returns the mean and half the width of its 95 % interval by Student's t, or `None` for fewer than two values.
pub(crate) fn mean(values: &[f64]) -> Option<(f64, f64)> {
    /// 0.975 quantiles for 1, 2, .. degrees of freedom.
    const T: [f64; 9] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];
    let n = values.len() as f64;
    let t = *T.get(values.len().checked_sub(2)?)?;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Some((mean, t * (variance / n).sqrt()))
}

/// Returns Spearman's rank correlation; ties share their mean rank. `None` if one side does not vary.
pub(crate) fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    pearson(&ranks(x), &ranks(y))
}

/// Returns Pearson's correlation. `None` if one side does not vary.
pub(crate) fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let center = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (at_x, at_y) = (center(x), center(y));
    let sum = |f: &dyn Fn(f64, f64) -> f64| x.iter().zip(y).map(|(x, y)| f(x - at_x, y - at_y)).sum::<f64>();
    let scale = (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt();
    (scale > 0.0).then(|| sum(&|x, y| x * y) / scale)
}

/// Returns the rank of each value, from 0. Equal values share their mean rank.
pub(crate) fn ranks(values: &[f64]) -> Vec<f64> {
    let below = |v: &f64| values.iter().filter(|&w| w < v).count() as f64;
    let equal = |v: &f64| values.iter().filter(|&w| w == v).count() as f64;
    values.iter().map(|v| below(v) + (equal(v) - 1.0) / 2.0).collect()
}

/// Returns the share of pairs that `y` orders in the same way as `x`, among the pairs whose `x` differ and pass `counts`. A tie
/// counts half. `None` without such pairs.
pub(crate) fn share_in_order(x: &[f64], y: &[f64], counts: impl Fn(f64, f64) -> bool) -> Option<f64> {
    let (mut right, mut pairs) = (0.0, 0.0);
    for (i, (xi, yi)) in x.iter().zip(y).enumerate() {
        for (xj, yj) in x[..i].iter().zip(&y[..i]) {
            if xi != xj && counts(*xi, *xj) {
                pairs += 1.0;
                let product = (xi - xj) * (yi - yj);
                right += if product > 0.0 {
                    1.0
                } else if product == 0.0 {
                    0.5
                } else {
                    0.0
                };
            }
        }
    }
    (pairs > 0.0).then(|| right / pairs)
}

/// Returns where a curve has first gone `share` of its way from its first value to its last, interpolated linearly. `None` if it
/// ends where it began.
pub(crate) fn crossing(x: &[f64], y: &[f64], share: f64) -> Option<f64> {
    let (first, last) = (*y.first()?, *y.last()?);
    if first == last {
        return None;
    }
    let progress: Vec<f64> = y.iter().map(|y| (y - first) / (last - first)).collect();
    let at = progress.iter().position(|&w| w >= share)?;
    if at == 0 {
        return Some(x[0]);
    }
    let part = (share - progress[at - 1]) / (progress[at] - progress[at - 1]);
    Some(x[at - 1] + part * (x[at] - x[at - 1]))
}

/// A value and the ends of its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// Returns a statistic of all groups with the percentile interval of a bootstrap over groups. The statistic receives the numbers
/// of the drawn groups, from 0.
pub(crate) fn bootstrap_groups(groups: usize, statistic: impl Fn(&[usize]) -> Option<f64>) -> Option<Estimate> {
    const REPLICATES: usize = 1000;
    // A linear congruential generator (Knuth's for MMIX) is good enough to draw a few groups.
    let mut state = 1u64;
    let mut draw = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as usize * groups) >> 31
    };
    let all: Vec<usize> = (0..groups).collect();
    let mut drawn: Vec<f64> =
        (0..REPLICATES).filter_map(|_| statistic(&all.iter().map(&mut draw).collect::<Vec<_>>())).collect();
    drawn.sort_by(f64::total_cmp);
    let at = |share: f64| drawn.get((share * (drawn.len() as f64 - 1.0)).round() as usize).copied();
    Some(Estimate { value: statistic(&all)?, low: at(0.025)?, high: at(0.975)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_have_students_intervals() {
        // scipy.stats.t.interval(0.95, 4, 3, scipy.stats.sem([1, 2, 3, 4, 5])) is 3 ± 1.9632.
        let (mean_of, half) = mean(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!(mean_of, 3.0);
        assert!((half - 1.9632).abs() < 1e-3, "{half}");
        assert_eq!(mean(&[1.0]), None);
    }

    #[test]
    fn rank_correlation_shares_ties() {
        let check = |x: &[f64], y: &[f64], expected: Option<f64>| {
            let found = spearman(x, y);
            assert!(found.zip(expected).map_or(found == expected, |(a, b)| (a - b).abs() < 1e-6), "{found:?}");
        };
        check(&[1.0, 2.0, 3.0], &[10.0, 20.0, 90.0], Some(1.0));
        check(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0], Some(-1.0));
        // scipy.stats.spearmanr.
        check(&[1.0, 1.0, 2.0, 2.0, 3.0], &[1.0, 2.0, 2.0, 5.0, 4.0], Some(0.702_960));
        check(&[1.0, 1.0], &[1.0, 2.0], None);
    }

    #[test]
    fn pairs_of_one_level_do_not_count() {
        assert_eq!(share_in_order(&[1.0, 1.0, 2.0], &[5.0, 9.0, 7.0], |_, _| true), Some(0.5));
        assert_eq!(share_in_order(&[1.0, 2.0], &[5.0, 5.0], |_, _| true), Some(0.5));
        assert_eq!(share_in_order(&[1.0, 1.0], &[5.0, 9.0], |_, _| true), None);
        assert_eq!(share_in_order(&[1.0, 2.0, 3.0], &[1.0, 2.0, 0.0], |a, b| (a - b).abs() < 1.5), Some(0.5));
    }

    #[test]
    fn crossings_lie_between_points() {
        assert_eq!(crossing(&[0.0, 1.0, 2.0], &[4.0, 2.0, 0.0], 0.25), Some(0.5));
        assert_eq!(crossing(&[0.0, 1.0, 2.0], &[0.0, 0.0, 1.0], 0.9), Some(1.9));
        assert_eq!(crossing(&[0.0, 1.0], &[1.0, 1.0], 0.5), None);
    }

    #[test]
    fn resampling_covers_the_spread_of_groups() {
        let values = [0.0, 1.0, 2.0, 3.0, 4.0];
        let mean = |drawn: &[usize]| Some(drawn.iter().map(|&g| values[g]).sum::<f64>() / drawn.len() as f64);
        let Estimate { value, low, high } = bootstrap_groups(5, mean).unwrap();
        assert_eq!(value, 2.0);
        // The mean of five draws has deviation √(2 / 5) = 0.63, and its interval reaches almost twice as far.
        assert!((0.6..1.0).contains(&low) && (3.0..3.4).contains(&high), "{low} {high}");
        assert_eq!(bootstrap_groups(5, |_| None), None);
    }
}
