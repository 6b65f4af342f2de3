//! Groups of pictures that a model may treat unlike: by class, and by how much the surroundings help.

use hard_imagenet_datasets::Dataset;
use hard_imagenet_perturbations::NoiseKey;

/// The group of each sample, from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    of: Vec<u32>,
    count: usize,
}

impl Groups {
    /// From a number for each sample.
    pub fn new(of: Vec<u32>) -> Self {
        let count = of.iter().max().map_or(0, |most| *most as usize + 1);
        Self { of, count }
    }

    /// Two groups a class: the half whose value is lower, and the half whose value is higher, such as
    /// [`Dataset::cue_rank`] or the object's area. Samples without a value are with the lower half.
    pub fn split_by(dataset: &dyn Dataset, value: impl Fn(usize) -> Option<f32>) -> Self {
        let classes = dataset.info().classes.len();
        let mut of = vec![0; dataset.len()];
        for class in 0..classes {
            let mut members: Vec<usize> = (0..dataset.len()).filter(|&i| dataset.class(i) == class).collect();
            let key = |i: usize| value(i).unwrap_or(f32::NEG_INFINITY);
            members.sort_by(|&a, &b| key(a).total_cmp(&key(b)).then(a.cmp(&b)));
            for (place, &member) in members.iter().enumerate() {
                of[member] = (2 * class + usize::from(2 * place >= members.len())) as u32;
            }
        }
        Self { of, count: 2 * classes }
    }

    /// The group of a sample.
    pub fn group_of(&self, sample: usize) -> u32 {
        self.of[sample]
    }

    /// How many groups there are, empty ones included.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.of.len()
    }

    /// Are there no samples?
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// As many places as there are samples, in which every group that is not empty comes equally often (to one), its
    /// members in turn; which of them come once more is drawn.
    pub(crate) fn balanced(&self, key: NoiseKey) -> Vec<usize> {
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); self.count];
        for (sample, &group) in self.of.iter().enumerate() {
            members[group as usize].push(sample);
        }
        members.retain(|group| !group.is_empty());
        for (at, group) in members.iter_mut().enumerate() {
            shuffle(group, key.fork("group").fork(&at.to_string()));
        }
        let groups = members.len();
        (0..self.of.len())
            .map(|place| members[place % groups][(place / groups) % members[place % groups].len()])
            .collect()
    }
}

impl Groups {
    /// As many samples of each group that is not empty as the smallest has.
    pub(crate) fn even(&self, key: NoiseKey) -> std::collections::HashSet<usize> {
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); self.count];
        for (sample, &group) in self.of.iter().enumerate() {
            members[group as usize].push(sample);
        }
        members.retain(|group| !group.is_empty());
        let least = members.iter().map(Vec::len).min().unwrap_or(0);
        for (at, group) in members.iter_mut().enumerate() {
            shuffle(group, key.fork(&at.to_string()));
        }
        members.into_iter().flat_map(|group| group.into_iter().take(least)).collect()
    }
}

/// Fisher and Yates.
pub(crate) fn shuffle(values: &mut [usize], key: NoiseKey) {
    for i in (1..values.len()).rev() {
        values.swap(i, key.below(i as u64, i as u64 + 1) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_orders_show_groups_equally_often() {
        let groups = Groups::new([vec![0; 90], vec![2; 10]].concat());
        let order = groups.balanced(NoiseKey::new(1, "x", 0));
        assert_eq!(order.len(), 100);
        assert_eq!(order.iter().filter(|&&sample| groups.group_of(sample) == 2).count(), 50);
        let mut rare: Vec<usize> = order.iter().copied().filter(|&sample| sample >= 90).collect();
        rare.sort_unstable();
        assert_eq!(rare, (90..100).flat_map(|sample| [sample; 5]).collect::<Vec<_>>());
        assert_eq!(order, groups.balanced(NoiseKey::new(1, "x", 0)));
        assert_ne!(order, groups.balanced(NoiseKey::new(1, "x", 1)));
    }

    #[test]
    fn split_by_of_each_class() {
        let data = hard_imagenet_datasets::PlantedCues::hard(0, 32, 8);
        let groups = Groups::split_by(&data, |i| Some(-(i as f32)));
        assert_eq!(groups.count(), 16);
        // Class 0 has samples 0, 8, 16, 24; the value falls.
        assert_eq!([0, 8, 16, 24].map(|i| groups.group_of(i)), [1, 1, 0, 0]);
    }
}
