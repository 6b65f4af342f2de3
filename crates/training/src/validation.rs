use crate::TrainingError;
use crate::batch::Phase;
use crate::feature_cache::FeatureCache;
use crate::input::NetworkInput;
use crate::setup::{Setup, class_columns};
use candle_core::D;
use hard_imagenet_datasets::Dataset;
use hard_imagenet_graph::WeightMap;

/// Returns the share of a dataset's images that the network classifies correctly when it is used as a model, in [0, 1].
/// Samples that cannot be read do not count.
pub(crate) fn measure_accuracy(
    setup: &Setup<'_>,
    data: &dyn Dataset,
    cache: Option<&FeatureCache>,
) -> Result<f64, TrainingError> {
    let network = &setup.network;
    let columns = class_columns(data, network.spec.classes)?;
    // Without the record that gradients need.
    let weights: WeightMap = network.weights.iter().map(|(name, weight)| (name.clone(), weight.detach())).collect();
    let (mut correct, mut seen) = (0, 0);
    let all: Vec<usize> = (0..data.len()).collect();
    for samples in all.chunks(setup.recipe.batch_size) {
        let input = NetworkInput::load(setup, cache, data, samples, Phase::Validation, &mut Vec::new())?;
        let Some(input) = input else { continue };
        let predictions = input.logits(&network.graph, &weights)?.argmax(D::Minus1)?.to_vec1::<u32>()?;
        let pairs = input.samples().iter().zip(predictions);
        correct += pairs.filter(|&(&i, prediction)| columns[data.class(i)] == prediction).count();
        seen += input.samples().len();
    }
    Ok(correct as f64 / seen.max(1) as f64)
}
