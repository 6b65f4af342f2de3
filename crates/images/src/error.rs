use hard_imagenet_files::LFS_POINTER;
use std::path::{Path, PathBuf};

/// The reason why an image could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file could not be written.
    #[error("cannot write {path}: {source}; check that the folder exists and is writable")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// There are no bytes at all.
    #[error("the file is empty, expected an image; get it again")]
    Empty,
    /// The format is not supported.
    #[error(
        "not an image of a known format, expected JPEG, PNG, GIF, BMP, WebP or TIFF (the content counts, not the name)"
    )]
    UnknownFormat,
    /// The file is a pointer that Git LFS has not replaced by the image yet.
    #[error("{LFS_POINTER}")]
    LfsPointer,
    /// The data end before the image is complete.
    #[error("the image is truncated: the data end before it is complete; get the file again")]
    Truncated,
    /// The data are a decompression bomb, or an image far larger than any of the benchmark.
    #[error("the image is too large: at most {side} pixels per side and {mebibytes} MiB when decoded are accepted")]
    TooLarge {
        /// The longest accepted side, in pixels.
        side: u32,
        /// The most memory for the decoded image, in MiB.
        mebibytes: u64,
    },
    /// The format is known, but this variant of it is not supported.
    #[error("this variant of the format cannot be decoded: {0}; convert the file to a plain JPEG or PNG")]
    Unsupported(#[source] image::ImageError),
    /// The data contradict the format.
    #[error("the image is damaged: {0}; get the file again")]
    Damaged(#[source] image::ImageError),
    /// The image could not be encoded.
    #[error("cannot encode an image of {height} × {width}: {reason}")]
    Encode {
        /// Number of rows.
        height: usize,
        /// Number of columns.
        width: usize,
        /// What is wrong.
        reason: String,
    },
    /// One of the errors above, in a file.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The error.
        source: Box<ImageError>,
    },
}

impl ImageError {
    /// Adds the name of the file.
    pub(crate) fn in_file(self, path: &Path) -> Self {
        Self::File { path: path.to_owned(), source: Box::new(self) }
    }
}
