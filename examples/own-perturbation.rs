//! A perturbation of your own: implement `Perturb` and add it to an evaluation.
//!
//! ```sh
//! cargo run --release -p hard-imagenet-examples --bin own-perturbation
//! ```
//!
//! The object is mirrored in its place, which a model that recognizes shapes should hardly notice. The perturbation gets
//! records, a column in the tables and a panel in the gallery, like a built-in one.
#![allow(clippy::disallowed_macros, reason = "a program prints and reads its arguments")]

use hard_imagenet::prelude::*;
use hard_imagenet::report;

/// Mirrors the box around the object.
struct Mirror;

impl Perturb for Mirror {
    fn id(&self) -> String {
        "mirror".into()
    }

    fn apply(&self, image: &Pixels, mask: &Mask, _: NoiseKey) -> Pixels {
        let mut mirrored = image.clone();
        if let Some(bounds) = mask.bounding_box() {
            let (plane, width) = (image.height() * image.width(), image.width());
            for channel in 0..3 {
                for row in bounds.top..bounds.bottom {
                    let start = channel * plane + row * width;
                    mirrored.as_mut_slice()[start + bounds.left..start + bounds.right].reverse();
                }
            }
        }
        mirrored
    }

    fn title(&self) -> String {
        "object mirrored".into()
    }

    fn sentence(&self) -> String {
        "The box around the object is mirrored from left to right.".into()
    }

    fn keeps_object(&self) -> bool {
        true
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data = PlantedCues::easy(11, 160, 64);
    let weights = Weights::Folder("crates/cli/demo".into());
    let model = zoo::load("planted_resnet.object", &weights, &Device::Cpu, DType::F32)?;

    let folder = std::env::temp_dir().join("hard-imagenet-own-perturbation");
    let mut evaluation = Evaluation::new(&data).protocol(Protocol::quick()).preset(Preset::Strict).perturbation(Mirror);
    let run = evaluation.run(&model, &folder)?;

    let scores = score(run.records(), &Options::default());
    for condition in ["none", "mirror", "gray"] {
        let accuracy = scores.headline("accuracy", condition).ok_or("no sample was evaluated")?;
        println!("{condition:8} {:.2} ({:.2} to {:.2})", accuracy.value, accuracy.low, accuracy.high);
    }
    let page = report::html(&[run])?;
    assert!(page.contains("object mirrored"), "the page names the perturbation");
    std::fs::write(folder.join("report.html"), page)?;
    println!("{}", folder.join("report.html").display());
    Ok(())
}
