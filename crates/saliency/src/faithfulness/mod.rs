//! Is a map faithful to the model? Take away what it calls important, and see what becomes of the decision.

mod coarse;
mod curve;
mod imputation;
mod road;

pub use curve::{Curve, Steps, deletion, insertion};
pub use imputation::linear_imputation;
pub use road::{Road, road};

use crate::cam::targets;
use crate::{ExplainError, Question};
use candle_core::Tensor;
use hard_imagenet_kernels::softmax;
use hard_imagenet_masks::Heatmap;

/// Rows and columns of the picture.
///
/// # Errors
/// Not one map and one class for each image, or a map of another size than the picture.
fn checked(question: &Question<'_>, maps: &[Heatmap]) -> Result<(usize, usize), ExplainError> {
    let (images, height, width) = question.size()?;
    if maps.len() != images {
        return Err(ExplainError::Maps { images, maps: maps.len() });
    }
    match maps.iter().map(|map| (map.height(), map.width())).find(|size| *size != (height, width)) {
        Some(map) => Err(ExplainError::MapSize { map, picture: (height, width) }),
        None => Ok((height, width)),
    }
}

/// The pixels' indices, brightest first, equal ones in the order of their indices. `None` where the map says nothing of
/// the order: it is constant, or has a value that is not a number.
fn order(map: &Heatmap) -> Option<Vec<u32>> {
    let values = map.as_slice();
    if values.iter().any(|v| v.is_nan()) || values.iter().all(|v| *v == values[0]) {
        return None;
    }
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    // Stable, and without the order of -0 and 0 that `total_cmp` has.
    order.sort_by(|a, b| values[*b as usize].partial_cmp(&values[*a as usize]).unwrap_or(std::cmp::Ordering::Equal));
    Some(order)
}

/// The softmax of one class for each of some pictures of an image.
fn probabilities(question: &Question<'_>, image: usize, pictures: &Tensor) -> Result<Vec<f32>, ExplainError> {
    let logits = question.model.forward(pictures)?;
    let classes = vec![question.classes[image]; pictures.dim(0)?];
    Ok(targets(&softmax(&logits)?, &classes)?.to_vec1()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders() {
        let check = |values: &[f32], want: Option<&[u32]>| {
            assert_eq!(order(&Heatmap::from_vec(1, values.len(), values.to_vec())).as_deref(), want, "{values:?}");
        };
        check(&[0.1, 0.5, 0.3], Some(&[1, 2, 0]));
        check(&[0.0, 1.0, -0.0, 1.0], Some(&[1, 3, 0, 2]));
        check(&[0.5, 0.5], None);
        check(&[0.5, f32::NAN], None);
        check(&[], None);
    }
}
