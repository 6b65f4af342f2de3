//! `hard-imagenet explain`: explains what a model sees in one image by a heatmap.

use crate::findings;
use crate::model_reading::ModelReading;
use crate::options::{self, Compute};
use crate::progress::Progress;
use anyhow::{Result, ensure};
use hard_imagenet::images::{self, MaskRule, PairedTransform, Resize, Rgb8};
use hard_imagenet::metrics::alignment;
use hard_imagenet::models::Model;
use hard_imagenet::perturbations::NoiseKey;
use hard_imagenet::saliency::{self, EXPLAINERS, Explain, ExplainedImage, ExplainerInfo};
use std::ops::ControlFlow;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The image
    image: PathBuf,
    /// The model by its timm name, or an ONNX file
    #[arg(short, long)]
    model: String,
    /// A weights file, a folder that contains MODEL.safetensors, or hf:OWNER/NAME, hf:OWNER/NAME@REVISION,
    /// hf:@REVISION; by default, weights come from timm's repositories on the Hugging Face hub
    #[arg(long, value_name = "PATH")]
    weights: Option<PathBuf>,
    #[command(flatten)]
    reading: ModelReading,
    /// The class to explain; by default the predicted one
    #[arg(long, value_name = "INDEX")]
    class: Option<u32>,
    #[arg(long, value_name = "WORD", default_value = "gradcam", help = format!("How to explain: {}", words()))]
    method: String,
    /// Where in the network to look from, by timm's module name; by default the model's own node
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// Seed for methods that draw random numbers
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The object's mask, which is outlined in the overlay and compared with the map
    #[arg(long, value_name = "IMAGE")]
    mask: Option<PathBuf>,
    /// Use the image as the network's input, instead of resizing and cropping it as the model expects
    #[arg(long)]
    no_transform: bool,
    #[command(flatten)]
    compute: Compute,
    /// Write the image with the map over it
    #[arg(short, long, value_name = "PNG")]
    output: Option<PathBuf>,
    /// Write logits (K), features (D), saliency_raw (h, w), saliency (H, W) as f32
    #[arg(long, value_name = "SAFETENSORS")]
    arrays: Option<PathBuf>,
}

/// Returns the methods, one per line.
fn words() -> String {
    let line = |one: &ExplainerInfo| format!("\n{}: {} ({})", one.word, one.sentence, one.source);
    EXPLAINERS.iter().map(line).collect()
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let explainer = explainer(args)?;
    let model = options::load(
        &args.model,
        args.weights.as_deref(),
        &args.reading,
        &args.compute.device()?,
        args.compute.dtype(),
    )?;
    findings::print(&args.model, model.findings());
    let transform = transform(args, &model);
    let image = images::read_image(&args.image)?;
    let pixels = transform.apply_to_image(&image);
    if args.no_transform {
        let (height, width) = model.spec().preprocess.input;
        ensure!(
            (pixels.height(), pixels.width()) == (height, width),
            "{} is {} × {}, but {} takes {height} × {width}: omit --no-transform to resize it",
            args.image.display(),
            pixels.height(),
            pixels.width(),
            args.model,
        );
    }

    let x = model.normalize(&model.batch(std::slice::from_ref(&pixels))?)?;
    // The image's key is the seed alone, so that its name and place do not matter.
    let key = NoiseKey::new(args.seed, "", 0);
    let mut bar = Progress::new(explainer.id());
    let progress = &mut |done, total| {
        bar.count(done, total);
        ControlFlow::Continue(())
    };
    let explained = ExplainedImage::new(&model, &x, &*explainer, args.class, key, progress)?;
    bar.finish();

    ensure!(
        explained.probabilities.iter().all(|(_, probability)| !probability.is_nan()),
        "the outputs of {} for {} are not numbers (NaN): check the weights, and use f32 if the model was exported in half \
         precision",
        args.model,
        args.image.display(),
    );
    for (index, probability) in explained.probabilities.iter().take(5) {
        println!("class {index:>4}  {:>5.1} %", 100.0 * probability);
    }
    let word = args.method.split(':').next();
    let node = match EXPLAINERS.iter().any(|one| one.takes_node() && Some(one.word) == word) {
        true => format!(", seen from {}", explainer.node().unwrap_or(&model.spec().cam_node)),
        false => String::new(),
    };
    println!("explained: class {} by {}{node}", explained.class, explainer.id());

    let map = &explained.explanation.map;
    let mut overlay = images::overlay(&Rgb8::from(&pixels), map);
    if let Some(path) = &args.mask {
        let stored = images::read_mask(path)?;
        ensure!(
            !args.no_transform || (stored.height, stored.width) == (image.height, image.width),
            "with --no-transform, image and mask must have the same size: {} is {} × {}, the image is {} × {}",
            path.display(),
            stored.height,
            stored.width,
            image.height,
            image.width,
        );
        let mask = transform.apply_to_mask(&stored);
        let (map, object) = (map.as_slice(), mask.as_slice());
        println!("IoU with the mask (map ≥ 0.5): {:.3}", alignment::iou(map, object, 0.5));
        if let Some(delta) = alignment::delta_density(map, object) {
            println!("delta saliency density: {delta:+.3}");
        }
        images::outline(&mut overlay, &mask, [255, 255, 255]);
    }
    if let Some(path) = &args.output {
        options::write(path, overlay.encode_png()?)?;
    }
    if let Some(path) = &args.arrays {
        options::write(path, explained.to_safetensors()?)?;
    }
    Ok(())
}

/// Creates the explainer, at the node if one is given.
fn explainer(args: &Args) -> Result<Box<dyn Explain>> {
    let word = match &args.node {
        Some(node) => format!("{}:{node}", args.method),
        None => args.method.clone(),
    };
    Ok(saliency::parse(&word)?)
}

/// Returns the model's own geometry. Masks are thresholded at one half, where the object ends.
fn transform(args: &Args, model: &Model) -> PairedTransform {
    let paired = model.spec().preprocess.paired_transform(MaskRule::Half);
    match args.no_transform {
        true => PairedTransform { resize: Resize::None, crop: None, ..paired },
        false => paired,
    }
}
