//! Compares with results of Pillow, which golden/make.py writes.

use hard_imagenet_images::{
    ImageError, MaskReading, MaskRule, Orientation, PairedTransform, Resize, Rgb8, decode_image, read_image, read_mask,
    read_mask_with,
};
use std::path::{Path, PathBuf};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

#[test]
fn resized_images_equal_pillow_to_the_bit() {
    let mut cases = 0;
    for entry in golden("resize").read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let [source, filter, size, "png"] = name.split('.').collect::<Vec<_>>()[..] else { continue };
        let (width, height) = size.split_once('x').unwrap();
        let transform = PairedTransform {
            resize: Resize::Squash(height.parse().unwrap(), width.parse().unwrap()),
            crop: None,
            filter: serde_json::from_value(filter.into()).unwrap(),
            mask_rule: MaskRule::AnyInk,
        };
        let source = golden(&format!("resize/{source}.png"));
        let (tall, wide) = (height.parse().unwrap(), width.parse().unwrap());
        let resized = read_image(&source).unwrap().resize(tall, wide, transform.filter);
        assert!(resized == read_image(&path).unwrap(), "{name}");
        let resized = read_mask(&source).unwrap().resize(tall, wide, transform.filter);
        // Not a mask, but brightness after a resize.
        let expected = read_mask_with(&path, &MaskReading::Brightness, Orientation::AsStored).unwrap().0;
        if source.ends_with("gray.png") {
            assert!(resized == expected, "{name}");
        }
        let image = transform.apply_to_image(&read_image(&source).unwrap());
        assert!(Rgb8::from(&image) == read_image(&path).unwrap(), "{name}");
        let mask = transform.apply_to_mask(&read_mask(&source).unwrap());
        if source.ends_with("gray.png") {
            let expected: Vec<u8> = expected.data.iter().map(|&v| u8::from(v > 0)).collect();
            assert_eq!(mask.as_slice(), expected, "{name}");
        }
        cases += 1;
    }
    assert_eq!(cases, 40);
}

#[test]
fn every_format_decodes_as_in_pillow() {
    // Decoders of lossy formats may differ by a few levels, the tolerance.
    let jpeg = |tolerance: u8| if cfg!(feature = "turbojpeg") { 0 } else { tolerance };
    let check = |name: &str, tolerance: u8| {
        let image = read_image(&golden(&format!("decode/{name}"))).unwrap();
        let expected = read_image(&golden(&format!("decode/{name}.rgb.png"))).unwrap();
        assert_eq!((image.height, image.width), (24, 40), "{name}");
        let most = image.data.iter().zip(&expected.data).map(|(&a, &b)| a.abs_diff(b)).max();
        assert!(most.unwrap() <= tolerance, "{name}: image differs by {most:?}");
        let brightness =
            |name: &str| read_mask_with(&golden(name), &MaskReading::Brightness, Orientation::AsStored).unwrap().0;
        let mask = brightness(&format!("decode/{name}"));
        let expected = brightness(&format!("decode/{name}.gray.png"));
        let most = mask.data.iter().zip(&expected.data).map(|(&a, &b)| a.abs_diff(b)).max();
        assert!(most.unwrap() <= tolerance, "{name}: mask differs by {most:?}");
    };
    for name in ["rgb.jpg", "rotated.jpg", "progressive.jpg", "gray.jpg", "cmyk.jpg"] {
        check(name, jpeg(3));
    }
    for name in ["422.jpg", "420.jpg", "440.jpg", "411.jpg", "progressive420.jpg", "restarts.jpg"] {
        check(name, jpeg(9));
    }
    for name in ["rgb.png", "rgba.png", "gray.png", "grayalpha.png", "palette.png", "clear.png", "interlaced.png"] {
        check(name, 0);
    }
    for name in ["onebit.png", "twobit.png", "fourbit.png", "sixteen.png", "deep.png"] {
        check(name, 0);
    }
    for name in ["gif.gif", "bmp.bmp", "palette.bmp", "gray.bmp", "onebit.bmp", "alpha.bmp"] {
        check(name, 0);
    }
    for name in ["webp.webp", "alpha.webp", "lossy.webp"] {
        check(name, 0);
    }
}

#[test]
fn a_truncated_image_is_an_error_wherever_it_ends() {
    for name in ["rgb.jpg", "progressive.jpg", "gray.jpg", "rgb.png", "webp.webp", "gif.gif", "bmp.bmp"] {
        let bytes = std::fs::read(golden(&format!("decode/{name}"))).unwrap();
        for keep in [bytes.len() / 3, bytes.len() / 2, bytes.len() * 9 / 10] {
            let result = decode_image(&bytes[..keep]);
            assert!(result.is_err(), "{keep} of {} bytes of {name}", bytes.len());
        }
    }
    let jpeg = std::fs::read(golden("decode/rgb.jpg")).unwrap();
    for keep in 3..jpeg.len() {
        assert!(matches!(decode_image(&jpeg[..keep]), Err(ImageError::Truncated)), "{keep} of {} bytes", jpeg.len());
    }
    // Bytes after the end do no harm.
    let longer = [jpeg.as_slice(), b"trailing"].concat();
    assert_eq!(decode_image(&longer).unwrap(), decode_image(&jpeg).unwrap());
}

#[test]
fn errors_name_the_file_and_the_remedy() {
    let error = read_image(Path::new("/nowhere/image.jpg")).unwrap_err().to_string();
    assert!(error.starts_with("cannot read /nowhere/image.jpg: "), "{error}");

    let folder = tempfile::tempdir().unwrap();
    let check = |content: &[u8], expected: &str| {
        let path = folder.path().join("image.jpg");
        std::fs::write(&path, content).unwrap();
        let error = read_mask(&path).unwrap_err().to_string();
        assert!(error.contains("image.jpg: ") && error.contains(expected), "{error}");
    };
    check(b"", "the file is empty");
    check(b"<html>404</html>", "not an image of a known format");
    check(&std::fs::read(golden("decode/rgb.jpg")).unwrap()[..500], "truncated");

    let image = Rgb8 { height: 1, width: 1, data: vec![1, 2, 3] };
    let error = image.save(&folder.path().join("missing/image.png")).unwrap_err().to_string();
    assert!(error.starts_with("cannot write ") && error.contains("missing/image.png"), "{error}");
    let broken = Rgb8 { height: 2, width: 1, data: vec![1, 2, 3] };
    assert!(broken.encode_png().unwrap_err().to_string().contains("2 × 1"));
}

#[test]
fn a_jpeg_file_decodes_to_nearly_the_same_image() {
    let data = (0..32 * 32 * 3).map(|i| (i / 96 * 4 + i % 96) as u8).collect();
    let image = Rgb8 { height: 32, width: 32, data };
    let back = decode_image(&image.encode_jpeg(95).unwrap()).unwrap();
    assert_eq!((back.height, back.width), (32, 32));
    let off: u32 = back.data.iter().zip(&image.data).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
    assert!(off < 5 * back.data.len() as u32, "{off}");
}

#[test]
fn a_png_file_decodes_to_the_same_image() {
    let image = Rgb8 { height: 2, width: 3, data: (0..18).map(|v| v * 14).collect() };
    assert_eq!(decode_image(&image.encode_png().unwrap()).unwrap(), image);
}
