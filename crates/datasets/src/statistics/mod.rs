//! Where the objects of a dataset lie and how large they are, from its masks alone.

mod retained;
mod summary;

pub use retained::Retention;
pub use summary::Summary;

use crate::{Class, Dataset, Sample};
use hard_imagenet_cpu::random::fnv1a;
use hard_imagenet_images::{PairedTransform, RandomResizedCrop};
use hard_imagenet_masks::{Connectivity, Heatmap, Mask};
use rayon::prelude::*;

/// The numbers of one mask.
#[derive(Clone, Debug, PartialEq)]
pub struct MaskStatistics {
    /// Share of the mask file's pixels that are object, in [0, 1]; for a file without pixels 0.
    pub raw: f64,
    /// Share of object pixels after the transform, in [0, 1].
    pub transformed: f64,
    /// Share of the object that the crop keeps, in [0, 1], by the [`Retention`] asked for; `None` where there is none.
    pub retained: Option<f64>,
    /// Mean (row, column) of the object after the transform, in pixel indices; `None` if nothing is left of it.
    pub centroid: Option<(f64, f64)>,
    /// Distance of the centroid from the centre, in units of half the diagonal, in [0, 1); `None` with the centroid.
    pub eccentricity: Option<f64>,
    /// Connected parts of the object after the transform (pixels that share an edge or a corner).
    pub components: usize,
    /// Does the object touch the border of the transformed mask? `None` if nothing is left of it.
    pub at_border: Option<bool>,
}

impl MaskStatistics {
    /// Measures a mask as stored; returns it as the transform leaves it, too: `(H, W)`.
    pub fn measure(sample: &Sample, transform: &PairedTransform, retention: Retention) -> (Self, Mask) {
        let binary = transform.mask_rule.binarize(&sample.mask);
        let retained = retention.share(&sample.mask, &binary, transform);
        Self::with(&binary, transform.apply_to_mask(&sample.mask), retained)
    }

    /// The same for one random resized crop, which a key chooses; what is retained is what lies in the crop.
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

/// One mask of [`DatasetStatistics`].
#[derive(Clone, Debug, PartialEq)]
pub struct SampleStatistics {
    /// The sample's id.
    pub id: String,
    /// Position among the classes.
    pub class: usize,
    /// Its numbers, or why it could not be read.
    pub numbers: Result<MaskStatistics, String>,
}

/// The masks of a dataset, measured one by one and averaged class by class.
#[derive(Clone, Debug)]
pub struct DatasetStatistics {
    /// The dataset's name.
    pub dataset: String,
    /// Its classes.
    pub classes: Vec<Class>,
    /// Every sample, in the dataset's order; under random crops once for each crop.
    pub samples: Vec<SampleStatistics>,
    /// For each class the mean of its transformed masks, `(H, W)` in [0, 1], empty ones included; `None` for a class
    /// without a mask.
    pub averages: Vec<Option<Heatmap>>,
}

/// Samples that are in memory at once.
const CHUNK: usize = 64;

impl DatasetStatistics {
    /// Decodes every sample and measures its mask, in parallel; `progress` is told how many are done. A sample that
    /// cannot be read is an entry with its error.
    pub fn measure(
        data: &dyn Dataset,
        transform: &PairedTransform,
        retention: Retention,
        progress: impl FnMut(usize),
    ) -> Self {
        Self::collect(data, progress, |sample| vec![MaskStatistics::measure(sample, transform, retention)])
    }

    /// The same under random resized crops, as networks are trained with, `trials` of each sample: what a network sees
    /// of the objects in training. The draws are functions of the sample's id and the trial.
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
        for start in (0..data.len()).step_by(CHUNK) {
            let indices = start..data.len().min(start + CHUNK);
            let chunk: Vec<_> =
                indices.clone().into_par_iter().map(|i| data.get(i).map(|sample| measure(&sample))).collect();
            for (i, result) in indices.zip(chunk) {
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
            progress(data.len().min(start + CHUNK));
        }
        let averages = sums.into_iter().map(|sum| sum.and_then(Sum::mean)).collect();
        Self { dataset: data.info().name.clone(), classes, samples, averages }
    }

    /// The numbers of a class (of all for `None`) that could be had.
    pub fn measurements(&self, class: Option<usize>) -> impl Iterator<Item = &MaskStatistics> {
        let asked = move |sample: &&SampleStatistics| class.is_none_or(|class| class == sample.class);
        self.samples.iter().filter(asked).filter_map(|sample| sample.numbers.as_ref().ok())
    }

    /// How one number is spread over a class (over all for `None`): `statistics.summary(None, |m| m.retained)`.
    pub fn summary(&self, class: Option<usize>, pick: impl Fn(&MaskStatistics) -> Option<f64>) -> Option<Summary> {
        Summary::from_values(self.measurements(class).map(pick))
    }
}

/// Masks on their way to a mean. Whole numbers, so that no order matters.
struct Sum {
    height: usize,
    width: usize,
    counts: Vec<u32>,
    /// `None` once the masks differ in size, which a transform without a crop allows: they have no mean.
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
