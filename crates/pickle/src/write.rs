use crate::opcode::{APPENDS, BINUNICODE, EMPTY_DICT, EMPTY_LIST, MARK, PROTO, SETITEMS, STOP};

/// Writes a dictionary from text to lists of text as a pickle of protocol 2.
///
/// Python's `pickle.load` returns `{key: [item, ..], ..}` in the given order. Nothing is shared between the lists, so
/// the pickle contains no references. Text of more than 4 GiB is cut.
///
/// ```
/// use hard_imagenet_pickle::{Pickle, write_text_lists};
///
/// let bytes = write_text_lists([("dog sled", ["a.JPEG", "b.JPEG"])]);
/// let pickle = Pickle::parse(&bytes)?;
/// assert_eq!(format!("{:?}", pickle.root().entries().unwrap().next().unwrap()), r#"("dog sled", a list of 2)"#);
/// # Ok::<(), hard_imagenet_pickle::PickleError>(())
/// ```
pub fn write_text_lists<'a, L>(lists: impl IntoIterator<Item = (&'a str, L)>) -> Vec<u8>
where
    L: IntoIterator<Item = &'a str>,
{
    let mut bytes = vec![PROTO, 2, EMPTY_DICT, MARK];
    for (key, list) in lists {
        push_text(&mut bytes, key);
        bytes.extend([EMPTY_LIST, MARK]);
        list.into_iter().for_each(|item| push_text(&mut bytes, item));
        bytes.push(APPENDS);
    }
    bytes.extend([SETITEMS, STOP]);
    bytes
}

/// Appends the length in four bytes and the UTF-8.
fn push_text(bytes: &mut Vec<u8>, text: &str) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    bytes.push(BINUNICODE);
    bytes.extend(length.to_le_bytes());
    bytes.extend(&text.as_bytes()[..length as usize]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_of_protocol_2() {
        let written = write_text_lists([("a", ["x.JPEG", "é"])]);
        let mut expected = b"\x80\x02}(X\x01\0\0\0a](X\x06\0\0\0x.JPEGX\x02\0\0\0".to_vec();
        expected.extend("é".as_bytes());
        expected.extend(b"eu.");
        assert_eq!(written, expected);
    }
}
