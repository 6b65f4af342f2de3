use crate::network::{hash_weights, learning_weights};
use crate::{
    Epoch, Groups, Objective, Recipe, SkippedSample, TrainableWeights, Trainer, TrainingError, TrainingEvent,
    TrainingOutcome,
};
use candle_core::Tensor;
use hard_imagenet_datasets::{Dataset, Subset};
use hard_imagenet_models::Network;
use hard_imagenet_perturbations::NoiseKey;
use std::ops::ControlFlow;

/// Finetunes the last layer by deep feature reweighting (Kirichenko, Izmailov and Wilson 2023).
///
/// The features stay as they are. A new last layer is trained on random images of which every group has the same
/// number. This is done `draws` times, each time with other images of the larger groups, and the layers are averaged.
/// `data` should be images on which the features were not trained.
///
/// The authors fit each layer by logistic regression with an ℓ1 penalty. Here it is trained by the recipe, whose weight
/// decay takes the place of the penalty.
///
/// # Errors
/// Returns [`TrainingError::Recipe`] for a recipe that trains more than the head and for no draws, and the errors of
/// [`Trainer::train`].
pub fn deep_feature_reweighting(
    network: &Network,
    recipe: &Recipe,
    data: &dyn Dataset,
    groups: &Groups,
    draws: usize,
    mut listener: impl FnMut(&TrainingEvent<'_>) -> ControlFlow<()>,
) -> Result<TrainingOutcome, TrainingError> {
    if recipe.trainable != TrainableWeights::Head || draws == 0 {
        return Err(TrainingError::Recipe("reweighting trains a head, in at least one draw".into()));
    }
    let names = learning_weights(network, &TrainableWeights::Head)?;
    let mut sums: Vec<Tensor> = Vec::new();
    let (mut epochs, mut skipped): (Vec<Epoch>, Vec<SkippedSample>) = (Vec::new(), Vec::new());
    for draw in 0..draws {
        let chosen = groups.draw_equal_counts(NoiseKey::new(recipe.seed, "reweighting", draw as u32));
        let subset = Subset::filter(data, |i| chosen.contains(&i));
        let recipe = Recipe { objective: Objective::Erm, seed: recipe.seed + draw as u64, ..recipe.clone() };
        let outcome = Trainer::new(network.clone(), recipe).train(&subset, &mut listener)?;
        for (i, name) in names.iter().enumerate() {
            let weight = &outcome.network.weights[name];
            match sums.get_mut(i) {
                Some(sum) => *sum = (&*sum + weight)?,
                None => sums.push(weight.clone()),
            }
        }
        epochs.extend(outcome.epochs);
        skipped.extend(outcome.skipped);
    }
    skipped.sort_by(|a, b| a.sample.cmp(&b.sample));
    skipped.dedup();
    let mut network = network.clone();
    for (name, sum) in names.iter().zip(sums) {
        network.weights.insert(name.clone(), (sum / draws as f64)?);
    }
    network.weights_sha256 = hash_weights(&network)?;
    network.weights_origin = None;
    Ok(TrainingOutcome { network, epochs, skipped })
}
