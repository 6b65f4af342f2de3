use crate::ModelError;
use hard_imagenet_images::{CropMode, Filter, Preprocessing, Resize};

/// The largest height and width of a network's input, in pixels.
pub(crate) const LARGEST_SIDE: usize = 4096;

/// Changes to a model's preprocessing. What is `None` stays as the model's files or the zoo state it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PreprocessingOptions {
    /// The mean of each channel, in units of [0, 1] or of [0, 255].
    pub mean: Option<[f32; 3]>,
    /// The standard deviation of each channel, in the units of the mean.
    pub std: Option<[f32; 3]>,
    /// The filter of the resize.
    pub interpolation: Option<Filter>,
    /// The share of the resized image that the crop keeps, in [0.1, 1].
    pub crop_pct: Option<f64>,
    /// The height and width of the network's input, in pixels.
    pub img_size: Option<(usize, usize)>,
    /// How an image of any shape is brought to the shape of the input.
    pub crop_mode: Option<CropMode>,
}

impl PreprocessingOptions {
    /// Returns a preprocessing with the changes.
    ///
    /// Means or standard deviations above what is possible for pixels from 0 to 1 are taken to be those of pixels from 0 to
    /// 255. A new size of the input changes the size of the resize in the same ratio, unless `crop_pct` is given.
    ///
    /// # Errors
    /// Returns [`ModelError::Input`] for an impossible value.
    pub fn apply(&self, known: Preprocessing) -> Result<Preprocessing, ModelError> {
        self.changed(known).map_err(|(field, message)| ModelError::Input(format!("{field} {message}")))
    }

    /// Returns a preprocessing with the changes, or the field that is wrong and what is wrong with it.
    pub(crate) fn changed(&self, known: Preprocessing) -> Result<Preprocessing, (&'static str, String)> {
        let (mean, std) = self.normalization()?;
        let (mean, std) = (mean.unwrap_or(known.mean), std.unwrap_or(known.std));
        let input = self.img_size.unwrap_or(known.input);
        if ![input.0, input.1].iter().all(|side| (1..=LARGEST_SIDE).contains(side)) {
            let (height, width) = input;
            return Err(("img_size", format!("is {height} × {width}, but sides have 1 to {LARGEST_SIDE} pixels")));
        }
        if let Some(share) = self.crop_pct.filter(|share| !(0.1..=1.0).contains(share)) {
            return Err(("crop_pct", format!("is {share} instead of a number in [0.1, 1]")));
        }
        let filter = self.interpolation.unwrap_or(known.filter);
        let known = Preprocessing { input, filter, mean, std, resize: resized(known, input) };
        let changes_crop =
            self.crop_pct.is_some() || self.crop_mode.is_some_and(|mode| mode != crop_mode(known.resize));
        if !changes_crop {
            return Ok(known);
        }
        let mode = self.crop_mode.unwrap_or(crop_mode(known.resize));
        if let Some(share) = self.crop_pct {
            return Ok(Preprocessing::timm(input, share, mode, filter, mean, std));
        }
        // The same size in another mode.
        let (height, width) = resized_size(known.resize, input);
        let whole = Preprocessing::timm((height, width), 1.0, mode, filter, mean, std);
        Ok(Preprocessing { input, ..whole })
    }

    /// Returns mean and standard deviation in units of [0, 1].
    #[expect(clippy::type_complexity, reason = "two optional triples")]
    fn normalization(&self) -> Result<(Option<[f32; 3]>, Option<[f32; 3]>), (&'static str, String)> {
        if let Some(std) = self.std.filter(|std| !std.iter().all(|v| v.is_finite() && *v > 0.0)) {
            return Err(("std", format!("is {std:?}, but standard deviations are positive")));
        }
        if let Some(mean) = self.mean.filter(|mean| !mean.iter().all(|v| v.is_finite() && v.abs() <= 255.0)) {
            return Err(("mean", format!("is {mean:?}, which is not the mean of pixels")));
        }
        let exceeds =
            |values: Option<[f32; 3]>, bound: f32| values.is_some_and(|values| values.iter().any(|v| v.abs() > bound));
        if !exceeds(self.mean, 1.0) && !exceeds(self.std, 2.0) {
            return Ok((self.mean, self.std));
        }
        // A mean of pixels from 0 to 255 needs a standard deviation of these, and the reverse.
        match (self.mean, self.std) {
            (Some(mean), Some(std)) if std.iter().all(|v| *v >= 1.0) => {
                Ok((Some(mean.map(|v| v / 255.0)), Some(std.map(|v| v / 255.0))))
            }
            (Some(_), None) => Err(("mean", "is that of pixels from 0 to 255, so std must be stated too".into())),
            (None, _) => Err(("std", "is that of pixels from 0 to 255, so mean must be stated too".into())),
            (Some(_), Some(std)) => {
                Err(("std", format!("is {std:?}, which is not in the units of the mean, 0 to 255")))
            }
        }
    }
}

/// Returns the resize for an input of another size.
fn resized(known: Preprocessing, input: (usize, usize)) -> Resize {
    let (old, new) = (known.input, input);
    if old == new {
        return known.resize;
    }
    let scale = |length: usize, old: usize, new: usize| (length * new).checked_div(old).unwrap_or(length);
    let both = |(height, width)| (scale(height, old.0, new.0), scale(width, old.1, new.1));
    match known.resize {
        Resize::None => Resize::None,
        Resize::ShorterSide(_) if new.0 != new.1 => {
            let (height, width) = both(resized_size(known.resize, old));
            Resize::Cover(height, width)
        }
        Resize::ShorterSide(n) => Resize::ShorterSide(scale(n, old.0.min(old.1), new.0)),
        Resize::Squash(height, width) => {
            let (height, width) = both((height, width));
            Resize::Squash(height, width)
        }
        Resize::Cover(height, width) => match both((height, width)) {
            (height, width) if height == width => Resize::ShorterSide(height),
            (height, width) => Resize::Cover(height, width),
        },
        Resize::Contain { size, fill } => Resize::Contain { size: both(size), fill },
    }
}

/// Returns the height and width to which an image with the shape of the input is resized.
fn resized_size(resize: Resize, input: (usize, usize)) -> (usize, usize) {
    match resize {
        Resize::Contain { size, .. } => size,
        Resize::Cover(height, width) => (height, width),
        resize => resize.size(input.0, input.1),
    }
}

fn crop_mode(resize: Resize) -> CropMode {
    match resize {
        Resize::Squash(..) => CropMode::Squash,
        Resize::Contain { .. } => CropMode::Border,
        _ => CropMode::Center,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: PreprocessingOptions = PreprocessingOptions {
        mean: None,
        std: None,
        interpolation: None,
        crop_pct: None,
        img_size: None,
        crop_mode: None,
    };

    fn apply(options: PreprocessingOptions) -> Result<Preprocessing, String> {
        options.apply(Preprocessing::imagenet()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_given_stays() {
        assert_eq!(apply(NONE).unwrap(), Preprocessing::imagenet());
        let changed = apply(PreprocessingOptions { interpolation: "bicubic".parse().ok(), ..NONE }).unwrap();
        assert_eq!(changed, Preprocessing { filter: Filter::Bicubic, ..Preprocessing::imagenet() });
    }

    #[test]
    fn geometry_follows_the_size() {
        let check = |options, resize, input| {
            let changed = apply(options).unwrap();
            assert_eq!((changed.resize, changed.input), (resize, input));
        };
        check(PreprocessingOptions { img_size: Some((448, 448)), ..NONE }, Resize::ShorterSide(512), (448, 448));
        check(PreprocessingOptions { img_size: Some((224, 112)), ..NONE }, Resize::Cover(256, 128), (224, 112));
        let whole = PreprocessingOptions { img_size: Some((32, 32)), crop_pct: Some(1.0), ..NONE };
        check(whole, Resize::ShorterSide(32), (32, 32));
        let squash = PreprocessingOptions { crop_mode: Some(CropMode::Squash), ..NONE };
        check(squash, Resize::Squash(256, 256), (224, 224));
    }

    #[test]
    fn units_of_255_are_recognized() {
        let of = |mean, std| apply(PreprocessingOptions { mean, std, ..NONE });
        let bytes = of(Some([127.5; 3]), Some([127.5; 3])).unwrap();
        assert_eq!((bytes.mean, bytes.std), ([0.5; 3], [0.5; 3]));
        let raw = of(Some([0.0; 3]), Some([255.0; 3])).unwrap();
        assert_eq!((raw.mean, raw.std), ([0.0; 3], [1.0; 3]));
        assert!(of(Some([127.5; 3]), None).unwrap_err().contains("std must be stated too"));
        assert!(of(Some([127.5; 3]), Some([0.2; 3])).unwrap_err().contains("not in the units of the mean"));
        assert!(of(None, Some([0.0; 3])).unwrap_err().contains("std is [0.0, 0.0, 0.0]"));
        assert!(of(Some([f32::NAN; 3]), None).unwrap_err().contains("mean is"));
    }

    #[test]
    fn impossible_values_are_errors() {
        let fails = |options, part: &str| assert!(apply(options).unwrap_err().contains(part));
        fails(PreprocessingOptions { img_size: Some((0, 224)), ..NONE }, "img_size is 0 × 224");
        fails(PreprocessingOptions { img_size: Some((100_000, 224)), ..NONE }, "img_size is 100000 × 224");
        fails(PreprocessingOptions { crop_pct: Some(0.0), ..NONE }, "crop_pct is 0");
    }
}
