//! Groups of samples that a model may treat differently: by class, and by how much the surroundings help.

use crate::TrainingError;
use hard_imagenet_datasets::Dataset;
use hard_imagenet_perturbations::NoiseKey;
use std::collections::HashSet;

/// The group of each sample, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    group_of: Vec<u32>,
    count: usize,
}

impl Groups {
    /// Creates groups from the group number of each sample.
    pub fn new(group_of: Vec<u32>) -> Self {
        let count = group_of.iter().max().map_or(0, |most| *most as usize + 1);
        Self { group_of, count }
    }

    /// Splits each class into two groups: the half of the samples with the lower values, and the half with the higher
    /// values. `value` returns a sample's value, such as [`Dataset::cue_rank`] or the object's area. Samples without a
    /// value belong to the lower half.
    pub fn split_by(dataset: &dyn Dataset, value: impl Fn(usize) -> Option<f32>) -> Self {
        let classes = dataset.info().classes.len();
        let mut group_of = vec![0; dataset.len()];
        for class in 0..classes {
            let mut members: Vec<usize> = (0..dataset.len()).filter(|&i| dataset.class(i) == class).collect();
            let key = |i: usize| value(i).unwrap_or(f32::NEG_INFINITY);
            members.sort_by(|&a, &b| key(a).total_cmp(&key(b)).then(a.cmp(&b)));
            for (place, &member) in members.iter().enumerate() {
                group_of[member] = (2 * class + usize::from(2 * place >= members.len())) as u32;
            }
        }
        Self { group_of, count: 2 * classes }
    }

    /// Splits each class by the share of the image that is object, as stored. Samples that cannot be read belong to the
    /// lower half.
    pub fn split_by_object_size(dataset: &dyn Dataset) -> Self {
        let size = |i: usize| {
            let mask = dataset.get(i).ok()?.mask;
            let on = mask.data.iter().filter(|&&ink| ink >= 128).count();
            Some(on as f32 / mask.data.len().max(1) as f32)
        };
        let sizes: Vec<Option<f32>> = (0..dataset.len()).map(size).collect();
        Self::split_by(dataset, |i| sizes[i])
    }

    /// Splits each class by the images' places in a ranking by spurious cues.
    ///
    /// # Errors
    /// Returns [`TrainingError::Recipe`] if no image of the dataset has a place in a ranking.
    pub fn split_by_cue_rank(dataset: &dyn Dataset) -> Result<Self, TrainingError> {
        if (0..dataset.len()).all(|i| dataset.cue_rank(i).is_none()) {
            return Err(TrainingError::Recipe("no image of the dataset has a place in a ranking".into()));
        }
        Ok(Self::split_by(dataset, |i| dataset.cue_rank(i)))
    }

    /// Returns the group of a sample.
    ///
    /// # Panics
    /// Panics if there is no such sample.
    pub fn group_of(&self, sample: usize) -> u32 {
        self.group_of[sample]
    }

    /// Returns the number of groups, including empty ones.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns the number of samples.
    pub fn len(&self) -> usize {
        self.group_of.len()
    }

    /// Returns whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.group_of.is_empty()
    }

    /// Returns as many samples as there are, drawn so that every group that is not empty appears equally often, give or
    /// take one. The members of a group take turns; which of them appear once more is random.
    pub(crate) fn draw_balanced(&self, key: NoiseKey) -> Vec<usize> {
        let key = key.fork("group");
        let members = self.shuffled_members(key);
        let groups = members.len();
        (0..self.group_of.len())
            .map(|place| members[place % groups][(place / groups) % members[place % groups].len()])
            .collect()
    }

    /// Returns random samples, as many of each group that is not empty as the smallest one has.
    pub(crate) fn draw_equal_counts(&self, key: NoiseKey) -> HashSet<usize> {
        let members = self.shuffled_members(key);
        let smallest = members.iter().map(Vec::len).min().unwrap_or(0);
        members.into_iter().flat_map(|group| group.into_iter().take(smallest)).collect()
    }

    /// Returns the members of each group that is not empty, in random order.
    fn shuffled_members(&self, key: NoiseKey) -> Vec<Vec<usize>> {
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); self.count];
        for (sample, &group) in self.group_of.iter().enumerate() {
            members[group as usize].push(sample);
        }
        members.retain(|group| !group.is_empty());
        for (at, group) in members.iter_mut().enumerate() {
            shuffle(group, key.fork(&at.to_string()));
        }
        members
    }
}

/// Shuffles values by the algorithm of Fisher and Yates.
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
        let order = groups.draw_balanced(NoiseKey::new(1, "x", 0));
        assert_eq!(order.len(), 100);
        assert_eq!(order.iter().filter(|&&sample| groups.group_of(sample) == 2).count(), 50);
        let mut rare: Vec<usize> = order.iter().copied().filter(|&sample| sample >= 90).collect();
        rare.sort_unstable();
        assert_eq!(rare, (90..100).flat_map(|sample| [sample; 5]).collect::<Vec<_>>());
        assert_eq!(order, groups.draw_balanced(NoiseKey::new(1, "x", 0)));
        assert_ne!(order, groups.draw_balanced(NoiseKey::new(1, "x", 1)));
    }

    #[test]
    fn each_class_is_split_into_halves() {
        let data = hard_imagenet_datasets::PlantedCues::hard(0, 32, 8);
        let groups = Groups::split_by(&data, |i| Some(-(i as f32)));
        assert_eq!(groups.count(), 16);
        // Class 0 has samples 0, 8, 16 and 24, in order of falling values.
        assert_eq!([0, 8, 16, 24].map(|i| groups.group_of(i)), [1, 1, 0, 0]);
    }
}
