//! What is suspicious about the content of images and masks.

use crate::Result;
use crate::setup::Setup;
use hard_imagenet_datasets::{ContentCheck, Dataset, Sample, SampleCheck, Subset, inspect};
use hard_imagenet_findings::Finding;
use hard_imagenet_findings::kinds::content::UNREADABLE;
use hard_imagenet_findings::kinds::folders::{EMPTY_CLASS, NO_IMAGE};
use hard_imagenet_images::PairedTransform;
use hard_imagenet_runs::RunFolder;
use serde_json::Value;
use std::collections::BTreeMap;

/// What was noticed about one sample, in the form that is stored.
pub(crate) type Noticed = BTreeMap<String, Value>;

/// Looks at a decoded sample.
pub(crate) fn notice(sample: &Sample, transform: &PairedTransform) -> Noticed {
    let fields = match serde_json::to_value(SampleCheck::examine(sample, transform)) {
        Ok(Value::Object(fields)) => fields,
        _ => return Noticed::new(),
    };
    fields.into_iter().filter(|(_, value)| *value != Value::Bool(false) && !value.is_null()).collect()
}

/// Decodes some samples, spread over the classes, and returns what is suspicious about them.
pub(crate) fn look(dataset: &dyn Dataset, transform: &PairedTransform, count: usize) -> Vec<Finding> {
    let some = Subset::take_spread(dataset, count);
    let mut found = inspect(&some, transform, |_| {});
    // Which classes have samples was the caller's choice. Single files that cannot be read are reported one by one.
    let is_single = |finding: &Finding| finding.kind == UNREADABLE.id && Some(finding.count) != finding.of;
    found.retain(|one| one.severity.is_suspicious() && one.kind != EMPTY_CLASS.id && !is_single(one));
    found
}

/// Returns what is suspicious about the samples of all parts that exist. Samples that could not be read are left to the
/// records.
pub(crate) fn summarize(setup: &Setup<'_>, folder: &RunFolder) -> Result<Vec<Finding>> {
    let mut all = ContentCheck::new(setup.transform);
    for part in 0..setup.description.parts() {
        for input in folder.read_inputs(part)?.into_iter().flat_map(|inputs| inputs.samples) {
            let noticed = Value::Object(input.noticed.into_iter().collect());
            all.push(input.sample, serde_json::from_value(noticed).unwrap_or_default());
        }
    }
    let mut found = all.findings(setup.dataset);
    let of_records = [EMPTY_CLASS.id, UNREADABLE.id, NO_IMAGE.id];
    found.retain(|finding| finding.severity.is_suspicious() && !of_records.contains(&finding.kind.as_str()));
    Ok(found)
}
