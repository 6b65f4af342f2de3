//! The JSON objects in which COCO's files hold one mask.

use super::{Rle, RleError};

/// A mask as an object of a COCO file: `{"size": [height, width], "counts": ..}`.
///
/// pycocotools calls the compressed form "RLE" and the other one "uncompressed RLE". With the feature `serde`, this
/// type and [`Rle`] itself are read from and written to such objects; an [`Rle`] is written in the compressed form and
/// read from both.
///
/// ```
/// use hard_imagenet_masks::{CocoCounts, CocoRle, Mask, Rle};
///
/// let mask = Mask::from_fn(2, 3, |_, column| column == 1);
/// let object = mask.to_rle().to_coco();
/// assert_eq!(object.size, [2, 3]);
/// assert_eq!(object.counts, CocoCounts::Compressed("222".into()));
/// assert_eq!(Rle::try_from(object)?.to_mask(), mask);
///
/// let object = CocoRle { size: [2, 3], counts: CocoCounts::Uncompressed(vec![2, 2, 2]) };
/// assert_eq!(Rle::try_from(object)?.to_mask(), mask);
/// # Ok::<(), hard_imagenet_masks::RleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CocoRle {
    /// Height and width in pixels.
    pub size: [usize; 2],
    /// The run lengths.
    pub counts: CocoCounts,
}

/// The run lengths of a [`CocoRle`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(untagged))]
pub enum CocoCounts {
    /// The text of [`Rle::to_compressed`].
    Compressed(String),
    /// The numbers of [`Rle::counts`].
    Uncompressed(Vec<u32>),
}

impl Rle {
    /// Returns the object with compressed run lengths, as pycocotools writes it.
    pub fn to_coco(&self) -> CocoRle {
        CocoRle { size: [self.height, self.width], counts: CocoCounts::Compressed(self.to_compressed()) }
    }

    /// Returns the object with plain run lengths, as annotation files hold it for crowds.
    pub fn to_coco_uncompressed(&self) -> CocoRle {
        CocoRle { size: [self.height, self.width], counts: CocoCounts::Uncompressed(self.counts.clone()) }
    }
}

impl TryFrom<CocoRle> for Rle {
    type Error = RleError;

    fn try_from(object: CocoRle) -> Result<Self, RleError> {
        let [height, width] = object.size;
        match object.counts {
            CocoCounts::Compressed(text) => Self::from_compressed(height, width, &text),
            CocoCounts::Uncompressed(counts) => Self::from_counts(height, width, &counts),
        }
    }
}

impl From<Rle> for CocoRle {
    fn from(rle: Rle) -> Self {
        rle.to_coco()
    }
}
