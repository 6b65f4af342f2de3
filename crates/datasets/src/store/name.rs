//! Names of entries: which are taken from an archive.

/// The name of an archive's entry as `folder/file`, or `None` if it is one that is never taken: absolute, with a `..`,
/// a backslash, a colon or a control character in it (some systems would take these for a way out), or not UTF-8.
pub(super) fn safe(raw: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(raw).ok()?;
    if name.starts_with('/') || name.chars().any(|c| matches!(c, '\\' | ':') || c.is_control()) {
        return None;
    }
    let parts: Vec<&str> = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    (!parts.is_empty() && !parts.contains(&"..")).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_stay_inside_are_taken() {
        let check = |raw: &[u8], expected: Option<&str>| assert_eq!(safe(raw).as_deref(), expected, "{raw:?}");
        check(b"val/a.JPEG", Some("val/a.JPEG"));
        check(b"./val//a.JPEG", Some("val/a.JPEG"));
        check(b"val/", Some("val"));
        check("väl/a".as_bytes(), Some("väl/a"));
        for raw in ["/etc/passwd", "../a", "a/../../b", "a/..", "..", "", ".", "C:/a", "a\\b", "a\0b", "a\nb"] {
            check(raw.as_bytes(), None);
        }
        check(b"a\xff", None);
    }
}
