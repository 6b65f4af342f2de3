//! Penalties on what a decision owes to the pixels outside the object.
//!
//! Both are functions of a gradient g of the network, and ask how they change with its weights θ. For a penalty P(g) that is
//! the gradient of `u · g` with `u = ∂P/∂g` held fixed; and `u · g` is how the differentiated value moves along u, which
//! forward mode computes in operations that are recorded. So one forward pass with directions and one backward pass give the
//! exact second-order gradient, without a record of the first backward pass.

use crate::TrainingError;
use crate::loss::{cross_entropy, logit_gradient};
use candle_core::{DType, Tensor, Var};
use hard_imagenet_graph::{Cut, CutValues, Dual, Graph, Layout, WeightMap, run, run_tangent};
use hard_imagenet_kernels::gradient;

/// The value of a penalty and its gradient.
#[derive(Clone, Debug)]
pub struct Penalty {
    /// Mean over the batch.
    pub value: f64,
    /// With respect to each variable, of its shape; zeros for one that it does not depend on.
    pub gradients: Vec<Tensor>,
}

/// How much the loss depends on the pixels around the object: the mean over the batch of `Σ (∂ℓ/∂x ⊙ outside)²`, ℓ being a
/// picture's own cross entropy and the sum over its pixels and channels (right for the right reasons; Ross, Hughes and
/// Doshi-Velez 2017). `x` `(B, 3, H, W)` normalised, `outside` `(B, 1, H, W)`, 1 off the object, `labels` `(B)` u32;
/// `variables` are those among `weights` that learn.
///
/// The published code means the same, but takes the mean over the elements of the gradient of the batch's mean loss,
/// `1 / (3 B³ H W)` of the sum, so that its weight depends on the batch; and its gradient is none (SPEC Q13).
///
/// For a linear head W on frozen features f this is `|J (p − y) W|²` off the object, J being the features' gradient: the
/// pass forward is one of features along u and nothing of the trunk is recorded.
///
/// # Errors
/// From the graph, for an input that it does not take.
pub fn input_gradient_penalty(
    graph: &Graph,
    weights: &WeightMap,
    variables: &[Var],
    x: &Tensor,
    outside: &Tensor,
    labels: &Tensor,
) -> Result<Penalty, TrainingError> {
    let batch = x.dim(0)? as f64;
    let picture = Var::from_tensor(x)?;
    let logits = run(graph, &constant(weights), picture.as_tensor())?;
    let slope = gradient(&cross_entropy(&logits, labels, 0.0)?.sum_all()?, &picture)?;
    let value = f64::from(slope.broadcast_mul(outside)?.sqr()?.sum_all()?.to_scalar::<f32>()?) / batch;

    // ∂P/∂g = 2 g outside² / B
    let along = (slope.broadcast_mul(&outside.sqr()?)? * (2.0 / batch))?;
    let fed = [(graph.input(), Dual { value: x.detach(), tangent: Some(along) })];
    let moved = one(run_tangent(graph, weights, &fed, &[graph.output()])?)?;
    let Some(dz) = moved.tangent else { return Ok(Penalty { value, gradients: zeros(variables)? }) };
    // The loss moves by (softmax − one of the label) · dz.
    let moved = (logit_gradient(&moved.value, labels)? * dz)?.sum_all()?;
    Ok(Penalty { value, gradients: of(&moved, variables)? })
}

/// A GradCAM whose sum over places is less than this is taken for zero.
const LEAST: f64 = 1e-6;

/// How much of the evidence that GradCAM sees lies around the object: the mean over the batch of the share of the label's
/// map, `ReLU(Σ_c a_c A_c)` with `a_c` the mean over places of `∂y/∂A_c` (Selvaraju et al. 2017), that is outside. A map of
/// zeros counts nothing. `x` `(B, 3, H, W)` normalised, `object` `(B, 1, H, W)`, 1 on it; it is averaged over each place's part of
/// the picture. `node` is where the map is taken; `labels` `(B)` u32.
///
/// # Errors
/// From the graph, for an input that it does not take; [`TrainingError::Recipe`] for a node without rows and columns.
pub fn grad_cam_penalty(
    graph: &Graph,
    weights: &WeightMap,
    variables: &[Var],
    node: &str,
    x: &Tensor,
    object: &Tensor,
    labels: &Tensor,
) -> Result<Penalty, TrainingError> {
    let batch = x.dim(0)? as f64;
    let cut = Cut::at(graph, node)?;
    let layout = graph.node(cut.node()).layout;
    let labels = labels.unsqueeze(1)?;
    let value = cut.trunk(graph, weights, x)?;

    // The channels' weights, from a head that is not recorded.
    let activations = Var::from_tensor(&value.at.detach())?;
    let carried = value.carried.iter().map(Tensor::detach).collect();
    let seen = CutValues { at: activations.as_tensor().clone(), carried };
    let logit = cut.head(graph, &constant(weights), &seen)?.gather(&labels, 1)?;
    let slope = gradient(&logit.sum_all()?, &activations)?;
    let (slope, _, _) = places(layout, &slope, node)?;
    let channels = Var::from_tensor(&slope.mean_keepdim(1)?)?;

    let (values, h, w) = places(layout, &value.at, node)?;
    let outside = outside_of(object, h, w)?;
    let share = |values: &Tensor, channels: &Tensor| -> Result<Tensor, TrainingError> {
        let map = values.broadcast_mul(channels)?.sum(2)?.relu()?;
        let whole = map.sum(1)?;
        // Nothing can be said of a map without evidence, and the share of next to none has a boundless gradient.
        let told = whole.detach().gt(LEAST)?.to_dtype(DType::F32)?;
        let share = ((map * &outside)?.sum(1)? / ((whole * &told)? + told.affine(-1.0, 1.0)?)?)?;
        Ok(((share * told)?.sum_all()? / batch)?)
    };
    // By the channels' weights: ∂P/∂a, which is spread over the places whose mean a is.
    let penalty = share(&values.detach(), &channels)?;
    let spread = (gradient(&penalty, &channels)? / (h * w) as f64)?.broadcast_as(values.shape())?;
    let along = back(layout, &spread, &value.at)?;

    // By the activations, and by how the logit moves along that direction.
    let direct = share(&values, &channels.as_tensor().detach())?;
    let moving = Dual { value: value.at.clone(), tangent: Some(along) };
    let still =
        |(id, value): (&hard_imagenet_graph::NodeId, &Tensor)| (*id, Dual { value: value.clone(), tangent: None });
    let fed: Vec<_> =
        std::iter::once((cut.node(), moving)).chain(cut.carried().iter().zip(&value.carried).map(still)).collect();
    let moved = one(run_tangent(graph, weights, &fed, &[graph.output()])?)?;
    let total = match moved.tangent {
        Some(dz) => (direct + dz.gather(&labels, 1)?.sum_all()?)?,
        None => direct,
    };
    Ok(Penalty { value: f64::from(penalty.to_scalar::<f32>()?), gradients: of(&total, variables)? })
}

/// The same weights without a record.
fn constant(weights: &WeightMap) -> WeightMap {
    weights.iter().map(|(name, weight)| (name.clone(), weight.detach())).collect()
}

fn one(mut values: Vec<Dual>) -> Result<Dual, TrainingError> {
    values.pop().ok_or_else(|| TrainingError::Recipe("the graph has no output".into()))
}

fn zeros(variables: &[Var]) -> Result<Vec<Tensor>, TrainingError> {
    Ok(variables.iter().map(|variable| variable.as_tensor().zeros_like()).collect::<candle_core::Result<_>>()?)
}

/// Gradients, zeros where nothing depends on the variable. A value that depends on none has no record to go back by.
fn of(value: &Tensor, variables: &[Var]) -> Result<Vec<Tensor>, TrainingError> {
    let store = value.backward()?;
    let gradient = |variable: &Var| match store.get(variable) {
        Some(gradient) => Ok(gradient.clone()),
        None => variable.as_tensor().zeros_like(),
    };
    Ok(variables.iter().map(gradient).collect::<candle_core::Result<_>>()?)
}

/// `(B, h · w, C)`, and h and w.
fn places(layout: Layout, value: &Tensor, node: &str) -> Result<(Tensor, usize, usize), TrainingError> {
    let places = layout.positions(value)?;
    let places = places.ok_or_else(|| TrainingError::Recipe(format!("the node {node} has no rows and columns")))?;
    Ok((places.values, places.h, places.w))
}

/// From places to the value's own form, zeros for tokens without a place.
fn back(layout: Layout, places: &Tensor, like: &Tensor) -> candle_core::Result<Tensor> {
    match layout {
        Layout::Nchw => places.transpose(1, 2)?.reshape(like.shape())?.contiguous(),
        Layout::Tokens { prefix, .. } if prefix > 0 => {
            let (b, _, c) = places.dims3()?;
            Tensor::cat(&[&Tensor::zeros((b, prefix, c), places.dtype(), places.device())?, &places.contiguous()?], 1)
        }
        _ => places.reshape(like.shape())?.contiguous(),
    }
}

/// How much of each of h × w places lies outside the object, `(B, h · w)`.
fn outside_of(object: &Tensor, h: usize, w: usize) -> candle_core::Result<Tensor> {
    let (b, _, height, width) = object.dims4()?;
    let rows = shares(height, h, object)?;
    let columns = shares(width, w, object)?.t()?.contiguous()?;
    let object = object.to_dtype(DType::F32)?.reshape((b, height, width))?;
    let on =
        rows.broadcast_left(b)?.contiguous()?.matmul(&object)?.matmul(&columns.broadcast_left(b)?.contiguous()?)?;
    on.affine(-1.0, 1.0)?.flatten_from(1)
}

/// Means over parts of a line as a matrix, `(parts, pixels)`; a pixel that lies in two parts counts for each by its share.
fn shares(pixels: usize, parts: usize, like: &Tensor) -> candle_core::Result<Tensor> {
    let size = pixels as f64 / parts as f64;
    let mut matrix = vec![0f32; parts * pixels];
    for part in 0..parts {
        let (from, to) = (part as f64 * size, (part + 1) as f64 * size);
        for pixel in from.floor() as usize..(to.ceil() as usize).min(pixels) {
            let common = to.min(pixel as f64 + 1.0) - from.max(pixel as f64);
            matrix[part * pixels + pixel] = (common.max(0.0) / size) as f32;
        }
    }
    Tensor::from_vec(matrix, (parts, pixels), like.device())
}

#[cfg(test)]
#[allow(clippy::disallowed_macros, reason = "a test prints what failed")]
mod tests {
    use super::*;
    use candle_core::Device;
    use hard_imagenet_models::families::vit::{Variant, VisionTransformer};
    use hard_imagenet_models::{Architecture, generated, zoo};

    struct Case {
        graph: Graph,
        weights: WeightMap,
        names: Vec<String>,
        x: Tensor,
        object: Tensor,
        labels: Tensor,
    }

    fn values(name: &str, shape: &[usize]) -> Tensor {
        Tensor::from_vec(generated::values(name, shape), shape, &Device::Cpu).unwrap()
    }

    fn case(graph: Graph, only: &[&str]) -> Case {
        let mut weights = generated::weights(&graph).unwrap();
        weights.values_mut().for_each(|weight| *weight = weight.affine(1.3, 0.0).unwrap());
        let learns = |name: &&String| !name.contains("running_") && (only.is_empty() || only.contains(&name.as_str()));
        let mut names: Vec<String> = weights.keys().filter(learns).cloned().collect();
        names.sort();
        let on = (0..2 * 32 * 32).map(|i| f32::from(i % 32 > 8 && i % 32 < 20 && (i / 32) % 32 > 12)).collect();
        Case {
            x: values("input", &[2, 3, 32, 32]),
            object: Tensor::from_vec(on, (2, 1, 32, 32), &Device::Cpu).unwrap(),
            labels: Tensor::new(&[1u32, 3], &Device::Cpu).unwrap(),
            graph,
            weights,
            names,
        }
    }

    /// Without corners, so that differences are derivatives.
    fn vit() -> Graph {
        let vit = VisionTransformer { image: 32, patch: 8, width: 16, depth: 2, heads: 2, variant: Variant::Plain };
        vit.graph(5).unwrap()
    }

    type Ask<'a> = &'a dyn Fn(&Case, &WeightMap, &[Var]) -> Penalty;

    fn gradient_is_a_difference(case: &Case, ask: Ask<'_>, step: f64) {
        let variables: Vec<Var> =
            case.names.iter().map(|name| Var::from_tensor(&case.weights[name]).unwrap()).collect();
        let mut recorded = case.weights.clone();
        for (name, variable) in case.names.iter().zip(&variables) {
            recorded.insert(name.clone(), variable.as_tensor().clone());
        }
        let penalty = ask(case, &recorded, &variables);
        assert!(penalty.value > 0.0);
        for direction in 0..3 {
            let mut want = 0.0;
            let mut along = WeightMap::new();
            for (name, gradient) in case.names.iter().zip(&penalty.gradients) {
                let v = values(&format!("{name}.{direction}"), gradient.dims());
                want += f64::from((gradient * &v).unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap());
                along.insert(name.clone(), v);
            }
            let at = |step: f64| {
                let mut weights = case.weights.clone();
                for (name, v) in &along {
                    weights.insert(name.clone(), (&case.weights[name] + (v * step).unwrap()).unwrap());
                }
                ask(case, &weights, &[]).value
            };
            let got = (at(step) - at(-step)) / (2.0 * step);
            println!("{want:.6} by differences {got:.6}");
            assert!((want - got).abs() < 0.02 * want.abs().max(0.05 * penalty.value), "{want}, by differences {got}");
        }
    }

    fn input_penalty(case: &Case, weights: &WeightMap, variables: &[Var]) -> Penalty {
        let outside = case.object.affine(-1.0, 1.0).unwrap();
        input_gradient_penalty(&case.graph, weights, variables, &case.x, &outside, &case.labels).unwrap()
    }

    #[test]
    fn input_gradients_of_a_transformer() {
        gradient_is_a_difference(&case(vit(), &[]), &input_penalty, 1e-3);
        gradient_is_a_difference(&case(vit(), &["head.weight", "head.bias"]), &input_penalty, 1e-3);
    }

    #[test]
    fn input_gradients_of_a_head_on_a_residual_network() {
        let graph = zoo::graph("planted_resnet", 5).unwrap();
        gradient_is_a_difference(&case(graph, &["fc.weight", "fc.bias"]), &input_penalty, 1e-3);
    }

    #[test]
    fn maps_of_a_transformer() {
        let ask = |case: &Case, weights: &WeightMap, variables: &[Var]| {
            let Case { graph, x, object, labels, .. } = case;
            grad_cam_penalty(graph, weights, variables, "blocks.1.norm1", x, object, labels).unwrap()
        };
        gradient_is_a_difference(&case(vit(), &[]), &ask, 2e-4);
        gradient_is_a_difference(&case(vit(), &["head.weight", "blocks.1.mlp.fc1.weight"]), &ask, 1e-3);
    }

    #[test]
    fn maps_of_a_head_on_a_residual_network() {
        let ask = |case: &Case, weights: &WeightMap, variables: &[Var]| {
            let Case { graph, x, object, labels, .. } = case;
            let node = zoo::spec("planted_resnet").unwrap().cam_node;
            grad_cam_penalty(graph, weights, variables, &node, x, object, labels).unwrap()
        };
        let graph = zoo::graph("planted_resnet", 5).unwrap();
        gradient_is_a_difference(&case(graph, &["fc.weight"]), &ask, 1e-3);
    }

    #[test]
    fn places_outside() {
        let object = Tensor::new(&[1f32, 1., 0., 0., 0., 0.], &Device::Cpu).unwrap().reshape((1, 1, 1, 6)).unwrap();
        let got = outside_of(&object, 1, 4).unwrap().to_vec2::<f32>().unwrap();
        let want = [0.0, 2.0 / 3.0, 1.0, 1.0];
        assert!(got[0].iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-6), "{got:?}");
    }
}
