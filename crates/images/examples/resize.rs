//! Resizes an image file exactly as Pillow does:
//! `cargo run -p hard-imagenet-images --example resize -- in.jpg 224 224 bicubic out.png`.
//!
//! The pixels equal those of `Image.open("in.jpg").convert("RGB").resize((224, 224), Image.Resampling.BICUBIC)`, up to
//! the JPEG decoder (see the feature `turbojpeg`). Filters are nearest, box, bilinear, hamming, bicubic and lanczos.
#![allow(clippy::disallowed_methods, reason = "an example reads its command line")]

use hard_imagenet_images::{Filter, read_image};
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, height, width, filter, output] = &arguments[..] else {
        return Err("usage: resize INPUT HEIGHT WIDTH FILTER OUTPUT.png".into());
    };
    let filter = match filter.as_str() {
        "nearest" => Filter::Nearest,
        "box" => Filter::Box,
        "bilinear" => Filter::Bilinear,
        "hamming" => Filter::Hamming,
        "bicubic" => Filter::Bicubic,
        "lanczos" => Filter::Lanczos,
        other => return Err(format!("there is no filter {other:?}").into()),
    };
    let image = read_image(Path::new(input))?;
    image.resize(height.parse()?, width.parse()?, filter).save(Path::new(output))?;
    Ok(())
}
