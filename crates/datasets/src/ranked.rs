use crate::{Dataset, DatasetError, DatasetInfo, Rankings, Sample};
use hard_imagenet_findings::Finding;

/// A dataset with the positions of its samples in a ranking.
pub struct RankedDataset<D> {
    inner: D,
    rankings: Rankings,
}

impl<D: Dataset> RankedDataset<D> {
    /// Adds a ranking to a dataset. Images that are not ranked stay, without a position.
    pub fn new(inner: D, rankings: Rankings) -> Self {
        Self { inner, rankings }
    }
}

impl<D: Dataset> Dataset for RankedDataset<D> {
    fn info(&self) -> &DatasetInfo {
        self.inner.info()
    }

    fn len(&self) -> usize {
        self.inner.len()
    }

    fn id(&self, i: usize) -> &str {
        self.inner.id(i)
    }

    fn class(&self, i: usize) -> usize {
        self.inner.class(i)
    }

    /// Returns 0 for the first image of its class and 1 for the last; 0 if only one image is ranked.
    fn cue_rank(&self, i: usize) -> Option<f32> {
        let position = self.rankings.position(self.id(i))?;
        Some(position.rank as f32 / position.total.saturating_sub(1).max(1) as f32)
    }

    fn findings(&self) -> Vec<Finding> {
        self.inner.findings()
    }

    fn stamp(&self, i: usize) -> Option<String> {
        self.inner.stamp(i)
    }

    fn settings(&self) -> Vec<(String, String)> {
        self.inner.settings()
    }

    fn is_generated(&self) -> bool {
        self.inner.is_generated()
    }

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        self.inner.get(i)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PlantedCues, Subset};

    #[test]
    fn positions_are_shares_of_the_class() {
        let data = PlantedCues::hard(0, 4, 16);
        let file = tempfile::NamedTempFile::with_suffix(".json").unwrap();
        let lists = serde_json::json!({ "a": [data.id(2), data.id(0), data.id(1)] });
        std::fs::write(file.path(), lists.to_string()).unwrap();
        let ranked = RankedDataset::new(data, Rankings::read(file.path()).unwrap());
        let ranks = |data: &dyn Dataset| (0..data.len()).map(|i| data.cue_rank(i)).collect::<Vec<_>>();
        assert_eq!(ranks(&ranked), [Some(0.5), Some(1.0), Some(0.0), None]);
        assert_eq!(ranks(&Subset::filter(ranked, |i| i > 1)), [Some(0.0), None]);
    }
}
