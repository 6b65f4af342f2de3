//! Any bytes as a mask file, and on through the paper's transform: an error or a mask, never a panic.
#![no_main]

use hard_imagenet_images::{MaskRule, Preprocess, decode_mask};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(mask) = decode_mask(bytes) {
        assert_eq!(mask.data.len(), mask.height * mask.width);
        let mask = Preprocess::imagenet().squashed().paired(MaskRule::AnyInk).mask(&mask);
        assert_eq!((mask.height(), mask.width()), (224, 224));
    }
});
