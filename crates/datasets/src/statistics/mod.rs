//! Where the objects of a dataset lie and how large they are, from its masks alone.

mod retained;
mod summary;

pub use retained::Retention;
pub use summary::Summary;

use crate::{Class, Dataset, Sample};
use hard_imagenet_images::{MaskRule, PairedTransform};
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
    pub fn of(sample: &Sample, transform: &PairedTransform, retention: Retention) -> (Self, Mask) {
        let file = &sample.mask;
        let least = match transform.mask_rule {
            MaskRule::AnyInk => 1,
            MaskRule::Half => 128,
        };
        let mut values = file.data.iter();
        let binary = Mask::from_fn(file.height, file.width, |_, _| values.next().is_some_and(|&v| v >= least));
        let mask = transform.mask(file);
        let numbers = Self {
            raw: binary.fraction(),
            transformed: mask.fraction(),
            retained: retention.share(file, &binary, transform),
            centroid: mask.centroid(),
            eccentricity: mask.eccentricity(),
            components: mask.components(Connectivity::Eight).len(),
            at_border: (!mask.is_empty()).then(|| mask.borders().any()),
        };
        (numbers, mask)
    }
}

/// One sample of [`Statistics`].
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The sample's id.
    pub id: String,
    /// Position among the classes.
    pub class: usize,
    /// Its numbers, or why it could not be read.
    pub numbers: Result<MaskStatistics, String>,
}

/// The masks of a dataset, measured one by one and averaged class by class.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// The dataset's name.
    pub dataset: String,
    /// Its classes.
    pub classes: Vec<Class>,
    /// Every sample, in the dataset's order.
    pub samples: Vec<Measured>,
    /// For each class the mean of its transformed masks, `(H, W)` in [0, 1], empty ones included; `None` for a class
    /// without a mask.
    pub averages: Vec<Option<Heatmap>>,
}

/// Samples that are in memory at once.
const CHUNK: usize = 64;

impl Statistics {
    /// Decodes every sample and measures its mask, in parallel; `progress` is told how many are done. A sample that
    /// cannot be read is an entry with its error.
    pub fn measure(
        data: &dyn Dataset,
        transform: &PairedTransform,
        retention: Retention,
        mut progress: impl FnMut(usize),
    ) -> Self {
        let classes = data.info().classes.clone();
        let mut sums: Vec<Option<Sum>> = classes.iter().map(|_| None).collect();
        let mut samples = Vec::with_capacity(data.len());
        for start in (0..data.len()).step_by(CHUNK) {
            let measure = |i| data.get(i).map(|sample| MaskStatistics::of(&sample, transform, retention));
            let chunk: Vec<_> = (start..data.len().min(start + CHUNK)).into_par_iter().map(measure).collect();
            for result in chunk {
                let i = samples.len();
                let class = data.class(i);
                let numbers = result.map_err(|error| error.to_string()).map(|(numbers, mask)| {
                    sums[class].get_or_insert_with(|| Sum::new(&mask)).add(&mask);
                    numbers
                });
                samples.push(Measured { id: data.id(i).to_owned(), class, numbers });
            }
            progress(samples.len());
        }
        let averages = sums.into_iter().map(|sum| sum.and_then(Sum::mean)).collect();
        Self { dataset: data.info().name.clone(), classes, samples, averages }
    }

    /// The numbers of a class (of all for `None`) that could be had.
    pub fn of(&self, class: Option<usize>) -> impl Iterator<Item = &MaskStatistics> {
        let asked = move |sample: &&Measured| class.is_none_or(|class| class == sample.class);
        self.samples.iter().filter(asked).filter_map(|sample| sample.numbers.as_ref().ok())
    }

    /// How one number is spread over a class (over all for `None`): `statistics.summary(None, |m| m.retained)`.
    pub fn summary(&self, class: Option<usize>, pick: impl Fn(&MaskStatistics) -> Option<f64>) -> Option<Summary> {
        Summary::of(self.of(class).map(pick))
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
        Some(Heatmap::from_vec(self.height, self.width, mean))
    }
}
