//! A network is a value: this program lists its nodes, cuts it at each of them, and explains a decision from three.
//!
//! ```sh
//! cargo run --release -p hard-imagenet-examples --bin look-anywhere
//! ```
//!
//! It writes `look-anywhere.png`: an image, and where the network looked for its class, seen from each stage.
#![allow(clippy::disallowed_macros, reason = "a program prints and reads its arguments")]

use hard_imagenet::images::{MaskRule, Rgb8, outline, overlay};
use hard_imagenet::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model =
        zoo::load("planted_resnet.object", &Weights::Folder("crates/cli/demo".into()), &Device::Cpu, DType::F32)?;
    let sample = PlantedCues::hard(3, 8, 64).get(2)?;
    let transform = model.spec().preprocess.paired_transform(MaskRule::Half);
    let (pixels, mask) = (transform.apply_to_image(&sample.image), transform.apply_to_mask(&sample.mask));
    let x = model.normalize(&model.batch(std::slice::from_ref(&pixels))?)?;

    // The trunk followed by the head equals the whole network, wherever it is cut.
    let whole = model.forward(&x)?.to_vec2::<f32>()?;
    for node in model.nodes() {
        let cut = model.cut(&node.name)?;
        let value = model.trunk(&cut, &x)?;
        assert_eq!(model.head(&cut, &value)?.to_vec2::<f32>()?, whole);
        println!("{:22} {:?}, {} values travel along", node.name, value.at.dims(), value.carried.len());
    }

    let mut strip = vec![Rgb8::from(&pixels)];
    for node in ["layer1", "layer2", "layer3"] {
        let explainer = GradCam { node: Some(node.into()) };
        let map = explainer.explain(&model, &x, &[sample.class as u32])?.remove(0).map;
        let mut image = overlay(&Rgb8::from(&pixels), &map);
        outline(&mut image, &mask, [255, 255, 255]);
        strip.push(image);
    }
    side_by_side(&strip).save("look-anywhere.png".as_ref())?;
    println!("{}: look-anywhere.png", sample.id);
    Ok(())
}

fn side_by_side(images: &[Rgb8]) -> Rgb8 {
    let height = images[0].height;
    let rows =
        (0..height).flat_map(|row| images.iter().map(move |x| &x.data[3 * row * x.width..3 * (row + 1) * x.width]));
    let data = rows.flatten().copied().collect();
    Rgb8 { height, width: images.iter().map(|x| x.width).sum(), data }
}
