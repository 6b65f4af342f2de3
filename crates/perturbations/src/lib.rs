//! What is done to an image given a mask of its object: take the object away, or disturb it or its surroundings.
//!
//! If a classifier still names the object when its pixels are gone, it has looked at something else. Each perturbation
//! is a value that implements [`Perturb`], and has a word that names it in options and tables:
//!
//! | id | type | what it does |
//! |---|---|---|
//! | `none` | [`Identity`] | nothing: the clean image |
//! | `gray` | [`Gray`] | object pixels become gray |
//! | `gray-box` | [`GrayBox`] | the box around the object becomes gray |
//! | `tile` | [`Tile`] | boxes of the object's parts are covered with their surroundings |
//! | `average`, `average:shape` | [`Average`] | boxes of the object's parts, or the parts, in the mean colour beside them |
//! | `mean`, `imagenet-mean` | [`Paint`] | object pixels in the mean colour of the image's rest, or of ImageNet |
//! | `blur:10` | [`Blur`] | the object blurred in place |
//! | `shuffle:16` | [`Shuffle`] | cells of the object, or its pixels (`shuffle:1`), change places |
//! | `noise-fill` | [`NoiseFill`] | object pixels become noise |
//! | `no-fg`, `only-fg`, `gray-bg` | [`Paint`] | object black; all else black; all else gray |
//! | `only-bg-b`, `only-bg-t` | [`OnlyBg`] | the box around the object black, or covered with what lies beside it |
//! | `mixed-same`, `mixed-rand`, `mixed-next` | [`Mix`] | the object before the background of another picture |
//! | `noise:linf:0.25:fg` | [`Noise`] | Gaussian noise of a norm and strength in the object (`fg`) or around it (`bg`) |
//!
//! [`parse`] makes one from its word, [`KINDS`] lists them. Only [`Mix`] takes two pictures; [`background`] and [`paste`]
//! are its two steps. The published code differs from the method it stands for in
//! several ways; each is a switch ([`BoxEdges`], [`TileRule`], [`AverageRule`], [`NoiseFillRule`],
//! [`EmptyRegion`]), and a [`Preset`] sets them all.
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
//! assert_eq!(noisy.as_slice()[..2], [0.25, 0.25]); // the object is left alone
//! assert_eq!(noisy, noise.apply(&image, &mask, key)); // the same key, the same noise
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Noise is drawn by counter ([`normal`]): an element's value is a function of a [`NoiseKey`] and the element's index,
//! computed in operations that IEEE 754 fixes, hence the same bits on every device, batch and thread.
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
