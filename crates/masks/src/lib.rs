//! Binary masks and heatmaps over images: areas, boxes, connected components, overlaps, morphology, COCO's forms.
//!
//! | type | what it is |
//! |---|---|
//! | [`Mask`] | which pixels belong to the object, one byte each: a set with measures that can grow and shrink |
//! | [`Components`] | the connected parts of a mask, each a [`Component`] with area, box and centroid |
//! | [`Element`] | the shape with which a mask grows or shrinks |
//! | [`Heatmap`] | a real number a pixel, such as a saliency map |
//! | [`Rle`] | a mask as COCO's files hold it: run lengths, compressed text, polygons |
//! | [`Rect`], [`Borders`] | a box of pixels; the borders of the picture that it touches |
//!
//! [`agreement`], [`mean_pairwise_iou`] and [`majority`] say how far several masks of one object agree.
//!
//! Sizes are (height, width), places (row, column), rectangles half-open. What is undefined, such as the box of an
//! empty mask, is `None`.
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

mod agreement;
mod borders;
mod components;
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
pub use rle::{Rle, RleError};
pub use size::SizeError;
