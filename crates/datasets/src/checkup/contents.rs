//! What is wrong inside the files.

use crate::{Dataset, DatasetError, Sample};
use hard_imagenet_findings::Finding;
use hard_imagenet_findings::kinds::content::{
    ALPHA_MASK, EMPTY_MASK, FULL_MASK, GRAY_MASK, INCOMPLETE, INVERTED, LABEL_MASK, LOST_OBJECT, SCALED_MASK, SIZES,
    TURNED, UNREADABLE,
};
use hard_imagenet_findings::kinds::folders::{EMPTY_CLASS, NO_IMAGE};
use hard_imagenet_images::{MaskKind, PairedTransform};
use hard_imagenet_masks::Mask;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Collects what is wrong with samples that are decoded anyway.
///
/// ```
/// use hard_imagenet_datasets::{ContentCheck, Dataset, PlantedCues};
/// use hard_imagenet_images::{MaskRule, Preprocessing};
///
/// let data = PlantedCues::hard(0, 4, 64);
/// let mut check = ContentCheck::new(Preprocessing::imagenet().paired_transform(MaskRule::Half));
/// for i in 0..data.len() {
///     check.add(data.id(i), &data.get(i));
/// }
/// assert!(check.findings(&data).iter().all(|finding| finding.kind != "empty-mask"));
/// ```
#[derive(Clone, Debug)]
pub struct ContentCheck {
    transform: PairedTransform,
    checks: Vec<(String, SampleCheck)>,
}

/// What was found in one sample. It can be stored as JSON, so that the samples of an interrupted run need not be decoded again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SampleCheck {
    lacks_image: bool,
    unreadable: Option<String>,
    /// The sizes of image and mask, if they differ in shape.
    sizes: Option<String>,
    is_scaled: bool,
    /// The orientation that may not be the mask's.
    turned: Option<u8>,
    is_empty: bool,
    is_lost: bool,
    is_full: bool,
    is_inverted: bool,
    /// The values that were taken as object.
    labels: Option<String>,
    is_cut_out: bool,
    is_gray: bool,
    is_incomplete: bool,
}

/// Number of samples between two calls of `progress`.
const STEP: usize = 64;
/// The number of masks with an object from which on it is judged whether all of them are inverted.
const FEWEST: usize = 3;
/// The share by which the shapes of image and mask may differ, because sizes are rounded.
const TOLERANCE: f64 = 0.02;

/// Decodes every image and mask of a dataset, in parallel, and reports what is wrong with them.
///
/// Findings are missing and unreadable files, files that lack their end, masks whose shape differs from their image's or
/// that may have been drawn on the turned image, masks that are empty, full, inverted, not binary, or not black and
/// white at all, and classes without samples. `progress` is called with the number of samples that were checked.
pub fn inspect(data: &dyn Dataset, transform: &PairedTransform, mut progress: impl FnMut(usize)) -> Vec<Finding> {
    let mut all = ContentCheck::new(*transform);
    for start in (0..data.len()).step_by(STEP) {
        let samples = (start..data.len().min(start + STEP)).into_par_iter();
        all.checks.par_extend(samples.map(|i| (data.id(i).to_owned(), SampleCheck::new(&data.get(i), transform))));
        progress(all.checks.len());
    }
    all.findings(data)
}

impl ContentCheck {
    /// Creates a check without samples. `transform` decides what counts as object and what the crop keeps.
    pub fn new(transform: PairedTransform) -> Self {
        Self { transform, checks: Vec::new() }
    }

    /// Looks at a sample, or at the error instead of one.
    pub fn add(&mut self, id: impl Into<String>, sample: &Result<Sample, DatasetError>) {
        self.push(id, SampleCheck::new(sample, &self.transform));
    }

    /// Adds a sample that was looked at elsewhere, such as on another thread.
    pub fn push(&mut self, id: impl Into<String>, check: SampleCheck) {
        self.checks.push((id.into(), check));
    }

    /// Returns the number of samples.
    pub fn len(&self) -> usize {
        self.checks.len()
    }

    /// Returns whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.checks.is_empty()
    }

    /// Returns what was found, with the first samples in the order in which they were added. `data` is asked for its
    /// classes.
    pub fn findings(&self, data: &dyn Dataset) -> Vec<Finding> {
        let ids = |pick: fn(&SampleCheck) -> bool| -> Vec<&str> {
            self.checks.iter().filter(|(_, check)| pick(check)).map(|(id, _)| id.as_str()).collect()
        };
        let texts = |pick: fn(&SampleCheck) -> Option<String>| -> Vec<String> {
            self.checks.iter().filter_map(|(id, check)| Some(format!("{id}: {}", pick(check)?))).collect()
        };
        let found = [
            NO_IMAGE.about(&ids(|check| check.lacks_image)),
            UNREADABLE.about(&texts(|check| check.unreadable.clone())),
            SIZES.about(&texts(|check| check.sizes.clone())),
            TURNED.about(&texts(|check| check.turned.map(|orientation| format!("orientation {orientation}")))),
            EMPTY_MASK.about(&ids(|check| check.is_empty)),
            LOST_OBJECT.about(&ids(|check| check.is_lost)),
            FULL_MASK.about(&ids(|check| check.is_full)),
            INVERTED.about(&self.inverted()),
            LABEL_MASK.about(&texts(|check| check.labels.clone())),
            ALPHA_MASK.about(&ids(|check| check.is_cut_out)),
            INCOMPLETE.about(&ids(|check| check.is_incomplete)),
            SCALED_MASK.about(&ids(|check| check.is_scaled)),
            GRAY_MASK.about(&ids(|check| check.is_gray)),
        ];
        let all = self.checks.len();
        let mut found: Vec<Finding> = found.into_iter().flatten().map(|finding| finding.of(all)).collect();
        found.extend(EMPTY_CLASS.about(&empty_classes(data)).map(|finding| finding.of(data.info().classes.len())));
        found
    }

    /// Returns the samples whose masks seem to be inverted, if these are most of those with an object. A single mask may
    /// well cover the corners, such as that of a close-up.
    fn inverted(&self) -> Vec<&str> {
        let has_object = |check: &SampleCheck| check.unreadable.is_none() && !check.lacks_image && !check.is_empty;
        let with_object = self.checks.iter().filter(|(_, check)| has_object(check)).count();
        let found: Vec<&str> =
            self.checks.iter().filter(|(_, check)| check.is_inverted).map(|(id, _)| id.as_str()).collect();
        if with_object >= FEWEST && found.len() * 2 > with_object { found } else { Vec::new() }
    }
}

fn empty_classes(data: &dyn Dataset) -> Vec<&str> {
    let classes = &data.info().classes;
    let mut members = vec![0; classes.len()];
    (0..data.len()).for_each(|i| members[data.class(i)] += 1);
    classes.iter().zip(members).filter(|(_, n)| *n == 0).map(|(class, _)| class.name.as_str()).collect()
}

impl SampleCheck {
    /// Looks at a sample, or at the error instead of one.
    pub fn new(sample: &Result<Sample, DatasetError>, transform: &PairedTransform) -> Self {
        match sample {
            Ok(sample) => Self::examine(sample, transform),
            Err(DatasetError::NoImage { .. }) => Self { lacks_image: true, ..Self::default() },
            Err(error) => Self { unreadable: Some(error.to_string()), ..Self::default() },
        }
    }

    /// Looks at a decoded sample. `transform` decides what counts as object and what the crop keeps.
    pub fn examine(sample: &Sample, transform: &PairedTransform) -> Self {
        let (image, mask, facts) = (&sample.image, &sample.mask, &sample.facts);
        let object = transform.mask_rule.binarize(mask);
        let (area, pixels) = (object.area(), mask.height * mask.width);
        let differ = (image.height, image.width) != (mask.height, mask.width);
        let fits = has_shape((image.height, image.width), (mask.height, mask.width));
        let turned = turned(sample);
        let sizes = || format!("image {} × {}, mask {} × {}", image.height, image.width, mask.height, mask.width);
        let labels = || {
            let values: Vec<String> = facts.mask.values.iter().map(ToString::to_string).collect();
            let is_color = values.iter().any(|value| value.contains(','));
            format!("values {}", values.join(if is_color { "; " } else { ", " }))
        };
        Self {
            // A turned mask has the other shape, too, but one reason is enough.
            sizes: (differ && !fits && turned.is_none()).then(sizes),
            is_scaled: differ && fits && turned.is_none(),
            turned,
            is_empty: area == 0,
            is_lost: area > 0 && transform.apply_to_mask(mask).is_empty(),
            is_full: area > 0 && area == pixels,
            is_inverted: area * 2 > pixels && area < pixels && covers_corners(&object),
            labels: (facts.mask.kind == MaskKind::Labels).then(labels),
            is_cut_out: facts.mask.kind == MaskKind::CutOut,
            is_gray: mask.data.iter().any(|&value| value != 0 && value != 255),
            is_incomplete: facts.image.is_incomplete || facts.mask.is_incomplete,
            ..Self::default()
        }
    }
}

/// Returns the EXIF orientation of an image that was not applied, if the mask may have been drawn on the turned image.
fn turned(sample: &Sample) -> Option<u8> {
    let (image, mask) = (&sample.image, &sample.mask);
    let facts = &sample.facts;
    let orientation = facts.image.orientation.filter(|&orientation| orientation != 1 && !facts.image.is_turned)?;
    // A mask that states the same orientation was stored like the image.
    if facts.mask.orientation == Some(orientation) {
        return None;
    }
    // Orientations from 5 on exchange the sides. If the mask fits the turned image, it was drawn on it, or the image is so
    // square that nobody can tell.
    let (tall, wide) = if orientation >= 5 { (image.width, image.height) } else { (image.height, image.width) };
    has_shape((tall, wide), (mask.height, mask.width)).then_some(orientation)
}

/// Returns whether the mask has the shape of the image, at any scale: the sides differ by rounding only.
fn has_shape(image: (usize, usize), mask: (usize, usize)) -> bool {
    if image == mask {
        return true;
    }
    let [tall, wide, height, width] = [image.0, image.1, mask.0, mask.1].map(|side| side as f64);
    if tall * wide * height * width == 0.0 {
        return false;
    }
    let close = |expected: f64, side: f64| (expected - side).abs() <= (side * TOLERANCE).max(1.0);
    close(tall * width / wide, height) && close(wide * height / tall, width)
}

fn covers_corners(object: &Mask) -> bool {
    let (height, width) = (object.height(), object.width());
    let is_object = |row: usize, column: usize| object.row(row).get(column) == Some(&1);
    height > 0
        && width > 0
        && [(0, 0), (0, width - 1), (height - 1, 0), (height - 1, width - 1)].iter().all(|&(r, c)| is_object(r, c))
}

#[cfg(test)]
mod tests {
    use super::has_shape;

    #[test]
    fn shapes_are_compared_at_any_scale() {
        for mask in [(375, 500), (750, 1000), (256, 341), (256, 342), (188, 250), (75, 100), (376, 500)] {
            assert!(has_shape((375, 500), mask), "{mask:?}");
        }
        for mask in [(500, 375), (224, 224), (375, 480), (0, 0), (1, 500)] {
            assert!(!has_shape((375, 500), mask), "{mask:?}");
        }
    }
}
