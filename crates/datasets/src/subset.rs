use crate::{Dataset, DatasetError, DatasetInfo, Sample};

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
        let mut members = vec![Vec::new(); inner.info().classes.len()];
        for i in 0..inner.len() {
            members[inner.class(i)].push(i);
        }
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
        let mut indices: Vec<usize> = members
            .iter()
            .zip(&quotas)
            .flat_map(|(class, &quota)| (0..quota).map(move |k| class[k * class.len() / quota]))
            .collect();
        indices.sort_unstable();
        Self { inner, indices }
    }

    /// The whole dataset.
    pub fn into_inner(self) -> D {
        self.inner
    }
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
