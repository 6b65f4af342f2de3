/// The distribution of a measure over samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The number of values. Samples without a value are skipped.
    pub n: usize,
    /// The mean.
    pub mean: f64,
    /// The minimum, lower quartile, median, upper quartile and maximum, interpolated linearly as in NumPy.
    pub quantiles: [f64; 5],
}

impl Summary {
    /// Summarizes the values that are defined; `None` if there are none.
    pub fn from_values(values: impl IntoIterator<Item = Option<f64>>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().flatten().collect();
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let quantile = |q: f64| {
            let at = q * last as f64;
            let (below, share) = (at as usize, at.fract());
            values[below] + share * (values[(below + 1).min(last)] - values[below])
        };
        let quantiles = [0.0, 0.25, 0.5, 0.75, 1.0].map(quantile);
        Some(Self { n: values.len(), mean: values.iter().sum::<f64>() / values.len() as f64, quantiles })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undefined_values_are_skipped() {
        let summary = Summary::from_values([Some(4.0), None, Some(1.0), Some(2.0), Some(3.0)]).unwrap();
        assert_eq!((summary.n, summary.mean), (4, 2.5));
        assert_eq!(summary.quantiles, [1.0, 1.75, 2.5, 3.25, 4.0]);
        assert_eq!(Summary::from_values([Some(7.0)]).unwrap().quantiles, [7.0; 5]);
        assert_eq!(Summary::from_values([None, None]), None);
        assert_eq!(Summary::from_values([]), None);
    }
}
