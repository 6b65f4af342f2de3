/// What a file that [`is_lfs_pointer`] accepts is, and what to do about it, to be printed after the file's name.
pub const LFS_POINTER: &str = "is a pointer of Git LFS, not the file itself: run `git lfs pull`";

/// How pointers begin. The second form is that of the first versions.
const BEGINNINGS: [&str; 2] = ["version https://git-lfs.github.com/spec/", "version https://hawser.github.com/spec/"];

/// Returns whether a file is a pointer of Git LFS: a text of a few lines that a clone holds in place of a large file, until
/// `git lfs pull` gets the file itself. The first bytes of the file are enough.
///
/// ```
/// use hard_imagenet_files::is_lfs_pointer;
///
/// assert!(is_lfs_pointer(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"));
/// assert!(!is_lfs_pointer(b"\x89PNG\r\n\x1a\n"));
/// ```
pub fn is_lfs_pointer(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    BEGINNINGS.iter().any(|beginning| text.starts_with(beginning.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::is_lfs_pointer;

    #[test]
    fn pointers_are_distinguished_from_other_files() {
        for pointer in [
            "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
            "version https://git-lfs.github.com/spec/v1\r\noid sha256:00\r\nsize 1\r\n",
            "version https://hawser.github.com/spec/v1\noid sha256:00\nsize 1\n",
            "\u{feff}version https://git-lfs.github.com/spec/v1\n",
        ] {
            assert!(is_lfs_pointer(pointer.as_bytes()), "{pointer}");
        }
        for other in ["", "version", "version 1.0\n", "# version https://git-lfs.github.com/spec/v1", "PK\u{3}\u{4}"] {
            assert!(!is_lfs_pointer(other.as_bytes()), "{other}");
        }
    }
}
