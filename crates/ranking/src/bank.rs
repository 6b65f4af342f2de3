use crate::{BankIdentity, RankingError};

/// The features of a network on the images of a dataset, which everything else in this crate starts from.
///
/// Rows are images and columns are features, in memory and on disk. A bank is stored as one safetensors file with the
/// names in its metadata. Banks with the same identity can be joined, so that a long extraction can be done in parts.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureBank {
    /// What the bank was computed from.
    pub identity: BankIdentity,
    /// Ids of the samples.
    pub ids: Vec<String>,
    /// The class of each sample, an index of [`BankIdentity::classes`].
    pub labels: Vec<u32>,
    /// The predicted class of each sample, a column of the model's head.
    pub predictions: Vec<u32>,
    /// The number of features, D.
    pub width: usize,
    /// `(N, D)`: the inputs of the last linear layer.
    pub(crate) features: Vec<f32>,
    /// `(N, D)`: the share of each feature's map that lies on the object, NaN where it is undefined.
    pub(crate) on_object: Vec<f32>,
    /// `(N)`: the share of each image that is object, in [0, 1].
    pub object: Vec<f32>,
    /// `(C, D)`: the weights of the last layer from the features to each of the dataset's classes.
    pub(crate) weights: Vec<f32>,
}

/// The features of one image.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageFeatures {
    /// The sample's id.
    pub id: String,
    /// The sample's class, an index of [`BankIdentity::classes`].
    pub label: u32,
    /// The predicted class, a column of the model's head.
    pub prediction: u32,
    /// The share of the image that is object, in [0, 1].
    pub object: f32,
    /// The input of the last linear layer, `(D)`.
    pub features: Vec<f32>,
    /// The share of each feature's map that lies on the object, `(D)`, NaN where it is undefined.
    pub on_object: Vec<f32>,
}

impl FeatureBank {
    /// Creates a bank without images. `weights` `(C, D)` are those of the last layer from the features to each of the
    /// dataset's classes.
    ///
    /// # Errors
    /// Returns [`RankingError::Incompatible`] for weights that do not fit the classes.
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

    /// Appends an image.
    ///
    /// # Errors
    /// Returns [`RankingError::Incompatible`] for a class that the bank does not have and for another number of
    /// features.
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

    /// Returns the number of images.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Returns whether the bank has no images.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Returns the features of an image, `(D)`.
    ///
    /// # Panics
    /// Panics if there is no such row.
    pub fn features(&self, row: usize) -> &[f32] {
        &self.features[row * self.width..][..self.width]
    }

    /// Returns the share of a feature's map that lies on the object, in [0, 1]. It is undefined if the map is zero, or
    /// if the image is all object or has none.
    ///
    /// # Panics
    /// Panics if there is no such row or feature.
    pub fn on_object(&self, row: usize, feature: u32) -> Option<f32> {
        let share = self.on_object[row * self.width + feature as usize];
        share.is_finite().then_some(share)
    }

    /// Returns the weights of the last layer from the features to a class of the dataset, `(D)`.
    ///
    /// # Panics
    /// Panics if there is no such class.
    pub fn weights(&self, class: u32) -> &[f32] {
        &self.weights[class as usize * self.width..][..self.width]
    }

    /// Returns the rows of the images that belong to a class.
    pub fn labeled_rows(&self, class: u32) -> Vec<usize> {
        (0..self.len()).filter(|&row| self.labels[row] == class).collect()
    }

    /// Returns the rows of the images that the model predicts to be of a class.
    ///
    /// # Panics
    /// Panics if there is no such class.
    pub fn predicted_rows(&self, class: u32) -> Vec<usize> {
        let column = self.identity.columns[class as usize];
        (0..self.len()).filter(|&row| self.predictions[row] == column).collect()
    }

    /// Returns some features of an image.
    pub(crate) fn pick_features(&self, row: usize, features: &[u32]) -> Vec<f32> {
        features.iter().map(|&feature| self.features(row)[feature as usize]).collect()
    }

    /// Returns the weights from some features to a class.
    pub(crate) fn pick_weights(&self, class: u32, features: &[u32]) -> Vec<f32> {
        features.iter().map(|&feature| self.weights(class)[feature as usize]).collect()
    }

    /// Appends the images of another bank with the same identity.
    ///
    /// # Errors
    /// Returns [`RankingError::Incompatible`] for a bank with another identity.
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
}
