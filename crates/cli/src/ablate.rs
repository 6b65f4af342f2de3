//! `hard-imagenet ablate`: one change of the benchmark, done to one picture.

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
    /// The picture
    image: PathBuf,
    /// Its mask: a picture of the same scene, bright where the object is
    mask: PathBuf,
    /// What to do: gray, gray-box, tile, noise:linf:0.25:fg, mixed-rand, ..; all are listed below
    #[arg(long)]
    kind: String,
    /// For the mixed kinds: the picture that lends its background
    #[arg(long, value_name = "IMAGE", requires = "donor_mask")]
    donor: Option<PathBuf>,
    /// Its mask: the box around its object is covered with what lies beside it
    #[arg(long, value_name = "MASK", requires = "donor")]
    donor_mask: Option<PathBuf>,
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

/// What there is to do, a line each.
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
                "with --no-transform both pictures must be of one size: {} is {} × {}, {} is {} × {}",
                args.image.display(),
                image.height(),
                image.width(),
                donor.display(),
                other.height(),
                other.width(),
            );
            let background = perturbations::background(&other, &other_mask).with_context(|| {
                format!("the object of {} reaches all four borders: there is no background to take", donor.display())
            })?;
            perturbations::paste(&image, &mask, &background)
        }
        (Some(mix), None) => {
            bail!("{} takes the background of a second picture: pass --donor IMAGE --donor-mask MASK", mix.id())
        }
        (None, Some(_)) => bail!("{} needs no second picture: leave out --donor and --donor-mask", args.kind),
        (None, None) => {
            let perturbation = perturbations::parse(&args.kind, Preset::from(args.preset))?;
            let (image, mask) = read(args, &args.image, &args.mask)?;
            perturbation.apply(&image, &mask, NoiseKey::new(args.seed, &args.image.to_string_lossy(), 0))
        }
    };
    options::write(&args.output, Rgb8::from(&changed).encode_png().context("cannot encode the picture")?)
}

/// A picture and its mask, both transformed.
fn read(args: &Args, image_path: &Path, mask_path: &Path) -> Result<(Pixels, Mask)> {
    let quirks = Quirks::from(Preset::from(args.preset));
    let image = images::read_image(image_path)?;
    let mask = images::read_mask(mask_path)?;
    let transform = if args.no_transform {
        ensure!(
            (image.height, image.width) == (mask.height, mask.width),
            "with --no-transform picture and mask must be of one size: {} is {} × {}, {} is {} × {}",
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
