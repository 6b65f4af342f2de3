//! What a model is finetuned for.

use crate::TrainingError;
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Mask;
use hard_imagenet_perturbations::{EmptyRegion, Noise, NoiseKey, Norm, Perturb, Preset, Region, parse};
use serde::{Deserialize, Serialize};

/// An objective, in words as [`Objective::parse`] takes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Objective {
    /// `erm`: the mean cross entropy, no more.
    #[default]
    Erm,
    /// `background-noise`, `background-noise:0.25`: Gaussian noise around the object in half of the pictures, clipped to
    /// [0, 1] (SPEC 6.3). The original tosses its coin once a batch, as [`Preset::Paper`] does here, and goes on so in its
    /// test (Q12), as nobody does here; [`Preset::Strict`] tosses for each picture.
    BackgroundNoise(f32),
    /// `core-risk`, `core-risk:0.25`: noise around the object in every picture, so that what is learnt is what tells the
    /// class when the surroundings cannot (core risk minimisation; Singla, Moayeri and Feizi 2022).
    CoreRisk(f32),
    /// `background-only`: the object gray, as the paper trains it to see how far the surroundings alone carry.
    BackgroundOnly,
    /// `object-only`: everything else gray.
    ObjectOnly,
    /// `published-saliency`: the paper's saliency regularisation as it was published. Its penalty has no gradient with
    /// respect to the weights (Q13), so it regularises nothing: what remains is a second step of the optimizer with a
    /// gradient of zeros, by which momentum and weight decay move the weights once more.
    PublishedSaliency,
    /// `input-gradient`, `input-gradient:1`: what the published one meant: λ times the square of the loss's gradient with
    /// respect to the pixels around the object ([`input_gradient_penalty`](crate::input_gradient_penalty)), by
    /// second-order gradients (right for the right reasons; Ross, Hughes and Doshi-Velez 2017).
    InputGradient(f64),
    /// `grad-cam`, `grad-cam:1`: λ times the share of the label's GradCAM around the object
    /// ([`grad_cam_penalty`](crate::grad_cam_penalty)).
    GradCam(f64),
    /// `group-balanced`: every group is seen equally often.
    GroupBalanced,
    /// `group-dro`, `group-dro:0.01`: the loss of the worst group, by weights of the groups that grow with their losses at
    /// rate η (Sagawa et al. 2020); groups are seen equally often.
    GroupDro(f64),
}

/// Words, what they mean, and the number after the colon that they have by themselves.
const WORDS: [(&str, Option<f64>); 10] = [
    ("erm", None),
    ("background-noise", Some(0.25)),
    ("core-risk", Some(0.25)),
    ("background-only", None),
    ("object-only", None),
    ("published-saliency", None),
    ("input-gradient", Some(1.0)),
    ("grad-cam", Some(1.0)),
    ("group-balanced", None),
    ("group-dro", Some(0.01)),
];

impl Objective {
    /// The words that name objectives.
    pub fn words() -> impl Iterator<Item = &'static str> {
        WORDS.iter().map(|(word, _)| *word)
    }

    /// From its word, with a number after a colon where there is one.
    ///
    /// # Errors
    /// [`TrainingError::Recipe`], with the words that there are.
    pub fn parse(text: &str) -> Result<Self, TrainingError> {
        let (word, number) = text.split_once(':').map_or((text, None), |(word, number)| (word, Some(number)));
        let fail = |problem: String| TrainingError::Recipe(format!("objective \"{text}\": {problem}"));
        let known = || format!("there are {}", Self::words().collect::<Vec<_>>().join(", "));
        let (_, usual) = WORDS.iter().find(|(known, _)| *known == word).ok_or_else(|| fail(known()))?;
        let number = match (number, usual) {
            (None, usual) => usual.unwrap_or(0.0),
            (Some(_), None) => return Err(fail("it takes no number".into())),
            (Some(number), Some(_)) => match number.parse::<f64>() {
                Ok(number) if number.is_finite() && number >= 0.0 => number,
                _ => return Err(fail(format!("\"{number}\" is no number of 0 or more"))),
            },
        };
        Ok(match word {
            "background-noise" => Self::BackgroundNoise(number as f32),
            "core-risk" => Self::CoreRisk(number as f32),
            "background-only" => Self::BackgroundOnly,
            "object-only" => Self::ObjectOnly,
            "published-saliency" => Self::PublishedSaliency,
            "input-gradient" => Self::InputGradient(number),
            "grad-cam" => Self::GradCam(number),
            "group-balanced" => Self::GroupBalanced,
            "group-dro" => Self::GroupDro(number),
            _ => Self::Erm,
        })
    }

    /// Does it change pictures by chance, so that no two epochs see the same?
    pub(crate) fn draws(self) -> bool {
        matches!(self, Self::BackgroundNoise(_) | Self::CoreRisk(_))
    }

    /// Does it need the picture itself, so that features cannot stand for it?
    pub(crate) fn needs_pictures(self) -> bool {
        matches!(self, Self::InputGradient(_) | Self::GradCam(_)) || self.draws()
    }

    /// Does it need groups?
    pub fn needs_groups(self) -> bool {
        matches!(self, Self::GroupBalanced | Self::GroupDro(_))
    }

    /// What training shows of a picture. `sample` draws for the picture, `batch` for its batch.
    pub(crate) fn seen(self, image: Pixels, mask: &Mask, sample: NoiseKey, batch: NoiseKey, preset: Preset) -> Pixels {
        let noisy = |sigma: f32, image: &Pixels| {
            let noise = Noise { norm: Norm::Linf, sigma, region: Region::Background, empty: EmptyRegion::Unchanged };
            noise.apply(image, mask, sample)
        };
        let ablated = |word: &str, image: Pixels| match parse(word, Preset::Strict) {
            Ok(ablation) => ablation.apply(&image, mask, sample),
            Err(_) => image,
        };
        match self {
            Self::BackgroundNoise(sigma) => {
                let coin = if preset == Preset::Paper { batch } else { sample };
                if coin.fork("coin").below(0, 2) == 1 { noisy(sigma, &image) } else { image }
            }
            Self::CoreRisk(sigma) => noisy(sigma, &image),
            Self::BackgroundOnly => ablated("gray", image),
            Self::ObjectOnly => ablated("gray-bg", image),
            _ => image,
        }
    }
}

impl TryFrom<String> for Objective {
    type Error = TrainingError;

    fn try_from(text: String) -> Result<Self, TrainingError> {
        Self::parse(&text)
    }
}

impl From<Objective> for String {
    fn from(objective: Objective) -> Self {
        objective.to_string()
    }
}

impl std::fmt::Display for Objective {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Erm => write!(f, "erm"),
            Self::BackgroundNoise(sigma) => write!(f, "background-noise:{sigma}"),
            Self::CoreRisk(sigma) => write!(f, "core-risk:{sigma}"),
            Self::BackgroundOnly => write!(f, "background-only"),
            Self::ObjectOnly => write!(f, "object-only"),
            Self::PublishedSaliency => write!(f, "published-saliency"),
            Self::InputGradient(lambda) => write!(f, "input-gradient:{lambda}"),
            Self::GradCam(lambda) => write!(f, "grad-cam:{lambda}"),
            Self::GroupBalanced => write!(f, "group-balanced"),
            Self::GroupDro(eta) => write!(f, "group-dro:{eta}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back() {
        for word in Objective::words() {
            let objective = Objective::parse(word).unwrap();
            assert_eq!(Objective::parse(&objective.to_string()).unwrap(), objective, "{word}");
        }
        assert_eq!(Objective::parse("input-gradient:3.5").unwrap(), Objective::InputGradient(3.5));
        let check = |text: &str, expected: &str| {
            let error = Objective::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check("dro", "there are erm, background-noise");
        check("erm:1", "takes no number");
        check("grad-cam:x", "\"x\" is no number");
        check("core-risk:-1", "no number of 0 or more");
    }

    #[test]
    fn what_training_sees() {
        let image = Pixels::from_vec(4, 4, (0..48).map(|v| v as f32 / 48.0).collect()).unwrap();
        let mask = Mask::from_fn(4, 4, |row, _| row < 2);
        let key = |n: u32| NoiseKey::new(1, "one", n);
        let seen = |word: &str, n: u32, preset| {
            Objective::parse(word).unwrap().seen(image.clone(), &mask, key(n), key(100), preset)
        };
        let object = |image: &Pixels| image.as_slice()[..8].to_vec();
        let around = |image: &Pixels| image.as_slice()[8..16].to_vec();
        assert_eq!(object(&seen("background-only", 0, Preset::Strict)), [0.5; 8]);
        assert_eq!(around(&seen("object-only", 0, Preset::Strict)), [0.5; 8]);
        let noisy: Vec<Pixels> = (0..40).map(|n| seen("background-noise", n, Preset::Strict)).collect();
        assert!(noisy.iter().all(|one| object(one) == object(&image)));
        let changed = noisy.iter().filter(|one| around(one) != around(&image)).count();
        assert!((10..30).contains(&changed), "{changed}");
        // By the batch, all or none.
        let together =
            (0..40).filter(|&n| around(&seen("background-noise", n, Preset::Paper)) != around(&image)).count();
        assert!(together == 0 || together == 40, "{together}");
        assert!((0..40).all(|n| around(&seen("core-risk", n, Preset::Strict)) != around(&image)));
    }
}
