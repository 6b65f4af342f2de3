use super::Finding;
use crate::{Dataset, DatasetError, MaskStatistics, Retention, Sample};
use hard_imagenet_images::PairedTransform;
use rayon::prelude::*;

/// What is to be said of one sample.
#[derive(Default)]
struct Look {
    no_picture: bool,
    unreadable: Option<String>,
    sizes: Option<String>,
    empty: bool,
    lost: bool,
    full: bool,
    grey: bool,
}

/// Samples between two calls of `progress`.
const CHUNK: usize = 64;

/// Decodes every picture and mask of any dataset, in parallel, and says what is wrong with them: missing, unreadable,
/// of differing size, empty, full or not binary masks, classes without samples. `progress` is told how many are done.
pub fn inspect(data: &dyn Dataset, transform: &PairedTransform, mut progress: impl FnMut(usize)) -> Vec<Finding> {
    let mut looks: Vec<Look> = Vec::with_capacity(data.len());
    for start in (0..data.len()).step_by(CHUNK) {
        let chunk = (start..data.len().min(start + CHUNK)).into_par_iter();
        looks.par_extend(chunk.map(|i| data.get(i).map_or_else(failed, |sample| look(&sample, transform))));
        progress(looks.len());
    }
    let ids = |pick: &dyn Fn(&Look) -> bool| -> Vec<&str> {
        looks.iter().enumerate().filter(|(_, look)| pick(look)).map(|(i, _)| data.id(i)).collect()
    };
    let told = |pick: fn(&Look) -> Option<&String>| -> Vec<String> {
        let with = looks.iter().enumerate().filter_map(|(i, look)| Some((i, pick(look)?)));
        with.map(|(i, text)| format!("{}: {text}", data.id(i))).collect()
    };
    let mut members = vec![0; data.info().classes.len()];
    (0..data.len()).for_each(|i| members[data.class(i)] += 1);
    let absent: Vec<&str> = data
        .info()
        .classes
        .iter()
        .zip(members)
        .filter(|(_, n)| *n == 0)
        .map(|(class, _)| class.name.as_str())
        .collect();
    [
        super::no_picture().about(&ids(&|look| look.no_picture)),
        Finding::error(
            "unreadable",
            "files that cannot be decoded",
            "fetch or copy these files again; runs go on without them, and count them",
        )
        .about(&told(|look| look.unreadable.as_ref())),
        Finding::warning(
            "sizes",
            "pictures and masks of differing size",
            "nothing, if the mask is the picture's at another scale: each is resized from its own size; otherwise these \
             masks are not those of these pictures",
        )
        .about(&told(|look| look.sizes.as_ref())),
        Finding::warning(
            "empty-mask",
            "masks without any object",
            "look at these files; measures of the object are undefined for them and leave them out",
        )
        .about(&ids(&|look| look.empty)),
        Finding::warning(
            "lost-object",
            "masks whose object is gone after resize and crop",
            "nothing, if there are few: measures of the object leave them out",
        )
        .about(&ids(&|look| look.lost)),
        Finding::warning(
            "full-mask",
            "masks that are object everywhere",
            "look at these files: is object white and background black?",
        )
        .about(&ids(&|look| look.full)),
        Finding::note(
            "grey-mask",
            "masks with values between 0 and 255",
            "nothing: published masks are JPEG files, whose edges ring; preset paper takes every value above 0 as object, \
             strict those of 128 and more",
        )
        .about(&ids(&|look| look.grey)),
        Finding::warning("empty-class", "classes without a sample", "fetch the rest of the dataset").about(&absent),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn failed(error: DatasetError) -> Look {
    match error {
        DatasetError::NoImage { .. } => Look { no_picture: true, ..Look::default() },
        error => Look { unreadable: Some(error.to_string()), ..Look::default() },
    }
}

fn look(sample: &Sample, transform: &PairedTransform) -> Look {
    let (image, mask) = (&sample.image, &sample.mask);
    let (numbers, _) = MaskStatistics::measure(sample, transform, Retention::Transform);
    let differ = (image.height, image.width) != (mask.height, mask.width);
    let sizes = || format!("picture {} × {}, mask {} × {}", image.height, image.width, mask.height, mask.width);
    Look {
        sizes: differ.then(sizes),
        empty: numbers.raw == 0.0,
        lost: numbers.raw > 0.0 && numbers.transformed == 0.0,
        full: numbers.raw == 1.0,
        grey: mask.data.iter().any(|&value| value != 0 && value != 255),
        ..Look::default()
    }
}
