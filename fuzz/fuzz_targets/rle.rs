//! A size and any text as COCO's compressed run lengths: an error, or a code that survives every way around.
#![no_main]

use hard_imagenet_masks::Rle;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, u8, &str)| {
    let (height, width, text) = input;
    let Ok(rle) = Rle::parse(height.into(), width.into(), text) else { return };
    let mask = rle.to_mask();
    assert_eq!(mask.area(), rle.area());
    assert_eq!(mask.bounding_box(), rle.bounding_box());
    assert_eq!(mask.to_rle(), rle);
    assert_eq!(Rle::parse(height.into(), width.into(), &rle.compressed()).as_ref(), Ok(&rle));
    assert_eq!(Rle::from_counts(height.into(), width.into(), rle.counts()), Ok(rle));
});
