use std::path::{Path, PathBuf};

/// Why a picture could not be had, or not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file could not be written.
    #[error("cannot write {path}: {source}; does the folder exist, and may you write there?")]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No bytes at all.
    #[error("the file is empty, expected a picture; fetch it again")]
    Empty,
    /// Not a format that is read here.
    #[error("not a picture in a known format, expected JPEG, PNG, GIF, BMP or WebP (the content counts, not the name)")]
    UnknownFormat,
    /// The data end before the picture does.
    #[error("the picture is truncated: the data end before the image does; fetch the file again")]
    Truncated,
    /// A decompression bomb, or a picture far larger than any of the benchmark.
    #[error("the picture is too large: at most {side} pixels a side and {mebibytes} MiB decoded are accepted")]
    TooLarge {
        /// Longest side accepted.
        side: u32,
        /// Most memory for the decoded picture, in MiB.
        mebibytes: u64,
    },
    /// The format is known, this variant of it is not decoded.
    #[error("this variant of the format cannot be decoded: {0}; convert the file to a plain JPEG or PNG")]
    Unsupported(#[source] image::ImageError),
    /// The data contradict the format.
    #[error("the picture is damaged: {0}; fetch the file again")]
    Damaged(#[source] image::ImageError),
    /// A picture could not be encoded.
    #[error("cannot encode a picture of {height} × {width}: {reason}")]
    Encode {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Any of the above, in this file.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<ImageError>,
    },
}

impl ImageError {
    pub(crate) fn of_file(self, path: &Path) -> Self {
        Self::File { path: path.to_owned(), source: Box::new(self) }
    }
}
