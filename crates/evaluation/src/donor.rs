//! Determines which samples lend their background to others.

use crate::Result;
use crate::error::invalid;
use hard_imagenet_datasets::Dataset;
use hard_imagenet_perturbations::{Mix, NoiseKey};

/// Checks that every sample has another one to take a background from.
///
/// # Errors
/// Names the class that has no other sample.
pub(crate) fn check(dataset: &dyn Dataset, mix: Mix) -> Result<()> {
    let classes = &dataset.info().classes;
    let mut samples = vec![0usize; classes.len()];
    for sample in 0..dataset.len() {
        samples[dataset.class(sample)] += 1;
    }
    let id = mix.id();
    match mix {
        Mix::SameClass => match samples.iter().position(|&count| count == 1) {
            Some(class) => Err(invalid(format!(
                "condition {id:?} takes the background of another image of the class, but class {:?} has only one; \
                 use more samples or omit the condition",
                classes[class].name
            ))),
            None => Ok(()),
        },
        Mix::OtherClass | Mix::NextClass => match samples.iter().filter(|&&count| count > 0).count() {
            1 => Err(invalid(format!(
                "condition {id:?} takes the background of an image of another class, but all samples are of one \
                 class; use more samples or omit the condition"
            ))),
            _ => Ok(()),
        },
    }
}

/// Returns the samples that may lend `sample` their background, in the order in which they are tried: those of the wanted
/// classes in the order of the dataset, rotated to a start that the key determines.
pub(crate) fn candidates(dataset: &dyn Dataset, mix: Mix, sample: usize, key: NoiseKey) -> Vec<usize> {
    let classes = dataset.info().classes.len();
    let own = dataset.class(sample);
    // The distance to another class; the first class follows the last.
    let ahead = |other: usize| (dataset.class(other) + classes - own) % classes;
    // Classes without samples are skipped.
    let next = (0..dataset.len()).map(ahead).filter(|&ahead| ahead > 0).min();
    let wanted = |&other: &usize| match mix {
        Mix::SameClass => ahead(other) == 0 && other != sample,
        Mix::OtherClass => ahead(other) > 0,
        Mix::NextClass => Some(ahead(other)) == next,
    };
    let mut candidates: Vec<usize> = (0..dataset.len()).filter(wanted).collect();
    if !candidates.is_empty() {
        let first = key.fork(mix.id()).below(0, candidates.len() as u64);
        candidates.rotate_left(first as usize);
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;
    use hard_imagenet_datasets::{Class, DatasetError, DatasetInfo, Sample};

    /// Samples of the given classes, out of 5, without images.
    struct ClassesOnly(DatasetInfo, Vec<usize>);

    fn labels(of: &[usize]) -> ClassesOnly {
        let class = |i: usize| Class { name: format!("class {i}"), wnid: None, imagenet: None };
        ClassesOnly(DatasetInfo { name: "labels".into(), classes: (0..5).map(class).collect() }, of.to_vec())
    }

    impl Dataset for ClassesOnly {
        fn info(&self) -> &DatasetInfo {
            &self.0
        }
        fn len(&self) -> usize {
            self.1.len()
        }
        fn id(&self, _: usize) -> &str {
            "a"
        }
        fn class(&self, i: usize) -> usize {
            self.1[i]
        }
        fn get(&self, _: usize) -> Result<Sample, DatasetError> {
            unreachable!("classes are known without decoding")
        }
    }

    #[test]
    fn candidates_are_of_the_wanted_class_and_never_the_sample_itself() {
        let data = labels(&[0, 0, 0, 1, 1, 4]);
        let check = |mix, sample, expected: &[usize]| {
            let mut firsts = Vec::new();
            for trial in 0..50 {
                let mut candidates = candidates(&data, mix, sample, NoiseKey::new(0, "a", trial));
                firsts.push(candidates[0]);
                candidates.sort_unstable();
                assert_eq!(candidates, expected);
            }
            firsts.sort_unstable();
            firsts.dedup();
            assert_eq!(firsts, expected, "every candidate comes first at times");
        };
        check(Mix::SameClass, 1, &[0, 2]);
        check(Mix::OtherClass, 1, &[3, 4, 5]);
        check(Mix::OtherClass, 5, &[0, 1, 2, 3, 4]);
        check(Mix::NextClass, 0, &[3, 4]);
        check(Mix::NextClass, 3, &[5]); // classes 2 and 3 have no samples
        check(Mix::NextClass, 5, &[0, 1, 2]);
    }

    #[test]
    fn a_class_without_another_sample_is_named() {
        let check = |mix, of: &[usize], expected: Option<&str>| {
            let error = super::check(&labels(of), mix).err().map(|error| error.to_string());
            match expected {
                Some(expected) => assert!(error.as_ref().is_some_and(|e| e.contains(expected)), "{error:?}"),
                None => assert_eq!(error, None),
            }
        };
        check(Mix::SameClass, &[0, 0, 3, 3], None);
        check(Mix::SameClass, &[0, 0, 3], Some("class \"class 3\" has only one"));
        check(Mix::OtherClass, &[0, 0, 3], None);
        check(Mix::NextClass, &[2, 2], Some("all samples are of one class"));
        for mix in Mix::ALL {
            check(mix, &[], None);
        }
    }
}
