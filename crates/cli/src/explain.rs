//! `hard-imagenet explain`: one picture, one model, one heatmap.

use crate::options::{self, Compute};
use crate::progress::Progress;
use anyhow::{Context, Result, ensure};
use candle_core::{DType, Tensor};
use hard_imagenet::images::{self, MaskRule, PairedTransform, Resize, Rgb8};
use hard_imagenet::metrics::alignment;
use hard_imagenet::models::Model;
use hard_imagenet::perturbations::NoiseKey;
use hard_imagenet::saliency::{self, EXPLAINERS, Explain, ExplainRequest, ExplainerInfo};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The picture
    image: PathBuf,
    /// The model, as timm writes its name, or an ONNX file
    #[arg(short, long)]
    model: String,
    /// A weights file, a folder that holds MODEL.safetensors, or hf:OWNER/NAME, hf:OWNER/NAME@REVISION, hf:@REVISION;
    /// without it they come from timm's repositories on the Hugging Face hub
    #[arg(long, value_name = "PATH")]
    weights: Option<PathBuf>,
    /// The class to explain; by default the predicted one
    #[arg(long, value_name = "INDEX")]
    class: Option<u32>,
    #[arg(long, value_name = "WORD", default_value = "gradcam", help = format!("How to explain: {}", words()))]
    method: String,
    /// Where in the network to look from, by timm's module name; by default the model's own place
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// For methods that draw random numbers
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The object's mask: outlined in the overlay, and compared with the map
    #[arg(long, value_name = "PICTURE")]
    mask: Option<PathBuf>,
    /// Take the picture as the network's input, instead of resizing and cropping as the model wants
    #[arg(long)]
    no_transform: bool,
    #[command(flatten)]
    compute: Compute,
    /// Write the picture with the map over it
    #[arg(short, long, value_name = "PNG")]
    output: Option<PathBuf>,
    /// Write logits (K), features (D), saliency_raw (h, w), saliency (H, W) as f32
    #[arg(long, value_name = "SAFETENSORS")]
    arrays: Option<PathBuf>,
}

/// The methods, one a line.
fn words() -> String {
    let line = |one: &ExplainerInfo| format!("\n{}: {} ({})", one.word, one.sentence, one.source);
    EXPLAINERS.iter().map(line).collect()
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let explainer = explainer(args)?;
    let model = options::load(&args.model, args.weights.as_deref(), &args.compute.device()?, args.compute.dtype())?;
    let transform = transform(args, &model);
    let picture = images::read_image(&args.image)?;
    let pixels = transform.apply_to_image(&picture);
    if args.no_transform {
        let (height, width) = model.spec().preprocess.input;
        ensure!(
            (pixels.height(), pixels.width()) == (height, width),
            "{} is {} × {}, but {} takes {height} × {width}: leave out --no-transform to have it resized",
            args.image.display(),
            pixels.height(),
            pixels.width(),
            args.model,
        );
    }

    let x = model.normalize(&model.batch(std::slice::from_ref(&pixels))?)?;
    let features = model.features(&x)?;
    let logits = model.forward(&x)?.squeeze(0)?;
    let ranked = ranked(&logits)?;
    let class = args.class.unwrap_or(ranked[0].0);
    // One picture, whatever its name and place: the seed alone is its key.
    let (classes, keys) = ([class], [NoiseKey::new(args.seed, "", 0)]);
    let mut bar = Progress::new(explainer.id());
    let progress = &mut |done, total| {
        bar.count(done, total);
        ControlFlow::Continue(())
    };
    let request = ExplainRequest { model: &model, x: &x, classes: &classes, keys: &keys, progress };
    let explanation = explainer.explain_request(request)?.pop().context("no explanation came back")?;
    bar.finish();

    for (index, probability) in ranked.iter().take(5) {
        println!("class {index:>4}  {:>5.1} %", 100.0 * probability);
    }
    let word = args.method.split(':').next();
    let seen = match EXPLAINERS.iter().any(|one| one.takes_node() && Some(one.word) == word) {
        true => format!(", seen from {}", explainer.node().unwrap_or(&model.spec().cam_node)),
        false => String::new(),
    };
    println!("explained: class {class} by {}{seen}", explainer.id());

    let mut overlay = images::overlay(&Rgb8::from(&pixels), &explanation.map);
    if let Some(path) = &args.mask {
        let stored = images::read_mask(path)?;
        ensure!(
            !args.no_transform || (stored.height, stored.width) == (picture.height, picture.width),
            "with --no-transform picture and mask must be of one size: {} is {} × {}, the picture {} × {}",
            path.display(),
            stored.height,
            stored.width,
            picture.height,
            picture.width,
        );
        let mask = transform.apply_to_mask(&stored);
        let (map, object) = (explanation.map.as_slice(), mask.as_slice());
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
        let raw = &explanation.raw;
        let map = &explanation.map;
        let cpu = candle_core::Device::Cpu;
        let arrays = HashMap::from([
            ("logits", logits),
            ("features", features.squeeze(0)?.to_dtype(DType::F32)?),
            ("saliency_raw", Tensor::from_slice(raw.as_slice(), (raw.height(), raw.width()), &cpu)?),
            ("saliency", Tensor::from_slice(map.as_slice(), (map.height(), map.width()), &cpu)?),
        ]);
        let arrays = arrays
            .into_iter()
            .map(|(name, tensor)| Ok((name, tensor.to_device(&cpu)?)))
            .collect::<Result<HashMap<_, _>>>()?;
        options::write(path, safetensors::serialize(arrays, None)?)?;
    }
    Ok(())
}

/// The method, at the node if one is named.
fn explainer(args: &Args) -> Result<Box<dyn Explain>> {
    let word = match &args.node {
        Some(node) => format!("{}:{node}", args.method),
        None => args.method.clone(),
    };
    Ok(saliency::parse(&word)?)
}

/// The model's own geometry; masks are thresholded where the object really ends.
fn transform(args: &Args, model: &Model) -> PairedTransform {
    let paired = model.spec().preprocess.paired_transform(MaskRule::Half);
    match args.no_transform {
        true => PairedTransform { resize: Resize::None, crop: None, ..paired },
        false => paired,
    }
}

/// Classes with their probabilities, the likeliest first.
fn ranked(logits: &Tensor) -> Result<Vec<(u32, f32)>> {
    let probabilities: Vec<f32> = hard_imagenet::kernels::softmax(logits)?.to_vec1()?;
    let mut ranked: Vec<(u32, f32)> = (0..).zip(probabilities).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(ranked)
}
