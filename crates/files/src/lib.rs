//! Writes files whole or not at all, reads them, and hashes them.
//!
//! A reader of a file written by [`write_whole`] sees the complete new content or the previous state, whatever happens:
//! a crash, a kill, a full disk, a power loss, or a second process that writes the same file. The bytes go to a
//! uniquely named temporary file in the same folder, which is synchronized to the disk and then renamed.
//! [`write_whole_with`] does the same for content that is produced piece by piece. [`remove_unfinished`] deletes the
//! temporary files that a killed process leaves behind. [`sha256_hex`] and [`sha256_hex_of_reader`] identify content.
//! [`is_lfs_pointer`] recognizes a file that Git LFS has not downloaded yet.
//!
//! ```
//! use hard_imagenet_files::{read_if_exists, sha256_hex, write_whole};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("run").join("run.json");
//! assert_eq!(read_if_exists(&path)?, None);
//!
//! write_whole(&path, b"{}\n")?; // also creates the folder
//! assert_eq!(read_if_exists(&path)?.as_deref(), Some(&b"{}\n"[..]));
//! assert!(sha256_hex(b"{}\n").starts_with("ca3d163bab055381"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod hash;
mod lfs;
mod read;
mod write;

pub use error::FileError;
pub use hash::{hex, sha256_hex, sha256_hex_of_reader};
pub use lfs::{LFS_POINTER, is_lfs_pointer};
pub use read::{read, read_if_exists};
pub use write::{remove_unfinished, write_whole, write_whole_with};
