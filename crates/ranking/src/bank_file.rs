//! Feature banks as safetensors files.

use crate::{BankIdentity, FeatureBank, RankingError};
use hard_imagenet_files::{read, write_whole};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use std::collections::HashMap;
use std::path::Path;

/// Keys of the file's metadata: the bank's identity and the ids of its samples, both as JSON.
const IDENTITY_KEY: &str = "about";
const IDS_KEY: &str = "ids";

impl FeatureBank {
    /// Writes the bank as a safetensors file, whole or not at all.
    ///
    /// # Errors
    /// Returns [`RankingError::Access`] if the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), RankingError> {
        let fail = |problem: String| RankingError::File { path: path.into(), problem };
        let bytes = self.encode().map_err(fail)?;
        Ok(write_whole(path, &bytes)?)
    }

    /// Reads a bank.
    ///
    /// # Errors
    /// Returns [`RankingError::Access`] for a file that cannot be read and [`RankingError::File`] for one that is not a
    /// bank.
    pub fn read(path: &Path) -> Result<Self, RankingError> {
        let bytes = read(path)?;
        Self::decode(&bytes).map_err(|problem| {
            let problem = format!("{problem}; expected a feature bank, as `FeatureBank::write` writes it");
            RankingError::File { path: path.into(), problem }
        })
    }

    fn encode(&self) -> Result<Vec<u8>, String> {
        let (n, d, c) = (self.len(), self.width, self.identity.classes.len());
        let floats = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let integers = |values: &[u32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let tensors = [
            ("features", Dtype::F32, vec![n, d], floats(&self.features)),
            ("on_object", Dtype::F32, vec![n, d], floats(&self.on_object)),
            ("object", Dtype::F32, vec![n], floats(&self.object)),
            ("weights", Dtype::F32, vec![c, d], floats(&self.weights)),
            ("labels", Dtype::U32, vec![n], integers(&self.labels)),
            ("predictions", Dtype::U32, vec![n], integers(&self.predictions)),
        ];
        let views = tensors
            .iter()
            .map(|(name, dtype, shape, bytes)| Ok((*name, TensorView::new(*dtype, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
            .map_err(|error| error.to_string())?;
        let json = |value: serde_json::Result<String>| value.map_err(|error| error.to_string());
        let metadata = HashMap::from([
            (IDENTITY_KEY.to_owned(), json(serde_json::to_string(&self.identity))?),
            (IDS_KEY.to_owned(), json(serde_json::to_string(&self.ids))?),
        ]);
        serialize(views, Some(metadata)).map_err(|error| error.to_string())
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
        let metadata = metadata.metadata().clone().ok_or("the file has no metadata")?;
        let text = |key: &str| metadata.get(key).ok_or(format!("the metadata has no \"{key}\""));
        let identity: BankIdentity = serde_json::from_str(text(IDENTITY_KEY)?).map_err(|error| error.to_string())?;
        let ids: Vec<String> = serde_json::from_str(text(IDS_KEY)?).map_err(|error| error.to_string())?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;

        let features = floats(&tensors, "features")?;
        let (n, classes) = (ids.len(), identity.classes.len());
        let width = features.shape.get(1).copied().unwrap_or(0);
        let bank = Self {
            features: features.of_shape(&[n, width])?,
            on_object: floats(&tensors, "on_object")?.of_shape(&[n, width])?,
            object: floats(&tensors, "object")?.of_shape(&[n])?,
            weights: floats(&tensors, "weights")?.of_shape(&[classes, width])?,
            labels: integers(&tensors, "labels")?.of_shape(&[n])?,
            predictions: integers(&tensors, "predictions")?.of_shape(&[n])?,
            identity,
            ids,
            width,
        };
        let is_class = |&label: &u32| (label as usize) < classes;
        if bank.identity.columns.len() != classes || !bank.labels.iter().all(is_class) {
            return Err("labels and classes do not fit".into());
        }
        Ok(bank)
    }
}

/// A tensor of the file.
struct StoredTensor<T> {
    name: &'static str,
    shape: Vec<usize>,
    values: Vec<T>,
}

impl<T> StoredTensor<T> {
    /// Returns the values if the tensor has the expected shape.
    fn of_shape(self, expected: &[usize]) -> Result<Vec<T>, String> {
        match self.shape == expected {
            true => Ok(self.values),
            false => Err(format!("\"{}\" has shape {:?}, expected {expected:?}", self.name, self.shape)),
        }
    }
}

fn floats(tensors: &SafeTensors<'_>, name: &'static str) -> Result<StoredTensor<f32>, String> {
    values(tensors, name, Dtype::F32, f32::from_le_bytes)
}

fn integers(tensors: &SafeTensors<'_>, name: &'static str) -> Result<StoredTensor<u32>, String> {
    values(tensors, name, Dtype::U32, u32::from_le_bytes)
}

fn values<T>(
    tensors: &SafeTensors<'_>,
    name: &'static str,
    dtype: Dtype,
    from_bytes: fn([u8; 4]) -> T,
) -> Result<StoredTensor<T>, String> {
    let view = tensors.tensor(name).map_err(|error| error.to_string())?;
    if view.dtype() != dtype {
        return Err(format!("\"{name}\" has the type {:?}, expected {dtype:?}", view.dtype()));
    }
    let values = view.data().as_chunks::<4>().0.iter().map(|word| from_bytes(*word)).collect();
    Ok(StoredTensor { name, shape: view.shape().to_vec(), values })
}
