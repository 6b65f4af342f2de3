//! From images to a feature bank.

use crate::identity::describe_preprocessing;
use crate::{BankIdentity, FeatureBank, RankingError};
use candle_core::{DType, Tensor};
use hard_imagenet_masks::Mask;
use hard_imagenet_models::{Graph, Layout, Model, NodeId, Op, Positions};
use rayon::prelude::*;

/// Computes the features of a network: their values, where they lie in the image, and their weight for each class.
pub struct FeatureExtractor<'m> {
    model: &'m Model,
    map: NodeId,
    /// A bank without images.
    empty: FeatureBank,
}

impl<'m> FeatureExtractor<'m> {
    /// Creates an extractor for the classes of a dataset. `columns` holds the column of the model's head for each
    /// class.
    ///
    /// Features are the input of the last linear layer (`feature_node` of the model). Their maps are the value before
    /// pooling, which is the first value with rows and columns on the way back from the features. A feature that is
    /// pooled by a mean over the image is exactly the mean of its map. For a feature of the class token, the map is the
    /// same channel of the patches' tokens.
    ///
    /// # Errors
    /// Returns [`RankingError::Network`] if the network does not end in one linear layer on its features (a distilled
    /// transformer has two), if no value before them has rows and columns and as many channels, or if the head lacks a
    /// column.
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
        let map = find_map_node(graph, features, width, &shapes).ok_or_else(|| {
            fail(format!("nothing before {} has rows, columns and {width} channels", spec.feature_node))
        })?;
        if let Some(column) = columns.iter().find(|&&column| column as usize >= k) {
            return Err(fail(format!("its head has {k} classes, and no class {column}")));
        }
        let all = weight.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        let weights = columns.iter().flat_map(|&c| all[c as usize * width..][..width].iter().copied()).collect();
        let identity = BankIdentity {
            model: spec.name.clone(),
            weights_sha256: model.weights_sha256().to_owned(),
            feature_node: spec.feature_node.clone(),
            map_node: graph.node(map).name.clone(),
            preprocess: describe_preprocessing(&spec.preprocess),
            dataset: dataset.to_owned(),
            samples: String::new(),
            classes,
            columns,
        };
        Ok(Self { model, map, empty: FeatureBank::new(identity, weights)? })
    }

    /// Sets the description of the samples ([`describe_samples`](crate::describe_samples)), so that banks of other
    /// samples are refused by [`FeatureBank::join`].
    #[must_use]
    pub fn with_samples(mut self, samples: String) -> Self {
        self.empty.identity.samples = samples;
        self
    }

    /// Returns the identity of the banks that this extractor makes.
    pub fn identity(&self) -> &BankIdentity {
        &self.empty.identity
    }

    /// Returns a bank without images, to which others can be joined.
    pub fn empty_bank(&self) -> FeatureBank {
        self.empty.clone()
    }

    /// Computes the bank of a batch in one forward pass. `x` `(B, 3, H, W)` is normalized. `ids`, `labels` (classes of
    /// the dataset) and `masks` (of the input's size) have one entry per image.
    ///
    /// The share of a map on the object is `Σ a m / Σ a` over the map's places, where `a` is the activation if it is
    /// positive and 0 otherwise, and `m` is how much of the place's part of the image is object.
    ///
    /// # Errors
    /// Returns the model's error for a batch that it does not accept.
    ///
    /// # Panics
    /// Panics if there are not as many ids, labels and masks as images.
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
        let Positions { values: maps, h, w } = self.to_places(&values[1])?;
        let maps = maps.flatten_from(1)?.to_vec2::<f32>()?;
        let shares = maps
            .par_iter()
            .zip(masks)
            .map(|(map, mask)| object_shares(map, mask.coverage(h, w).as_slice(), self.empty.width));
        bank.on_object = shares.collect::<Vec<_>>().concat();
        bank.object = masks.iter().map(|mask| mask.fraction() as f32).collect();
        Ok(bank)
    }

    /// Returns the features' maps of a batch by places, f32.
    pub(crate) fn places(&self, x: &Tensor) -> Result<Positions, RankingError> {
        self.to_places(&self.model.value(&self.empty.identity.map_node, x)?)
    }

    fn to_places(&self, value: &Tensor) -> Result<Positions, RankingError> {
        let layout = self.model.graph().node(self.map).layout;
        let places = layout
            .positions(value)?
            .ok_or_else(|| candle_core::Error::Msg("the features have no places in the image".into()))?;
        Ok(Positions { values: places.values.to_dtype(DType::F32)?, ..places })
    }
}

/// Returns the linear layer from the features to the logits, if the network ends in it.
fn last_layer(graph: &Graph, features: NodeId) -> Option<NodeId> {
    let node = graph.node(graph.output());
    (matches!(node.op, Op::Linear { .. }) && node.inputs.first() == Some(&features)).then(|| graph.output())
}

/// Returns the first value with places on the way back from the features, if it has as many channels.
fn find_map_node(graph: &Graph, features: NodeId, width: usize, shapes: &[Vec<usize>]) -> Option<NodeId> {
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

/// Returns for each channel of a map (places × channels) the share of its positive part that lies on the object. It is
/// NaN for a map without a positive value, and if all or nothing is object.
fn object_shares(map: &[f32], object: &[f32], channels: usize) -> Vec<f32> {
    let (mut on, mut all) = (vec![0.0f64; channels], vec![0.0f64; channels]);
    for (values, &object) in map.chunks_exact(channels).zip(object) {
        for ((on, all), &value) in on.iter_mut().zip(&mut all).zip(values) {
            let value = f64::from(value.max(0.0));
            *all += value;
            *on += value * f64::from(object);
        }
    }
    let area: f32 = object.iter().sum();
    let is_defined = area > 0.0 && area < object.len() as f32;
    let share = |(on, all): (f64, f64)| if is_defined && all > 0.0 { (on / all) as f32 } else { f32::NAN };
    on.into_iter().zip(all).map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_defined_where_map_and_object_are() {
        // Two channels at three places.
        let map = [1.0, -1.0, 3.0, -2.0, 0.0, 0.0];
        let got = object_shares(&map, &[0.5, 0.0, 1.0], 2);
        assert_eq!(got[0], 0.125);
        assert!(got[1].is_nan());
        assert!(object_shares(&map, &[0.0; 3], 2)[0].is_nan());
    }
}
