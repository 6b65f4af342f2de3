//! Changes an image, given a mask of its object: removes the object, or disturbs it or its surroundings.
//!
//! If a classifier still recognizes the object when its pixels are gone, it has looked at something else. Each perturbation
//! is a value that implements [`Perturb`], and a word names it in options and tables:
//!
//! | id | type | effect |
//! |---|---|---|
//! | `none` | [`Identity`] | none: the clean image |
//! | `gray` | [`Gray`] | the object becomes gray |
//! | `gray-box` | [`GrayBox`] | the box around the object becomes gray |
//! | `tile` | [`Tile`] | the boxes of the object's parts are covered with their surroundings |
//! | `average`, `average:shape` | [`Average`] | the boxes of the object's parts, or the parts themselves, get the mean background color of the box |
//! | `mean`, `imagenet-mean` | [`Paint`] | the object gets the mean color of the background, or of ImageNet |
//! | `blur:10` | [`Blur`] | the object is blurred in place |
//! | `shuffle:16` | [`Shuffle`] | cells of the object, or its pixels (`shuffle:1`), exchange places |
//! | `noise-fill` | [`NoiseFill`] | noise replaces the object |
//! | `no-fg`, `only-fg`, `gray-bg` | [`Paint`] | the object becomes black, everything else black, everything else gray |
//! | `only-bg-b`, `only-bg-t` | [`OnlyBg`] | the box around the object becomes black, or is covered with a strip next to it |
//! | `mixed-same`, `mixed-rand`, `mixed-next` | [`Mix`] | the object in front of the background of another image |
//! | `noise:linf:0.25:fg` | [`Noise`] | Gaussian noise of a norm and strength on the object (`fg`) or around it (`bg`) |
//!
//! [`parse`] makes a perturbation from its id. [`KINDS`] lists everything that is declared about each kind: its word,
//! titles, sentence, place in the reading order and switch. Only [`Mix`] takes two images; [`background`] and [`paste`] are
//! its two steps, and [`parse_any`] understands its words too.
//!
//! The published code differs from its method in several ways. Each difference is a switch ([`BoxEdges`], [`TileRule`],
//! [`AverageRule`], [`NoiseFillRule`], [`EmptyRegion`], together [`Switches`]), and a [`Preset`] sets them all.
//!
//! A perturbation of your own implements [`Perturb`]; `hard-imagenet-evaluation` treats it like a built-in one.
//!
//! ```
//! use hard_imagenet_images::Pixels;
//! use hard_imagenet_masks::Mask;
//! use hard_imagenet_perturbations::{NoiseKey, Preset, parse};
//!
//! let image = Pixels::from_vec(4, 4, vec![0.25; 3 * 16])?;
//! let mask = Mask::from_fn(4, 4, |row, column| row < 2 && column < 2);
//! let key = NoiseKey::new(0, "val/n03218198/ILSVRC2012_val_00000538", 0);
//!
//! let gray = parse("gray", Preset::Paper)?.apply(&image, &mask, key);
//! assert_eq!(gray.as_slice()[..4], [0.5, 0.5, 0.25, 0.25]);
//!
//! let noise = parse("noise:linf:0.25:bg", Preset::Paper)?;
//! let noisy = noise.apply(&image, &mask, key);
//! assert_eq!(noisy.as_slice()[..2], [0.25, 0.25]); // the object is unchanged
//! assert_eq!(noisy, noise.apply(&image, &mask, key)); // the same key, the same noise
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Noise is drawn by counter ([`normal`]): the value of an element is a function of a [`NoiseKey`] and of the element's
//! index. It is computed with operations that IEEE 754 defines exactly, so it has the same bits on every device, in every
//! batch and thread.
//!
//! # References
//! Moayeri, Singla, Feizi: Hard ImageNet: Segmentations for Objects with Strong Spurious Cues. NeurIPS 2022.
//! Moayeri, Pope, Balaji, Feizi: A Comprehensive Study of Image Classification Model Sensitivity to Foregrounds,
//! Backgrounds, and Visual Attributes. CVPR 2022. (noise)
//! Xiao, Engstrom, Ilyas, Madry: Noise or Signal: The Role of Image Backgrounds in Object Recognition. ICLR 2021.
//! (ImageNet-9: only-fg, no-fg, only-bg-b, only-bg-t, mixed-same, mixed-rand, mixed-next)
//! Box, Muller: A Note on the Generation of Random Normal Deviates. 1958.
//! Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators. OOPSLA 2014.

mod average;
mod blur;
mod gray;
mod gray_box;
mod identity;
mod key;
mod kind;
mod mix;
mod noise;
mod noise_fill;
mod normal;
mod only_bg;
mod paint;
mod parse;
mod perturb;
mod preset;
mod region;
mod shuffle;
mod switches;
mod tile;

pub use average::{Average, AverageRule};
pub use blur::Blur;
pub use gray::Gray;
pub use gray_box::{BoxEdges, GrayBox};
pub use identity::Identity;
pub use key::NoiseKey;
pub use kind::{KINDS, Perturbation, PerturbationKind};
pub use mix::{Mix, background, paste};
pub use noise::{EmptyRegion, Noise, Norm};
pub use noise_fill::{NoiseFill, NoiseFillRule};
pub use normal::{normal, normals};
pub use only_bg::OnlyBg;
pub use paint::Paint;
pub use parse::{ParseError, parse, parse_any};
pub use perturb::Perturb;
pub use preset::Preset;
pub use region::Region;
pub use shuffle::Shuffle;
pub use switches::Switches;
pub use tile::{Tile, TileRule};
