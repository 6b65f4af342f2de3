//! `hard-imagenet ablate`: applies one of the benchmark's perturbations to an image.

use crate::options::{self, PresetName};
use anyhow::{Context, Result, bail, ensure};
use hard_imagenet::images::{self, PairedTransform, Pixels, Preprocessing, Resize, Rgb8};
use hard_imagenet::masks::Mask;
use hard_imagenet::perturbations::{self, KINDS, Mix, NoiseKey, Preset};
use hard_imagenet::runs::Quirks;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_help = kinds())]
pub(crate) struct Args {
    /// Image to perturb
    image: PathBuf,
    /// Mask of the image: bright where the object is
    mask: PathBuf,
    /// Perturbation: gray, gray-box, tile, noise:linf:0.25:fg, mixed-rand, ..; all are listed below
    #[arg(long)]
    kind: String,
    /// Image whose background replaces that of the first, for the mixed kinds
    #[arg(long, value_name = "IMAGE", requires = "donor_mask")]
    donor: Option<PathBuf>,
    /// Mask of the donor; the box around the donor's object is filled with the surroundings
    #[arg(long, value_name = "MASK", requires = "donor")]
    donor_mask: Option<PathBuf>,
    /// Reproduce the published code, or follow the method as the paper describes it
    #[arg(long, value_enum, default_value = "paper")]
    preset: PresetName,
    /// Keep the image's size instead of squashing it to 256 × 256 and cropping to 224 × 224
    #[arg(long)]
    no_transform: bool,
    /// Seed of the noise
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// PNG file to write
    #[arg(short, long, value_name = "PNG")]
    output: PathBuf,
}

/// Lists the perturbations, one per line.
fn kinds() -> String {
    let lines: Vec<String> = KINDS.iter().map(|kind| format!("  {:<25}{}", kind.pattern, kind.help)).collect();
    format!("Kinds:\n{}", lines.join("\n"))
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let donor = args.donor.as_deref().zip(args.donor_mask.as_deref());
    let changed = match (Mix::parse(&args.kind), donor) {
        (Some(_), Some((donor, donor_mask))) => {
            let (image, mask) = read(args, &args.image, &args.mask)?;
            let (other, other_mask) = read(args, donor, donor_mask)?;
            let size = |image: &Pixels| (image.height(), image.width());
            ensure!(
                size(&image) == size(&other),
                "with --no-transform both images must have the same size: {} is {} × {}, {} is {} × {}",
                args.image.display(),
                image.height(),
                image.width(),
                donor.display(),
                other.height(),
                other.width(),
            );
            let background = perturbations::background(&other, &other_mask).with_context(|| {
                format!(
                    "the object of {} reaches all four borders, so the image has no background to use",
                    donor.display()
                )
            })?;
            perturbations::paste(&image, &mask, &background)
        }
        (Some(mix), None) => {
            bail!("{} uses the background of a second image: pass --donor IMAGE --donor-mask MASK", mix.id())
        }
        (None, Some(_)) => bail!("{} needs no second image: leave out --donor and --donor-mask", args.kind),
        (None, None) => {
            let perturbation = perturbations::parse(&args.kind, Preset::from(args.preset))?;
            let (image, mask) = read(args, &args.image, &args.mask)?;
            perturbation.apply(&image, &mask, NoiseKey::new(args.seed, &args.image.to_string_lossy(), 0))
        }
    };
    options::write(&args.output, Rgb8::from(&changed).encode_png().context("cannot encode the image")?)
}

/// Reads an image and its mask, and transforms both.
fn read(args: &Args, image_path: &Path, mask_path: &Path) -> Result<(Pixels, Mask)> {
    let quirks = Quirks::from(Preset::from(args.preset));
    let image = images::read_image(image_path)?;
    let mask = images::read_mask(mask_path)?;
    let transform = if args.no_transform {
        ensure!(
            (image.height, image.width) == (mask.height, mask.width),
            "with --no-transform image and mask must have the same size: {} is {} × {}, {} is {} × {}",
            image_path.display(),
            image.height,
            image.width,
            mask_path.display(),
            mask.height,
            mask.width,
        );
        PairedTransform {
            resize: Resize::None,
            crop: None,
            ..Preprocessing::imagenet().paired_transform(quirks.mask_rule)
        }
    } else {
        Preprocessing::imagenet().squash().paired_transform(quirks.mask_rule)
    };
    Ok((transform.apply_to_image(&image), transform.apply_to_mask(&mask)))
}
