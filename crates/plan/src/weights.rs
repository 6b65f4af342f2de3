//! Weights in the order in which kernels read them, made once for all plans of a graph.

use crate::PlanError;
use candle_core::{DType, Tensor};
use hard_imagenet_cpu::DepthwiseWeights;
use hard_imagenet_cpu::bf16::Bf16Weights;
use hard_imagenet_cpu::product::PackedWeights;
use hard_imagenet_cpu::winograd::WinogradWeights;
use hard_imagenet_graph::{GraphError, Node, WeightMap};
use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What a node's weights are packed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// A product; the number of the group of channels.
    Product(usize),
    /// A product in bf16; the number of the group of channels.
    Bf16(usize),
    /// A depthwise convolution.
    Depthwise,
    /// Winograd's method.
    Winograd,
}

/// What packed weights are made of: a node's weights in a form, multiplied by the constant of another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    node: usize,
    form: Form,
    scale: Option<usize>,
}

/// Weights of any form.
type AnyWeights = Arc<dyn Any + Send + Sync>;

/// Packed weights by node and form.
#[derive(Debug, Default)]
pub(crate) struct WeightCache {
    packed: Mutex<HashMap<Key, AnyWeights>>,
}

impl WeightCache {
    /// Returns packed weights, which `make` packs if they are not there.
    fn get<T: Send + Sync + 'static>(
        &self,
        key: Key,
        make: impl FnOnce() -> Result<T, PlanError>,
    ) -> Result<Arc<T>, PlanError> {
        let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Ok(found)) = packed.get(&key).map(|found| found.clone().downcast()) {
            return Ok(found);
        }
        let made = Arc::new(make()?);
        packed.insert(key, made.clone());
        Ok(made)
    }

    pub(crate) fn product(
        &self,
        node: usize,
        group: usize,
        scale: Option<usize>,
        make: impl FnOnce() -> Result<PackedWeights, PlanError>,
    ) -> Result<Arc<PackedWeights>, PlanError> {
        self.get(Key { node, form: Form::Product(group), scale }, make)
    }

    pub(crate) fn bf16(
        &self,
        node: usize,
        group: usize,
        scale: Option<usize>,
        make: impl FnOnce() -> Result<Bf16Weights, PlanError>,
    ) -> Result<Arc<Bf16Weights>, PlanError> {
        self.get(Key { node, form: Form::Bf16(group), scale }, make)
    }

    pub(crate) fn winograd(
        &self,
        node: usize,
        scale: Option<usize>,
        make: impl FnOnce() -> Result<WinogradWeights, PlanError>,
    ) -> Result<Arc<WinogradWeights>, PlanError> {
        self.get(Key { node, form: Form::Winograd, scale }, make)
    }

    pub(crate) fn depthwise(
        &self,
        node: usize,
        scale: Option<usize>,
        make: impl FnOnce() -> Result<DepthwiseWeights, PlanError>,
    ) -> Result<Arc<DepthwiseWeights>, PlanError> {
        self.get(Key { node, form: Form::Depthwise, scale }, make)
    }
}

/// Returns the elements of a node's weight, or `None` if it has no such weight.
pub(crate) fn find(node: &Node, which: usize, weights: &WeightMap) -> Result<Option<Vec<f32>>, PlanError> {
    let Some(name) = node.weights.get(which) else { return Ok(None) };
    let missing = || GraphError::MissingWeight { node: node.name.clone(), weight: name.clone() };
    elements(weights.get(name).ok_or_else(missing)?).map(Some)
}

/// Returns the elements of a tensor in row-major order.
pub(crate) fn elements(tensor: &Tensor) -> Result<Vec<f32>, PlanError> {
    Ok(tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
}
