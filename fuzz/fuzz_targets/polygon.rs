//! Any corners as a polygon: an error or a mask of the size asked for, soon.
#![no_main]

use hard_imagenet_masks::Rle;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, u8, Vec<[f64; 2]>)| {
    let (height, width, corners) = input;
    if let Ok(rle) = Rle::from_polygon(height.into(), width.into(), &corners) {
        assert_eq!(rle.counts().iter().map(|&count| u64::from(count)).sum::<u64>(), u64::from(height) * u64::from(width));
        assert_eq!(rle.to_mask().to_rle(), rle);
    }
});
