//! File names as text: names that are no text, safe names of archive entries, and names in one normal form.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// A byte that is no text is kept as the character `ESCAPE + byte`, which is in a private area of Unicode that no
/// alphabet uses. So different names stay different, and the name of the file can be restored.
const ESCAPE: u32 = 0xef00;

/// Returns the byte for which a character stands.
fn escaped_byte(c: char) -> Option<u8> {
    u8::try_from(u32::from(c).wrapping_sub(ESCAPE)).ok().filter(|byte| *byte >= 0x80)
}

/// Converts the bytes of a file name to text. Each byte that is no UTF-8 becomes one character, which
/// [`readable`] shows as U+FFFD.
pub(super) fn from_bytes(raw: &[u8]) -> String {
    let mut name = String::with_capacity(raw.len());
    let escape = |name: &mut String, bytes: &[u8]| {
        name.extend(bytes.iter().filter_map(|&byte| char::from_u32(ESCAPE + u32::from(byte))));
    };
    for chunk in raw.utf8_chunks() {
        for c in chunk.valid().chars() {
            // A character that already is such an escape is escaped itself.
            match escaped_byte(c) {
                Some(_) => escape(&mut name, c.encode_utf8(&mut [0; 4]).as_bytes()),
                None => name.push(c),
            }
        }
        escape(&mut name, chunk.invalid());
    }
    name
}

/// Converts the name of a file to text; the inverse is [`to_os`].
pub(super) fn from_os(name: &OsStr) -> String {
    #[cfg(unix)]
    return from_bytes(std::os::unix::ffi::OsStrExt::as_bytes(name));
    #[cfg(not(unix))]
    return name.to_string_lossy().into_owned();
}

/// Returns the name of the file for which the text stands.
pub(super) fn to_os(name: &str) -> Cow<'_, OsStr> {
    if is_text(name) || cfg!(not(unix)) {
        return Cow::Borrowed(OsStr::new(name));
    }
    #[cfg_attr(not(unix), expect(unused_mut, unused_variables, reason = "names are text on other systems"))]
    let mut raw = Vec::with_capacity(name.len());
    for c in name.chars() {
        match escaped_byte(c) {
            Some(byte) => raw.push(byte),
            None => raw.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    #[cfg(unix)]
    return Cow::Owned(<OsString as std::os::unix::ffi::OsStringExt>::from_vec(raw));
    #[cfg(not(unix))]
    return Cow::Owned(OsString::from(name));
}

/// Returns whether the file name is UTF-8.
pub(crate) fn is_text(name: &str) -> bool {
    !name.chars().any(|c| escaped_byte(c).is_some())
}

/// Returns the name for people and for ids, with U+FFFD for each byte that is no text.
pub(crate) fn readable(name: &str) -> String {
    name.chars().map(|c| if escaped_byte(c).is_some() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Returns the name with `%E9` for each byte that is no text, so that different names stay different.
pub(crate) fn spelled_out(name: &str) -> String {
    let spell = |c: char| escaped_byte(c).map_or_else(|| c.to_string(), |byte| format!("%{byte:02X}"));
    name.chars().map(spell).collect()
}

/// Returns a name in the normal form in which names are compared (NFC): "ü" may be one character or two.
pub(crate) fn normal(name: &str) -> Cow<'_, str> {
    if is_nfc(name) { Cow::Borrowed(name) } else { Cow::Owned(name.nfc().collect()) }
}

/// Returns the name of an archive entry as `folder/file`, or `None` if the name is not accepted.
///
/// Refused are names that are absolute, begin with a drive (`C:`), or contain `..`, a backslash or a control character,
/// because they could lead out of the archive on some systems.
pub(super) fn safe_name(raw: &[u8]) -> Option<String> {
    let name = from_bytes(raw);
    if name.starts_with('/') || has_drive(&name) || name.chars().any(|c| c == '\\' || c.is_control()) {
        return None;
    }
    let parts: Vec<&str> = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    (!parts.is_empty() && !parts.contains(&"..")).then(|| parts.join("/"))
}

/// Returns whether a name begins with a drive of Windows: "C:".
pub(crate) fn has_drive(name: &str) -> bool {
    matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

/// Why entries are skipped that [`safe_name`] refuses.
pub(super) const UNSAFE_NAME: &str = "the name leads out of the archive, or holds a backslash or a control character";

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
        check(b"a\xff", Some("a\u{efff}"));
        check(b"a/12:30.png", Some("a/12:30.png"));
        for raw in ["/etc/passwd", "../a", "a/../../b", "a/..", "..", "", ".", "C:/a", "C:a", "a\\b", "a\0b", "a\nb"] {
            check(raw.as_bytes(), None);
        }
        check(b"..\xff/../a", None);
    }

    #[test]
    fn every_name_is_restored() {
        let long = [b"abc".as_slice(), &[0xff, 0x80, 0xe9], "é\u{efe9}\u{ef00}".as_bytes(), b"\xf0\x9f"].concat();
        let names = [b"caf\xe9.png".as_slice(), "é.png".as_bytes(), "\u{efe9}".as_bytes(), &long];
        for raw in names {
            let name = from_bytes(raw);
            assert_eq!(to_os(&name).as_encoded_bytes(), raw, "{name:?}");
            assert_eq!(is_text(&name), std::str::from_utf8(raw).is_ok_and(|text| text != "\u{efe9}"));
        }
        // A character that looks like the escape of a byte is not taken for it.
        assert_ne!(from_bytes(b"\xe9"), from_bytes("\u{efe9}".as_bytes()));
        assert_eq!(readable(&from_bytes(b"caf\xe9.png")), "caf\u{fffd}.png");
        assert_eq!(spelled_out(&from_bytes(b"caf\xe9.png")), "caf%E9.png");
    }

    #[test]
    fn composed_and_decomposed_names_are_equal() {
        assert_eq!(normal("Mu\u{308}ller"), "M\u{fc}ller");
        assert_eq!(normal("M\u{fc}ller"), "M\u{fc}ller");
        assert_eq!(normal("\u{1112}\u{1161}\u{11ab}"), "\u{d55c}");
        assert_eq!(normal("\u{212b}"), "\u{c5}");
    }
}
