//! Running a model.

use crate::{Cut, CutValues, Model, ModelError, NodeId, WatchPoint};
use candle_core::{DType, Tensor};
use hard_imagenet_cpu::dispatch;
use hard_imagenet_graph::run_watching;
use hard_imagenet_images::{Pixels, Preprocessing};
use hard_imagenet_plan::StepTime;
use rayon::prelude::*;

impl Model {
    /// Stacks images into a batch `(B, 3, H, W)` on the model's device and in its dtype. Values stay in [0, 1]; they
    /// are not normalized.
    ///
    /// # Errors
    /// Returns [`ModelError::Input`] if there are no images or they differ in size.
    pub fn batch(&self, images: &[Pixels]) -> Result<Tensor, ModelError> {
        let Some(first) = images.first() else {
            return Err(ModelError::Input("a batch needs at least one image".into()));
        };
        let (height, width) = (first.height(), first.width());
        let mut values = Vec::with_capacity(images.len() * 3 * height * width);
        for image in images {
            if (image.height(), image.width()) != (height, width) {
                return Err(ModelError::Input(format!(
                    "the images of a batch must have one size, but there are {height} × {width} and {} × {}",
                    image.height(),
                    image.width()
                )));
            }
            values.extend_from_slice(image.as_slice());
        }
        let batch = Tensor::from_vec(values, (images.len(), 3, height, width), &self.device)?;
        Ok(batch.to_dtype(self.dtype)?)
    }

    /// Normalizes a batch `(B, 3, H, W)` with values in [0, 1]: subtracts the channel's mean and divides by its
    /// standard deviation. Computes in f32 and returns the model's dtype.
    ///
    /// # Errors
    /// Returns candle's error for a tensor of another shape.
    pub fn normalize(&self, x: &Tensor) -> Result<Tensor, ModelError> {
        let x = x.to_dtype(DType::F32)?;
        let x = match x.dims4() {
            Ok((_, 3, height, width)) if x.device().is_cpu() && !x.track_op() => {
                let mut values = x.flatten_all()?.to_vec1::<f32>()?;
                let Preprocessing { mean, std, .. } = self.spec().preprocess;
                values.par_chunks_mut((height * width).max(1)).enumerate().for_each(|(plane, values)| {
                    normalize_plane(values, mean[plane % 3], std[plane % 3]);
                });
                Tensor::from_vec(values, x.shape(), x.device())?
            }
            _ => x.broadcast_sub(&self.mean)?.broadcast_div(&self.std)?,
        };
        Ok(x.to_dtype(self.dtype)?)
    }

    /// Computes the logits `(B, K)`, f32, of a normalized batch `(B, 3, H, W)`.
    ///
    /// # Errors
    /// Returns [`ModelError`] if the network does not accept the shape of the input.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, ModelError> {
        let mut values = self.values(x, &[self.graph().output()])?;
        Ok(values.remove(0).to_dtype(DType::F32)?)
    }

    /// Computes the input of the last linear layer, `(B, D)`, f32, for a normalized batch.
    ///
    /// # Errors
    /// Fails like [`Model::forward`].
    pub fn features(&self, x: &Tensor) -> Result<Tensor, ModelError> {
        self.value(&self.spec().feature_node, x)
    }

    /// Computes the value of any node, f32, for a normalized batch. The shape is that of the node.
    ///
    /// # Errors
    /// Returns [`ModelError`] if there is no such node, or fails like [`Model::forward`].
    pub fn value(&self, node: &str, x: &Tensor) -> Result<Tensor, ModelError> {
        let node = self.graph().find(node)?;
        let mut values = self.values(x, &[node])?;
        Ok(values.remove(0).to_dtype(DType::F32)?)
    }

    /// Computes the logits `(B, K)` and the values of any nodes in one pass; all are f32.
    ///
    /// # Errors
    /// Fails like [`Model::value`].
    pub fn forward_with(&self, x: &Tensor, nodes: &[&str]) -> Result<(Tensor, Vec<Tensor>), ModelError> {
        let mut wanted = vec![self.graph().output()];
        for node in nodes {
            wanted.push(self.graph().find(node)?);
        }
        let mut values = self.values(x, &wanted)?.into_iter().map(|value| Ok(value.to_dtype(DType::F32)?));
        let logits = values.next().unwrap_or_else(|| Err(ModelError::Input("the graph has no output".into())))?;
        Ok((logits, values.collect::<Result<_, ModelError>>()?))
    }

    /// Computes the logits `(B, K)`, f32, and the values of inner nodes, in such a way that the logits can be
    /// differentiated with respect to all of these values.
    ///
    /// # Errors
    /// Returns [`ModelError`] if a node does not depend on the input, or fails like [`Model::forward`].
    pub fn forward_watching(&self, x: &Tensor, nodes: &[NodeId]) -> Result<(Tensor, Vec<WatchPoint>), ModelError> {
        let (logits, watched) = run_watching(self.graph(), self.weights(), &self.check_input(x)?, nodes)?;
        Ok((logits.to_dtype(DType::F32)?, watched))
    }

    /// Cuts the network at a node into a trunk and a head. `head(trunk(x))` equals `forward(x)` up to
    /// rounding: on the CPU a plan computes the trunk, and the reference executor the head, through which gradients flow.
    ///
    /// # Errors
    /// Returns [`ModelError`] if there is no such node. The message lists similar names.
    pub fn cut(&self, at: &str) -> Result<Cut, ModelError> {
        Ok(Cut::at(self.graph(), at)?)
    }

    /// Runs the network on a normalized batch `(B, 3, H, W)` up to the cut. Returns the value there in the model's
    /// dtype.
    ///
    /// # Errors
    /// Fails like [`Model::forward`].
    pub fn trunk(&self, cut: &Cut, x: &Tensor) -> Result<CutValues, ModelError> {
        let wanted: Vec<NodeId> = std::iter::once(cut.node()).chain(cut.carried().iter().copied()).collect();
        let mut values = self.values(x, &wanted)?;
        // The head computes in the model's dtype.
        values.iter_mut().try_for_each(|value| value.to_dtype(self.dtype).map(|placed| *value = placed))?;
        let carried = values.split_off(1);
        Ok(CutValues { at: values.remove(0), carried })
    }

    /// Runs the network from the cut to the logits `(B, K)`, f32.
    ///
    /// # Errors
    /// Returns candle's error for a value that does not fit the cut.
    pub fn head(&self, cut: &Cut, value: &CutValues) -> Result<Tensor, ModelError> {
        Ok(cut.head(self.graph(), self.weights(), value)?.to_dtype(DType::F32)?)
    }

    /// Computes the values of nodes for a normalized batch, by a plan where there can be one.
    fn values(&self, x: &Tensor, wanted: &[NodeId]) -> Result<Vec<Tensor>, ModelError> {
        let x = self.check_input(x)?;
        Ok(self.engine.run_or_fall_back(self.graph(), self.weights(), &x, wanted)?)
    }

    /// Returns the time of each step of the plan for a normalized batch `(B, 3, H, W)`, all images at once on one thread.
    ///
    /// # Errors
    /// Returns [`ModelError`] if the network has no plan, or fails like [`Model::forward`].
    pub fn profile(&self, x: &Tensor) -> Result<Vec<StepTime>, ModelError> {
        let x = self.check_input(x)?;
        let times = self.engine.profile(self.graph(), self.weights(), &x, &[self.graph().output()]);
        times.map_err(|error| ModelError::Input(error.to_string()))
    }

    /// Returns the input in the model's dtype if the network accepts its shape.
    fn check_input(&self, x: &Tensor) -> Result<Tensor, ModelError> {
        self.graph().shapes(x.dims())?;
        Ok(x.to_dtype(self.dtype)?)
    }
}

/// Replaces each value by (value - mean) / std.
fn normalize_plane(values: &mut [f32], mean: f32, std: f32) {
    #[inline(always)]
    fn each(values: &mut [f32], mean: f32, std: f32) {
        for value in values {
            *value = (*value - mean) / std;
        }
    }
    dispatch!(each(values, mean, std));
}
