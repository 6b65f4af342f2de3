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

/// Deep feature reweighting (Kirichenko, Izmailov and Wilson 2023): the features stay, and a new last layer is learnt on
/// pictures of which every group has as many; that is done `draws` times, on other pictures of the larger groups each time,
/// and the layers are averaged.
///
/// The authors fit each layer by logistic regression with an ℓ1 penalty; here it is trained by the recipe, whose decay stands
/// for the penalty. `data` should be held out: pictures that the features were not learnt on.
///
/// # Errors
/// As [`Trainer::run`]; for a recipe of another part than the head.
pub fn deep_feature_reweighting(
    network: &Network,
    recipe: &Recipe,
    data: &dyn Dataset,
    groups: &Groups,
    draws: usize,
    mut listen: impl FnMut(TrainingEvent<'_>) -> ControlFlow<()>,
) -> Result<TrainingOutcome, TrainingError> {
    if recipe.trainable != TrainableWeights::Head || draws == 0 {
        return Err(TrainingError::Recipe("reweighting learns a head, in one draw at least".into()));
    }
    let names = learning_weights(network, &TrainableWeights::Head)?;
    let mut sums: Vec<Tensor> = Vec::new();
    let (mut epochs, mut failures): (Vec<Epoch>, Vec<SkippedSample>) = (Vec::new(), Vec::new());
    for draw in 0..draws {
        let chosen = groups.even(NoiseKey::new(recipe.seed, "reweighting", draw as u32));
        let subset = Subset::filter(data, |i| chosen.contains(&i));
        let recipe = Recipe { objective: Objective::Erm, seed: recipe.seed + draw as u64, ..recipe.clone() };
        let one = Trainer::new(network.clone(), recipe).run(&subset, &mut listen)?;
        for (i, name) in names.iter().enumerate() {
            let weight = &one.network.weights[name];
            match sums.get_mut(i) {
                Some(sum) => *sum = (&*sum + weight)?,
                None => sums.push(weight.clone()),
            }
        }
        epochs.extend(one.epochs);
        failures.extend(one.failures);
    }
    failures.sort_by(|a, b| a.sample.cmp(&b.sample));
    failures.dedup();
    let mut network = network.clone();
    for (name, sum) in names.iter().zip(sums) {
        network.weights.insert(name.clone(), (sum / draws as f64)?);
    }
    network.weights_sha256 = hash_weights(&network)?;
    network.weights_origin = None;
    Ok(TrainingOutcome { network, epochs, failures })
}
