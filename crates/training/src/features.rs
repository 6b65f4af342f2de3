//! What a frozen part gives, computed once.

use crate::TrainingError;
use crate::batch::{Loader, SkippedSample, When};
use candle_core::Tensor;
use hard_imagenet_datasets::Dataset;
use hard_imagenet_graph::{Cut, CutValues, WeightMap};
use hard_imagenet_models::Network;
use std::collections::HashMap;
use std::ops::ControlFlow;

/// Pictures that go through at once: a matter of speed.
const AT_ONCE: usize = 32;

/// The frozen part's values for a dataset.
pub(crate) struct Kept {
    /// The row of each sample.
    places: HashMap<usize, u32>,
    value: CutValues,
}

impl Kept {
    /// Of all pictures that can be had; `None` if that takes more than `memory` bytes.
    pub(crate) fn new(
        network: &Network,
        cut: &Cut,
        loader: &Loader<'_>,
        data: &dyn Dataset,
        memory: u64,
        failures: &mut Vec<SkippedSample>,
        tick: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Option<Self>, TrainingError> {
        let weights: WeightMap = network.weights.iter().map(|(name, w)| (name.clone(), w.detach())).collect();
        let (mut places, mut at, mut carried) = (HashMap::new(), Vec::new(), Vec::new());
        let samples: Vec<usize> = (0..data.len()).collect();
        for chunk in samples.chunks(AT_ONCE) {
            if let Some(batch) = loader.batch(data, chunk, When::Validation, failures)? {
                let value = cut.trunk(&network.graph, &weights, &batch.x)?;
                // All pictures are of one size, so the first say what all of them take.
                let bytes: u64 = std::iter::once(&value.at).chain(&value.carried).map(bytes).sum();
                if bytes / batch.samples.len() as u64 * samples.len() as u64 > memory {
                    return Ok(None);
                }
                for sample in batch.samples {
                    places.insert(sample, places.len() as u32);
                }
                // A copy of what is a part of something larger, which then need not stay.
                let kept = |tensor: &Tensor| tensor.detach().contiguous();
                at.push(kept(&value.at)?);
                carried.push(value.carried.iter().map(kept).collect::<candle_core::Result<Vec<_>>>()?);
            }
            if tick(chunk[chunk.len() - 1] + 1).is_break() {
                return Err(TrainingError::Canceled);
            }
        }
        if at.is_empty() {
            return Err(TrainingError::Recipe(format!("none of the pictures of {} can be had", data.info().name)));
        }
        let joined = |i: usize| Tensor::cat(&carried.iter().map(|c| &c[i]).collect::<Vec<_>>(), 0);
        let carried = (0..carried[0].len()).map(joined).collect::<candle_core::Result<_>>()?;
        Ok(Some(Self { places, value: CutValues { at: Tensor::cat(&at, 0)?, carried } }))
    }

    /// Those of some samples; `None` if none of them is there.
    pub(crate) fn some(&self, samples: &[usize]) -> Result<Option<(Vec<usize>, CutValues)>, TrainingError> {
        let (samples, rows): (Vec<usize>, Vec<u32>) =
            samples.iter().filter_map(|sample| Some((*sample, *self.places.get(sample)?))).unzip();
        if samples.is_empty() {
            return Ok(None);
        }
        let rows = Tensor::new(rows, self.value.at.device())?;
        let pick = |tensor: &Tensor| tensor.index_select(&rows, 0);
        let carried = self.value.carried.iter().map(pick).collect::<candle_core::Result<_>>()?;
        Ok(Some((samples, CutValues { at: pick(&self.value.at)?, carried })))
    }
}

fn bytes(tensor: &Tensor) -> u64 {
    (tensor.elem_count() * tensor.dtype().size_in_bytes()) as u64
}
