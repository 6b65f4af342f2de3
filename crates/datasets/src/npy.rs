//! NumPy files, as far as datasets need them: small tables of numbers.

/// Returns, row by row, which entries of a two-dimensional array are not zero.
///
/// The array holds integers, floats or booleans, little-endian and in C order.
///
/// # Errors
/// Returns what is wrong with the file.
pub(crate) fn nonzero(bytes: &[u8]) -> Result<Vec<Vec<bool>>, String> {
    let (header, data) = split(bytes).ok_or("this is not a NumPy file, or it is truncated")?;
    // "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 18), }"
    let value = |key: &str| header.split_once(key).map(|(_, rest)| rest.trim_start_matches([':', ' ']));
    let within = |key: &str, open: char, close: char| value(key)?.strip_prefix(open)?.split_once(close).map(|(v, _)| v);
    let kind = within("'descr'", '\'', '\'').unwrap_or_default();
    let plain = value("'fortran_order'").is_some_and(|v| v.starts_with("False"));
    let shape: Vec<usize> =
        within("'shape'", '(', ')').unwrap_or_default().split(',').filter_map(|n| n.trim().parse().ok()).collect();
    let bytes_each = match kind {
        "|b1" | "|u1" | "|i1" => 1,
        "<i2" | "<u2" => 2,
        "<i4" | "<u4" | "<f4" => 4,
        "<i8" | "<u8" | "<f8" => 8,
        _ => 0,
    };
    let &[rows, columns] = shape.as_slice() else { return Err(odd(header)) };
    let expected = rows.checked_mul(columns).and_then(|n| n.checked_mul(bytes_each));
    if !plain || data.is_empty() || expected != Some(data.len()) {
        return Err(odd(header));
    }
    let negative_zero = |entry: &[u8]| kind.contains('f') && entry.last() == Some(&0x80);
    let entry = |entry: &[u8]| {
        let (last, rest) = entry.split_last().unwrap_or((&0, &[]));
        rest.iter().any(|&b| b != 0) || (*last != 0 && !negative_zero(entry))
    };
    Ok(data.chunks_exact(columns * bytes_each).map(|row| row.chunks_exact(bytes_each).map(entry).collect()).collect())
}

fn odd(header: &str) -> String {
    format!(
        "expected a table of numbers in C order with as many numbers as its shape says; the header is {}",
        header.trim()
    )
}

/// Splits a file into its header and its data.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let rest = bytes.strip_prefix(b"\x93NUMPY")?;
    let (version, rest) = rest.split_first_chunk::<2>()?;
    let (length, rest) = match version[0] {
        1 => rest.split_first_chunk().map(|(n, rest)| (usize::from(u16::from_le_bytes(*n)), rest))?,
        _ => rest.split_first_chunk().map(|(n, rest)| (u32::from_le_bytes(*n) as usize, rest))?,
    };
    let (header, data) = rest.split_at_checked(length)?;
    Some((std::str::from_utf8(header).ok()?, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates a file as `numpy.save` writes it.
    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn all_kinds_of_numbers() {
        let check = |kind: &str, data: &[u8]| {
            let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': (2, 2), }}   \n");
            assert_eq!(nonzero(&file(&header, data)).unwrap(), [[true, false], [false, true]], "{kind}");
        };
        let le = |values: [f64; 4]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        check("<f8", &le([1.0, 0.0, -0.0, 0.5]));
        check("<f4", &[1.0f32, 0.0, -0.0, 1.0].iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>());
        check("<i8", &[1i64, 0, 0, -1].iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>());
        check("<i4", &[256i32, 0, 0, i32::MIN].iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>());
        check("|b1", &[1, 0, 0, 1]);
        check("|u1", &[1, 0, 0, 128]);
    }

    #[test]
    fn invalid_tables_are_refused() {
        let check = |bytes: &[u8], word: &str| {
            let error = nonzero(bytes).unwrap_err();
            assert!(error.contains(word), "{error}");
        };
        let header = |kind: &str, order: &str, shape: &str| {
            format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}")
        };
        let whole = file(&header("|b1", "False", "(2, 2)"), &[0; 4]);
        assert!(nonzero(&whole).is_ok());
        check(b"", "not a NumPy file");
        check(b"\x93NUMPY\x01\x00\xff\xff{", "truncated");
        check(&whole[..whole.len() - 1], "as many numbers");
        check(&file(&header("|O", "False", "(2, 2)"), &[0; 4]), "|O");
        check(&file(&header("|b1", "True", "(2, 2)"), &[0; 4]), "True");
        check(&file(&header("|b1", "False", "(4,)"), &[0; 4]), "(4,)");
        check(&file(&header("<f8", "False", "(4294967296, 4294967296)"), &[0; 4]), "4294967296");
        check(&file(&header("|b1", "False", "(0, 0)"), &[]), "(0, 0)");
        check(&file("no dictionary", &[0; 4]), "no dictionary");
    }
}
