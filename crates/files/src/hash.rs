use sha2::{Digest, Sha256};
use std::io::{self, Read};

/// Bytes that are read and hashed at a time: large enough that the calls cost nothing, small enough for the L2 cache.
const BLOCK: usize = 1 << 18;

/// Returns the SHA-256 of bytes as 64 lowercase hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Returns the SHA-256 of everything a reader yields, as 64 lowercase hexadecimal digits.
///
/// # Errors
/// Returns the reader's error.
pub fn sha256_hex_of_reader(mut reader: impl Read) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut block = vec![0; BLOCK];
    loop {
        match reader.read(&mut block) {
            Ok(0) => return Ok(hex(&hasher.finalize())),
            Ok(count) => hasher.update(&block[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Returns bytes as lowercase hexadecimal digits, two per byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_equal_the_published_examples() {
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_hex(b"abc"), abc);
        assert_eq!(sha256_hex_of_reader(&b"abc"[..]).unwrap(), abc);
    }

    #[test]
    fn a_reader_hashes_like_its_bytes_across_blocks() {
        let bytes: Vec<u8> = (0..2 * BLOCK + 7).map(|i| i as u8).collect();
        assert_eq!(sha256_hex_of_reader(&bytes[..]).unwrap(), sha256_hex(&bytes));
    }
}
