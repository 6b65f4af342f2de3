//! A zoo of image classifiers as graphs. (Page to be completed.)
//!
//! CONTRACT for the rooms above (evaluation, training, cli). Bodies and further items are this crate's own affair.

use candle_core::{DType, Device, Tensor};
use hard_imagenet_images::{Pixels, Preprocess};
use std::path::PathBuf;

/// What is known of a model besides its graph and weights.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSpec {
    /// timm's name with the tag: "resnet50.tv_in1k".
    pub name: String,
    /// What it expects of its input.
    pub preprocess: Preprocess,
    /// Length of the logits.
    pub classes: usize,
    /// Node to look from by default (CAM): "layer4", "blocks.11.norm1".
    pub cam_node: String,
    /// Node whose value is the input of the last linear layer.
    pub feature_node: String,
}

/// A graph, its weights, its spec, on a device.
pub struct Model {
    spec: ModelSpec,
    device: Device,
    dtype: DType,
    weights_sha256: String,
}

/// Where weights come from.
#[derive(Clone, Debug)]
pub enum Weights {
    /// One file: safetensors, or a torch checkpoint (`.pth`, `.pt`, `.bin`).
    File(PathBuf),
    /// A folder of `<model>.safetensors` (also without the tag, also `.pth`).
    Folder(PathBuf),
    /// A safetensors file in memory.
    Bytes(&'static [u8]),
}

/// Why a model could not be had or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// From candle.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

impl Model {
    /// Name, preprocessing, classes.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }
    /// Where the weights live.
    pub fn device(&self) -> &Device {
        &self.device
    }
    /// f32 or bf16.
    pub fn dtype(&self) -> DType {
        self.dtype
    }
    /// Hash of the weights file, lower-case hex.
    pub fn weights_sha256(&self) -> &str {
        &self.weights_sha256
    }
    /// A batch on the model's device and dtype, `(B, 3, H, W)` in [0, 1], not normalised.
    pub fn batch(&self, _images: &[Pixels]) -> Result<Tensor, ModelError> {
        unimplemented!()
    }
    /// (x - mean) / std, channel by channel.
    pub fn normalise(&self, _x: &Tensor) -> Result<Tensor, ModelError> {
        unimplemented!()
    }
    /// Normalised `(B, 3, H, W)` to logits `(B, K)`, f32.
    pub fn forward(&self, _x: &Tensor) -> Result<Tensor, ModelError> {
        unimplemented!()
    }
}

/// The models by name.
pub mod zoo {
    use super::{Model, ModelError, Weights};
    use candle_core::{DType, Device};

    /// Builds the named model and loads its weights.
    ///
    /// # Errors
    /// Unknown name (with the nearest known ones), unreadable file, missing, extra or misshapen tensors.
    pub fn load(_name: &str, _weights: &Weights, _device: &Device, _dtype: DType) -> Result<Model, ModelError> {
        unimplemented!()
    }

    /// All names that match a pattern with `*` wildcards, in order.
    pub fn find(_pattern: &str) -> Vec<&'static str> {
        unimplemented!()
    }
}
