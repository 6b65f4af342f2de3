//! What is done to an image given its mask. (Page to be completed.)

mod key;
mod perturb;
mod preset;

pub use key::NoiseKey;
pub use perturb::Perturb;
pub use preset::Preset;
