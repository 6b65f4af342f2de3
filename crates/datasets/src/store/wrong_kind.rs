//! What a file is that was given instead of a folder or an archive.

use hard_imagenet_files::{LFS_POINTER, is_lfs_pointer};

/// The first bytes of kinds of files that people give by mistake, and what to do about each.
const KINDS: [(&[u8], &str); 16] = [
    (b"\x89PNG", IMAGE),
    (b"\xff\xd8\xff", IMAGE),
    (b"GIF8", IMAGE),
    (b"BM", IMAGE),
    (b"II*\0", IMAGE),
    (b"MM\0*", IMAGE),
    (b"RIFF", IMAGE),
    (b"Rar!", "is a RAR archive, which is not read; unpack it and use the folder"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive, which is not read; unpack it and use the folder"),
    (b"\xfd7zXZ", COMPRESSED),
    (b"BZh", COMPRESSED),
    (b"\x28\xb5\x2f\xfd", COMPRESSED),
    (b"PAR1", "is a Parquet file; expected a folder, a zip or a tar"),
    (b"\x89HDF", "is an HDF5 file; expected a folder, a zip or a tar"),
    (b"{", JSON),
    (b"[", JSON),
];

const IMAGE: &str = "is a single image; expected the folder, zip or tar that holds the images";
const COMPRESSED: &str = "is compressed by xz, bzip2 or zstd, which is not read; unpack it, or decompress it to a tar";
const JSON: &str = "is a JSON file; expected a folder, a zip or a tar";

/// Describes a file by its first bytes, with the way out, to be printed after the file's name.
pub(super) fn describe(start: &[u8]) -> &'static str {
    if start.is_empty() {
        return "is an empty file; expected a folder, a zip or a tar; get the file again if it should be an archive";
    }
    if is_lfs_pointer(start) {
        return LFS_POINTER;
    }
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let known =
        KINDS.iter().find(|(magic, _)| start.starts_with(magic) || (magic.len() == 1 && text.starts_with(magic)));
    known.map_or("is neither a folder nor a zip, tar or tar.gz; expected one of these", |(_, what)| what)
}
