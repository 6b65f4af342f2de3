//! Draws planted cues side by side: `cargo run --example contact_sheet -- hard 64 out.png`.
//!
//! Rows are classes. With `masks` as the last word, every second column shows masks.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a program prints")]

use hard_imagenet_datasets::{Dataset, PlantedCues};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [preset, size, out, rest @ ..] = &arguments[..] else {
        return Err("usage: contact_sheet hard|easy SIZE OUT.png [masks]".into());
    };
    let (columns, size) = (12, size.parse()?);
    let data = match preset.as_str() {
        "hard" => PlantedCues::hard(0, 8 * columns, size),
        "easy" => PlantedCues::easy(0, 8 * columns, size),
        other => return Err(format!("no preset {other}: hard or easy").into()),
    };
    let started = std::time::Instant::now();
    let cell = (size + 4) as u32;
    let mut sheet = image::RgbImage::from_pixel(cell * columns as u32, cell * 8, image::Rgb([255; 3]));
    for i in 0..data.len() {
        let sample = data.get(i)?;
        let column = i / 8;
        for (k, pixel) in sample.image.data.as_chunks::<3>().0.iter().enumerate() {
            let gray = [sample.mask.data[k]; 3];
            let shown = if !rest.is_empty() && column % 2 == 1 { gray } else { *pixel };
            let (x, y) = ((k % size) as u32, (k / size) as u32);
            sheet.put_pixel(column as u32 * cell + 2 + x, sample.class as u32 * cell + 2 + y, image::Rgb(shown));
        }
    }
    println!("{:.3} ms per image", started.elapsed().as_secs_f64() * 1e3 / data.len() as f64);
    sheet.save(out)?;
    Ok(())
}
