//! Stage 2: each sample becomes one image for each condition and trial.

use super::decode::Decoded;
use crate::resolve::Change;
use crate::setup::Setup;
use hard_imagenet_images::Pixels;
use hard_imagenet_perturbations::{normals, paste};
use rayon::prelude::*;

/// An image to be made: one sample under one condition and trial.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant {
    /// The position of the sample in the list of decoded samples at hand.
    pub(crate) at: usize,
    /// The index of the sample in the dataset.
    pub(crate) sample: usize,
    /// The index of the condition in the setup.
    pub(crate) condition: usize,
    pub(crate) trial: u32,
}

/// Lists all images of some samples. Images that share a draw of noise are neighbors.
pub(crate) fn variants(setup: &Setup<'_>, samples: &[usize]) -> Vec<Variant> {
    let trials = setup.conditions.iter().map(|condition| condition.trials).max().unwrap_or(0);
    let mut variants = Vec::new();
    for (at, &sample) in samples.iter().enumerate() {
        for trial in 0..trials {
            let conditions = setup.conditions.iter().enumerate().filter(|(_, condition)| trial < condition.trials);
            variants.extend(conditions.map(|(condition, _)| Variant { at, sample, condition, trial }));
        }
    }
    variants
}

/// Makes images in the order of the list. Neighbors of one sample and trial share one draw of noise.
pub(crate) fn perturb(setup: &Setup<'_>, decoded: &[Decoded], variants: &[Variant]) -> Vec<Pixels> {
    let groups: Vec<&[Variant]> = variants.chunk_by(|a, b| (a.sample, a.trial) == (b.sample, b.trial)).collect();
    let made: Vec<Vec<Pixels>> = groups.into_par_iter().map(|group| perturb_group(setup, decoded, group)).collect();
    made.into_iter().flatten().collect()
}

/// Makes images of one sample and trial.
fn perturb_group(setup: &Setup<'_>, decoded: &[Decoded], group: &[Variant]) -> Vec<Pixels> {
    let Some(first) = group.first() else { return Vec::new() };
    let Decoded { image, mask, backgrounds } = &decoded[first.at];
    let key = setup.key(first.sample, first.trial);
    let change = |variant: &Variant| &setup.conditions[variant.condition].change;
    let noisy = group.iter().any(|variant| change(variant).uses_normals());
    let normals = if noisy { normals(key, image.as_slice().len()) } else { Vec::new() };
    let make = |variant: &Variant| match change(variant) {
        Change::Single(perturb) if perturb.uses_normals() => perturb.apply_with_normals(image, mask, key, &normals),
        Change::Single(perturb) => perturb.apply(image, mask, key),
        Change::Mix(_) => paste(image, mask, &backgrounds[&(variant.condition, variant.trial)]),
    };
    group.par_iter().map(make).collect()
}
