//! Masks of every kind that people and tools draw, each with the object that is meant.

use hard_imagenet_images::{
    Gray8, ImageError, MaskKind, MaskReading, MaskValue, Orientation, Rgb8, decode_mask, decode_mask_with,
};
use image::{DynamicImage, ImageFormat};
use png::{BitDepth, ColorType};
use std::io::Cursor;

/// A square of 4 × 4 in an image of 8 × 8: true where the object is.
fn object() -> Vec<bool> {
    (0..64).map(|i| (2..6).contains(&(i / 8)) && (2..6).contains(&(i % 8))).collect()
}

/// Chooses a value for the background and one for the object.
fn paint<T: Copy>(background: T, inside: T) -> Vec<T> {
    object().into_iter().map(|is_object| if is_object { inside } else { background }).collect()
}

fn png(color: ColorType, depth: BitDepth, data: &[u8], palette: &[u8], transparent: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 8, 8);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if !palette.is_empty() {
        encoder.set_palette(palette.to_vec());
    }
    if !transparent.is_empty() {
        encoder.set_trns(transparent.to_vec());
    }
    encoder.write_header().unwrap().write_image_data(data).unwrap();
    bytes
}

/// Packs values into bytes.
fn pack(values: &[u8], depth: usize) -> Vec<u8> {
    values.chunks(8 / depth).map(|group| group.iter().fold(0, |byte, &value| byte << depth | value)).collect()
}

fn gray(values: &[u8]) -> Vec<u8> {
    png(ColorType::Grayscale, BitDepth::Eight, values, &[], &[])
}

fn rgb(values: &[[u8; 3]]) -> Vec<u8> {
    png(ColorType::Rgb, BitDepth::Eight, values.as_flattened(), &[], &[])
}

fn wide(values: &[u16]) -> Vec<u8> {
    let data: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
    png(ColorType::Grayscale, BitDepth::Sixteen, &data, &[], &[])
}

fn indexed(values: &[u8], palette: &[[u8; 3]]) -> Vec<u8> {
    png(ColorType::Indexed, BitDepth::Eight, values, palette.as_flattened(), &[])
}

fn read(bytes: &[u8], reading: &MaskReading) -> (Vec<u8>, MaskKind, String) {
    let (mask, facts) = decode_mask_with(bytes, reading, Orientation::AsStored).unwrap();
    assert_eq!((mask.height, mask.width), (8, 8));
    let values: Vec<String> = facts.values.iter().map(ToString::to_string).collect();
    (mask.data, facts.kind, values.join(" "))
}

/// The file is the square, pure black and white.
fn check(bytes: &[u8], kind: MaskKind, values: &str) {
    assert_eq!(read(bytes, &MaskReading::Auto), (paint(0, 255), kind, values.to_owned()));
}

#[test]
fn black_and_white_masks_stay_as_they_are() {
    check(&gray(&paint(0, 255)), MaskKind::BlackAndWhite, "");
    check(&rgb(&paint([0; 3], [255; 3])), MaskKind::BlackAndWhite, "");
    let bits = pack(&paint(0, 1), 1);
    check(&png(ColorType::Grayscale, BitDepth::One, &bits, &[], &[]), MaskKind::BlackAndWhite, "");
    check(&wide(&paint(0, 65535)), MaskKind::BlackAndWhite, "");
    check(&wide(&paint(0, 255)), MaskKind::BlackAndWhite, "");
    let none = gray(&[0; 64]);
    assert_eq!(read(&none, &MaskReading::Auto), (vec![0; 64], MaskKind::BlackAndWhite, String::new()));
    let all = gray(&[255; 64]);
    assert_eq!(read(&all, &MaskReading::Auto), (vec![255; 64], MaskKind::BlackAndWhite, String::new()));
}

#[test]
fn numbers_of_classes_are_object() {
    for value in [1, 2, 20, 64, 100, 127, 128, 200, 254] {
        check(&gray(&paint(0, value)), MaskKind::Labels, &value.to_string());
        check(&rgb(&paint([0; 3], [value; 3])), MaskKind::Labels, &value.to_string());
    }
    for value in [1, 2, 256, 1000, 32768, 65534] {
        check(&wide(&paint(0, value)), MaskKind::Labels, &value.to_string());
    }
    // Half of the object is class 1 and half class 255, such as the parts that an annotator left open.
    let mut values = paint(0, 1);
    values.iter_mut().skip(32).for_each(|value| *value = if *value > 0 { 255 } else { 0 });
    check(&gray(&values), MaskKind::Labels, "1 255");
    // Files of 2 and 4 bits.
    let two = png(ColorType::Grayscale, BitDepth::Two, &pack(&paint(0, 1), 2), &[], &[]);
    check(&two, MaskKind::Labels, "1");
    let four = png(ColorType::Grayscale, BitDepth::Four, &pack(&paint(0, 3), 4), &[], &[]);
    check(&four, MaskKind::Labels, "3");
    // More than 16 labels, all of them small.
    let many: Vec<u8> = object().iter().enumerate().map(|(i, &o)| if o { i as u8 } else { 0 }).collect();
    assert_eq!(read(&gray(&many), &MaskReading::Auto).0, paint(0, 255));
}

#[test]
fn colors_of_classes_are_object() {
    for color in [[128, 0, 0], [64, 0, 0], [0, 0, 1], [255, 0, 0], [0, 127, 0]] {
        let text = color.map(|value| value.to_string()).join(",");
        check(&rgb(&paint([0; 3], color)), MaskKind::Labels, &text);
        let wide: Vec<u8> = paint([0; 3], color).as_flattened().iter().flat_map(|&value| [value, 0]).collect();
        check(&png(ColorType::Rgb, BitDepth::Sixteen, &wide, &[], &[]), MaskKind::Labels, &text);
        // PASCAL VOC: the background is black and has index 0.
        check(&indexed(&paint(0, 1), &[[0; 3], color]), MaskKind::Labels, "1");
        // Black lies elsewhere.
        check(&indexed(&paint(1, 0), &[color, [0; 3]]), MaskKind::Labels, "0");
        // The background is white, and black is not used.
        check(&indexed(&paint(0, 2), &[[255; 3], [0; 3], color]), MaskKind::Labels, "2");
    }
    let bits = pack(&paint(0, 1), 1);
    let one = png(ColorType::Indexed, BitDepth::One, &bits, &[0, 0, 0, 64, 0, 0], &[]);
    check(&one, MaskKind::Labels, "1");
    // A mask that is object everywhere.
    let full = indexed(&[1; 64], &[[0; 3], [128, 0, 0]]);
    assert_eq!(read(&full, &MaskReading::Auto).0, [255; 64]);
}

#[test]
fn gray_palettes_are_read_by_brightness() {
    check(&indexed(&paint(0, 1), &[[0; 3], [255; 3]]), MaskKind::BlackAndWhite, "");
    // The white object has the first index.
    check(&indexed(&paint(1, 0), &[[255; 3], [0; 3]]), MaskKind::BlackAndWhite, "");
    let ramp: Vec<[u8; 3]> = (0..=255).map(|value| [value; 3]).collect();
    check(&indexed(&paint(0, 1), &ramp), MaskKind::Labels, "1");
    check(&indexed(&paint(0, 255), &ramp), MaskKind::BlackAndWhite, "");
    // A palette without colors: the indices decide.
    check(&indexed(&paint(0, 1), &[[0; 3], [0; 3]]), MaskKind::Labels, "1");
}

#[test]
fn cut_outs_keep_the_object_in_alpha() {
    let rgba = |background: [u8; 4], inside: [u8; 4]| {
        png(ColorType::Rgba, BitDepth::Eight, paint(background, inside).as_flattened(), &[], &[])
    };
    check(&rgba([0; 4], [0, 0, 0, 255]), MaskKind::CutOut, "");
    check(&rgba([255, 255, 255, 0], [255; 4]), MaskKind::CutOut, "");
    check(&rgba([9, 80, 7, 0], [200, 30, 90, 255]), MaskKind::CutOut, "");
    check(&rgba([0; 4], [0, 0, 0, 1]), MaskKind::CutOut, "");
    // A constant alpha says nothing.
    check(&rgba([0, 0, 0, 255], [255; 4]), MaskKind::BlackAndWhite, "");
    check(&rgba([0; 4], [255, 255, 255, 0]), MaskKind::BlackAndWhite, "");
    check(&rgba([0, 0, 0, 255], [128, 0, 0, 255]), MaskKind::Labels, "128,0,0");
    let gray_alpha = png(ColorType::GrayscaleAlpha, BitDepth::Eight, paint([7, 0], [7, 255]).as_flattened(), &[], &[]);
    check(&gray_alpha, MaskKind::CutOut, "");
    // Transparent colors of a palette and of gray files.
    let palette = [[90, 10, 10], [10, 90, 10]];
    let keyed = png(ColorType::Indexed, BitDepth::Eight, &paint(1, 0), palette.as_flattened(), &[255, 0]);
    check(&keyed, MaskKind::CutOut, "");
    let keyed = png(ColorType::Grayscale, BitDepth::Eight, &paint(7, 9), &[], &[0, 7]);
    check(&keyed, MaskKind::CutOut, "");
    // Black and white where it can be seen: a white object on black, of which a corner was cut off.
    let mut values = paint([0, 0, 0, 255], [255; 4]);
    values[63] = [0; 4];
    check(&png(ColorType::Rgba, BitDepth::Eight, values.as_flattened(), &[], &[]), MaskKind::BlackAndWhite, "");
    // Soft edges stay soft.
    let soft: Vec<[u8; 4]> = (0..64).map(|i| [9, 9, 9, if i % 8 < 4 { 0 } else { i as u8 * 4 }]).collect();
    let expected: Vec<u8> = soft.iter().map(|pixel| pixel[3]).collect();
    let file = png(ColorType::Rgba, BitDepth::Eight, soft.as_flattened(), &[], &[]);
    assert_eq!(read(&file, &MaskReading::Auto), (expected, MaskKind::CutOut, String::new()));
}

#[test]
fn brightness_stays_as_it_is() {
    let soft: Vec<u8> = (0..64).map(|i| i * 4).collect();
    assert_eq!(read(&gray(&soft), &MaskReading::Auto), (soft.clone(), MaskKind::Brightness, String::new()));
    let wide_soft: Vec<u16> = soft.iter().map(|&value| u16::from(value) << 8 | 7).collect();
    let expected: Vec<u8> = soft.iter().map(|&value| value.max(1)).collect();
    assert_eq!(read(&wide(&wide_soft), &MaskReading::Auto).0, expected);
    // Few values, but only at the edge of a white object.
    let mut edge = paint(0, 255);
    (2..6).for_each(|row| edge[row * 8 + 1] = 60);
    assert_eq!(read(&gray(&edge), &MaskReading::Auto), (edge.clone(), MaskKind::Brightness, String::new()));
}

#[test]
fn jpeg_masks_stay_as_they_are_unless_they_are_dark() {
    let jpeg = |value: u8| {
        let data = paint(0, value).into_iter().flat_map(|value| [value; 3]).collect();
        Rgb8 { height: 8, width: 8, data }.encode_jpeg(100).unwrap()
    };
    let stored = read(&jpeg(255), &MaskReading::Brightness).0;
    assert_eq!(read(&jpeg(255), &MaskReading::Auto).0, stored);
    let (dark, kind, _) = read(&jpeg(60), &MaskReading::Auto);
    assert_eq!((dark.iter().max(), kind), (Some(&255), MaskKind::Labels));
    let strict: Vec<bool> = dark.iter().map(|&value| value >= 128).collect();
    assert_eq!(strict, object());
}

#[test]
fn other_formats_follow_the_same_rules() {
    let file = |image: DynamicImage, format| {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let gray = |inside| DynamicImage::ImageLuma8(image::GrayImage::from_raw(8, 8, paint(0, inside)).unwrap());
    let colors = |inside| {
        let data = paint([0; 3], inside).as_flattened().to_vec();
        DynamicImage::ImageRgb8(image::RgbImage::from_raw(8, 8, data).unwrap())
    };
    let wide = image::ImageBuffer::from_raw(8, 8, paint(0u16, 1)).map(DynamicImage::ImageLuma16).unwrap();
    for format in [ImageFormat::Bmp, ImageFormat::Tiff, ImageFormat::WebP] {
        check(&file(colors([255; 3]), format), MaskKind::BlackAndWhite, "");
        check(&file(colors([1; 3]), format), MaskKind::Labels, "1");
        check(&file(colors([64, 0, 0]), format), MaskKind::Labels, "64,0,0");
    }
    check(&file(gray(1), ImageFormat::Tiff), MaskKind::Labels, "1");
    check(&file(wide, ImageFormat::Tiff), MaskKind::Labels, "1");
    check(&file(gray(1), ImageFormat::Bmp), MaskKind::Labels, "1");
    check(&gif(&[[0; 3], [64, 0, 0]], None), MaskKind::Labels, "1");
    check(&gif(&[[0; 3], [255; 3]], None), MaskKind::BlackAndWhite, "");
    check(&gif(&[[7; 3], [7; 3]], Some(0)), MaskKind::CutOut, "");
    check(&palette_tiff([64 << 8, 0, 0]), MaskKind::Labels, "1");
    check(&palette_tiff([64, 0, 0]), MaskKind::Labels, "1");
    check(&palette_tiff([0xFFFF; 3]), MaskKind::BlackAndWhite, "");
}

fn gif(palette: &[[u8; 3]], transparent: Option<u8>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, 8, 8, palette.as_flattened()).unwrap();
    let frame = gif::Frame { width: 8, height: 8, transparent, buffer: paint(0, 1).into(), ..gif::Frame::default() };
    encoder.write_frame(&frame).unwrap();
    drop(encoder);
    bytes
}

/// A TIFF file with a palette of 256 colors, of which the second one is given.
fn palette_tiff(color: [u16; 3]) -> Vec<u8> {
    let entries: [(u16, u16, u32, u32); 9] = [
        (256, 3, 1, 8),
        (257, 3, 1, 8),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 3),
        (273, 4, 1, 8),
        (278, 3, 1, 8),
        (279, 4, 1, 64),
        (320, 3, 768, 186),
    ];
    let mut bytes = b"II*\0".to_vec();
    bytes.extend(72u32.to_le_bytes());
    bytes.extend(paint(0, 1));
    bytes.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([0; 4]);
    assert_eq!(bytes.len(), 186);
    for value in color {
        bytes.extend((0..256).flat_map(|i| if i == 1 { value } else { 0u16 }.to_le_bytes()));
    }
    bytes
}

#[test]
fn values_and_thresholds_can_be_chosen() {
    let chosen = |bytes: &[u8], reading: &str| {
        let (data, kind, _) = read(bytes, &reading.parse().unwrap());
        assert_eq!(kind, MaskKind::Chosen);
        data
    };
    // Class 2 inside, class 1 outside, class 3 in one corner.
    let mut values = paint(1, 2);
    values[0] = 3;
    let palette = [[0; 3], [9, 0, 0], [0, 128, 0], [255, 0, 0]];
    let colors: Vec<[u8; 3]> = values.iter().map(|&value| palette[usize::from(value)]).collect();
    let wide_values: Vec<u16> = values.iter().map(|&value| u16::from(value)).collect();
    let files = [gray(&values), wide(&wide_values), indexed(&values, &palette)];
    let mut with_corner = paint(0, 255);
    with_corner[0] = 255;
    for file in &files {
        assert_eq!(chosen(file, "values 2"), paint(0, 255));
        assert_eq!(chosen(file, "values 2 3"), with_corner);
        assert_eq!(chosen(file, "values 9"), [0; 64]);
    }
    for file in [&indexed(&values, &palette), &rgb(&colors)] {
        assert_eq!(chosen(file, "values 0,128,0"), paint(0, 255));
        assert_eq!(chosen(file, "threshold 128"), with_corner);
        assert_eq!(chosen(file, "threshold 129").iter().filter(|&&value| value > 0).count(), 1);
    }
    let two = png(ColorType::Grayscale, BitDepth::Two, &pack(&paint(1, 2), 2), &[], &[]);
    assert_eq!(chosen(&two, "values 2"), paint(0, 255));
    assert_eq!(chosen(&rgb(&paint([0; 3], [2; 3])), "values 2"), paint(0, 255));
    let value: MaskValue = "1000".parse().unwrap();
    assert_eq!(read(&wide(&paint(0, 1000)), &MaskReading::Values(vec![value])).0, paint(0, 255));
}

#[test]
fn a_damaged_mask_is_an_error() {
    let bytes = gray(&paint(0, 255));
    assert!(matches!(decode_mask(&bytes[..40]), Err(ImageError::Truncated)));
    let mask = Gray8 { height: 8, width: 8, data: paint(0, 255) };
    assert_eq!(decode_mask(&mask.encode_png().unwrap()).unwrap(), mask);
}
