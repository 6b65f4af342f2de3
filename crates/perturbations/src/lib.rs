//! What is done to an image given its mask. (Page to be completed.)

mod gray;
mod gray_box;
mod identity;
mod key;
mod noise;
mod normal;
mod parse;
mod perturb;
mod preset;
mod tile;

pub use gray::Gray;
pub use gray_box::{BoxEdges, GrayBox};
pub use identity::Identity;
pub use key::NoiseKey;
pub use noise::{EmptyRegion, Noise, Norm, Region};
pub use normal::{normal, normals};
pub use parse::{KINDS, ParseError, parse};
pub use perturb::Perturb;
pub use preset::Preset;
pub use tile::{Tile, TileRule};
