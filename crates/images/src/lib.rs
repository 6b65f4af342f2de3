//! Images: decode, resample, transform an image and its mask as a pair. (Page to be completed.)

mod bitmap;
mod decode;
mod draw;
mod error;
mod pixels;
mod resample;
mod transform;

pub use bitmap::{Gray8, Rgb8};
pub use decode::{decode_image, decode_mask, read_image, read_mask};
pub use draw::{outline, overlay};
pub use error::ImageError;
pub use pixels::Pixels;
pub use resample::Filter;
pub use transform::{IMAGENET_MEAN, IMAGENET_STD, MaskRule, PairedTransform, Preprocess, Resize};
