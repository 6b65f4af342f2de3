//! Writes a pickle of the one form that a published ranking has: a dictionary from text to a list of texts.

/// Protocol 2, no references (memo): every text is written where it stands.
pub(crate) fn lists<'a, L>(lists: impl Iterator<Item = (&'a str, L)>) -> Vec<u8>
where
    L: Iterator<Item = &'a str>,
{
    // PROTO 2, EMPTY_DICT, MARK .. SETITEMS, STOP
    let mut bytes = b"\x80\x02}(".to_vec();
    for (key, list) in lists {
        text(&mut bytes, key);
        // EMPTY_LIST, MARK .. APPENDS
        bytes.extend(b"](");
        list.for_each(|item| text(&mut bytes, item));
        bytes.push(b'e');
    }
    bytes.extend(b"u.");
    bytes
}

/// BINUNICODE: length in four bytes, UTF-8.
fn text(bytes: &mut Vec<u8>, text: &str) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    bytes.push(b'X');
    bytes.extend(length.to_le_bytes());
    bytes.extend(&text.as_bytes()[..length as usize]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pickle_by_hand() {
        let made = lists([("a", ["x.JPEG", "é"].into_iter())].into_iter());
        let mut want = b"\x80\x02}(X\x01\0\0\0a](X\x06\0\0\0x.JPEGX\x02\0\0\0".to_vec();
        want.extend("é".as_bytes());
        want.extend(b"eu.");
        assert_eq!(made, want);
    }
}
