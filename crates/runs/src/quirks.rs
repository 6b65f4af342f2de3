use hard_imagenet_images::{MaskRule, PairedTransform, Preprocessing};
use hard_imagenet_perturbations::{AverageRule, BoxEdges, EmptyRegion, NoiseFillRule, Preset, Switches, TileRule};
use serde::{Deserialize, Serialize};

/// The geometry that brings samples to the size of the network's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Geometry {
    /// The paper's geometry for every model: a bilinear resize to 8/7 of the input size that ignores the aspect ratio
    /// (256 × 256 for 224 × 224), followed by the center crop.
    Squash,
    /// The model's own geometry, applied to the image and to its mask.
    Model,
}

/// The input of an explainer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SaliencyInput {
    /// The image with values in [0, 1]: the published code omits the normalization (Q2).
    Raw,
    /// The normalized image, as in every other forward pass.
    #[serde(rename = "normalised")]
    Normalized,
}

/// The prediction if logits are not numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NanPrediction {
    /// The first class whose logit is not a number, as torch's `argmax` returns it: class 0 if all are NaN (Q9).
    First,
    /// No prediction.
    Undefined,
}

/// The switches for all points in which the published code differs from the method that the paper describes.
///
/// `Quirks::from(Preset::Paper)` reproduces the published code, `Quirks::from(Preset::Strict)` follows the method. A mixture
/// shows the effect of single quirks. docs/QUIRKS.md lists the quirks by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quirks {
    /// The geometry of the input.
    pub geometry: Geometry,
    /// Which values of a resampled mask count as object (Q1).
    pub mask_rule: MaskRule,
    /// Whether the explainer's input is normalized (Q2).
    pub saliency_input: SaliencyInput,
    /// Whether the box of an object includes its last row and column (Q3).
    #[serde(with = "BoxEdgesWord")]
    pub box_edges: BoxEdges,
    /// How tiles are found and pasted (Q4).
    #[serde(with = "TileRuleWord")]
    pub tile: TileRule,
    /// How colors are averaged (Q5).
    #[serde(with = "AverageRuleWord")]
    pub average: AverageRule,
    /// What the noise that replaces the object is centered on, and whether it is clipped (Q26).
    #[serde(with = "NoiseFillRuleWord")]
    pub noise_fill: NoiseFillRule,
    /// What noise of a given l2 norm does if its region has no pixels (Q9).
    #[serde(with = "EmptyRegionWord")]
    pub empty_region: EmptyRegion,
    /// The prediction if logits are not numbers (Q9).
    pub nan_prediction: NanPrediction,
}

impl From<Preset> for Quirks {
    fn from(preset: Preset) -> Self {
        match preset {
            Preset::Paper => Self {
                geometry: Geometry::Squash,
                mask_rule: MaskRule::AnyInk,
                saliency_input: SaliencyInput::Raw,
                box_edges: preset.into(),
                tile: preset.into(),
                average: preset.into(),
                noise_fill: preset.into(),
                empty_region: preset.into(),
                nan_prediction: NanPrediction::First,
            },
            Preset::Strict => Self {
                geometry: Geometry::Model,
                mask_rule: MaskRule::Half,
                saliency_input: SaliencyInput::Normalized,
                box_edges: preset.into(),
                tile: preset.into(),
                average: preset.into(),
                noise_fill: preset.into(),
                empty_region: preset.into(),
                nan_prediction: NanPrediction::Undefined,
            },
        }
    }
}

impl Quirks {
    /// Returns "paper" or "strict" if all switches are set as in that preset, else "mixed".
    pub fn name(&self) -> &'static str {
        if *self == Self::from(Preset::Paper) {
            "paper"
        } else if *self == Self::from(Preset::Strict) {
            "strict"
        } else {
            "mixed"
        }
    }

    /// Returns the switches that select variants of perturbations.
    pub fn switches(&self) -> Switches {
        Switches {
            box_edges: self.box_edges,
            tile: self.tile,
            average: self.average,
            noise_fill: self.noise_fill,
            empty_region: self.empty_region,
        }
    }

    /// Returns the transform of samples for a model with the given preprocessing.
    pub fn transform(&self, preprocess: &Preprocessing) -> PairedTransform {
        match self.geometry {
            Geometry::Squash => preprocess.squash().paired_transform(self.mask_rule),
            Geometry::Model => preprocess.paired_transform(self.mask_rule),
        }
    }

    /// Returns the index of the highest logit, the first if several are equal. [`nan_prediction`](Self::nan_prediction)
    /// decides if any logit is not a number. Returns `None` without logits.
    pub fn prediction(&self, logits: &[f32]) -> Option<u32> {
        if let Some(first) = logits.iter().position(|logit| logit.is_nan()) {
            return match self.nan_prediction {
                NanPrediction::First => u32::try_from(first).ok(),
                NanPrediction::Undefined => None,
            };
        }
        let mut best = None;
        for (class, &logit) in (0..).zip(logits) {
            if best.is_none_or(|(_, highest)| logit > highest) {
                best = Some((class, logit));
            }
        }
        best.map(|(class, _)| class)
    }
}

// The switches of other crates, as words in JSON.

#[derive(Serialize, Deserialize)]
#[serde(remote = "BoxEdges", rename_all = "kebab-case")]
enum BoxEdgesWord {
    Exclusive,
    Inclusive,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "TileRule", rename_all = "kebab-case")]
enum TileRuleWord {
    Published,
    Corrected,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "AverageRule", rename_all = "kebab-case")]
enum AverageRuleWord {
    Published,
    Corrected,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "NoiseFillRule", rename_all = "kebab-case")]
enum NoiseFillRuleWord {
    Published,
    Clipped,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "EmptyRegion", rename_all = "kebab-case")]
enum EmptyRegionWord {
    NotANumber,
    Unchanged,
}

#[cfg(test)]
mod tests {
    use super::{Geometry, NanPrediction, Quirks, SaliencyInput};
    use hard_imagenet_images::{Filter, MaskRule, Preprocessing, Resize};
    use hard_imagenet_perturbations::Preset;

    const OWN: Preprocessing = Preprocessing {
        resize: Resize::ShorterSide(248),
        input: (224, 224),
        filter: Filter::Bicubic,
        mean: [0.5; 3],
        std: [0.5; 3],
    };

    #[test]
    fn the_paper_geometry_is_the_same_for_every_model() {
        let transform = Quirks::from(Preset::Paper).transform(&OWN);
        assert_eq!((transform.resize, transform.crop), (Resize::Squash(256, 256), Some((224, 224))));
        assert_eq!((transform.filter, transform.mask_rule), (Filter::Bilinear, MaskRule::AnyInk));
    }

    #[test]
    fn the_strict_geometry_is_that_of_the_model() {
        let transform = Quirks::from(Preset::Strict).transform(&OWN);
        assert_eq!((transform.resize, transform.crop), (OWN.resize, Some(OWN.input)));
        assert_eq!((transform.filter, transform.mask_rule), (Filter::Bicubic, MaskRule::Half));
    }

    #[test]
    fn a_mixture_is_called_mixed() {
        let paper = Quirks::from(Preset::Paper);
        assert_eq!(paper.name(), "paper");
        assert_eq!(Quirks::from(Preset::Strict).name(), "strict");
        assert_eq!(Quirks { saliency_input: SaliencyInput::Normalized, ..paper }.name(), "mixed");
        assert_eq!(Quirks { geometry: Geometry::Model, ..paper }.name(), "mixed");
    }

    #[test]
    fn each_switch_is_a_word_in_json() {
        let json = serde_json::to_string(&Quirks::from(Preset::Paper)).unwrap();
        let expected = concat!(
            r#"{"geometry":"squash","mask_rule":"any-ink","saliency_input":"raw","box_edges":"exclusive","#,
            r#""tile":"published","average":"published","noise_fill":"published","#,
            r#""empty_region":"not-a-number","nan_prediction":"first"}"#
        );
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_str::<Quirks>(&json).unwrap(), Quirks::from(Preset::Paper));
    }

    #[test]
    fn the_first_of_the_highest_logits_is_predicted() {
        let check = |nan_prediction, logits: &[f32], expected| {
            let quirks = Quirks { nan_prediction, ..Quirks::from(Preset::Paper) };
            assert_eq!(quirks.prediction(logits), expected, "{logits:?}");
        };
        for rule in [NanPrediction::First, NanPrediction::Undefined] {
            check(rule, &[0.5, 2.0, 2.0, -1.0], Some(1));
            check(rule, &[f32::NEG_INFINITY; 2], Some(0));
            check(rule, &[], None);
        }
        check(NanPrediction::First, &[f32::NAN; 3], Some(0));
        check(NanPrediction::First, &[1.0, f32::NAN], Some(1));
        check(NanPrediction::Undefined, &[1.0, f32::NAN], None);
    }
}
