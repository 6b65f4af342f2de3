mod coco;
mod pixels;
mod polygon;
mod text;

pub use coco::{CocoCounts, CocoRle};

use crate::Rect;

/// A mask as run lengths, as COCO's files hold it.
///
/// Pixels are counted down the columns, from left to right: first a number of background pixels, then a number of
/// object pixels, then background again, and so on. Only the first run may be empty, so equal masks have equal codes.
///
/// Results equal those of pycocotools, except that undefined values are `None` and damaged codes are errors.
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

/// The reason why a run-length code could not be read or created.
#[derive(Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RleError {
    /// The mask has more pixels than a run can count.
    #[error("a mask of {height} × {width} has more pixels than a run-length code can count ({})", u32::MAX)]
    Size {
        /// Number of rows.
        height: usize,
        /// Number of columns.
        width: usize,
    },
    /// The runs do not fill the mask exactly.
    #[error("the runs of a mask of {height} × {width} must cover {} pixels, but they cover {got}", height * width)]
    Sum {
        /// Number of rows.
        height: usize,
        /// Number of columns.
        width: usize,
        /// The sum of the runs.
        got: u64,
    },
    /// A compressed code contains an invalid character.
    #[error("a compressed run-length code may contain only characters from '0' to 'o', but byte {at} is another")]
    Character {
        /// The position in the text.
        at: usize,
    },
    /// A compressed code ends within a number.
    #[error("the compressed run-length code is truncated: it ends within a number")]
    Truncated,
    /// A number in a compressed code is not the length of a run.
    #[error("run {index} of the compressed run-length code is not a length from 0 to {}", u32::MAX)]
    Run {
        /// The run, counted from 0.
        index: usize,
    },
    /// A corner of a polygon is not a finite point.
    #[error("corner {index} of the polygon is ({x}, {y}); coordinates must be finite")]
    Corner {
        /// The corner, counted from 0.
        index: usize,
        /// The column.
        x: f64,
        /// The row.
        y: f64,
    },
}

impl Rle {
    /// Creates a mask from run lengths in COCO's uncompressed form, background first. Empty runs are merged away.
    ///
    /// # Errors
    /// Returns [`RleError::Size`] or [`RleError::Sum`].
    pub fn from_counts(height: usize, width: usize, counts: &[u32]) -> Result<Self, RleError> {
        let pixels = pixel_count(height, width)?;
        let got = counts.iter().map(|&count| u64::from(count)).sum();
        if got != u64::from(pixels) {
            return Err(RleError::Sum { height, width, got });
        }
        Ok(Self::joined(height, width, counts.iter().enumerate().map(|(index, &count)| (count, index % 2 == 1))))
    }

    /// Merges runs into a code. Each run is a length and whether it is object; together they must fill the mask.
    fn joined(height: usize, width: usize, runs: impl Iterator<Item = (u32, bool)>) -> Self {
        let mut counts = vec![0];
        for (length, object) in runs.filter(|run| run.0 > 0) {
            // Runs at odd positions are object.
            let last = counts.len() - 1;
            if object == (last % 2 == 1) {
                counts[last] += length;
            } else {
                counts.push(length);
            }
        }
        Self { height, width, counts }
    }

    /// Returns the number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Returns the number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns the run lengths. Their sum is height × width.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// Returns the number of object pixels.
    pub fn area(&self) -> usize {
        self.object_runs().map(|(start, end)| end - start).sum()
    }

    /// Returns the smallest rectangle that contains every object pixel; `None` for an empty mask.
    pub fn bounding_box(&self) -> Option<Rect> {
        let height = self.height;
        let boxes = self.object_runs().map(|(start, end)| {
            let (left, right) = (start / height, end.div_ceil(height));
            // A run that continues in the next column contains the bottom of one column and the top of the other.
            let (top, bottom) = if right - left > 1 { (0, height) } else { (start % height, end - left * height) };
            Rect { top, left, bottom, right }
        });
        boxes.reduce(|all, run| all.hull(&run))
    }

    /// Returns the pixels that are object in either mask.
    ///
    /// # Panics
    /// If the masks differ in size.
    pub fn union(&self, other: &Self) -> Self {
        self.combined(other, |a, b| a || b)
    }

    /// Returns the pixels that are object in both masks.
    ///
    /// # Panics
    /// If the masks differ in size.
    pub fn intersection(&self, other: &Self) -> Self {
        self.combined(other, |a, b| a && b)
    }

    /// Returns the intersection over union, in [0, 1]; `None` if both masks are empty (pycocotools returns 0).
    ///
    /// # Panics
    /// If the masks differ in size.
    pub fn iou(&self, other: &Self) -> Option<f64> {
        let both = self.overlap(other);
        let either = self.area() + other.area() - both;
        (either > 0).then(|| both as f64 / either as f64)
    }

    /// Returns the share of this mask that lies in a crowd, in [0, 1]; `None` if this mask is empty (pycocotools
    /// returns 0).
    ///
    /// COCO uses this share as the overlap with regions marked `iscrowd`.
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

    /// Splits both masks into stretches in which neither changes: the length, and whether each mask is object there.
    fn stretches(&self, other: &Self) -> impl Iterator<Item = (u32, bool, bool)> {
        assert_eq!(
            (self.height, self.width),
            (other.height, other.width),
            "masks of different sizes cannot be compared"
        );
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

    /// Returns where the runs of object pixels start and end, in column-major order.
    fn object_runs(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut at = 0;
        self.counts.chunks(2).filter_map(move |pair| {
            let start = at + pair[0] as usize;
            at = start + pair.get(1).map_or(0, |&length| length as usize);
            (at > start).then_some((start, at))
        })
    }
}

/// Returns the number of pixels, if a run can count them.
fn pixel_count(height: usize, width: usize) -> Result<u32, RleError> {
    let pixels = height.checked_mul(width).and_then(|pixels| u32::try_from(pixels).ok());
    pixels.ok_or(RleError::Size { height, width })
}
