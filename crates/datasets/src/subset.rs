use crate::{Dataset, DatasetError, DatasetInfo, Rankings, Sample};

/// Some samples of a dataset, in its order.
#[derive(Clone, Debug)]
pub struct Subset<D> {
    inner: D,
    indices: Vec<usize>,
}

impl<D: Dataset> Subset<D> {
    /// About as many samples of every class, `n` together (or all, if there are fewer): a quick look that still
    /// sees each class. Within a class they are spread evenly over its samples. No chance is involved.
    ///
    /// ```
    /// use hard_imagenet_datasets::{Dataset, PlantedCues, Subset};
    ///
    /// let few = Subset::spread(PlantedCues::hard(0, 800, 64), 10);
    /// assert_eq!(few.len(), 10);
    /// ```
    pub fn spread(inner: D, n: usize) -> Self {
        let members = members(&inner, |_| true);
        // Deal one place a class in turns, until all are dealt or no class has samples left.
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
        let dealt = |(class, &quota): (&Vec<usize>, &usize)| -> Vec<usize> {
            (0..quota).map(|k| class[k * class.len() / quota]).collect()
        };
        let indices = members.iter().zip(&quotas).flat_map(dealt).collect();
        Self::sorted(inner, indices)
    }

    /// The samples `i` for which `keep(dataset, i)`.
    ///
    /// ```
    /// use hard_imagenet_datasets::{Dataset, PlantedCues, Subset};
    ///
    /// // One class only.
    /// let ones = Subset::filter(PlantedCues::hard(0, 80, 64), |data, i| data.class(i) == 1);
    /// assert_eq!(ones.len(), 10);
    /// ```
    pub fn filter(inner: D, keep: impl Fn(&D, usize) -> bool) -> Self {
        let indices = (0..inner.len()).filter(|&i| keep(&inner, i)).collect();
        Self { inner, indices }
    }

    /// The samples of the named classes: names ("dog sled") or WordNet ids ("n03218198"). Labels stay what they were.
    pub fn of_classes(inner: D, names: &[impl AsRef<str>]) -> Self {
        Self::filter(inner, |data, i| {
            let class = &data.info().classes[data.class(i)];
            names.iter().any(|name| class.name == name.as_ref() || class.wnid.as_deref() == Some(name.as_ref()))
        })
    }

    /// The first `n` samples of every class.
    pub fn limit_per_class(inner: D, n: usize) -> Self {
        let members = members(&inner, |_| true);
        Self::sorted(inner, members.into_iter().flat_map(|class| class.into_iter().take(n)).collect())
    }

    /// The first `n` and the last `n` samples of every class in the order of their ranks (all, if there are fewer
    /// than 2n): half with the strongest, half with the weakest spurious cues, as the paper finetunes on 100 from
    /// either end. Samples without a rank, and ranks without a sample, are left out before counting (the published
    /// code leaves some of them in: Q14).
    pub fn balanced(inner: D, rankings: &Rankings, n: usize) -> Self {
        let position = |i: usize| rankings.rank(inner.id(i)).map(|rank| rank.position);
        let mut indices = Vec::new();
        for mut class in members(&inner, |i| position(i).is_some()) {
            class.sort_by_key(|&i| position(i));
            let low = n.min(class.len());
            let high = class.len().saturating_sub(n).max(low);
            indices.extend(class[..low].iter().chain(&class[high..]));
        }
        Self::sorted(inner, indices)
    }

    /// The samples whose rank is in one of `parts` equal parts of their class's order: `stratum(data, ranks, 0, 10)`
    /// is the first decile. Samples without a rank are left out.
    pub fn stratum(inner: D, rankings: &Rankings, part: usize, parts: usize) -> Self {
        Self::filter(inner, |data, i| rankings.rank(data.id(i)).is_some_and(|rank| rank.part(parts) == part))
    }

    fn sorted(inner: D, mut indices: Vec<usize>) -> Self {
        indices.sort_unstable();
        Self { inner, indices }
    }

    /// The whole dataset.
    pub fn into_inner(self) -> D {
        self.inner
    }
}

/// The samples of each class that are to be kept.
fn members(data: &impl Dataset, keep: impl Fn(usize) -> bool) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); data.info().classes.len()];
    for i in (0..data.len()).filter(|&i| keep(i)) {
        members[data.class(i)].push(i);
    }
    members
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

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        self.inner.get(self.indices[i])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Class;

    /// A dataset of classes without pictures.
    struct Labels(DatasetInfo, Vec<usize>);

    impl Dataset for Labels {
        fn info(&self) -> &DatasetInfo {
            &self.0
        }
        fn len(&self) -> usize {
            self.1.len()
        }
        fn id(&self, _: usize) -> &str {
            ""
        }
        fn class(&self, i: usize) -> usize {
            self.1[i]
        }
        fn get(&self, _: usize) -> Result<Sample, DatasetError> {
            unreachable!("no pictures here")
        }
    }

    fn check(labels: &[usize], n: usize, expected: &[usize]) {
        let class = Class { name: String::new(), wnid: None, imagenet: None };
        let info = DatasetInfo { name: String::new(), classes: vec![class; 3] };
        let subset = Subset::spread(Labels(info, labels.to_vec()), n);
        assert_eq!(subset.indices, expected, "{n} of {labels:?}");
    }

    #[test]
    fn spreads_over_classes_and_within_them() {
        check(&[0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2], 6, &[0, 2, 4, 6, 8, 10]);
        // The first classes get the odd one.
        check(&[0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2], 4, &[0, 2, 4, 8]);
        // A small class gives all it has, the others the rest.
        check(&[0, 1, 1, 1, 1, 1, 1], 5, &[0, 1, 2, 4, 5]);
        check(&[0, 1, 2], 9, &[0, 1, 2]);
        check(&[2, 1, 0], 0, &[]);
        check(&[], 4, &[]);
    }
}
