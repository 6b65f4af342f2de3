//! Checks that hold for any bytes, shared by the fuzz targets and the tests of their corpora.

#![allow(dead_code, reason = "each fuzz target uses one of them")]

use hard_imagenet_images::{MaskRule, Preprocessing, decode_image, decode_mask};

/// Decodes an image: an error, or three values per pixel.
pub(crate) fn image(bytes: &[u8]) {
    if let Ok(image) = decode_image(bytes) {
        assert_eq!(image.data.len(), 3 * image.height * image.width);
    }
}

/// Decodes a mask and applies the transform of the paper: an error, or a mask of the size of the network input.
pub(crate) fn mask(bytes: &[u8]) {
    if let Ok(mask) = decode_mask(bytes) {
        assert_eq!(mask.data.len(), mask.height * mask.width);
        let mask = Preprocessing::imagenet().squash().paired_transform(MaskRule::AnyInk).apply_to_mask(&mask);
        assert_eq!((mask.height(), mask.width()), (224, 224));
    }
}
