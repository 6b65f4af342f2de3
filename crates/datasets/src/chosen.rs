use crate::{Dataset, DatasetError, DatasetInfo, Sample};
use hard_imagenet_findings::Finding;

/// A dataset whose files are read as somebody chose, which it states.
pub(crate) struct ChosenDataset<D> {
    inner: D,
    settings: Vec<(String, String)>,
}

impl<D: Dataset> ChosenDataset<D> {
    /// States what was chosen about a dataset.
    pub(crate) fn new(inner: D, settings: Vec<(String, String)>) -> Self {
        Self { inner, settings }
    }
}

impl<D: Dataset> Dataset for ChosenDataset<D> {
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

    fn cue_rank(&self, i: usize) -> Option<f32> {
        self.inner.cue_rank(i)
    }

    fn findings(&self) -> Vec<Finding> {
        self.inner.findings()
    }

    fn stamp(&self, i: usize) -> Option<String> {
        self.inner.stamp(i)
    }

    fn settings(&self) -> Vec<(String, String)> {
        self.settings.clone()
    }

    fn is_generated(&self) -> bool {
        self.inner.is_generated()
    }

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        self.inner.get(i)
    }
}
