//! Any bytes as a picture: an error or as many values as pixels, never a panic.
#![no_main]

use hard_imagenet_images::decode_image;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(image) = decode_image(bytes) {
        assert_eq!(image.data.len(), 3 * image.height * image.width);
    }
});
