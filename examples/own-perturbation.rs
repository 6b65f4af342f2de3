//! A new question to ask: implement `Perturb`, use every other crate as it is.
//!
//! ```sh
//! cargo run --release -p hard-imagenet-examples --bin own-perturbation
//! ```
//!
//! Here the object is mirrored in its place, which a model that knows shapes should hardly notice.
#![allow(clippy::disallowed_macros, reason = "a program prints and reads its arguments")]

use hard_imagenet::images::MaskRule;
use hard_imagenet::prelude::*;

struct Mirror;

impl Perturb for Mirror {
    fn id(&self) -> String {
        "mirror".into()
    }

    fn is_random(&self) -> bool {
        false
    }

    /// The object's box, its columns reversed.
    fn apply(&self, image: &Pixels, mask: &Mask, _: NoiseKey) -> Pixels {
        let mut out = image.clone();
        if let Some(bounds) = mask.bounding_box() {
            let (area, width) = (image.height() * image.width(), image.width());
            for channel in 0..3 {
                for row in bounds.top..bounds.bottom {
                    let start = channel * area + row * width;
                    out.as_mut_slice()[start + bounds.left..start + bounds.right].reverse();
                }
            }
        }
        out
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data = PlantedCues::easy(11, 160, 64);
    let model =
        zoo::load("planted_resnet.object", &Weights::Folder("crates/cli/demo".into()), &Device::Cpu, DType::F32)?;
    let transform = model.spec().preprocess.paired_transform(MaskRule::Half);
    let (mut clean, mut mirrored) = (0, 0);
    for i in 0..data.len() {
        let sample = data.get(i)?;
        let (image, mask) = (transform.apply_to_image(&sample.image), transform.apply_to_mask(&sample.mask));
        let changed = Mirror.apply(&image, &mask, NoiseKey::new(0, &sample.id, 0));
        let logits = model.forward(&model.normalize(&model.batch(&[image, changed])?)?)?;
        let said = logits.argmax(1)?.to_vec1::<u32>()?;
        clean += usize::from(said[0] as usize == sample.class);
        mirrored += usize::from(said[1] as usize == sample.class);
    }
    println!("right on {clean} of {0} pictures, on {mirrored} with the object mirrored", data.len());
    Ok(())
}
