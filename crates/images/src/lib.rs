//! Images and their masks on the way to a network: decode, resample, crop.
//!
//! A benchmark number is only as comparable as its pixels. So a picture is resized exactly as Pillow does it (to the
//! bit, the 8-bit rounding between the two passes included), cropped exactly as torchvision does it, and the mask goes
//! the same way as its image.
//!
//! | in the order of use | |
//! |---|---|
//! | [`read_image`], [`read_mask`] | a file to [`Rgb8`] or [`Gray8`]; by content, bounded in memory, truncated files refused |
//! | [`Preprocessing`] | what a model expects: size, resize, [`Filter`], mean and deviation |
//! | [`PairedTransform`] | the geometry of it, with the [`MaskRule`], for an image and its mask |
//! | [`RandomResizedCrop`] | a random part instead, drawn from a key, for an image and its mask |
//! | [`Pixels`] | the image as a network sees it, before normalisation |
//! | [`overlay`], [`outline`] | pictures for people |
//!
//! ```
//! use hard_imagenet_images::{Gray8, MaskRule, Preprocessing, Rgb8, decode_image};
//!
//! // A picture of 30 × 40: here made, encoded and decoded again; otherwise from `read_image`.
//! let picture = Rgb8 { height: 30, width: 40, data: [200, 100, 0].repeat(30 * 40) };
//! let picture = decode_image(&picture.encode_png()?)?;
//! let ink = (0..30 * 40).map(|i| if i % 40 < 20 { 255 } else { 0 }).collect(); // the left half is object
//! let mask = Gray8 { height: 30, width: 40, data: ink };
//!
//! // The paper's transform: squash to 256 × 256, centre crop of 224 × 224.
//! let transform = Preprocessing::imagenet().squash().paired_transform(MaskRule::Half);
//! let (pixels, mask) = (transform.apply_to_image(&picture), transform.apply_to_mask(&mask));
//! assert_eq!((pixels.height(), pixels.width()), (224, 224));
//! assert_eq!(pixels.as_slice()[0], 200.0 / 255.0);
//! assert_eq!(mask.area(), 224 * 112);
//! # Ok::<(), hard_imagenet_images::ImageError>(())
//! ```
//!
//! JPEG decoders differ by a level or so: the pure-Rust one used by default is at most 3 levels off libjpeg-turbo where
//! colour is not subsampled, 9 where it is (mean 0.1 to 0.2). Everything after decoding is exact. With the feature
//! `turbojpeg` JPEG is decoded by libjpeg-turbo, to Pillow's pixels; building it needs a C compiler, CMake and NASM.
//!
//! There is one resampler, exact and about as fast as one that is not (`fast_image_resize`), so there is no other for
//! speed. Nor is a JPEG decoded at a smaller size for speed: the pixels would be others.
//!
//! A JPEG that is cut off is always noticed. Damage inside of one is not: of 60 photographs with 64 bytes in the middle
//! changed, libjpeg-turbo noticed 51 and the pure-Rust decoder 4; with 1000 bytes missing 60 and 0. What is not noticed
//! is a picture with a wrong part, as it is in Pillow.

mod bitmap;
mod coefficients;
mod decode;
mod draw;
mod error;
mod filter;
mod limits;
mod logarithm;
mod pixels;
mod preprocessing;
mod random_crop;
mod resample;
mod resize;
mod simd;
mod transform;
mod transpose;
#[cfg(feature = "turbojpeg")]
mod turbo;

pub use bitmap::{Gray8, Rgb8};
pub use decode::{decode_image, decode_mask, read_image, read_mask};
pub use draw::{outline, overlay};
pub use error::ImageError;
pub use filter::Filter;
pub use pixels::Pixels;
pub use preprocessing::{CropMode, IMAGENET_MEAN, IMAGENET_STD, Preprocessing};
pub use random_crop::{CropAndFlip, RandomResizedCrop};
pub use resize::Resize;
pub use transform::{MaskRule, PairedTransform};

pub use hard_imagenet_masks::SizeError;
