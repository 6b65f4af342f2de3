//! `hard-imagenet ablate`: one change of the benchmark, done to one picture.

use crate::options::{self, PresetName};
use anyhow::{Context, Result, ensure};
use hard_imagenet::evaluation::Quirks;
use hard_imagenet::images::{self, PairedTransform, Preprocess, Resize, Rgb8};
use hard_imagenet::perturbations::{self, NoiseKey, Preset};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The picture
    image: PathBuf,
    /// Its mask: a picture of the same scene, bright where the object is
    mask: PathBuf,
    /// What to do: gray, gray-box, tile, noise:linf:0.25:fg, noise:l2:90:bg, ..
    #[arg(long)]
    kind: String,
    #[arg(long, value_enum, default_value = "paper")]
    preset: PresetName,
    /// Take the picture as it is, instead of squashing to 256 × 256 and cropping to 224 × 224 first
    #[arg(long)]
    no_transform: bool,
    /// Seed of the noise
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The PNG to write
    #[arg(short, long, value_name = "PNG")]
    output: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let quirks = Quirks::from(Preset::from(args.preset));
    let perturbation = perturbations::parse(&args.kind, args.preset.into())?;
    let image = images::read_image(&args.image)?;
    let mask = images::read_mask(&args.mask)?;
    let transform = if args.no_transform {
        ensure!(
            (image.height, image.width) == (mask.height, mask.width),
            "with --no-transform picture and mask must be of one size: {} is {} × {}, {} is {} × {}",
            args.image.display(),
            image.height,
            image.width,
            args.mask.display(),
            mask.height,
            mask.width,
        );
        PairedTransform { resize: Resize::None, crop: None, ..Preprocess::imagenet().paired(quirks.mask_rule) }
    } else {
        Preprocess::imagenet().squashed().paired(quirks.mask_rule)
    };
    let key = NoiseKey::new(args.seed, &args.image.to_string_lossy(), 0);
    let changed = perturbation.apply(&transform.image(&image), &transform.mask(&mask), key);
    options::write(&args.output, Rgb8::from(&changed).png().context("cannot encode the picture")?)
}
