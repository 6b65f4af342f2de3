use hard_imagenet_images::{Gray8, PairedTransform, Resize};
use hard_imagenet_masks::Mask;
use std::ops::Range;

/// The definition of the share of the object that the crop keeps (Q15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// The definition of the published code in 2022: the binary mask is a tensor of floats, whose shorter side is
    /// resized to 256, bilinear and without antialiasing, followed by a center crop of 224 × 224. The benchmark itself
    /// uses another transform.
    Published,
    /// The same code with a current torchvision, whose tensor resize is antialiased.
    PublishedAntialiased,
    /// The transform in use: object pixels after its crop over object pixels before.
    Transform,
}

impl Retention {
    /// Returns the share in [0, 1]; `None` if there is no object before the crop. `binary` is the thresholded mask
    /// file.
    pub(crate) fn share(self, file: &Gray8, binary: &Mask, transform: &PairedTransform) -> Option<f64> {
        match self {
            Self::Published => share_in_tensor(binary, false),
            Self::PublishedAntialiased => share_in_tensor(binary, true),
            Self::Transform => {
                let whole = PairedTransform { crop: None, ..*transform }.apply_to_mask(file).area();
                let kept = transform.apply_to_mask(file).area();
                (whole > 0).then(|| kept as f64 / whole as f64)
            }
        }
    }
}

const SHORTER_SIDE: usize = 256;
const CROP: usize = 224;

/// Returns the sum over the crop divided by the sum over the resized mask.
///
/// Neither is computed. A resize is linear and separable, so each sum equals that over the mask's own pixels,
/// multiplied by the weights of their rows and columns in the output.
fn share_in_tensor(mask: &Mask, antialias: bool) -> Option<f64> {
    let (height, width) = (mask.height(), mask.width());
    let (tall, wide) = Resize::ShorterSide(SHORTER_SIDE).size(height, width);
    let rows = [0..tall, center(tall)].map(|part| weights(height, tall, part, antialias));
    let columns = [0..wide, center(wide)].map(|part| weights(width, wide, part, antialias));
    let (mut whole, mut kept) = (0.0, 0.0);
    for (row, (in_rows, in_crop)) in rows[0].iter().zip(&rows[1]).enumerate() {
        let (mut in_whole, mut in_kept) = (0.0, 0.0);
        for (column, &value) in mask.row(row).iter().enumerate() {
            if value != 0 {
                in_whole += columns[0][column];
                in_kept += columns[1][column];
            }
        }
        whole += in_rows * in_whole;
        kept += in_crop * in_kept;
    }
    (whole > 0.0).then(|| kept / whole)
}

/// Returns the center crop of a side that is at least as long. torchvision rounds half of an odd surplus to even.
fn center(length: usize) -> Range<usize> {
    let start = ((length.saturating_sub(CROP)) as f64 / 2.0).round_ties_even() as usize;
    start..(start + CROP).min(length)
}

/// Returns the total weight of each of `from` samples in the `part` of `to` resized samples, as torch resizes tensors.
fn weights(from: usize, to: usize, part: Range<usize>, antialias: bool) -> Vec<f64> {
    let mut weights = vec![0.0; from];
    let scale = from as f64 / to as f64;
    // The triangle reaches one input sample, or one output sample when it reduces with antialiasing.
    let reach = if antialias { scale.max(1.0) } else { 1.0 };
    for output in part {
        let center = (output as f64 + 0.5) * scale;
        if antialias {
            let start = (center - reach + 0.5).max(0.0) as usize;
            let end = ((center + reach + 0.5) as usize).min(from);
            let weight = |x: usize| (1.0 - ((x as f64 - center + 0.5) / reach).abs()).max(0.0);
            let total: f64 = (start..end).map(weight).sum();
            (start..end).for_each(|x| weights[x] += weight(x) / total);
        } else {
            let at = (center - 0.5).max(0.0);
            let (below, share) = ((at as usize).min(from - 1), at.fract());
            weights[below] += 1.0 - share;
            weights[(below + 1).min(from - 1)] += share;
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use hard_imagenet_images::{MaskRule, Preprocessing};

    #[test]
    fn every_resized_sample_has_the_weight_one() {
        for (from, to) in [(500, 256), (100, 256), (256, 256), (1, 256), (7, 300)] {
            for antialias in [false, true] {
                let total: f64 = weights(from, to, 0..to, antialias).iter().sum();
                assert!((total - to as f64).abs() < 1e-9, "{from} to {to}");
            }
        }
    }

    #[test]
    fn only_the_published_code_cuts_off_the_ends_of_the_longer_side() {
        let file = |inside: fn(usize) -> bool| {
            let data = (0..100 * 300).map(|i| if inside(i % 300) { 255 } else { 0 }).collect();
            Gray8 { height: 100, width: 300, data }
        };
        let squash = Preprocessing::imagenet().squash().paired_transform(MaskRule::AnyInk);
        let check = |file: &Gray8, retention: Retention, low: f64, high: f64| {
            let mask = Mask::from_vec(100, 300, file.data.clone()).unwrap();
            let share = retention.share(file, &mask, &squash).unwrap();
            assert!((low..=high).contains(&share), "{retention:?}: {share}");
        };
        let (edge, middle) = (file(|column| column < 60), file(|column| (140..160).contains(&column)));
        check(&edge, Retention::Published, 0.0, 0.0);
        check(&edge, Retention::PublishedAntialiased, 0.0, 0.0);
        check(&edge, Retention::Transform, 0.5, 0.7);
        check(&middle, Retention::Published, 0.874, 0.876);
        check(&middle, Retention::Transform, 0.874, 0.876);
    }

    #[test]
    fn an_empty_mask_has_no_share() {
        let squash = Preprocessing::imagenet().squash().paired_transform(MaskRule::AnyInk);
        for (height, width) in [(3, 4), (0, 0), (0, 4), (1, 1)] {
            let file = Gray8 { height, width, data: vec![0; height * width] };
            for retention in [Retention::Published, Retention::PublishedAntialiased, Retention::Transform] {
                assert_eq!(retention.share(&file, &Mask::new(height, width), &squash), None);
            }
        }
    }
}
