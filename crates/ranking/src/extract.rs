//! From pictures to a bank.

use crate::{BankIdentity, FeatureBank, RankingError};
use candle_core::{DType, Tensor};
use hard_imagenet_masks::Mask;
use hard_imagenet_models::{Graph, Model, NodeId, Op};
use rayon::prelude::*;

/// A network as a source of features: where they are, where they lie over the picture, and what they weigh for each class.
pub struct FeatureExtractor<'m> {
    model: &'m Model,
    map: NodeId,
    /// Without pictures.
    empty: FeatureBank,
}

impl<'m> FeatureExtractor<'m> {
    /// For the classes of a dataset, each with its column of the model's head.
    ///
    /// Features are the input of the last linear layer (`feature_node` of the model). Their maps are the value before
    /// pooling: going back from there, the first value with rows and columns. What is pooled by a mean over the picture is
    /// exactly the mean of its map; of a class token the map is the same channel of the patches' tokens.
    ///
    /// # Errors
    /// [`RankingError::Network`] if the network does not end in one linear layer on its features (a distilled transformer
    /// has two), or no value before them has rows and columns and as many channels; or for a column that the head lacks.
    pub fn new(model: &'m Model, dataset: &str, classes: Vec<String>, columns: Vec<u32>) -> Result<Self, RankingError> {
        let spec = model.spec();
        let fail = |problem: String| RankingError::Network { model: spec.name.clone(), problem };
        let graph = model.graph();
        let features = graph.find(&spec.feature_node).map_err(|error| fail(error.to_string()))?;
        let last = last_layer(graph, features)
            .ok_or_else(|| fail(format!("it does not end in one linear layer on {}", spec.feature_node)))?;
        let weight = &model.weights()[&graph.node(last).weights[0]];
        let (k, width) = weight.dims2()?;
        let (height, across) = spec.preprocess.input;
        let shapes = graph.shapes(&[1, 3, height, across]).map_err(|error| fail(error.to_string()))?;
        let map = before_pooling(graph, features, width, &shapes).ok_or_else(|| {
            fail(format!("nothing before {} has rows, columns and {width} channels", spec.feature_node))
        })?;
        if let Some(column) = columns.iter().find(|&&column| column as usize >= k) {
            return Err(fail(format!("its head has {k} classes and none of number {column}")));
        }
        let all = weight.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        let weights = columns.iter().flat_map(|&c| all[c as usize * width..][..width].iter().copied()).collect();
        let about = BankIdentity {
            model: spec.name.clone(),
            weights_sha256: model.weights_sha256().to_owned(),
            feature_node: spec.feature_node.clone(),
            map_node: graph.node(map).name.clone(),
            preprocess: format!("{:?}", spec.preprocess),
            dataset: dataset.to_owned(),
            samples: String::new(),
            classes,
            columns,
        };
        Ok(Self { model, map, empty: FeatureBank::new(about, weights)? })
    }

    /// The same, for banks of certain samples: those of others are refused ([`FeatureBank::join`]).
    pub fn with_samples(mut self, samples: String) -> Self {
        self.empty.identity.samples = samples;
        self
    }

    /// What the bank will say of itself.
    pub fn identity(&self) -> &BankIdentity {
        &self.empty.identity
    }

    /// A bank without pictures, to join parts to.
    pub fn empty_bank(&self) -> FeatureBank {
        self.empty.clone()
    }

    /// The bank of a batch: `x` `(B, 3, H, W)` normalised, and for each picture its id, its class in the dataset and its mask,
    /// of the picture's size. One forward pass.
    ///
    /// The share of a map on the object is `Σ a m / Σ a` over the map's places, `a` being the activation where it is
    /// positive, `m` how much of the place's part of the picture is object.
    ///
    /// # Errors
    /// From the model, for a batch that it does not take.
    ///
    /// # Panics
    /// If there are not as many ids, labels and masks as pictures.
    pub fn extract(
        &self,
        x: &Tensor,
        ids: &[&str],
        labels: &[u32],
        masks: &[Mask],
    ) -> Result<FeatureBank, RankingError> {
        assert!(ids.len() == labels.len() && labels.len() == masks.len() && x.dim(0).is_ok_and(|b| b == ids.len()));
        let (logits, values) =
            self.model.forward_with(x, &[&self.empty.identity.feature_node, &self.empty.identity.map_node])?;
        let mut bank = self.empty_bank();
        bank.ids = ids.iter().map(|&id| id.to_owned()).collect();
        bank.labels = labels.to_vec();
        bank.predictions = logits.argmax(1)?.to_vec1()?;
        bank.features = values[0].flatten_all()?.to_vec1()?;
        let (maps, h, w) = self.in_places(&values[1])?;
        let maps = maps.flatten_from(1)?.to_vec2::<f32>()?;
        let shares =
            maps.par_iter().zip(masks).map(|(map, mask)| shares(map, mask.coverage(h, w).as_slice(), self.empty.width));
        bank.on_object = shares.collect::<Vec<_>>().concat();
        bank.object = masks.iter().map(|mask| mask.fraction() as f32).collect();
        Ok(bank)
    }

    /// The features' maps of a batch, `(B, h · w, D)`, f32, with h and w.
    pub(crate) fn places(&self, x: &Tensor) -> Result<(Tensor, usize, usize), RankingError> {
        self.in_places(&self.model.value(&self.empty.identity.map_node, x)?)
    }

    fn in_places(&self, value: &Tensor) -> Result<(Tensor, usize, usize), RankingError> {
        let layout = self.model.graph().node(self.map).layout;
        let places = layout.positions(value)?.ok_or_else(|| candle_core::Error::Msg("a map without places".into()))?;
        Ok((places.values.to_dtype(DType::F32)?, places.h, places.w))
    }
}

/// The linear layer that takes the features and gives the logits.
fn last_layer(graph: &Graph, features: NodeId) -> Option<NodeId> {
    let node = graph.node(graph.output());
    (matches!(node.op, Op::Linear { .. }) && node.inputs.first() == Some(&features)).then(|| graph.output())
}

/// Going back from the features, the first value that has places and as many channels.
fn before_pooling(graph: &Graph, features: NodeId, width: usize, shapes: &[Vec<usize>]) -> Option<NodeId> {
    use hard_imagenet_models::Layout;
    let mut at = features;
    loop {
        let node = graph.node(at);
        let shape = &shapes[at.index()];
        let channels = match node.layout {
            Layout::Nchw if shape[2] * shape[3] > 1 => Some(shape[1]),
            Layout::Nhwc if shape[1] * shape[2] > 1 => Some(shape[3]),
            Layout::Tokens { .. } => Some(shape[2]),
            _ => None,
        };
        match channels {
            Some(channels) => return (channels == width).then_some(at),
            None => at = *node.inputs.first()?,
        }
    }
}

/// For each channel of a map (places × channels) the share of its positive part that is on the object; NaN for a map
/// without a positive value, and where all or nothing is object.
fn shares(map: &[f32], object: &[f32], channels: usize) -> Vec<f32> {
    let (mut on, mut all) = (vec![0.0f64; channels], vec![0.0f64; channels]);
    for (values, &object) in map.chunks_exact(channels).zip(object) {
        for ((on, all), &value) in on.iter_mut().zip(&mut all).zip(values) {
            let value = f64::from(value.max(0.0));
            *all += value;
            *on += value * f64::from(object);
        }
    }
    let area: f32 = object.iter().sum();
    let told = area > 0.0 && area < object.len() as f32;
    let share = |(on, all): (f64, f64)| if told && all > 0.0 { (on / all) as f32 } else { f32::NAN };
    on.into_iter().zip(all).map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_maps() {
        // Two channels at three places.
        let map = [1.0, -1.0, 3.0, -2.0, 0.0, 0.0];
        let got = shares(&map, &[0.5, 0.0, 1.0], 2);
        assert_eq!(got[0], 0.125);
        assert!(got[1].is_nan());
        assert!(shares(&map, &[0.0; 3], 2)[0].is_nan());
    }
}
