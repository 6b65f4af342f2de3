//! Images and their masks on the way to a network: decode, resize, crop.
//!
//! A benchmark number is only as comparable as its pixels. So [`Rgb8::resize`] equals Pillow to the bit, for all its
//! filters, including the rounding to 8 bits between its two passes. Crops equal torchvision's, and a mask takes the
//! same way as its image. The resampler is about as fast as one that is not exact (`fast_image_resize`).
//!
//! | in the order of use | |
//! |---|---|
//! | [`read_image`], [`read_mask`] | read a file into [`Rgb8`] or [`Gray8`]: by content, with bounded memory, refusing truncated files |
//! | [`MaskReading`], [`Orientation`] | which pixels of a mask file are object, and whether EXIF turns the pixels |
//! | [`Rgb8::resize`], [`Gray8::resize`] | resize with a [`Filter`], exactly as Pillow does |
//! | [`Preprocessing`] | what a model expects: size, resize, filter, mean and standard deviation |
//! | [`PairedTransform`] | its geometry for an image and its mask, with the [`MaskRule`] |
//! | [`RandomResizedCrop`] | a random crop instead, drawn from a key, for an image and its mask |
//! | [`Pixels`] | an image as a network sees it, before normalization |
//! | [`overlay`], [`outline`] | drawings for people |
//!
//! # Resizing
//!
//! ```
//! use hard_imagenet_images::{Filter, Rgb8};
//!
//! let image = Rgb8::from_vec(30, 40, [200, 100, 0].repeat(30 * 40))?;
//! let small = image.resize(15, 20, Filter::Lanczos);
//! assert_eq!((small.height, small.width), (15, 20));
//! assert_eq!(small.data[..3], [200, 100, 0]);
//! # Ok::<(), hard_imagenet_images::SizeError>(())
//! ```
//!
//! `examples/resize.rs` of this crate does it to a file.
//!
//! # Preprocessing an image and its mask
//!
//! ```
//! use hard_imagenet_images::{Gray8, MaskRule, Preprocessing, Rgb8, decode_image};
//!
//! // An image of 30 × 40 pixels, encoded and decoded again; usually it comes from `read_image`.
//! let image = Rgb8 { height: 30, width: 40, data: [200, 100, 0].repeat(30 * 40) };
//! let image = decode_image(&image.encode_png()?)?;
//! let values = (0..30 * 40).map(|i| if i % 40 < 20 { 255 } else { 0 }).collect(); // the left half is object
//! let mask = Gray8 { height: 30, width: 40, data: values };
//!
//! // The transform of the paper: squash to 256 × 256, center crop of 224 × 224.
//! let transform = Preprocessing::imagenet().squash().paired_transform(MaskRule::Half);
//! let (pixels, mask) = (transform.apply_to_image(&image), transform.apply_to_mask(&mask));
//! assert_eq!((pixels.height(), pixels.width()), (224, 224));
//! assert_eq!(pixels.as_slice()[0], 200.0 / 255.0);
//! assert_eq!(mask.area(), 224 * 112);
//! # Ok::<(), hard_imagenet_images::ImageError>(())
//! ```
//!
//! # JPEG
//!
//! JPEG decoders differ by a few levels. The default decoder, in pure Rust, differs from libjpeg-turbo by at most 3
//! levels if color is not subsampled and by at most 9 if it is (0.1 to 0.2 on average). With the feature `turbojpeg`,
//! libjpeg-turbo decodes JPEG files, and pixels equal Pillow's; building it needs a C compiler, CMake and NASM.
//! Everything after decoding is exact in either case. No JPEG file is decoded at a reduced size for speed, because that
//! would change the pixels.
//!
//! A truncated JPEG file is always detected, but damage inside of one is not. Of 60 photographs with 64 changed bytes
//! in the middle, libjpeg-turbo detected 51 and the pure-Rust decoder 4; with 1000 missing bytes, they detected 60 and
//! 0. Undetected damage gives an image with a wrong part, as in Pillow.

mod bitmap;
mod coefficients;
mod decode;
mod draw;
mod error;
mod filter;
mod gif;
mod limits;
mod logarithm;
mod mask_reading;
mod orientation;
mod pixels;
mod png;
mod preprocessing;
mod random_crop;
mod resample;
mod resize;
mod simd;
mod stored;
mod tiff;
mod transform;
mod transpose;
#[cfg(feature = "turbojpeg")]
mod turbo;

pub use bitmap::{Gray8, Rgb8};
pub use decode::{
    decode_image, decode_image_with, decode_mask, decode_mask_with, read_image, read_image_with, read_mask,
    read_mask_with,
};
pub use draw::{outline, overlay};
pub use error::ImageError;
pub use filter::Filter;
pub use mask_reading::{ImageFacts, MaskFacts, MaskKind, MaskReading, MaskValue};
pub use orientation::Orientation;
pub use pixels::Pixels;
pub use preprocessing::{CropMode, IMAGENET_MEAN, IMAGENET_STD, Preprocessing};
pub use random_crop::{CropAndFlip, RandomResizedCrop};
pub use resize::Resize;
pub use transform::{MaskRule, PairedTransform};

pub use hard_imagenet_masks::SizeError;
