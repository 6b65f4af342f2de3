//! What is wrong inside the files.

use crate::{Dataset, DatasetError, MaskStatistics, Retention, Sample};
use hard_imagenet_findings::Finding;
use hard_imagenet_findings::kinds::content::{EMPTY_MASK, FULL_MASK, GRAY_MASK, LOST_OBJECT, SIZES, UNREADABLE};
use hard_imagenet_findings::kinds::folders::{EMPTY_CLASS, NO_IMAGE};
use hard_imagenet_images::PairedTransform;
use rayon::prelude::*;

/// What was found in one sample.
#[derive(Default)]
struct SampleCheck {
    lacks_image: bool,
    unreadable: Option<String>,
    sizes: Option<String>,
    is_empty: bool,
    is_lost: bool,
    is_full: bool,
    is_gray: bool,
}

/// Number of samples between two calls of `progress`.
const STEP: usize = 64;

/// Decodes every image and mask of a dataset, in parallel, and reports what is wrong with them.
///
/// Findings are missing and unreadable files, masks whose size differs from their image, masks that are empty, full or
/// not binary, and classes without samples. `progress` is called with the number of samples that were checked.
pub fn inspect(data: &dyn Dataset, transform: &PairedTransform, mut progress: impl FnMut(usize)) -> Vec<Finding> {
    let mut checks: Vec<SampleCheck> = Vec::with_capacity(data.len());
    for start in (0..data.len()).step_by(STEP) {
        let samples = (start..data.len().min(start + STEP)).into_par_iter();
        checks.par_extend(samples.map(|i| match data.get(i) {
            Ok(sample) => check_sample(&sample, transform),
            Err(error) => check_error(&error),
        }));
        progress(checks.len());
    }
    let ids = |pick: &dyn Fn(&SampleCheck) -> bool| -> Vec<&str> {
        checks.iter().enumerate().filter(|(_, check)| pick(check)).map(|(i, _)| data.id(i)).collect()
    };
    let texts = |pick: fn(&SampleCheck) -> Option<&String>| -> Vec<String> {
        let with_text = checks.iter().enumerate().filter_map(|(i, check)| Some((i, pick(check)?)));
        with_text.map(|(i, text)| format!("{}: {text}", data.id(i))).collect()
    };
    let all = data.len();
    let found = [
        NO_IMAGE.about(&ids(&|check| check.lacks_image)),
        UNREADABLE.about(&texts(|check| check.unreadable.as_ref())),
        SIZES.about(&texts(|check| check.sizes.as_ref())),
        EMPTY_MASK.about(&ids(&|check| check.is_empty)),
        LOST_OBJECT.about(&ids(&|check| check.is_lost)),
        FULL_MASK.about(&ids(&|check| check.is_full)),
        GRAY_MASK.about(&ids(&|check| check.is_gray)),
    ];
    let mut found: Vec<Finding> = found.into_iter().flatten().map(|finding| finding.of(all)).collect();
    found.extend(EMPTY_CLASS.about(&empty_classes(data)).map(|finding| finding.of(data.info().classes.len())));
    found
}

fn empty_classes(data: &dyn Dataset) -> Vec<&str> {
    let classes = &data.info().classes;
    let mut members = vec![0; classes.len()];
    (0..data.len()).for_each(|i| members[data.class(i)] += 1);
    classes.iter().zip(members).filter(|(_, n)| *n == 0).map(|(class, _)| class.name.as_str()).collect()
}

fn check_error(error: &DatasetError) -> SampleCheck {
    match error {
        DatasetError::NoImage { .. } => SampleCheck { lacks_image: true, ..SampleCheck::default() },
        error => SampleCheck { unreadable: Some(error.to_string()), ..SampleCheck::default() },
    }
}

fn check_sample(sample: &Sample, transform: &PairedTransform) -> SampleCheck {
    let (image, mask) = (&sample.image, &sample.mask);
    let (numbers, _) = MaskStatistics::measure(sample, transform, Retention::Transform);
    let differ = (image.height, image.width) != (mask.height, mask.width);
    let sizes = || format!("image {} × {}, mask {} × {}", image.height, image.width, mask.height, mask.width);
    SampleCheck {
        sizes: differ.then(sizes),
        is_empty: numbers.raw == 0.0,
        is_lost: numbers.raw > 0.0 && numbers.transformed == 0.0,
        is_full: numbers.raw == 1.0,
        is_gray: mask.data.iter().any(|&value| value != 0 && value != 255),
        ..SampleCheck::default()
    }
}
