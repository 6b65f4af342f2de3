use crate::FeatureBank;

/// Returns the importance of each feature for a class, `(D)`: mean activation × weight of the last layer,
/// `FI_k = mean_n(a_nk) w_k` (Singla and Feizi 2022). It is undefined without images to average over. Sums are in f64.
///
/// The published code averages over the images that the model predicts to be of the class
/// ([`FeatureBank::predicted_rows`]). [`FeatureBank::labeled_rows`] returns those that belong to it.
///
/// # Panics
/// Panics if the bank does not have the class or a row.
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

/// Returns the `n` features of the greatest importance, the greatest first. Equal ones keep their order.
pub fn top_features(importance: &[f64], n: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..importance.len() as u32).collect();
    order.sort_by(|&a, &b| importance[b as usize].total_cmp(&importance[a as usize]));
    order.truncate(n);
    order
}
