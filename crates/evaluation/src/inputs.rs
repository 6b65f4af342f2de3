//! Whether the files of a run are still those that its records were computed from.

use crate::progress::{Observer, Phase};
use crate::resolve::Change;
use crate::setup::Setup;
use crate::stages::decode::decode_one;
use crate::{Event, Result};
use hard_imagenet_datasets::{Dataset, Sample};
use hard_imagenet_files::{sha256_hex, sha256_hex_of_reader};
use hard_imagenet_findings::Finding;
use hard_imagenet_findings::kinds::results::{INPUTS_CHANGED, INPUTS_GONE, INPUTS_UNKNOWN, RECORDS_KEPT};
use hard_imagenet_metrics::{CLEAN, Record};
use hard_imagenet_runs::{RunFolder, SampleInput};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::time::Instant;

/// The number of samples between two reports of progress.
const STEP: usize = 64;

/// Returns the SHA-256 of everything that the evaluation reads of a sample.
pub(crate) fn digest(sample: &Sample) -> String {
    let (image, mask) = (&sample.image, &sample.mask);
    let numbers = [sample.class, image.height, image.width, mask.height, mask.width].map(|n| (n as u64).to_le_bytes());
    let bytes = numbers.as_flattened().chain(image.data.as_slice()).chain(mask.data.as_slice());
    // A slice in memory cannot fail to be read.
    sha256_hex_of_reader(bytes).unwrap_or_default()
}

/// Returns the dataset's stamp of a sample in the form that is stored: its SHA-256, because run folders are passed on, and the
/// paths of a disk are nobody else's business.
pub(crate) fn stamp(dataset: &dyn Dataset, sample: usize) -> Option<String> {
    dataset.stamp(sample).map(|stamp| sha256_hex(stamp.as_bytes()))
}

/// Returns whether a record says about its sample what the dataset says now: class, label and place in the ranking. These may
/// come from other files than image and mask.
fn agrees(setup: &Setup<'_>, sample: usize, record: &Record) -> bool {
    let rank = record.condition != CLEAN || record.cue_rank == setup.dataset.cue_rank(sample);
    rank && record.label == setup.label(sample) && record.class == setup.class(sample)
}

/// A sample of a part that exists, whose files must be looked at.
struct Suspect {
    part: usize,
    /// The index in the dataset.
    sample: usize,
    /// The digest that its records were computed from; `None` if it could not be decoded then.
    digest: Option<String>,
}

/// What comparing showed.
enum Verdict {
    Same,
    Changed,
    /// It could be read before, and cannot be now.
    Gone(String),
}

/// Compares the files of samples with those that their records were computed from. Returns the numbers of the parts that must
/// be computed again, and what is worth a word.
///
/// Files whose paths, sizes and times are the same are not read. Samples that could not be decoded are tried again.
pub(crate) fn verify(
    setup: &Setup<'_>,
    folder: &RunFolder,
    records: &BTreeMap<usize, Vec<Record>>,
    observer: &mut Observer<'_>,
) -> Result<(BTreeSet<usize>, Vec<Finding>)> {
    let (mut suspects, mut unknown) = (Vec::new(), Vec::new());
    let (mut changed, mut gone) = (Vec::new(), Vec::new());
    let mut parts = BTreeSet::new();
    for (&part, of_part) in records {
        let known = folder.read_inputs(part)?;
        if known.is_none() {
            unknown.push(folder.part_path(part).display().to_string());
        }
        let known: BTreeMap<String, SampleInput> =
            known.into_iter().flat_map(|inputs| inputs.samples).map(|input| (input.sample.clone(), input)).collect();
        let failed: BTreeSet<&str> =
            of_part.iter().filter(|record| record.error.is_some()).map(|record| record.sample.as_str()).collect();
        for sample in setup.description.samples_of(part) {
            let id = setup.dataset.id(sample);
            let own = of_part.iter().filter(|record| record.sample == id && record.error.is_none());
            if !own.clone().all(|record| agrees(setup, sample, record)) {
                parts.insert(part);
                changed.push(id.to_owned());
                continue;
            }
            match known.get(id) {
                None if failed.contains(id) => suspects.push(Suspect { part, sample, digest: None }),
                Some(input)
                    if failed.contains(id) || input.stamp.is_none() || input.stamp != stamp(setup.dataset, sample) =>
                {
                    suspects.push(Suspect { part, sample, digest: input.digest.clone() });
                }
                _ => {}
            }
        }
    }

    let start = Instant::now();
    for (step, some) in suspects.chunks(STEP).enumerate() {
        let verdicts: Vec<Verdict> = some.par_iter().map(|suspect| compare(setup, suspect)).collect();
        for (suspect, verdict) in some.iter().zip(verdicts) {
            let id = setup.dataset.id(suspect.sample);
            match verdict {
                Verdict::Same => {}
                Verdict::Changed => {
                    parts.insert(suspect.part);
                    changed.push(id.to_owned());
                }
                Verdict::Gone(reason) => gone.push(format!("{id}: {reason}")),
            }
        }
        let (done, total) = (step * STEP + some.len(), suspects.len());
        // Whether to cancel is asked again before anything is computed.
        let _ = observer(&Event::Progress { phase: Phase::Verify, done, total, resumed: 0, elapsed: start.elapsed() });
    }
    // A background may come from any sample.
    if !parts.is_empty() && setup.conditions.iter().any(|condition| matches!(condition.change, Change::Mix(_))) {
        parts.extend(records.keys());
    }
    let samples = setup.dataset.len();
    let is_kept = |part: &&usize| !parts.contains(part);
    let kept: usize = records.keys().filter(is_kept).map(|&part| setup.description.samples_of(part).len()).sum();
    let kept = (kept > 0).then(|| RECORDS_KEPT.found().saying(format!("{kept} of {samples} {}", RECORDS_KEPT.what)));
    let found = [
        INPUTS_CHANGED.about(&changed).map(|finding| finding.of(samples)),
        INPUTS_GONE.about(&gone).map(|finding| finding.of(samples)),
        INPUTS_UNKNOWN.about(&unknown),
        kept,
    ];
    Ok((parts, found.into_iter().flatten().collect()))
}

/// Decodes a sample and compares it with what its records were computed from.
fn compare(setup: &Setup<'_>, suspect: &Suspect) -> Verdict {
    match (decode_one(setup, suspect.sample), &suspect.digest) {
        (Ok(_), None) => Verdict::Changed,
        (Ok(decoded), Some(digest)) if decoded.digest != *digest => Verdict::Changed,
        (Err(reason), Some(_)) => Verdict::Gone(reason),
        (Ok(_), Some(_)) | (Err(_), None) => Verdict::Same,
    }
}
