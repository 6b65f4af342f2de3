//! A dataset of your own: implement `Dataset` and evaluate models on it.
//!
//! ```sh
//! cargo run --release -p hard-imagenet-examples --bin own-dataset
//! ```
//!
//! The images are drawn here: a disk or a square on a striped background. Usually `get` would decode files; folders of
//! images and masks need no code at all, see `MaskedFolder`.
#![allow(clippy::disallowed_macros, reason = "a program prints and reads its arguments")]

use hard_imagenet::datasets::{Class, DatasetError, DatasetInfo, Sample};
use hard_imagenet::images::{Gray8, Rgb8};
use hard_imagenet::prelude::*;
use hard_imagenet::report;

/// Disks and squares of 64 × 64 pixels.
struct Shapes {
    info: DatasetInfo,
    ids: Vec<String>,
}

const SIDE: usize = 64;

impl Shapes {
    fn new(samples: usize) -> Self {
        let class = |name: &str| Class { name: name.into(), wnid: None, imagenet: None };
        let info = DatasetInfo { name: "shapes".into(), classes: vec![class("disk"), class("square")] };
        Self { info, ids: (0..samples).map(|i| format!("shape-{i:04}")).collect() }
    }
}

impl Dataset for Shapes {
    fn info(&self) -> &DatasetInfo {
        &self.info
    }

    fn len(&self) -> usize {
        self.ids.len()
    }

    /// Ids must be distinct and stable: random numbers depend on them.
    fn id(&self, i: usize) -> &str {
        &self.ids[i]
    }

    fn class(&self, i: usize) -> usize {
        i % 2
    }

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        let radius = 10 + i % 13;
        let (mut image, mut mask) = (vec![0; SIDE * SIDE * 3], vec![0; SIDE * SIDE]);
        for at in 0..SIDE * SIDE {
            let (dy, dx) = ((at / SIDE).abs_diff(SIDE / 2), (at % SIDE).abs_diff(SIDE / 2));
            let inside = if self.class(i) == 0 { dx * dx + dy * dy < radius * radius } else { dx.max(dy) < radius };
            let stripe = if ((at % SIDE + i) / 4).is_multiple_of(2) { 60 } else { 120 };
            image[3 * at..][..3].copy_from_slice(&if inside { [220, 180, 40] } else { [stripe; 3] });
            mask[at] = if inside { 255 } else { 0 };
        }
        let image = Rgb8 { height: SIDE, width: SIDE, data: image };
        let mask = Gray8 { height: SIDE, width: SIDE, data: mask };
        Ok(Sample::new(self.ids[i].clone(), image, mask, self.class(i)))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data = Shapes::new(64);
    let folder = std::env::temp_dir().join("hard-imagenet-own-dataset");
    std::fs::create_dir_all(&folder)?;
    // A network of two classes whose weights are random. Load your own model here.
    let weights = folder.join("planted_resnet.safetensors");
    models::generated::write(&zoo::graph("planted_resnet", 2)?, &weights)?;
    let model = zoo::load("planted_resnet", &Weights::File(weights), &Device::Cpu, DType::F32)?;

    let mut evaluation = Evaluation::new(&data).protocol(Protocol::quick()).preset(Preset::Strict);
    let run = evaluation.run(&model, folder.join("run"))?;

    let scores = score(run.records(), &Options::default());
    let accuracy = scores.headline("accuracy", "none").ok_or("no sample was evaluated")?;
    println!("accuracy {:.2} ({:.2} to {:.2})", accuracy.value, accuracy.low, accuracy.high);
    let page = report::html(&[run])?;
    assert!(page.contains("shapes") && page.contains("disk"), "the page names the dataset and its classes");
    std::fs::write(folder.join("report.html"), page)?;
    println!("{}", folder.join("report.html").display());
    Ok(())
}
