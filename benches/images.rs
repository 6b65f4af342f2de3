//! Times decoding, resampling and whole items: `cargo bench -p hard-imagenet-benches --bench images`.
//!
//! `python/images.py` times the libraries of the published code on the same images under the same names.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fast_image_resize::images::Image;
use fast_image_resize::{FilterType as Fast, PixelType, ResizeAlg, ResizeOptions, Resizer};
use hard_imagenet_images::{
    Filter, Gray8, MaskRule, PairedTransform, Pixels, Preprocessing, RandomResizedCrop, Resize, Rgb8, decode_image,
    decode_mask,
};
use image::RgbImage;
use image::imageops::FilterType;
use std::hint::black_box;

/// Sizes of images, (height, width): ImageNet's usual size, the same in portrait format, and a larger one.
const SIZES: [(usize, usize); 3] = [(375, 500), (500, 375), (1080, 1920)];

/// Makes smooth waves with a texture, similar to a photograph. `python/images.py` repeats this formula.
fn make_image(height: usize, width: usize) -> Rgb8 {
    let value = |row: usize, column: usize, channel: usize| {
        let (y, x) = (row as f64, column as f64);
        let waves = 60.0 * (x / 37.0 + channel as f64).sin() + 40.0 * (y / 23.0 + x / 91.0).cos();
        let texture = (row * 7919 + column * 104_729 + (row * column) % 97) % 23;
        (128.0 + waves + texture as f64 - 11.0) as u8
    };
    let data = (0..height * width * 3).map(|i| value(i / 3 / width, i / 3 % width, i % 3)).collect();
    Rgb8 { height, width, data }
}

/// Makes a disc, as the object's mask.
fn make_mask(height: usize, width: usize) -> Gray8 {
    let inside = |row: usize, column: usize| {
        let (y, x) = (row as f64 / height as f64 - 0.5, column as f64 / width as f64 - 0.5);
        y * y + x * x < 0.09
    };
    let data = (0..height * width).map(|i| if inside(i / width, i % width) { 255 } else { 0 }).collect();
    Gray8 { height, width, data }
}

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode jpeg");
    for (height, width) in SIZES {
        let jpeg = make_image(height, width).encode_jpeg(90).expect("a JPEG");
        let size = format!("{height}x{width}");
        group.throughput(Throughput::Elements((height * width) as u64));
        group.bench_function(BenchmarkId::new("ours", &size), |b| {
            b.iter(|| decode_image(black_box(&jpeg)).expect("an image"));
        });
        group.bench_function(BenchmarkId::new("image", &size), |b| {
            b.iter(|| image::load_from_memory(black_box(&jpeg)).expect("an image").into_rgb8());
        });
    }
    group.finish();
}

/// Resizes to 256 × 256; ours includes the division by 255. The crate `image` filters in floating point, `fast_image_resize`
/// with 16-bit coefficients; neither equals Pillow.
fn resize(c: &mut Criterion) {
    for filter in Filter::ALL {
        let name = format!("{filter:?}").to_lowercase();
        let mut group = c.benchmark_group(format!("resize {name}"));
        for (height, width) in SIZES {
            let source_image = make_image(height, width);
            let size = format!("{height}x{width}");
            group.throughput(Throughput::Elements((height * width) as u64));
            let (resize, mask_rule) = (Resize::Squash(256, 256), MaskRule::Half);
            let transform = PairedTransform { resize, crop: None, filter, mask_rule };
            group.bench_function(BenchmarkId::new("ours", &size), |b| {
                b.iter(|| transform.apply_to_image(black_box(&source_image)))
            });

            let (columns, rows) = (width as u32, height as u32);
            let theirs = match filter {
                Filter::Nearest => Some(FilterType::Nearest),
                Filter::Bilinear => Some(FilterType::Triangle),
                Filter::Bicubic => Some(FilterType::CatmullRom),
                Filter::Lanczos => Some(FilterType::Lanczos3),
                Filter::Box | Filter::Hamming => None,
            };
            if let Some(theirs) = theirs {
                let rgb =
                    RgbImage::from_raw(columns, rows, source_image.data.clone()).expect("as many bytes as pixels");
                group.bench_function(BenchmarkId::new("image", &size), |b| {
                    b.iter(|| image::imageops::resize(black_box(&rgb), 256, 256, theirs));
                });
            }

            let algorithm = match filter {
                Filter::Nearest => ResizeAlg::Nearest,
                Filter::Box => ResizeAlg::Convolution(Fast::Box),
                Filter::Bilinear => ResizeAlg::Convolution(Fast::Bilinear),
                Filter::Hamming => ResizeAlg::Convolution(Fast::Hamming),
                Filter::Bicubic => ResizeAlg::Convolution(Fast::CatmullRom),
                Filter::Lanczos => ResizeAlg::Convolution(Fast::Lanczos3),
            };
            let source = Image::from_vec_u8(columns, rows, source_image.data, PixelType::U8x3).expect("an image");
            let options = ResizeOptions::new().resize_alg(algorithm);
            let mut resizer = Resizer::new();
            let mut target = Image::new(256, 256, PixelType::U8x3);
            group.bench_function(BenchmarkId::new("fast_image_resize", &size), |b| {
                b.iter(|| resizer.resize(black_box(&source), &mut target, &options).expect("an image"));
            });
        }
        group.finish();
    }
}

/// Divides by 255 and separates the channels.
fn to_tensor(c: &mut Criterion) {
    let mut group = c.benchmark_group("to tensor");
    for side in [64, 224, 512] {
        let image = make_image(side, side);
        group.throughput(Throughput::Elements((side * side) as u64));
        group.bench_function(BenchmarkId::new("ours", format!("{side}x{side}")), |b| {
            b.iter(|| Pixels::from(black_box(&image)));
        });
        // The comparator computes value by value.
        group.bench_function(BenchmarkId::new("value by value", format!("{side}x{side}")), |b| {
            b.iter(|| {
                let data = &black_box(&image).data;
                let value = |i: usize| f32::from(data[i % (side * side) * 3 + i / (side * side)]) / 255.0;
                (0..3 * side * side).map(value).collect::<Vec<_>>()
            });
        });
    }
    group.finish();
}

/// Prepares an image and its mask for a network, from their files (a JPEG and a PNG) or after decoding.
fn items(c: &mut Criterion) {
    let paired = Preprocessing::imagenet().squash().paired_transform(MaskRule::AnyInk);
    let random = RandomResizedCrop::imagenet();
    for (height, width) in SIZES {
        let (image, mask) = (make_image(height, width), make_mask(height, width));
        let (jpeg, png) = (image.encode_jpeg(90).expect("a JPEG"), mask.encode_png().expect("a PNG"));
        let size = format!("{height}x{width}");
        let mut group = c.benchmark_group("item");
        group.throughput(Throughput::Elements((height * width) as u64));
        group.bench_function(BenchmarkId::new("ours", &size), |b| {
            b.iter(|| {
                let image = decode_image(black_box(&jpeg)).expect("an image");
                let mask = decode_mask(black_box(&png)).expect("a mask");
                (paired.apply_to_image(&image), paired.apply_to_mask(&mask))
            });
        });
        group.finish();
        let mut group = c.benchmark_group("paired resize and crop");
        group.throughput(Throughput::Elements((height * width) as u64));
        group.bench_function(BenchmarkId::new("ours", &size), |b| {
            b.iter(|| (paired.apply_to_image(black_box(&image)), paired.apply_to_mask(black_box(&mask))));
        });
        group.finish();
        let mut group = c.benchmark_group("random resized crop");
        group.throughput(Throughput::Elements((height * width) as u64));
        group.bench_function(BenchmarkId::new("ours", &size), |b| {
            let mut key = 0;
            b.iter(|| {
                key += 1;
                let drawn = random.draw(key, height, width);
                (random.apply_to_image(black_box(&image), &drawn), random.apply_to_mask(black_box(&mask), &drawn))
            });
        });
        group.finish();
    }
}

criterion_group!(benches, decode, resize, to_tensor, items);
criterion_main!(benches);
