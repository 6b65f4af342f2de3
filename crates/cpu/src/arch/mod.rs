//! Instruction sets beyond the baseline. Only the files of this module contain `unsafe` code and intrinsics.
//!
//! Each instruction set is a value that only its `detect` function creates. Methods on the value are therefore safe:
//! whoever calls them has shown that the processor can execute them.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub(crate) mod pairs;
pub(crate) mod patch;
mod portable;
pub(crate) mod tile;
pub(crate) mod window;

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use avx512::{Avx512, Avx512Bf16};
pub use portable::Portable;
pub use tile::Tile;
