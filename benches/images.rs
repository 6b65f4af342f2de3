//! Decoding and resampling: `cargo bench -p hard-imagenet-benches --bench images`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hard_imagenet_images::{Filter, MaskRule, PairedTransform, Preprocess, Resize, Rgb8, decode_image};
use image::imageops::FilterType;
use image::{ImageFormat, RgbImage};
use std::hint::black_box;
use std::io::Cursor;

/// Sizes of pictures, (height, width): ImageNet's usual one, and a larger one.
const SIZES: [(usize, usize); 2] = [(375, 500), (1080, 1920)];

fn picture(height: usize, width: usize) -> Rgb8 {
    let data = (0..height * width).flat_map(|i| {
        let (row, column) = (i / width, i % width);
        [(row * 7 + column * 3) as u8, ((row ^ column) & 255) as u8, ((row * column) >> 4) as u8]
    });
    Rgb8 { height, width, data: data.collect() }
}

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode jpeg");
    for (height, width) in SIZES {
        let picture = picture(height, width);
        let rgb = RgbImage::from_raw(width as u32, height as u32, picture.data).expect("as many bytes as pixels");
        let mut jpeg = Cursor::new(Vec::new());
        rgb.write_to(&mut jpeg, ImageFormat::Jpeg).expect("a JPEG");
        let jpeg = jpeg.into_inner();
        group.throughput(Throughput::Elements((height * width) as u64));
        group.bench_function(BenchmarkId::new("ours", format!("{height}x{width}")), |b| {
            b.iter(|| decode_image(black_box(&jpeg)).expect("a picture"));
        });
        group.bench_function(BenchmarkId::new("image", format!("{height}x{width}")), |b| {
            b.iter(|| image::load_from_memory(black_box(&jpeg)).expect("a picture").into_rgb8());
        });
    }
    group.finish();
}

/// To 256 × 256. `image` filters in floating point and does not equal Pillow; it shows what the exactness costs.
fn resize(c: &mut Criterion) {
    let mut group = c.benchmark_group("resize to 256");
    for (height, width) in SIZES {
        let picture = picture(height, width);
        let rgb =
            RgbImage::from_raw(width as u32, height as u32, picture.data.clone()).expect("as many bytes as pixels");
        group.throughput(Throughput::Elements((height * width) as u64));
        for (name, filter, theirs) in
            [("bilinear", Filter::Bilinear, FilterType::Triangle), ("bicubic", Filter::Bicubic, FilterType::CatmullRom)]
        {
            let size = format!("{name} {height}x{width}");
            let transform =
                PairedTransform { resize: Resize::Squash(256, 256), crop: None, filter, mask_rule: MaskRule::Half };
            group.bench_function(BenchmarkId::new("ours", &size), |b| b.iter(|| transform.image(black_box(&picture))));
            group.bench_function(BenchmarkId::new("image", &size), |b| {
                b.iter(|| image::imageops::resize(black_box(&rgb), 256, 256, theirs));
            });
        }
    }
    group.finish();
}

/// All that happens to a decoded picture before the model: resize, crop, scale.
fn whole(c: &mut Criterion) {
    let transform = Preprocess::imagenet().squashed().paired(MaskRule::AnyInk);
    let picture = picture(375, 500);
    c.bench_function("squash, crop, scale 375x500", |b| b.iter(|| transform.image(black_box(&picture))));
}

criterion_group!(benches, decode, resize, whole);
criterion_main!(benches);
