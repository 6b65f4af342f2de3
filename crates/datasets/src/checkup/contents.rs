//! What is wrong inside the files.

use super::finding::Finding;
use crate::{Dataset, DatasetError, MaskStatistics, Retention, Sample};
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
    [
        missing_images().about(&ids(&|check| check.lacks_image)),
        Finding::error(
            "unreadable",
            "files that cannot be decoded",
            "get these files again; a run counts them as errors and continues",
        )
        .about(&texts(|check| check.unreadable.as_ref())),
        Finding::warning(
            "sizes",
            "masks whose size differs from their image",
            "nothing to do if the mask is the image's at another scale: each is resized from its own size; otherwise \
             these masks do not belong to these images",
        )
        .about(&texts(|check| check.sizes.as_ref())),
        Finding::warning(
            "empty-mask",
            "masks without an object",
            "look at these files; measures of the object are undefined for them and skip them",
        )
        .about(&ids(&|check| check.is_empty)),
        Finding::warning(
            "lost-object",
            "masks whose object is gone after resize and crop",
            "nothing to do if there are few: measures of the object skip them",
        )
        .about(&ids(&|check| check.is_lost)),
        Finding::warning(
            "full-mask",
            "masks that are object everywhere",
            "look at these files: the object should be white and the background black",
        )
        .about(&ids(&|check| check.is_full)),
        Finding::note(
            "grey-mask",
            "masks with values between 0 and 255",
            "nothing to do: published masks are JPEG files, whose edges ring; the paper preset counts every value above \
             0 as object, the strict preset values of 128 and more",
        )
        .about(&ids(&|check| check.is_gray)),
        Finding::warning("empty-class", "classes without a sample", "get the rest of the dataset")
            .about(&empty_classes(data)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The finding about masks whose image is missing, before it is known which.
pub(super) fn missing_images() -> Finding {
    let remedy = "get these images of ImageNet (ILSVRC2012), or use the folder that holds train/ and val/ as the path of \
                  the images";
    Finding::error("no-picture", "masks whose image is missing", remedy)
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
