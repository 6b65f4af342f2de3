//! Agreement between several masks of the same object.

use crate::Mask;

/// Returns the number of pixels that are object in all masks over the number that are object in any, in [0, 1].
///
/// It is `None` if no mask has an object pixel.
///
/// # Panics
/// If the masks differ in size.
pub fn agreement(masks: &[Mask]) -> Option<f64> {
    let (first, others) = masks.split_first()?;
    let all = others.iter().fold(first.clone(), |all, mask| all.intersection(mask));
    let any = others.iter().fold(first.clone(), |any, mask| any.union(mask)).area();
    (any > 0).then(|| all.area() as f64 / any as f64)
}

/// Returns the mean intersection over union of all pairs of masks, in [0, 1].
///
/// Pairs of two empty masks are skipped. The mean is `None` if no pair remains.
///
/// # Panics
/// If the masks differ in size.
pub fn mean_pairwise_iou(masks: &[Mask]) -> Option<f64> {
    let pairs = masks.iter().enumerate().flat_map(|(index, a)| masks[index + 1..].iter().map(move |b| a.iou(b)));
    let (sum, count) = pairs.flatten().fold((0.0, 0usize), |(sum, count), iou| (sum + iou, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// Returns the pixels that are object in more than half of the masks; `None` if there are no masks.
///
/// # Panics
/// If the masks differ in size.
pub fn majority(masks: &[Mask]) -> Option<Mask> {
    let (height, width) = masks.first().map(|mask| (mask.height(), mask.width()))?;
    let mut votes = vec![0u32; height * width];
    for mask in masks {
        assert_eq!((mask.height(), mask.width()), (height, width), "masks of different sizes cannot be compared");
        for (votes, &vote) in votes.iter_mut().zip(mask.as_slice()) {
            *votes += u32::from(vote);
        }
    }
    let values = votes.into_iter().map(|votes| u8::from(votes as usize * 2 > masks.len())).collect();
    Some(Mask::from_binary(height, width, values))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(pixels: &str) -> Mask {
        Mask::from_fn(1, pixels.len(), |_, column| pixels.as_bytes()[column] == b'#')
    }

    fn check(masks: &[&str], all: Option<f64>, pairs: Option<f64>, most: Option<&str>) {
        let masks: Vec<Mask> = masks.iter().map(|pixels| mask(pixels)).collect();
        assert_eq!(agreement(&masks), all);
        assert_eq!(mean_pairwise_iou(&masks), pairs);
        assert_eq!(majority(&masks), most.map(mask));
    }

    #[test]
    fn agreement_of_several_masks() {
        check(&[], None, None, None);
        check(&["##."], Some(1.0), None, Some("##."));
        check(&["...", "..."], None, None, Some("..."));
        check(&["##.", ".##"], Some(1.0 / 3.0), Some(1.0 / 3.0), Some(".#."));
        check(&["##.", "##.", "..#"], Some(0.0), Some(1.0 / 3.0), Some("##."));
        check(&["###", "...", "..."], Some(0.0), Some(0.0), Some("..."));
    }
}
