//! Safe names of archive entries.

/// Returns the name of an archive entry as `folder/file`, or `None` if the name is not accepted.
///
/// Refused are names that are absolute, are not UTF-8, or contain `..`, a backslash, a colon or a control character,
/// because they could lead out of the archive on some systems.
pub(super) fn safe_name(raw: &[u8]) -> Option<String> {
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
    fn only_names_that_stay_inside_are_accepted() {
        let check = |raw: &[u8], expected: Option<&str>| assert_eq!(safe_name(raw).as_deref(), expected, "{raw:?}");
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
