//! Size and position of the objects of a dataset, measured on its masks.

mod retained;
mod summary;

pub use retained::Retention;
pub use summary::Summary;

use crate::{Class, Dataset, Sample};
use hard_imagenet_cpu::random::fnv1a;
use hard_imagenet_images::{PairedTransform, RandomResizedCrop};
use hard_imagenet_masks::{Connectivity, Heatmap, Mask};
use rayon::prelude::*;

/// The measures of one mask.
#[derive(Clone, Debug, PartialEq)]
pub struct MaskStatistics {
    /// The share of object pixels in the stored mask, in [0, 1]; 0 for a mask without pixels.
    pub raw: f64,
    /// The share of object pixels after the transform, in [0, 1].
    pub transformed: f64,
    /// The share of the object that the crop keeps, in [0, 1], according to a [`Retention`]; `None` if there is no
    /// object.
    pub retained: Option<f64>,
    /// The mean (row, column) of the object after the transform, in pixel indices; `None` if nothing is left of it.
    pub centroid: Option<(f64, f64)>,
    /// The distance of the centroid from the center, in units of half the diagonal, in [0, 1); `None` without a
    /// centroid.
    pub eccentricity: Option<f64>,
    /// The number of connected parts of the object after the transform (pixels that share an edge or a corner).
    pub components: usize,
    /// Whether the object touches the border of the transformed mask; `None` if nothing is left of it.
    pub at_border: Option<bool>,
}

impl MaskStatistics {
    /// Measures the mask of a sample. Also returns the transformed mask, `(H, W)`.
    pub fn measure(sample: &Sample, transform: &PairedTransform, retention: Retention) -> (Self, Mask) {
        let binary = transform.mask_rule.binarize(&sample.mask);
        let retained = retention.share(&sample.mask, &binary, transform);
        Self::with(&binary, transform.apply_to_mask(&sample.mask), retained)
    }

    /// Measures the mask under one random resized crop that a key selects. The retained share is the part inside the
    /// crop. Also returns the cropped mask, `(H, W)`.
    pub fn measure_crop(sample: &Sample, crop: &RandomResizedCrop, key: u64) -> (Self, Mask) {
        let file = &sample.mask;
        let binary = crop.mask_rule.binarize(file);
        let drawn = crop.draw(key, file.height, file.width);
        let within = |row: usize| &binary.row(row)[drawn.left..drawn.left + drawn.width];
        let kept: usize = (drawn.top..drawn.top + drawn.height).flat_map(within).map(|&v| usize::from(v)).sum();
        let retained = (!binary.is_empty()).then(|| kept as f64 / binary.area() as f64);
        Self::with(&binary, crop.apply_to_mask(file, &drawn), retained)
    }

    fn with(raw: &Mask, mask: Mask, retained: Option<f64>) -> (Self, Mask) {
        let numbers = Self {
            raw: raw.fraction(),
            transformed: mask.fraction(),
            retained,
            centroid: mask.centroid(),
            eccentricity: mask.eccentricity(),
            components: mask.components(Connectivity::Eight).len(),
            at_border: (!mask.is_empty()).then(|| mask.borders().has_any()),
        };
        (numbers, mask)
    }
}

/// One sample of [`DatasetStatistics`].
#[derive(Clone, Debug, PartialEq)]
pub struct SampleStatistics {
    /// The id of the sample.
    pub id: String,
    /// The position of its class.
    pub class: usize,
    /// The measures of its mask, or the reason why it could not be read.
    pub numbers: Result<MaskStatistics, String>,
}

/// The measures of a dataset's masks, and the mean mask of each class.
#[derive(Clone, Debug)]
pub struct DatasetStatistics {
    /// The name of the dataset.
    pub dataset: String,
    /// The classes of the dataset.
    pub classes: Vec<Class>,
    /// All samples in the order of the dataset. Under random crops, a sample occurs once for each crop.
    pub samples: Vec<SampleStatistics>,
    /// The mean of the transformed masks of each class, `(H, W)` in [0, 1], including empty masks; `None` for a class
    /// without a mask.
    pub averages: Vec<Option<Heatmap>>,
}

/// The number of samples in memory at once.
const STEP: usize = 64;

impl DatasetStatistics {
    /// Decodes every sample and measures its mask, in parallel.
    ///
    /// `progress` is called with the number of measured samples. A sample that cannot be read becomes an entry with its
    /// error.
    pub fn measure(
        data: &dyn Dataset,
        transform: &PairedTransform,
        retention: Retention,
        progress: impl FnMut(usize),
    ) -> Self {
        Self::collect(data, progress, |sample| vec![MaskStatistics::measure(sample, transform, retention)])
    }

    /// Measures `trials` random resized crops of every sample, which shows what a network sees of the objects in
    /// training.
    ///
    /// The crops depend on the id of the sample and the trial.
    pub fn measure_crops(
        data: &dyn Dataset,
        crop: &RandomResizedCrop,
        trials: u32,
        progress: impl FnMut(usize),
    ) -> Self {
        let crops = |sample: &Sample| {
            let key = fnv1a(&sample.id);
            let measure = |trial| MaskStatistics::measure_crop(sample, crop, key.wrapping_add(u64::from(trial)));
            (0..trials).map(measure).collect()
        };
        Self::collect(data, progress, crops)
    }

    fn collect(
        data: &dyn Dataset,
        mut progress: impl FnMut(usize),
        measure: impl Fn(&Sample) -> Vec<(MaskStatistics, Mask)> + Sync,
    ) -> Self {
        let classes = data.info().classes.clone();
        let mut sums: Vec<Option<Sum>> = classes.iter().map(|_| None).collect();
        let mut samples = Vec::with_capacity(data.len());
        for start in (0..data.len()).step_by(STEP) {
            let indices = start..data.len().min(start + STEP);
            let measured: Vec<_> =
                indices.clone().into_par_iter().map(|i| data.get(i).map(|sample| measure(&sample))).collect();
            for (i, result) in indices.zip(measured) {
                let class = data.class(i);
                let entry = |numbers| SampleStatistics { id: data.id(i).to_owned(), class, numbers };
                match result {
                    Err(error) => samples.push(entry(Err(error.to_string()))),
                    Ok(measured) => samples.extend(measured.into_iter().map(|(numbers, mask)| {
                        sums[class].get_or_insert_with(|| Sum::new(&mask)).add(&mask);
                        entry(Ok(numbers))
                    })),
                }
            }
            progress(data.len().min(start + STEP));
        }
        let averages = sums.into_iter().map(|sum| sum.and_then(Sum::mean)).collect();
        Self { dataset: data.info().name.clone(), classes, samples, averages }
    }

    /// Iterates over the measures of a class, or of all classes for `None`. Samples that could not be read are skipped.
    pub fn measurements(&self, class: Option<usize>) -> impl Iterator<Item = &MaskStatistics> {
        let is_wanted = move |sample: &&SampleStatistics| class.is_none_or(|class| class == sample.class);
        self.samples.iter().filter(is_wanted).filter_map(|sample| sample.numbers.as_ref().ok())
    }

    /// Summarizes one measure over a class, or over all classes for `None`: `statistics.summary(None, |m| m.retained)`.
    pub fn summary(&self, class: Option<usize>, pick: impl Fn(&MaskStatistics) -> Option<f64>) -> Option<Summary> {
        Summary::from_values(self.measurements(class).map(pick))
    }
}

/// The sum of masks. Sums are integers, so their order does not matter.
struct Sum {
    height: usize,
    width: usize,
    counts: Vec<u32>,
    /// The number of masks; `None` if they differ in size, which a transform without a crop allows. Then there is no
    /// mean.
    masks: Option<u32>,
}

impl Sum {
    fn new(mask: &Mask) -> Self {
        let (height, width) = (mask.height(), mask.width());
        Self { height, width, counts: vec![0; height * width], masks: Some(0) }
    }

    fn add(&mut self, mask: &Mask) {
        if (mask.height(), mask.width()) != (self.height, self.width) {
            self.masks = None;
            return;
        }
        self.masks = self.masks.map(|masks| masks + 1);
        self.counts.iter_mut().zip(mask.as_slice()).for_each(|(count, &value)| *count += u32::from(value));
    }

    fn mean(self) -> Option<Heatmap> {
        let masks = self.masks?;
        let mean = self.counts.into_iter().map(|count| (f64::from(count) / f64::from(masks)) as f32).collect();
        Some(Heatmap::from_vec(self.height, self.width, mean).expect("one value per pixel"))
    }
}
