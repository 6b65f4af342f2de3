mod coco;
mod pixels;
mod polygon;
mod text;

pub use coco::{CocoCounts, CocoRle};

use crate::Rect;

/// A mask as run lengths, as COCO's files hold it: down the columns, from left to right, first how many pixels are
/// background, then how many are object, then background again, and so on.
///
/// No run but the first is empty, so that equal masks have equal codes. Everything here equals pycocotools, but for what
/// is undefined, which is `None`, and for damaged codes, which are errors.
///
/// ```
/// use hard_imagenet_masks::Rle;
///
/// // A triangle, corners given as (x, y) in pixels.
/// let rle = Rle::from_polygon(4, 6, &[[0.0, 0.0], [6.0, 0.0], [0.0, 4.0]]).unwrap();
/// assert_eq!(rle.area(), 12);
/// assert_eq!(rle.to_mask().to_rle(), rle);
/// assert_eq!(Rle::from_compressed(4, 6, &rle.to_compressed()).unwrap(), rle);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rle {
    height: usize,
    width: usize,
    counts: Vec<u32>,
}

/// Why a run-length code could not be made.
#[derive(Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RleError {
    /// More pixels than a run can count.
    #[error("a mask of {height} × {width} has more pixels than a run-length code can count ({})", u32::MAX)]
    Size {
        /// Rows asked for.
        height: usize,
        /// Columns asked for.
        width: usize,
    },
    /// The runs do not fill the mask, or do not fit.
    #[error("the runs of a mask of {height} × {width} must cover {} pixels, these cover {got}", height * width)]
    Sum {
        /// Rows asked for.
        height: usize,
        /// Columns asked for.
        width: usize,
        /// Sum of the runs.
        got: u64,
    },
    /// A compressed code holds a character that such codes do not use.
    #[error("a compressed run-length code has characters from '0' to 'o' only, not the one at byte {at}")]
    Character {
        /// Its place in the text.
        at: usize,
    },
    /// A compressed code ends within a number.
    #[error("the compressed run-length code ends within a number: it was cut off")]
    Truncated,
    /// A number of a compressed code is no length of a run.
    #[error("run {index} of the compressed run-length code is no length from 0 to {}", u32::MAX)]
    Run {
        /// Which run, from 0.
        index: usize,
    },
    /// A corner of a polygon that is nowhere.
    #[error("corner {index} of the polygon is ({x}, {y}); coordinates must be finite")]
    Corner {
        /// Which corner, from 0.
        index: usize,
        /// Column.
        x: f64,
        /// Row.
        y: f64,
    },
}

impl Rle {
    /// Takes run lengths, as COCO's uncompressed form has them: background first. Empty runs are joined away.
    ///
    /// # Errors
    /// [`RleError::Size`] and [`RleError::Sum`].
    pub fn from_counts(height: usize, width: usize, counts: &[u32]) -> Result<Self, RleError> {
        let pixels = pixel_count(height, width)?;
        let got = counts.iter().map(|&count| u64::from(count)).sum();
        if got != u64::from(pixels) {
            return Err(RleError::Sum { height, width, got });
        }
        Ok(Self::joined(height, width, counts.iter().enumerate().map(|(index, &count)| (count, index % 2 == 1))))
    }

    /// The code of runs in any number, each with its length and whether it is object. They must fill the mask.
    fn joined(height: usize, width: usize, runs: impl Iterator<Item = (u32, bool)>) -> Self {
        let mut counts = vec![0];
        for (length, object) in runs.filter(|run| run.0 > 0) {
            // The runs at odd places are object.
            let last = counts.len() - 1;
            if object == (last % 2 == 1) {
                counts[last] += length;
            } else {
                counts.push(length);
            }
        }
        Self { height, width, counts }
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The run lengths; their sum is height × width.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// Number of object pixels.
    pub fn area(&self) -> usize {
        self.object_runs().map(|(start, end)| end - start).sum()
    }

    /// The smallest rectangle that holds every object pixel; `None` for an empty mask.
    pub fn bounding_box(&self) -> Option<Rect> {
        let height = self.height;
        let boxes = self.object_runs().map(|(start, end)| {
            let (left, right) = (start / height, end.div_ceil(height));
            // A run that goes on in the next column holds the bottom of one and the top of the other.
            let (top, bottom) = if right - left > 1 { (0, height) } else { (start % height, end - left * height) };
            Rect { top, left, bottom, right }
        });
        boxes.reduce(|all, run| all.hull(&run))
    }

    /// Pixels that are object in either.
    ///
    /// # Panics
    /// If the masks differ in size.
    pub fn union(&self, other: &Self) -> Self {
        self.combined(other, |a, b| a || b)
    }

    /// Pixels that are object in both.
    ///
    /// # Panics
    /// If the masks differ in size.
    pub fn intersection(&self, other: &Self) -> Self {
        self.combined(other, |a, b| a && b)
    }

    /// Intersection over union, in [0, 1]; `None` if both masks are empty (pycocotools says 0).
    ///
    /// # Panics
    /// If the masks differ in size.
    pub fn iou(&self, other: &Self) -> Option<f64> {
        let both = self.overlap(other);
        let either = self.area() + other.area() - both;
        (either > 0).then(|| both as f64 / either as f64)
    }

    /// The share of this mask that lies in a crowd, in [0, 1], which COCO takes for the overlap with regions marked
    /// `iscrowd`; `None` if this mask is empty (pycocotools says 0).
    ///
    /// # Panics
    /// If the masks differ in size.
    pub fn share_in_crowd(&self, crowd: &Self) -> Option<f64> {
        let area = self.area();
        (area > 0).then(|| self.overlap(crowd) as f64 / area as f64)
    }

    fn combined(&self, other: &Self, both: impl Fn(bool, bool) -> bool) -> Self {
        Self::joined(self.height, self.width, self.stretches(other).map(|(length, a, b)| (length, both(a, b))))
    }

    fn overlap(&self, other: &Self) -> usize {
        self.stretches(other).filter(|(_, a, b)| *a && *b).map(|(length, ..)| length as usize).sum()
    }

    /// Along both masks, the stretches in which neither changes: the length, and whether each is object there.
    fn stretches(&self, other: &Self) -> impl Iterator<Item = (u32, bool, bool)> {
        assert_eq!((self.height, self.width), (other.height, other.width), "masks of two sizes do not compare");
        let (mut ours, mut theirs) = (self.counts.iter(), other.counts.iter());
        let (mut left, mut left_there) = (0, 0);
        let (mut object, mut object_there) = (true, true);
        std::iter::from_fn(move || {
            while left == 0 {
                (left, object) = (*ours.next()?, !object);
            }
            while left_there == 0 {
                (left_there, object_there) = (*theirs.next()?, !object_there);
            }
            let length = left.min(left_there);
            (left, left_there) = (left - length, left_there - length);
            Some((length, object, object_there))
        })
    }

    /// Where runs of object pixels start and end, in column-major order.
    fn object_runs(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut at = 0;
        self.counts.chunks(2).filter_map(move |pair| {
            let start = at + pair[0] as usize;
            at = start + pair.get(1).map_or(0, |&length| length as usize);
            (at > start).then_some((start, at))
        })
    }
}

/// How many pixels there are, if a run can count them.
fn pixel_count(height: usize, width: usize) -> Result<u32, RleError> {
    let pixels = height.checked_mul(width).and_then(|pixels| u32::try_from(pixels).ok());
    pixels.ok_or(RleError::Size { height, width })
}
