//! Damaged and malicious files give an error or an image in short time, and never a panic.

use hard_imagenet_images::{ImageError, decode_image, decode_mask};
use std::path::Path;

/// A small file of each format and each kind of compression.
const FILES: [&str; 9] = [
    "rgb.jpg",
    "progressive420.jpg",
    "restarts.jpg",
    "cmyk.jpg",
    "interlaced.png",
    "fourbit.png",
    "gif.gif",
    "palette.bmp",
    "lossy.webp",
];

fn file(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/decode").join(name)).unwrap()
}

#[test]
fn files_cut_off_anywhere() {
    for name in FILES {
        let bytes = file(name);
        let whole = decode_image(&bytes).unwrap();
        let mut kept = Vec::new();
        for keep in 0..bytes.len() {
            match decode_image(&bytes[..keep]) {
                Ok(image) => {
                    // A file that is cut after the last pixel is complete.
                    assert_eq!(image, whole, "{keep} of {} bytes of {name}", bytes.len());
                    kept.push(keep);
                }
                Err(ImageError::Empty) => assert_eq!(keep, 0),
                Err(_) => {}
            }
        }
        assert!(kept.len() < 24, "{name}: {kept:?}");
    }
}

#[test]
fn a_bit_flipped_anywhere() {
    for name in FILES {
        let bytes = file(name);
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << (at % 8);
            check(&bytes);
            check(&with_checksums(bytes));
        }
    }
}

#[test]
fn a_byte_missing_or_doubled_anywhere() {
    for name in FILES {
        let bytes = file(name);
        for at in (0..bytes.len()).step_by(3) {
            check(&[&bytes[..at], &bytes[at + 1..]].concat());
            check(&[&bytes[..at], &bytes[at.saturating_sub(1)..]].concat());
        }
    }
}

/// Any bytes give an error with a message, or an image with as many values as its size says.
fn check(bytes: &[u8]) {
    match decode_image(bytes) {
        Ok(image) => assert_eq!(image.data.len(), image.height * image.width * 3),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Ok(mask) = decode_mask(bytes) {
        assert_eq!(mask.data.len(), mask.height * mask.width);
    }
}

#[test]
fn bytes_that_are_not_an_image() {
    for bytes in [&b"<html>404</html>"[..], &[0; 4096], b"%PDF-1.7", b"GIF", b"\xFF\xD8", &[0xFF; 64]] {
        assert!(decode_image(bytes).is_err(), "{:?}", &bytes[..3.min(bytes.len())]);
    }
    assert!(matches!(decode_image(&[]), Err(ImageError::Empty)));
    assert!(matches!(decode_mask(b"\0\0\x01\0icons are not read"), Err(ImageError::UnknownFormat)));
    assert!(decode_mask(b"II*\0a TIFF file without a directory").is_err());
}

/// Headers that claim 65500 × 65500 pixels, or the largest size of the format, are refused before memory is allocated.
#[test]
fn headers_that_claim_too_much() {
    let check = |bytes: &[u8], name: &str| {
        let error = decode_image(bytes).unwrap_err();
        assert!(matches!(error, ImageError::TooLarge { .. }), "{name}: {error}");
    };
    let sized = |name: &str, at: usize, size: &[u8]| {
        let mut bytes = file(name);
        bytes[at..at + size.len()].copy_from_slice(size);
        bytes
    };
    for name in ["rgb.jpg", "progressive420.jpg", "gray.jpg"] {
        let bytes = file(name);
        let frame = bytes.windows(2).position(|m| m == [0xFF, 0xC0] || m == [0xFF, 0xC2]).unwrap();
        check(&sized(name, frame + 5, &[0xFF, 0xDC, 0xFF, 0xDC]), name);
    }
    check(&sized("gif.gif", 6, &[0xFF; 4]), "gif.gif");
    check(&sized("palette.bmp", 18, &[0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0, 0]), "palette.bmp");
    check(&sized("lossy.webp", 26, &[0xFF, 0x3F, 0xFF, 0x3F]), "lossy.webp");
    let png = sized("interlaced.png", 16, &[0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF]);
    check(&with_checksums(png), "interlaced.png");
}

/// Fuzzing found that the PNG decoder panics on a palette of incomplete colors.
#[test]
fn a_palette_that_ends_within_a_color() {
    let mut png = file("fourbit.png");
    let palette = png.windows(4).position(|kind| kind == b"PLTE").unwrap();
    png[palette - 1] -= 1;
    png.remove(palette + 4);
    let error = decode_image(&with_checksums(png)).unwrap_err().to_string();
    assert!(error.contains("palette ends within a color"), "{error}");
}

/// Corrects the checksum of every chunk of a PNG file, so that damage gets past them. Other files stay as they are.
fn with_checksums(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut at = 8;
    while bytes.starts_with(b"\x89PNG") && at + 12 <= bytes.len() {
        let length = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let end = at + 8 + length;
        if end + 4 > bytes.len() {
            break;
        }
        let checksum = crc32(&bytes[at + 4..end]);
        bytes[end..end + 4].copy_from_slice(&checksum.to_be_bytes());
        at = end + 4;
    }
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}
