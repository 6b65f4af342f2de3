//! What is suspicious about the content of images and masks.

use crate::Result;
use crate::setup::Setup;
use hard_imagenet_datasets::Sample;
use hard_imagenet_findings::Finding;
use hard_imagenet_images::PairedTransform;
use hard_imagenet_runs::RunFolder;
use std::collections::BTreeMap;

/// Returns what is suspicious about a sample: kinds of findings with details.
pub(crate) fn notice(_sample: &Sample, _transform: &PairedTransform) -> BTreeMap<String, String> {
    BTreeMap::new()
}

pub(crate) fn look(_setup: &Setup<'_>, _count: usize) -> Vec<Finding> {
    Vec::new()
}

pub(crate) fn summarize(_setup: &Setup<'_>, _folder: &RunFolder) -> Result<Vec<Finding>> {
    Ok(Vec::new())
}
