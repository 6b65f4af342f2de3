//! The benchmark in twenty lines: does a model see the object, or only its usual surroundings?
//!
//! ```sh
//! cargo run --release -p hard-imagenet-examples --bin quickstart
//! ```
//!
//! It evaluates the two small networks of the demo on generated images. For images of your own, use
//! `HardImageNet::open(masks, images, Split::Val)` or `MaskedFolder::open(images, masks)` and a model of the zoo.
#![allow(clippy::disallowed_macros, reason = "a program prints and reads its arguments")]

use hard_imagenet::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data = PlantedCues::hard(7, 80, 64);
    let folder = std::env::temp_dir().join("hard-imagenet-quickstart");
    for name in ["planted_resnet.cue", "planted_resnet.object"] {
        let weights = Weights::Folder("crates/cli/demo".into());
        let model = zoo::load(name, &weights, &Device::Cpu, DType::F32)?;
        // A second call resumes from what the folder holds. Here that is everything.
        let run =
            Evaluation::new(&data).protocol(Protocol::quick()).preset(Preset::Strict).run(&model, folder.join(name))?;

        let scores = score(run.records(), &Options::default());
        for condition in ["none", "gray-box"] {
            let accuracy = scores.headline("accuracy", condition).ok_or("no sample was evaluated")?;
            println!("{name}: {condition:8} {:.2} ({:.2} to {:.2})", accuracy.value, accuracy.low, accuracy.high);
        }
    }
    Ok(())
}
