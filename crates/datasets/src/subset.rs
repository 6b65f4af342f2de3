use crate::{Dataset, DatasetError, DatasetInfo, Rankings, Sample};
use hard_imagenet_findings::Finding;
use std::collections::BTreeMap;

/// Some samples of a dataset, in the order of the dataset.
#[derive(Clone, Debug)]
pub struct Subset<D> {
    inner: D,
    indices: Vec<usize>,
}

impl<D: Dataset> Subset<D> {
    /// Takes `n` samples in total (or all, if there are fewer), about equally many of each class.
    ///
    /// Within a class, they are spread evenly over its samples. The choice is not random.
    ///
    /// ```
    /// use hard_imagenet_datasets::{Dataset, PlantedCues, Subset};
    ///
    /// let few = Subset::take_spread(PlantedCues::hard(0, 800, 64), 10);
    /// assert_eq!(few.len(), 10);
    /// ```
    pub fn take_spread(inner: D, n: usize) -> Self {
        let members = members(&inner);
        // Give each class one place in turn, until all places are given or no class has samples left.
        let mut quotas = vec![0; members.len()];
        let mut left = n.min(inner.len());
        while left > 0 {
            for (quota, class) in quotas.iter_mut().zip(&members) {
                if left > 0 && *quota < class.len() {
                    *quota += 1;
                    left -= 1;
                }
            }
        }
        let indices = members.iter().zip(&quotas).flat_map(|(class, &quota)| evenly(class, quota)).collect();
        Self::sorted(inner, indices)
    }

    /// Takes the samples for which `keep(i)` is true; `i` is the index in the whole dataset.
    ///
    /// ```
    /// use hard_imagenet_datasets::{Dataset, PlantedCues, Subset};
    ///
    /// let whole = PlantedCues::hard(0, 80, 64);
    /// let own_scene = Subset::filter(&whole, |i| whole.has_own_scene(i));
    /// assert!(own_scene.len() < whole.len());
    /// ```
    pub fn filter(inner: D, keep: impl Fn(usize) -> bool) -> Self {
        let indices = (0..inner.len()).filter(|&i| keep(i)).collect();
        Self { inner, indices }
    }

    /// Takes at most `n` samples of each class, spread evenly over its samples.
    pub fn take_per_class(inner: D, n: usize) -> Self {
        let indices = members(&inner).iter().flat_map(|class| evenly(class, n.min(class.len()))).collect();
        Self::sorted(inner, indices)
    }

    /// Takes the first `n` and the last `n` ranked samples of each class, or all if it has at most `2 n`.
    ///
    /// The subset has as many samples with strong spurious cues as with weak ones, so the cue says less about the
    /// class. The balanced subset of the paper has n = 100. Samples that are not ranked are skipped, and ranked images
    /// that are not in the dataset do not count. (The published code removes missing files from the list while it
    /// iterates over it, and so keeps some of them: Q14.)
    pub fn take_balanced(inner: D, rankings: &Rankings, n: usize) -> Self {
        let mut indices = Vec::new();
        for class in members(&inner) {
            let mut ranked: Vec<(usize, usize)> =
                class.into_iter().filter_map(|i| Some((rankings.position(inner.id(i))?.rank, i))).collect();
            ranked.sort_unstable();
            let tail = ranked.len().saturating_sub(n).max(n.min(ranked.len()));
            indices.extend(ranked[..n.min(ranked.len())].iter().chain(&ranked[tail..]).map(|&(_, i)| i));
        }
        Self::sorted(inner, indices)
    }

    fn sorted(inner: D, mut indices: Vec<usize>) -> Self {
        indices.sort_unstable();
        Self { inner, indices }
    }

    /// Returns the whole dataset.
    pub fn into_inner(self) -> D {
        self.inner
    }
}

/// Returns the indices of the samples of each class.
fn members(dataset: &impl Dataset) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); dataset.info().classes.len()];
    for i in 0..dataset.len() {
        members[dataset.class(i)].push(i);
    }
    members
}

/// Returns `count` of the samples, spread evenly.
fn evenly(samples: &[usize], count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |k| samples[k * samples.len() / count])
}

/// Groups the indices of the samples by stratum. Samples without a stratum are skipped.
///
/// The indices can be used with [`Subset::filter`], or to score each stratum separately.
///
/// ```
/// use hard_imagenet_datasets::{Dataset, PlantedCues, stratify};
///
/// let data = PlantedCues::hard(0, 80, 64);
/// let by_scene = stratify(&data, |i| Some(data.has_own_scene(i)));
/// assert_eq!(by_scene[&true].len() + by_scene[&false].len(), 80);
/// ```
pub fn stratify<K: Ord>(dataset: &impl Dataset, stratum: impl Fn(usize) -> Option<K>) -> BTreeMap<K, Vec<usize>> {
    let mut strata: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for i in 0..dataset.len() {
        if let Some(key) = stratum(i) {
            strata.entry(key).or_default().push(i);
        }
    }
    strata
}

impl<D: Dataset> Dataset for Subset<D> {
    fn info(&self) -> &DatasetInfo {
        self.inner.info()
    }

    fn len(&self) -> usize {
        self.indices.len()
    }

    fn id(&self, i: usize) -> &str {
        self.inner.id(self.indices[i])
    }

    fn class(&self, i: usize) -> usize {
        self.inner.class(self.indices[i])
    }

    fn cue_rank(&self, i: usize) -> Option<f32> {
        self.inner.cue_rank(self.indices[i])
    }

    fn findings(&self) -> Vec<Finding> {
        self.inner.findings()
    }

    fn stamp(&self, i: usize) -> Option<String> {
        self.inner.stamp(self.indices[i])
    }

    fn settings(&self) -> Vec<(String, String)> {
        self.inner.settings()
    }

    fn is_generated(&self) -> bool {
        self.inner.is_generated()
    }

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        self.inner.get(self.indices[i])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Class;

    /// A dataset of labels without images.
    struct Labels(DatasetInfo, Vec<usize>, Vec<String>);

    impl Dataset for Labels {
        fn info(&self) -> &DatasetInfo {
            &self.0
        }
        fn len(&self) -> usize {
            self.1.len()
        }
        fn id(&self, i: usize) -> &str {
            &self.2[i]
        }
        fn class(&self, i: usize) -> usize {
            self.1[i]
        }
        fn get(&self, _: usize) -> Result<Sample, DatasetError> {
            unreachable!("there are no images")
        }
    }

    fn labels(labels: &[usize]) -> Labels {
        let class = Class { name: String::new(), wnid: None, imagenet: None };
        let info = DatasetInfo { name: String::new(), classes: vec![class; 3] };
        let ids = (0..labels.len()).map(|i| format!("train/n00000000/{i}")).collect();
        Labels(info, labels.to_vec(), ids)
    }

    fn check(classes: &[usize], n: usize, expected: &[usize]) {
        assert_eq!(Subset::take_spread(labels(classes), n).indices, expected, "{n} of {classes:?}");
    }

    #[test]
    fn spreads_over_classes_and_within_them() {
        check(&[0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2], 6, &[0, 2, 4, 6, 8, 10]);
        // The first classes get the remainder.
        check(&[0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2], 4, &[0, 2, 4, 8]);
        // A small class contributes all its samples, and the others the rest.
        check(&[0, 1, 1, 1, 1, 1, 1], 5, &[0, 1, 2, 4, 5]);
        check(&[0, 1, 2], 9, &[0, 1, 2]);
        check(&[2, 1, 0], 0, &[]);
        check(&[], 4, &[]);
    }

    #[test]
    fn equally_many_samples_of_each_class() {
        let subset = Subset::take_per_class(labels(&[0, 1, 0, 1, 0, 0, 2]), 2);
        assert_eq!(subset.indices, [0, 1, 3, 4, 6]);
    }

    #[test]
    fn both_ends_of_a_ranking() {
        // Class 0 has the images 0 to 5, class 1 has 6 to 8. Image 4 is not ranked, and the ranked 77 is not in the
        // dataset.
        let classes = [0, 0, 0, 0, 0, 0, 1, 1, 1];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ranks.json");
        std::fs::write(
            &path,
            r#"{"0": ["3.JPEG", "77.JPEG", "1.JPEG", "5.JPEG", "0.JPEG", "2.JPEG"], "1": ["x/8.png", "6"]}"#,
        )
        .unwrap();
        let rankings = Rankings::read(&path).unwrap();
        let check = |n, expected: &[usize]| {
            let subset = Subset::take_balanced(labels(&classes), &rankings, n);
            assert_eq!(subset.indices, expected, "{n} from either end");
        };
        check(0, &[]);
        check(1, &[2, 3, 6, 8]);
        check(2, &[0, 1, 2, 3, 6, 8]);
        check(3, &[0, 1, 2, 3, 5, 6, 8]);
        check(100, &[0, 1, 2, 3, 5, 6, 8]);
        let deciles = stratify(&labels(&classes), |i| Some(rankings.position(&i.to_string())?.decile()));
        assert_eq!(deciles[&0], [3, 8]);
        assert_eq!(deciles[&5], [5, 6]);
        assert_eq!(deciles.values().map(Vec::len).sum::<usize>(), 7);
    }
}
