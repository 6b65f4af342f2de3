//! Binary masks and heatmaps over images: areas, boxes, connected components, overlaps, morphology, COCO's formats.
//!
//! | type | what it is |
//! |---|---|
//! | [`Mask`] | the pixels that belong to an object, one byte each |
//! | [`Components`] | the connected parts of a mask; each [`Component`] has an area, a box and a centroid |
//! | [`Element`] | the shape by which a mask grows or shrinks |
//! | [`Heatmap`] | a real number for each pixel, such as a saliency map |
//! | [`Rle`], [`CocoRle`] | a mask as COCO's files hold it: run lengths, compressed text, polygons, JSON objects |
//! | [`Rect`], [`Borders`] | a box of pixels, and the borders of the image that it touches |
//! | [`SizeError`] | the error of every `from_vec` |
//!
//! [`Mask::coverage`] brings a mask to the size of a feature map. [`agreement`], [`mean_pairwise_iou`] and [`majority`]
//! compare several masks of one object.
//!
//! Sizes are (height, width), positions are (row, column), and rectangles are half-open. A value that is undefined,
//! such as the box of an empty mask, is `None`.
//!
//! ```
//! use hard_imagenet_masks::{Connectivity, Heatmap, Mask};
//!
//! // Two blocks that touch at a corner.
//! let mask = Mask::from_fn(4, 6, |row, column| (row < 2 && column < 2) || (row >= 2 && (2..5).contains(&column)));
//! assert_eq!(mask.area(), 10);
//!
//! let bounds = mask.bounding_box().unwrap();
//! assert_eq!((bounds.top, bounds.left, bounds.bottom, bounds.right), (0, 0, 4, 5));
//!
//! let parts = mask.components(Connectivity::Four);
//! assert_eq!(parts.iter().map(|part| part.area).collect::<Vec<_>>(), [4, 6]);
//! assert_eq!(mask.components(Connectivity::Eight).len(), 1);
//!
//! // How well does a coarse saliency map point at the object?
//! let map = Heatmap::from_vec(2, 3, vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0])?.resize(4, 6);
//! assert!(map.threshold(0.5).iou(&mask).unwrap() > 0.5);
//! # Ok::<(), hard_imagenet_masks::SizeError>(())
//! ```
//!
//! # Features
//! None is on by default.
//! - `image`: [`Mask`] and [`Heatmap`] from and to `image::GrayImage`; [`Mask`] from `image::DynamicImage`.
//! - `ndarray`: [`Mask`] and [`Heatmap`] from and to `ndarray::Array2`.
//! - `serde`: [`Rle`], [`CocoRle`] and [`Mask`] as the JSON objects of COCO's files; [`Heatmap`], [`Rect`] and the
//!   other types as their fields.

mod agreement;
mod borders;
mod components;
mod convert;
mod coverage;
mod heatmap;
mod mask;
mod measures;
mod morphology;
mod rect;
mod rle;
mod rows;
mod sets;
mod size;

pub use agreement::{agreement, majority, mean_pairwise_iou};
pub use borders::Borders;
pub use components::{Component, Components, Connectivity};
pub use heatmap::Heatmap;
pub use mask::Mask;
pub use morphology::Element;
pub use rect::Rect;
pub use rle::{CocoCounts, CocoRle, Rle, RleError};
pub use size::SizeError;
