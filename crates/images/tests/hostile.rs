//! What a bad download, a bad disk or a bad person can make of a file: an error or a picture, never a panic, soon.

use hard_imagenet_images::{ImageError, decode_image, decode_mask};
use std::path::Path;

/// One small file of each format and each kind of compression.
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
                Ok(picture) => {
                    // What ends after the last pixel lacks nothing.
                    assert_eq!(picture, whole, "{keep} of {} bytes of {name}", bytes.len());
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

/// Whatever comes, it is an error with words or a picture that is as large as it says.
fn check(bytes: &[u8]) {
    match decode_image(bytes) {
        Ok(picture) => assert_eq!(picture.data.len(), picture.height * picture.width * 3),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Ok(mask) = decode_mask(bytes) {
        assert_eq!(mask.data.len(), mask.height * mask.width);
    }
}

#[test]
fn what_is_no_picture() {
    for bytes in [&b"<html>404</html>"[..], &[0; 4096], b"%PDF-1.7", b"GIF", b"\xFF\xD8", &[0xFF; 64]] {
        assert!(decode_image(bytes).is_err(), "{:?}", &bytes[..3.min(bytes.len())]);
    }
    assert!(matches!(decode_image(&[]), Err(ImageError::Empty)));
    assert!(matches!(decode_mask(b"II*\0TIFF files are not read"), Err(ImageError::UnknownFormat)));
}

/// Headers that claim 65500 × 65500 pixels, or as much as the format can say, before any of them.
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
    for name in ["rgb.jpg", "progressive420.jpg", "grey.jpg"] {
        let bytes = file(name);
        let frame = bytes.windows(2).position(|m| m == [0xFF, 0xC0] || m == [0xFF, 0xC2]).unwrap();
        check(&sized(name, frame + 5, &[0xFF, 0xDC, 0xFF, 0xDC]), name);
    }
    check(&sized("gif.gif", 6, &[0xFF; 4]), "gif.gif");
    check(&sized("palette.bmp", 18, &[0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0, 0]), "palette.bmp");
    check(&sized("lossy.webp", 26, &[0xFF, 0x3F, 0xFF, 0x3F]), "lossy.webp");
    let mut png = sized("interlaced.png", 16, &[0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF]);
    let checksum = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&checksum.to_be_bytes());
    check(&png, "interlaced.png");
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}
