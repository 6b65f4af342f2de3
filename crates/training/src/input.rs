use crate::TrainingError;
use crate::batch::{Batch, Loader, Phase, SkippedSample};
use crate::feature_cache::{CachedFeatures, FeatureCache};
use crate::setup::Setup;
use candle_core::Tensor;
use hard_imagenet_datasets::Dataset;
use hard_imagenet_graph::{Graph, WeightMap, run};

/// What some samples feed into the network.
pub(crate) enum NetworkInput<'c> {
    /// Images, which go through the whole network.
    Images(Batch),
    /// Kept outputs of the frozen layers, which go through the rest.
    Features(CachedFeatures<'c>),
}

impl<'c> NetworkInput<'c> {
    /// Loads the images of some samples, or looks their features up if there is a cache. Returns `None` if none of the
    /// samples can be read.
    pub(crate) fn load(
        setup: &Setup<'_>,
        cache: Option<&'c FeatureCache>,
        data: &dyn Dataset,
        samples: &[usize],
        phase: Phase,
        skipped: &mut Vec<SkippedSample>,
    ) -> Result<Option<Self>, TrainingError> {
        if let Some(cache) = cache {
            return Ok(cache.pick(samples)?.map(Self::Features));
        }
        let loader = Loader::new(&setup.recipe, &setup.network.spec.preprocess, &setup.device);
        Ok(loader.batch(data, samples, phase, skipped)?.map(Self::Images))
    }

    /// Returns the indices of the samples that could be read.
    pub(crate) fn samples(&self) -> &[usize] {
        match self {
            Self::Images(batch) => &batch.samples,
            Self::Features(features) => &features.samples,
        }
    }

    /// Returns the logits `(B, K)` of the network as it is used after training.
    pub(crate) fn logits(&self, graph: &Graph, weights: &WeightMap) -> Result<Tensor, TrainingError> {
        Ok(match self {
            Self::Images(batch) => run(graph, weights, &batch.x)?,
            Self::Features(features) => features.cut.head(graph, weights, &features.value)?,
        })
    }
}
