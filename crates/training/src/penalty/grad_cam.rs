use super::penalty::{Penalty, detach_weights, gradients_or_zeros, single_output};
use crate::TrainingError;
use candle_core::{DType, Tensor, Var};
use hard_imagenet_graph::{Cut, CutValues, Dual, Graph, Layout, NodeId, WeightMap, run_tangent};
use hard_imagenet_kernels::gradient;

/// A GradCAM whose sum over places is smaller counts as zero.
const SMALLEST_SUM: f64 = 1e-6;

/// Returns how much of the evidence that GradCAM sees lies around the object, and the gradient of that.
///
/// The penalty is the mean over the batch of the share of the label's map that lies outside the object. The map is
/// `ReLU(Σ_c a_c A_c)`, where `a_c` is the mean over places of `∂y/∂A_c` (Selvaraju et al. 2017). A map of zeros counts
/// as zero. `x` `(B, 3, H, W)` f32 is normalized, `object` `(B, 1, H, W)` is 1 on the object and 0 elsewhere and is
/// averaged over the part of the image that belongs to each place, and `labels` are `(B)` u32. The map is taken at
/// `node`. `variables` are those of the `weights` that learn.
///
/// # Errors
/// Returns [`TrainingError::Recipe`] for a node without rows and columns, and the graph's error for an input that it
/// does not accept.
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
    let channels = channel_weights(graph, weights, &cut, &value, &labels, node)?;

    let NodePositions { values, h, w } = node_places(layout, &value.at, node)?;
    let outside = outside_share(object, h, w)?;
    // P depends on the weights through the channels' weights a and through the activations A. For a: u = ∂P/∂a, spread
    // over the places whose mean a is.
    let penalty = share_outside(&values.detach(), channels.as_tensor(), &outside, batch)?;
    let spread = (gradient(&penalty, &channels)? / (h * w) as f64)?.broadcast_as(values.shape())?;
    let direction = from_places(layout, &spread, &value.at)?;

    // For A: the penalty itself with a held fixed, and how the logit changes along u.
    let direct = share_outside(&values, &channels.as_tensor().detach(), &outside, batch)?;
    let moving = Dual { value: value.at.clone(), tangent: Some(direction) };
    let still = |(id, value): (&NodeId, &Tensor)| (*id, Dual { value: value.clone(), tangent: None });
    let fed: Vec<_> =
        std::iter::once((cut.node(), moving)).chain(cut.carried().iter().zip(&value.carried).map(still)).collect();
    let moved = single_output(run_tangent(graph, weights, &fed, &[graph.output()])?)?;
    let total = match moved.tangent {
        Some(dz) => (direct + dz.gather(&labels, 1)?.sum_all()?)?,
        None => direct,
    };
    let gradients = gradients_or_zeros(&total, variables)?;
    Ok(Penalty { value: f64::from(penalty.to_scalar::<f32>()?), gradients })
}

/// Returns GradCAM's weights of the channels, `(B, 1, C)`, from a head that is not recorded.
fn channel_weights(
    graph: &Graph,
    weights: &WeightMap,
    cut: &Cut,
    value: &CutValues,
    labels: &Tensor,
    node: &str,
) -> Result<Var, TrainingError> {
    let activations = Var::from_tensor(&value.at.detach())?;
    let carried = value.carried.iter().map(Tensor::detach).collect();
    let seen = CutValues { at: activations.as_tensor().clone(), carried };
    let logit = cut.head(graph, &detach_weights(weights), &seen)?.gather(labels, 1)?;
    let slope = gradient(&logit.sum_all()?, &activations)?;
    let slope = node_places(graph.node(cut.node()).layout, &slope, node)?.values;
    Ok(Var::from_tensor(&slope.mean_keepdim(1)?)?)
}

/// Returns the mean over the batch of each map's share outside the object, a scalar. `values` are `(B, h · w, C)`,
/// `channels` `(B, 1, C)` and `outside` `(B, h · w)`.
fn share_outside(values: &Tensor, channels: &Tensor, outside: &Tensor, batch: f64) -> Result<Tensor, TrainingError> {
    let map = values.broadcast_mul(channels)?.sum(2)?.relu()?;
    let sum = map.sum(1)?;
    // A map without evidence has no share, and the gradient of a share of almost nothing grows without bound.
    let has_evidence = sum.detach().gt(SMALLEST_SUM)?.to_dtype(DType::F32)?;
    let denominator = ((sum * &has_evidence)? + has_evidence.affine(-1.0, 1.0)?)?;
    let share = ((map * outside)?.sum(1)? / denominator)?;
    Ok(((share * has_evidence)?.sum_all()? / batch)?)
}

/// A node's value by places of the image.
struct NodePositions {
    /// `(B, h · w, C)`.
    values: Tensor,
    h: usize,
    w: usize,
}

fn node_places(layout: Layout, value: &Tensor, node: &str) -> Result<NodePositions, TrainingError> {
    let places = layout.positions(value)?;
    let places = places.ok_or_else(|| TrainingError::Recipe(format!("the node {node} has no rows and columns")))?;
    Ok(NodePositions { values: places.values, h: places.h, w: places.w })
}

/// Brings values by places into the form of the node's value `like`, with zeros for tokens without a place.
fn from_places(layout: Layout, places: &Tensor, like: &Tensor) -> candle_core::Result<Tensor> {
    match layout {
        Layout::Nchw => places.transpose(1, 2)?.reshape(like.shape())?.contiguous(),
        Layout::Tokens { prefix, .. } if prefix > 0 => {
            let (b, _, c) = places.dims3()?;
            Tensor::cat(&[&Tensor::zeros((b, prefix, c), places.dtype(), places.device())?, &places.contiguous()?], 1)
        }
        _ => places.reshape(like.shape())?.contiguous(),
    }
}

/// Returns how much of each of h × w places lies outside the object, `(B, h · w)`, in [0, 1].
pub(super) fn outside_share(object: &Tensor, h: usize, w: usize) -> candle_core::Result<Tensor> {
    let (b, _, height, width) = object.dims4()?;
    let rows = averaging_matrix(height, h, object)?;
    let columns = averaging_matrix(width, w, object)?.t()?.contiguous()?;
    let object = object.to_dtype(DType::F32)?.reshape((b, height, width))?;
    let on =
        rows.broadcast_left(b)?.contiguous()?.matmul(&object)?.matmul(&columns.broadcast_left(b)?.contiguous()?)?;
    on.affine(-1.0, 1.0)?.flatten_from(1)
}

/// Returns a matrix `(cells, pixels)` that averages a line of pixels over equal cells. A pixel that lies in two cells
/// counts for each of them by its share.
fn averaging_matrix(pixels: usize, cells: usize, like: &Tensor) -> candle_core::Result<Tensor> {
    let size = pixels as f64 / cells as f64;
    let mut matrix = vec![0f32; cells * pixels];
    for cell in 0..cells {
        let (from, to) = (cell as f64 * size, (cell + 1) as f64 * size);
        for pixel in from.floor() as usize..(to.ceil() as usize).min(pixels) {
            let common = to.min(pixel as f64 + 1.0) - from.max(pixel as f64);
            matrix[cell * pixels + pixel] = (common.max(0.0) / size) as f32;
        }
    }
    Tensor::from_vec(matrix, (cells, pixels), like.device())
}
