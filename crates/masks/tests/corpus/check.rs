//! Checks that hold for any bytes, shared by the fuzz targets and the tests of their corpora.

#![allow(dead_code, reason = "each fuzz target uses one of them")]

use hard_imagenet_masks::Rle;

/// Parses a size and a text as COCO's compressed run lengths: an error, or a code that survives every round trip.
pub(crate) fn rle(bytes: &[u8]) {
    let &[height, width, ref text @ ..] = bytes else { return };
    let (height, width) = (usize::from(height), usize::from(width));
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(rle) = Rle::from_compressed(height, width, text) else { return };
    let mask = rle.to_mask();
    assert_eq!(mask.area(), rle.area());
    assert_eq!(mask.bounding_box(), rle.bounding_box());
    assert_eq!(mask.to_rle(), rle);
    assert_eq!(Rle::from_compressed(height, width, &rle.to_compressed()).as_ref(), Ok(&rle));
    assert_eq!(Rle::from_counts(height, width, rle.counts()), Ok(rle));
}

/// Fills a polygon from a size and corners: an error, or a mask of that size, in short time.
pub(crate) fn polygon(bytes: &[u8]) {
    let &[height, width, ref corners @ ..] = bytes else { return };
    let (height, width) = (usize::from(height), usize::from(width));
    let numbers: Vec<f64> = corners.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect();
    let Ok(rle) = Rle::from_polygon(height, width, numbers.as_chunks().0) else { return };
    assert_eq!(rle.counts().iter().map(|&count| count as usize).sum::<usize>(), height * width);
    assert_eq!(rle.to_mask().to_rle(), rle);
}
