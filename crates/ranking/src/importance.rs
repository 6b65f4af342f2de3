use crate::FeatureBank;

/// Importance of each feature for a class, SPEC 11.2: mean activation × weight of the last layer, `FI_k = mean_n(a_nk) w_k`,
/// a number a feature; `None` if there is no picture to average over. Sums in f64.
///
/// The original averages over the pictures that the model takes for the class ([`FeatureBank::predicted_rows`]);
/// [`FeatureBank::labeled_rows`] are those of the class.
pub fn feature_importance(bank: &FeatureBank, class: u32, rows: &[usize]) -> Option<Vec<f64>> {
    if rows.is_empty() {
        return None;
    }
    let mut sums = vec![0.0; bank.width];
    for &row in rows {
        sums.iter_mut().zip(bank.features(row)).for_each(|(sum, &a)| *sum += f64::from(a));
    }
    let weights = bank.weights(class);
    Some(sums.iter().zip(weights).map(|(sum, &w)| sum / rows.len() as f64 * f64::from(w)).collect())
}

/// The `n` features of the greatest importance, the greatest first; of equal ones the first.
pub fn top_features(importance: &[f64], n: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..importance.len() as u32).collect();
    order.sort_by(|&a, &b| importance[b as usize].total_cmp(&importance[a as usize]));
    order.truncate(n);
    order
}
