use crate::RankingError;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

/// The features of a network on the pictures of a dataset, computed once: what all of ranking starts from.
///
/// In memory and on disk rows are pictures and columns features. A bank is written as one safetensors file, with the names
/// in its metadata; several of the same kind can be joined, so that a long extraction can be done in parts.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureBank {
    /// Of what and by what.
    pub identity: BankIdentity,
    /// Ids of the samples.
    pub ids: Vec<String>,
    /// The class of each sample, index of [`BankIdentity::classes`].
    pub labels: Vec<u32>,
    /// The class of the head that the model takes each sample for.
    pub predictions: Vec<u32>,
    /// D, number of features.
    pub width: usize,
    /// `(N, D)`: the input of the last linear layer.
    pub(crate) features: Vec<f32>,
    /// `(N, D)`: share of each feature's map on the object, NaN where it is not defined.
    pub(crate) on_object: Vec<f32>,
    /// Share of the picture that is object, (N).
    pub object: Vec<f32>,
    /// `(C, D)`: the last layer's weights from the features to each of the dataset's classes.
    pub(crate) weights: Vec<f32>,
}

/// A picture of a bank.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageFeatures {
    /// Id of the sample.
    pub id: String,
    /// Its class, index of [`BankIdentity::classes`].
    pub label: u32,
    /// The class of the head that the model takes it for.
    pub prediction: u32,
    /// Share of the picture that is object.
    pub object: f32,
    /// The input of the last linear layer, (D).
    pub features: Vec<f32>,
    /// Share of each feature's map on the object, (D), NaN where it is not defined.
    pub on_object: Vec<f32>,
}

/// What a bank was made of and by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankIdentity {
    /// The model's name.
    pub model: String,
    /// Hash of its weights.
    pub weights_sha256: String,
    /// The node whose value the features are.
    pub feature_node: String,
    /// The node where they still lie over the picture.
    pub map_node: String,
    /// How pictures were brought to the network.
    pub preprocess: String,
    /// The dataset's name.
    pub dataset: String,
    /// Which of its samples, as whoever extracts tells them apart: a number and a hash.
    pub samples: String,
    /// Its classes.
    pub classes: Vec<String>,
    /// The column of the head that each class has.
    pub columns: Vec<u32>,
}

impl FeatureBank {
    /// Without pictures; `weights` `(C, D)` are the last layer's from the features to each of the dataset's classes.
    ///
    /// # Errors
    /// [`RankingError::Incompatible`] for weights that do not fit the classes.
    pub fn new(identity: BankIdentity, weights: Vec<f32>) -> Result<Self, RankingError> {
        let classes = identity.classes.len();
        if classes == 0 || identity.columns.len() != classes || !weights.len().is_multiple_of(classes) {
            let n = weights.len();
            return Err(RankingError::Incompatible(format!(
                "{classes} classes, {} columns and {n} weights",
                identity.columns.len()
            )));
        }
        let width = weights.len() / classes;
        let (ids, labels, predictions) = (Vec::new(), Vec::new(), Vec::new());
        let (features, on_object, object) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { identity, ids, labels, predictions, width, features, on_object, object, weights })
    }

    /// Appends a picture.
    ///
    /// # Errors
    /// [`RankingError::Incompatible`] for a class that is not there, or another number of features.
    pub fn push(&mut self, row: ImageFeatures) -> Result<(), RankingError> {
        let (classes, width) = (self.identity.classes.len(), self.width);
        if row.label as usize >= classes || row.features.len() != width || row.on_object.len() != width {
            let problem =
                format!("{} of class {} of {classes}, {} features of {width}", row.id, row.label, row.features.len());
            return Err(RankingError::Incompatible(problem));
        }
        self.ids.push(row.id);
        self.labels.push(row.label);
        self.predictions.push(row.prediction);
        self.object.push(row.object);
        self.features.extend(row.features);
        self.on_object.extend(row.on_object);
        Ok(())
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Is no picture in it?
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The features of a picture, (D).
    pub fn features(&self, row: usize) -> &[f32] {
        &self.features[row * self.width..][..self.width]
    }

    /// The share of a feature's map that falls on the object, in [0, 1]; `None` where the map is zero, or the picture
    /// has no object or nothing else.
    pub fn on_object(&self, row: usize, feature: u32) -> Option<f32> {
        let share = self.on_object[row * self.width + feature as usize];
        share.is_finite().then_some(share)
    }

    /// Weights of the last layer from the features to a class of the dataset, (D).
    pub fn weights(&self, class: u32) -> &[f32] {
        &self.weights[class as usize * self.width..][..self.width]
    }

    /// The pictures of a class.
    pub fn labeled_rows(&self, class: u32) -> Vec<usize> {
        (0..self.len()).filter(|&row| self.labels[row] == class).collect()
    }

    /// The pictures that the model takes for a class.
    pub fn predicted_rows(&self, class: u32) -> Vec<usize> {
        let column = self.identity.columns[class as usize];
        (0..self.len()).filter(|&row| self.predictions[row] == column).collect()
    }

    /// Some features of a picture.
    pub(crate) fn some(&self, row: usize, features: &[u32]) -> Vec<f32> {
        features.iter().map(|&feature| self.features(row)[feature as usize]).collect()
    }

    /// Some weights of a class.
    pub(crate) fn weights_of(&self, class: u32, features: &[u32]) -> Vec<f32> {
        features.iter().map(|&feature| self.weights(class)[feature as usize]).collect()
    }

    /// Appends the pictures of another bank of the same kind.
    ///
    /// # Errors
    /// [`RankingError::Incompatible`] for features of another network, dataset or node.
    pub fn join(&mut self, other: Self) -> Result<(), RankingError> {
        if self.identity != other.identity || self.width != other.width {
            let kind = |a: &BankIdentity| format!("{} ({}) on {}", a.model, a.weights_sha256, a.dataset);
            return Err(RankingError::Incompatible(format!("{} and {}", kind(&self.identity), kind(&other.identity))));
        }
        self.ids.extend(other.ids);
        self.labels.extend(other.labels);
        self.predictions.extend(other.predictions);
        self.features.extend(other.features);
        self.on_object.extend(other.on_object);
        self.object.extend(other.object);
        Ok(())
    }

    /// Writes the bank to a file, whole or not at all.
    ///
    /// # Errors
    /// [`RankingError::File`].
    pub fn write(&self, path: &Path) -> Result<(), RankingError> {
        let fail = |problem: String| RankingError::File { path: path.into(), problem };
        let (n, d, c) = (self.len(), self.width, self.identity.classes.len());
        let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let whole = |values: &[u32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let tensors = [
            ("features", Dtype::F32, vec![n, d], bytes(&self.features)),
            ("on_object", Dtype::F32, vec![n, d], bytes(&self.on_object)),
            ("object", Dtype::F32, vec![n], bytes(&self.object)),
            ("weights", Dtype::F32, vec![c, d], bytes(&self.weights)),
            ("labels", Dtype::U32, vec![n], whole(&self.labels)),
            ("predictions", Dtype::U32, vec![n], whole(&self.predictions)),
        ];
        let views = tensors
            .iter()
            .map(|(name, dtype, shape, bytes)| Ok((*name, TensorView::new(*dtype, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
            .map_err(|error| fail(error.to_string()))?;
        let json = |value: serde_json::Result<String>| value.map_err(|error| fail(error.to_string()));
        let metadata = HashMap::from([
            ("about".to_owned(), json(serde_json::to_string(&self.identity))?),
            ("ids".to_owned(), json(serde_json::to_string(&self.ids))?),
        ]);
        let bytes = serialize(views, Some(metadata)).map_err(|error| fail(error.to_string()))?;
        hard_imagenet_files::write_whole(path, &bytes).map_err(|error| fail(error.source.to_string()))
    }

    /// Reads a bank.
    ///
    /// # Errors
    /// [`RankingError::File`] for a file that cannot be read or is no bank.
    pub fn read(path: &Path) -> Result<Self, RankingError> {
        let fail = |problem: String| RankingError::File { path: path.into(), problem };
        let bytes = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
        Self::parse(&bytes)
            .map_err(|problem| fail(format!("{problem}; a feature bank is what `FeatureBank::write` makes")))
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
        let metadata = metadata.metadata().clone().ok_or("there is no metadata")?;
        let of = |key: &str| metadata.get(key).ok_or(format!("its metadata lack \"{key}\""));
        let identity: BankIdentity = serde_json::from_str(of("about")?).map_err(|error| error.to_string())?;
        let ids: Vec<String> = serde_json::from_str(of("ids")?).map_err(|error| error.to_string())?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
        let words = |name: &str, dtype: Dtype| -> Result<(Vec<usize>, Vec<[u8; 4]>), String> {
            let view = tensors.tensor(name).map_err(|error| error.to_string())?;
            if view.dtype() != dtype {
                return Err(format!("\"{name}\" is {:?}, not {dtype:?}", view.dtype()));
            }
            Ok((view.shape().to_vec(), view.data().as_chunks::<4>().0.to_vec()))
        };
        let floats = |name: &str| {
            words(name, Dtype::F32).map(|(shape, w)| (shape, w.into_iter().map(f32::from_le_bytes).collect::<Vec<_>>()))
        };
        let whole = |name: &str| {
            words(name, Dtype::U32).map(|(shape, w)| (shape, w.into_iter().map(u32::from_le_bytes).collect::<Vec<_>>()))
        };
        let (features, on_object, object, weights) =
            (floats("features")?, floats("on_object")?, floats("object")?, floats("weights")?);
        let (labels, predictions) = (whole("labels")?, whole("predictions")?);
        let (n, classes) = (ids.len(), identity.classes.len());
        let width = features.0.get(1).copied().unwrap_or(0);
        let shapes = [
            (&features.0, vec![n, width]),
            (&on_object.0, vec![n, width]),
            (&object.0, vec![n]),
            (&weights.0, vec![classes, width]),
            (&labels.0, vec![n]),
            (&predictions.0, vec![n]),
        ];
        if let Some((got, want)) = shapes.iter().find(|(got, want)| *got != want) {
            return Err(format!("a tensor of shape {got:?} stands where {want:?} is expected"));
        }
        if identity.columns.len() != classes || labels.1.iter().any(|&label| label as usize >= classes) {
            return Err("labels and classes do not fit".into());
        }
        Ok(Self {
            identity,
            ids,
            labels: labels.1,
            predictions: predictions.1,
            width,
            features: features.1,
            on_object: on_object.1,
            object: object.1,
            weights: weights.1,
        })
    }
}
