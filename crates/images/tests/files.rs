//! Image files that are unusual, but that people have.

use hard_imagenet_images::{ImageError, Orientation, Rgb8, decode_image, decode_image_with, decode_mask_with};
use image::metadata::Orientation as Turn;
use image::{DynamicImage, ImageEncoder, ImageFormat};
use std::io::Cursor;

fn image(height: usize, width: usize) -> Rgb8 {
    Rgb8 { height, width, data: (0..height * width * 3).map(|i| (i * 7 % 256) as u8).collect() }
}

fn dynamic(image: &Rgb8) -> DynamicImage {
    let buffer = image::RgbImage::from_raw(image.width as u32, image.height as u32, image.data.clone());
    DynamicImage::ImageRgb8(buffer.unwrap())
}

fn file(image: &Rgb8, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    dynamic(image).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// An EXIF block that holds an orientation only.
fn exif(orientation: u8) -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    exif
}

/// A JPEG file with an EXIF block after another block of the same kind.
fn turned_jpeg(image: &Rgb8, orientation: u8) -> Vec<u8> {
    let jpeg = image.encode_jpeg(100).unwrap();
    let segment = |data: &[u8]| {
        let length = (data.len() as u16 + 2).to_be_bytes();
        [&[0xFF, 0xE1], &length[..], data].concat()
    };
    let block = [b"Exif\0\0", &exif(orientation)[..]].concat();
    [&jpeg[..2], &segment(b"http://ns.adobe.com/xap/1.0/\0<x/>"), &segment(&block), &jpeg[2..]].concat()
}

fn turned_png(image: &Rgb8, orientation: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    encoder.set_exif_metadata(exif(orientation)).unwrap();
    let (width, height) = (image.width as u32, image.height as u32);
    encoder.write_image(&image.data, width, height, image::ExtendedColorType::Rgb8).unwrap();
    bytes
}

#[test]
fn orientation_is_reported_and_applied_on_demand() {
    let source = image(5, 9);
    for orientation in 1..=8 {
        for bytes in [turned_jpeg(&source, orientation), turned_png(&source, orientation)] {
            let (stored, facts) = decode_image_with(&bytes, Orientation::AsStored).unwrap();
            assert_eq!((stored.height, stored.width), (5, 9));
            assert_eq!((facts.orientation, facts.is_turned), (Some(orientation), false));
            assert_eq!(decode_image(&bytes).unwrap(), stored);

            let (upright, facts) = decode_image_with(&bytes, Orientation::Upright).unwrap();
            assert_eq!((facts.orientation, facts.is_turned), (Some(orientation), orientation != 1));
            let mut expected = dynamic(&stored);
            expected.apply_orientation(Turn::from_exif(orientation).unwrap());
            assert_eq!((upright.height, upright.width), (expected.height() as usize, expected.width() as usize));
            assert_eq!(upright.data, expected.into_rgb8().into_raw(), "orientation {orientation}");
            // A mask that states an orientation is turned the same way.
            let (mask, _) = decode_mask_with(&bytes, &"brightness".parse().unwrap(), Orientation::Upright).unwrap();
            assert_eq!((mask.height, mask.width), (upright.height, upright.width));
        }
    }
    let plain = source.encode_jpeg(90).unwrap();
    assert_eq!(decode_image_with(&plain, Orientation::Upright).unwrap().1.orientation, None);
    // Values that mean nothing.
    for orientation in [0, 9, 255] {
        let (read, facts) = decode_image_with(&turned_jpeg(&source, orientation), Orientation::Upright).unwrap();
        assert_eq!((read.height, facts.orientation, facts.is_turned), (5, None, false));
    }
    assert!("sideways".parse::<Orientation>().unwrap_err().contains("\"upright\""));
}

#[test]
fn a_png_file_without_its_end_is_read_if_all_pixels_are_there() {
    let source = image(11, 23);
    let bytes = source.encode_png().unwrap();
    assert!(!decode_image_with(&bytes, Orientation::AsStored).unwrap().1.is_incomplete);
    // 12 bytes of the last chunk, the checksum of the chunk before, and the one of the compressed data.
    for missing in 1..=20 {
        let (read, facts) = decode_image_with(&bytes[..bytes.len() - missing], Orientation::AsStored)
            .unwrap_or_else(|error| panic!("{missing} bytes are missing: {error}"));
        assert!(read == source && facts.is_incomplete, "{missing} bytes are missing");
        let mask = decode_mask_with(&bytes[..bytes.len() - missing], &"auto".parse().unwrap(), Orientation::AsStored);
        assert!(mask.unwrap().1.is_incomplete);
    }
    for missing in [30, 60, bytes.len() / 2] {
        assert!(matches!(decode_image(&bytes[..bytes.len() - missing]), Err(ImageError::Truncated)), "{missing}");
    }
}

/// Pillow 13 gives the color of index 0, or of the transparent index, to what the first frame does not cover.
#[test]
fn a_gif_frame_may_be_smaller_or_larger_than_its_canvas() {
    let palette = [[222, 232, 95], [91, 101, 102], [191, 214, 171], [1, 2, 3]];
    let gif = |canvas: (u16, u16), at: (u16, u16), transparent, local: Option<Vec<u8>>| {
        let mut bytes = Vec::new();
        let mut encoder = gif::Encoder::new(&mut bytes, canvas.0, canvas.1, palette.as_flattened()).unwrap();
        let (left, top) = at;
        let frame = gif::Frame {
            width: 2,
            height: 2,
            left,
            top,
            transparent,
            palette: local,
            buffer: vec![1, 2, 2, 3].into(),
            ..Default::default()
        };
        encoder.write_frame(&frame).unwrap();
        drop(encoder);
        bytes[11] = 2; // the background color, which Pillow ignores
        decode_image(&bytes).unwrap()
    };
    let check = |read: Rgb8, height, width, expected: &[usize], palette: &[[u8; 3]]| {
        let colors: Vec<[u8; 3]> = expected.iter().map(|&i| palette[i]).collect();
        assert_eq!((read.height, read.width), (height, width));
        assert_eq!(read.data, colors.as_flattened());
    };
    check(gif((4, 3), (1, 1), None, None), 3, 4, &[0, 0, 0, 0, 0, 1, 2, 0, 0, 2, 3, 0], &palette);
    check(gif((4, 3), (1, 1), Some(3), None), 3, 4, &[3, 3, 3, 3, 3, 1, 2, 3, 3, 2, 3, 3], &palette);
    check(gif((2, 3), (0, 1), None, None), 3, 2, &[0, 0, 1, 2, 2, 3], &palette);
    let local = [[9, 8, 7], [6, 5, 4], [3, 2, 1], [0, 9, 0]];
    check(gif((3, 2), (1, 0), None, Some(local.as_flattened().to_vec())), 2, 3, &[0, 1, 2, 0, 2, 3], &local);
    check(gif((2, 2), (1, 0), None, None), 2, 3, &[0, 1, 2, 0, 2, 3], &palette);
}

#[test]
fn tiff_files_are_read() {
    let source = image(6, 7);
    let bytes = file(&source, ImageFormat::Tiff);
    assert_eq!(decode_image(&bytes).unwrap(), source);
    for keep in 0..bytes.len() {
        if let Ok(read) = decode_image(&bytes[..keep]) {
            assert_eq!(read, source, "{keep} bytes");
        }
    }
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        let _ = decode_image(&damaged);
        let _ = decode_mask_with(&damaged, &"auto".parse().unwrap(), Orientation::Upright);
    }
}

#[test]
fn wide_images_are_read() {
    for (height, width) in [(1, 17_000), (17_000, 1), (40, 17_000), (3, 65_500)] {
        let source = Rgb8 { height, width, data: vec![90; height * width * 3] };
        assert_eq!(decode_image(&source.encode_png().unwrap()).unwrap(), source);
        let jpeg = decode_image(&source.encode_jpeg(90).unwrap()).unwrap();
        assert_eq!((jpeg.height, jpeg.width, jpeg.data[0].abs_diff(90) < 2), (height, width, true));
        let small = jpeg.resize(8, 8, hard_imagenet_images::Filter::Bilinear);
        assert!(small.data.iter().all(|value| value.abs_diff(90) < 2));
    }
}
