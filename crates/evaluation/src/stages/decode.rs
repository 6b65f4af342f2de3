//! Stage 1: a sample is read and brought to the network's input size.

use crate::content::{Noticed, notice};
use crate::resolve::Change;
use crate::setup::Setup;
use crate::{donor, inputs};
use hard_imagenet_images::{Pixels, Resize};
use hard_imagenet_masks::Mask;
use hard_imagenet_perturbations::{Mix, background};
use hard_imagenet_runs::{PartInputs, SampleInput};
use rayon::prelude::*;
use std::collections::HashMap;
use std::ops::Range;

/// The number of samples that are asked for their background before giving up. One may be damaged, or its object may
/// fill the image.
const DONORS: usize = 16;

/// A sample at the network's input size, with everything that its images are made from.
#[derive(Clone)]
pub(crate) struct Decoded {
    pub(crate) image: Pixels,
    pub(crate) mask: Mask,
    /// The backgrounds that other samples lend it, by condition and trial.
    pub(crate) backgrounds: HashMap<(usize, u32), Pixels>,
}

/// The decoded samples of a part, and what their files looked like.
pub(crate) struct DecodedPart {
    /// For each sample; the error is the text of its record.
    pub(crate) samples: Vec<Result<Decoded, String>>,
    pub(crate) inputs: PartInputs,
}

/// Decodes the samples of a part in parallel.
pub(crate) fn decode_all(setup: &Setup<'_>, samples: Range<usize>) -> DecodedPart {
    let decode = |sample| {
        let mut input = SampleInput {
            sample: setup.dataset.id(sample).to_owned(),
            // Taken before the file is read: if it changes in between, the next run notices.
            stamp: inputs::stamp(setup.dataset, sample),
            ..SampleInput::default()
        };
        let decoded = decode_one(setup, sample).and_then(|one| {
            input.digest = Some(one.digest.clone());
            input.noticed.clone_from(&one.noticed);
            borrow_backgrounds(setup, sample, one)
        });
        (decoded, input)
    };
    let (samples, inputs) = samples.into_par_iter().map(decode).unzip();
    DecodedPart { samples, inputs: PartInputs { samples: inputs } }
}

/// Decodes a sample and the backgrounds that it borrows. The error is the text of its record.
pub(crate) fn decode(setup: &Setup<'_>, sample: usize) -> Result<Decoded, String> {
    borrow_backgrounds(setup, sample, decode_one(setup, sample)?)
}

/// Completes a decoded sample by the backgrounds that it borrows.
fn borrow_backgrounds(setup: &Setup<'_>, sample: usize, one: DecodedSample) -> Result<Decoded, String> {
    let DecodedSample { image, mask, .. } = one;
    let mut backgrounds = HashMap::new();
    for (at, condition) in setup.conditions.iter().enumerate() {
        if let Change::Mix(mix) = condition.change {
            for trial in 0..condition.trials {
                backgrounds.insert((at, trial), borrow_background(setup, mix, sample, trial)?);
            }
        }
    }
    Ok(Decoded { image, mask, backgrounds })
}

/// Finds a background for a sample, starting from a donor that the key chooses.
fn borrow_background(setup: &Setup<'_>, mix: Mix, sample: usize, trial: u32) -> Result<Pixels, String> {
    let candidates = donor::candidates(setup.dataset, mix, sample, setup.key(sample, trial));
    let usable = |&other: &usize| decode_one(setup, other).ok().and_then(|one| background(&one.image, &one.mask));
    let found = candidates.iter().take(DONORS).find_map(usable);
    let tried = candidates.len().min(DONORS);
    found.ok_or_else(|| format!("{}: none of {tried} other images has a background to lend", mix.id()))
}

/// A sample by itself, at the network's input size.
pub(crate) struct DecodedSample {
    pub(crate) image: Pixels,
    pub(crate) mask: Mask,
    /// Identifies what was decoded.
    pub(crate) digest: String,
    /// What was noticed about its content.
    pub(crate) noticed: Noticed,
}

/// Decodes a sample without the backgrounds that it borrows. The error is the text of its record.
pub(crate) fn decode_one(setup: &Setup<'_>, sample: usize) -> Result<DecodedSample, String> {
    let sample = setup.dataset.get(sample).map_err(|error| error.to_string())?;
    let (height, width) = (sample.image.height, sample.image.width);
    let (mask_height, mask_width) = (sample.mask.height, sample.mask.width);
    // A squash brings any two sizes to the same one, as the published code does.
    let squashed = matches!(setup.transform.resize, Resize::Squash(..));
    if (height, width) != (mask_height, mask_width) && !squashed {
        return Err(format!("the image is {height} × {width}, but its mask {mask_height} × {mask_width}"));
    }
    if height == 0 || width == 0 {
        return Err("the image has no pixels".to_owned());
    }
    Ok(DecodedSample {
        digest: inputs::digest(&sample),
        noticed: notice(&sample, &setup.transform),
        image: setup.transform.apply_to_image(&sample.image),
        mask: setup.transform.apply_to_mask(&sample.mask),
    })
}
