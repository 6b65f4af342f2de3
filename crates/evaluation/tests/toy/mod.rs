//! A small dataset with a sample that fails and one without an object, and small models.

use candle_core::{DType, Device};
use hard_imagenet_datasets::{Dataset, DatasetError, DatasetInfo, PlantedCues, Sample};
use hard_imagenet_images::ImageError;
use hard_imagenet_models::{Model, Weights, generated, zoo};

/// The sample that cannot be decoded.
pub(crate) const BAD: usize = 5;
/// The sample whose mask is empty.
pub(crate) const EMPTY: usize = 17;

/// Generated images of 64 × 64 pixels in eight classes.
pub(crate) struct Toy(PlantedCues);

impl Toy {
    pub(crate) fn new(samples: usize) -> Self {
        Self(PlantedCues::hard(7, samples, 64))
    }

    pub(crate) fn name(&self, i: usize) -> &str {
        self.id(i)
    }

    pub(crate) fn by_name(&self, id: &str) -> Option<Sample> {
        (0..self.len()).find(|&i| self.id(i) == id).and_then(|i| self.get(i).ok())
    }
}

impl Dataset for Toy {
    fn info(&self) -> &DatasetInfo {
        self.0.info()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn id(&self, i: usize) -> &str {
        self.0.id(i)
    }

    fn class(&self, i: usize) -> usize {
        self.0.class(i)
    }

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        if i == BAD {
            return Err(ImageError::Truncated.into());
        }
        let mut sample = self.0.get(i)?;
        if i == EMPTY {
            sample.mask.data.fill(0);
        }
        Ok(sample)
    }
}

/// Returns a network with generated weights, which has learned nothing.
pub(crate) fn model(classes: usize) -> Model {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("planted_resnet.safetensors");
    generated::write(&zoo::graph("planted_resnet", classes).unwrap(), &file).unwrap();
    zoo::load("planted_resnet", &Weights::File(file), &Device::Cpu, DType::F32).unwrap()
}
