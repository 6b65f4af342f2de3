//! What the command line says about a model's files.

use anyhow::Result;
use hard_imagenet::images::{CropMode, Filter};
use hard_imagenet::models::PreprocessingOptions;

/// What a model's files do not say, or say wrongly. The preprocessing that is used is part of `run.json`.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct ModelReading {
    /// The output of an ONNX file that holds the logits, by name, if the file has several
    #[arg(long, value_name = "NAME")]
    pub(crate) logits: Option<String>,
    /// The mean of each channel (red, green, blue) of images in [0, 1], instead of the model's own
    #[arg(long, value_name = "R,G,B", value_parser = three, allow_hyphen_values = true)]
    mean: Option<Channels>,
    /// The standard deviation of each channel, instead of the model's own
    #[arg(long, value_name = "R,G,B", value_parser = three)]
    std: Option<Channels>,
    /// The filter of the resize, instead of the model's own: bilinear, bicubic, lanczos, nearest, box, hamming
    #[arg(long, value_name = "WORD")]
    interpolation: Option<Filter>,
    /// The share of the resized image that the center crop keeps, instead of the model's own
    #[arg(long, value_name = "SHARE")]
    crop_pct: Option<f64>,
    /// How an image comes to the shape of the input, instead of the model's own: center, squash, border
    #[arg(long, value_name = "WORD")]
    crop_mode: Option<CropMode>,
    /// The size of the network's input in pixels, as N or HEIGHTxWIDTH, for models that accept several
    #[arg(long, value_name = "SIZE", value_parser = size)]
    img_size: Option<(usize, usize)>,
}

impl ModelReading {
    /// Returns the changes to the preprocessing.
    pub(crate) fn preprocessing(&self) -> PreprocessingOptions {
        PreprocessingOptions {
            mean: self.mean,
            std: self.std,
            interpolation: self.interpolation,
            crop_pct: self.crop_pct,
            img_size: self.img_size,
            crop_mode: self.crop_mode,
        }
    }
}

/// A value for each channel: red, green, blue.
type Channels = [f32; 3];

/// Parses "0.485,0.456,0.406", or one number for all channels.
fn three(text: &str) -> Result<Channels, String> {
    let wrong = || "write three numbers such as 0.485,0.456,0.406, or one for all channels".to_owned();
    let values: Vec<f32> =
        text.split(',').map(|part| part.trim().parse().map_err(|_| wrong())).collect::<Result<_, _>>()?;
    match values[..] {
        [one] => Ok([one; 3]),
        [red, green, blue] => Ok([red, green, blue]),
        _ => Err(wrong()),
    }
}

/// Parses "224" or "224x320".
fn size(text: &str) -> Result<(usize, usize), String> {
    let number = |text: &str| match text.trim().parse() {
        Ok(side) if side > 0 => Ok(side),
        _ => Err("write a number of pixels, such as 224 or 224x320".to_owned()),
    };
    match text.split_once(['x', '×']) {
        Some((height, width)) => Ok((number(height)?, number(width)?)),
        None => number(text).map(|side| (side, side)),
    }
}

#[cfg(test)]
mod tests {
    use super::{size, three};

    #[test]
    fn channels_have_a_value_each_or_all_the_same() {
        assert_eq!(three("0.5, 0.25,1"), Ok([0.5, 0.25, 1.0]));
        assert_eq!(three("-0.5"), Ok([-0.5; 3]));
        for wrong in ["", "1,2", "1,2,3,4", "a"] {
            assert!(three(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_squares_or_height_and_width() {
        assert_eq!(size("224"), Ok((224, 224)));
        assert_eq!(size("224x320"), Ok((224, 320)));
        for wrong in ["", "0", "x", "224x", "-1", "a"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
