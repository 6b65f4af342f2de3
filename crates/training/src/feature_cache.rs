//! The outputs of the frozen layers for a dataset, computed once.

use crate::TrainingError;
use crate::batch::{Loader, Phase, SkippedSample};
use candle_core::Tensor;
use hard_imagenet_datasets::Dataset;
use hard_imagenet_graph::{Cut, CutValues, NodeId, WeightMap};
use hard_imagenet_models::Network;
use hard_imagenet_plan::Engine;
use std::collections::HashMap;
use std::ops::ControlFlow;

/// Images that go through the network at once. The number affects speed only.
const BATCH_SIZE: usize = 32;

/// The outputs of the frozen layers for all readable samples of a dataset.
pub(crate) struct FeatureCache {
    /// Where the frozen layers end.
    cut: Cut,
    /// The row of each sample in `value`.
    rows: HashMap<usize, u32>,
    value: CutValues,
}

/// The features of some samples.
pub(crate) struct CachedFeatures<'c> {
    pub(crate) samples: Vec<usize>,
    pub(crate) value: CutValues,
    /// Where the frozen layers end.
    pub(crate) cut: &'c Cut,
}

impl FeatureCache {
    /// Runs all readable images through the frozen layers. Returns `None` if the outputs take more than `memory` bytes.
    ///
    /// `progress` is called with the number of images done; returning `Break` cancels.
    pub(crate) fn compute(
        network: &Network,
        cut: &Cut,
        loader: &Loader<'_>,
        data: &dyn Dataset,
        memory: u64,
        skipped: &mut Vec<SkippedSample>,
        progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Option<Self>, TrainingError> {
        let weights: WeightMap = network.weights.iter().map(|(name, w)| (name.clone(), w.detach())).collect();
        let engine = Engine::default();
        let wanted: Vec<NodeId> = std::iter::once(cut.node()).chain(cut.carried().iter().copied()).collect();
        let (mut rows, mut at, mut carried) = (HashMap::new(), Vec::new(), Vec::new());
        let samples: Vec<usize> = (0..data.len()).collect();
        for chunk in samples.chunks(BATCH_SIZE) {
            if let Some(batch) = loader.batch(data, chunk, Phase::Validation, skipped)? {
                let mut values = engine.run_or_fall_back(&network.graph, &weights, &batch.x, &wanted)?;
                let value = CutValues { carried: values.split_off(1), at: values.remove(0) };
                // All images have one size, so the first batch shows how much memory all of them take.
                let bytes: u64 = std::iter::once(&value.at).chain(&value.carried).map(byte_count).sum();
                if bytes / batch.samples.len() as u64 * samples.len() as u64 > memory {
                    return Ok(None);
                }
                for sample in batch.samples {
                    rows.insert(sample, rows.len() as u32);
                }
                // A view would keep the larger tensor that it is a part of in memory.
                let copy = |tensor: &Tensor| tensor.detach().contiguous();
                at.push(copy(&value.at)?);
                carried.push(value.carried.iter().map(copy).collect::<candle_core::Result<Vec<_>>>()?);
            }
            if progress(chunk[chunk.len() - 1] + 1).is_break() {
                return Err(TrainingError::Canceled);
            }
        }
        if at.is_empty() {
            return Err(TrainingError::Recipe(format!("no image of {} can be read", data.info().name)));
        }
        let joined = |i: usize| Tensor::cat(&carried.iter().map(|c| &c[i]).collect::<Vec<_>>(), 0);
        let carried = (0..carried[0].len()).map(joined).collect::<candle_core::Result<_>>()?;
        Ok(Some(Self { cut: cut.clone(), rows, value: CutValues { at: Tensor::cat(&at, 0)?, carried } }))
    }

    /// Returns the features of some samples; `None` if none of them could be read.
    pub(crate) fn pick(&self, samples: &[usize]) -> Result<Option<CachedFeatures<'_>>, TrainingError> {
        let (samples, rows): (Vec<usize>, Vec<u32>) =
            samples.iter().filter_map(|sample| Some((*sample, *self.rows.get(sample)?))).unzip();
        if samples.is_empty() {
            return Ok(None);
        }
        let rows = Tensor::new(rows, self.value.at.device())?;
        let pick = |tensor: &Tensor| tensor.index_select(&rows, 0);
        let carried = self.value.carried.iter().map(pick).collect::<candle_core::Result<_>>()?;
        let value = CutValues { at: pick(&self.value.at)?, carried };
        Ok(Some(CachedFeatures { samples, value, cut: &self.cut }))
    }
}

fn byte_count(tensor: &Tensor) -> u64 {
    (tensor.elem_count() * tensor.dtype().size_in_bytes()) as u64
}
