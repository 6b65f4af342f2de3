use crate::TrainingError;
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Mask;
use hard_imagenet_perturbations::{EmptyRegion, Noise, NoiseKey, Norm, Perturb, Preset, Region, parse};
use serde::{Deserialize, Serialize};
use std::mem::discriminant;

/// What a training minimizes. [`Objective::parse`] takes the words given here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Objective {
    /// `erm`: the mean cross entropy.
    #[default]
    Erm,
    /// `background-noise`, `background-noise:0.25`: the mean cross entropy with Gaussian noise around the object in
    /// half of the images, clipped to [0, 1]. The number is the standard deviation of the noise.
    ///
    /// The published code tosses one coin for each batch and also adds noise to its test images (Q12).
    /// [`Preset::Paper`] tosses one coin for each batch, [`Preset::Strict`] one for each image. Neither adds noise to
    /// validation images.
    BackgroundNoise(f32),
    /// `core-risk`, `core-risk:0.25`: the mean cross entropy with noise around the object in every image (core risk
    /// minimization; Singla, Moayeri and Feizi 2022). The number is the standard deviation of the noise.
    CoreRisk(f32),
    /// `background-only`: the mean cross entropy with a gray object. The paper measures in this way how much the
    /// surroundings alone tell.
    BackgroundOnly,
    /// `object-only`: the mean cross entropy with gray surroundings.
    ObjectOnly,
    /// `published-saliency`: the paper's saliency regularization as published.
    ///
    /// Its penalty has no gradient with respect to the weights (Q13), so it regularizes nothing. Its only effect is a
    /// second optimizer step with a gradient of zeros, in which momentum and weight decay change the weights again.
    PublishedSaliency,
    /// `input-gradient`, `input-gradient:1`: what the published regularization intends. The penalty is λ times the
    /// square of the loss's gradient with respect to the pixels around the object, differentiated exactly
    /// ([`input_gradient_penalty`](crate::input_gradient_penalty); Ross, Hughes and Doshi-Velez 2017). The number is λ.
    InputGradient(f64),
    /// `grad-cam`, `grad-cam:1`: λ times the share of the label's GradCAM that lies around the object
    /// ([`grad_cam_penalty`](crate::grad_cam_penalty)). The number is λ.
    GradCam(f64),
    /// `group-balanced`: the mean cross entropy, with every group shown equally often.
    GroupBalanced,
    /// `group-dro`, `group-dro:0.01`: the loss of the worst group (Sagawa et al. 2020). Group weights grow with the
    /// groups' losses, and groups are shown equally often. The number is η, the rate at which the weights grow.
    GroupDro(f64),
}

/// An objective in the list that users choose from.
#[derive(Clone, Copy, Debug)]
pub struct ObjectiveInfo {
    /// The word that [`Objective::parse`] understands.
    pub word: &'static str,
    /// The number that may follow the word after a colon.
    pub parameter: Option<ObjectiveParameter>,
    create: fn(f64) -> Objective,
}

/// The number of an objective.
#[derive(Clone, Copy, Debug)]
pub struct ObjectiveParameter {
    /// Its usual symbol.
    pub symbol: &'static str,
    /// The value if none is given.
    pub default: f64,
}

const fn plain(word: &'static str, create: fn(f64) -> Objective) -> ObjectiveInfo {
    ObjectiveInfo { word, parameter: None, create }
}

const fn with_number(
    word: &'static str,
    symbol: &'static str,
    default: f64,
    create: fn(f64) -> Objective,
) -> ObjectiveInfo {
    ObjectiveInfo { word, parameter: Some(ObjectiveParameter { symbol, default }), create }
}

/// All objectives.
pub const OBJECTIVES: &[ObjectiveInfo] = &[
    plain("erm", |_| Objective::Erm),
    with_number("background-noise", "σ", 0.25, |sigma| Objective::BackgroundNoise(sigma as f32)),
    with_number("core-risk", "σ", 0.25, |sigma| Objective::CoreRisk(sigma as f32)),
    plain("background-only", |_| Objective::BackgroundOnly),
    plain("object-only", |_| Objective::ObjectOnly),
    plain("published-saliency", |_| Objective::PublishedSaliency),
    with_number("input-gradient", "λ", 1.0, Objective::InputGradient),
    with_number("grad-cam", "λ", 1.0, Objective::GradCam),
    plain("group-balanced", |_| Objective::GroupBalanced),
    with_number("group-dro", "η", 0.01, Objective::GroupDro),
];

impl Objective {
    /// Parses an objective's word, with a number after a colon if it takes one.
    ///
    /// # Errors
    /// Returns [`TrainingError::Recipe`], which lists the known words.
    pub fn parse(text: &str) -> Result<Self, TrainingError> {
        let (word, number) = text.split_once(':').map_or((text, None), |(word, number)| (word, Some(number)));
        let fail = |problem: String| TrainingError::Recipe(format!("objective \"{text}\": {problem}"));
        let Some(info) = OBJECTIVES.iter().find(|info| info.word == word) else {
            let known: Vec<&str> = OBJECTIVES.iter().map(|info| info.word).collect();
            return Err(fail(format!("known objectives are {}", known.join(", "))));
        };
        let number = match (number, info.parameter) {
            (None, parameter) => parameter.map_or(0.0, |parameter| parameter.default),
            (Some(_), None) => return Err(fail("it takes no number".into())),
            (Some(number), Some(_)) => match number.parse::<f64>() {
                Ok(number) if number.is_finite() && number >= 0.0 => number,
                _ => return Err(fail(format!("\"{number}\" is not a number of 0 or more"))),
            },
        };
        Ok((info.create)(number))
    }

    /// Returns whether the objective needs the group of each sample.
    pub fn needs_groups(self) -> bool {
        matches!(self, Self::GroupBalanced | Self::GroupDro(_))
    }

    /// Returns whether the objective changes images randomly, so that they differ from epoch to epoch.
    pub(crate) fn is_random(self) -> bool {
        matches!(self, Self::BackgroundNoise(_) | Self::CoreRisk(_))
    }

    /// Returns whether every step needs the images themselves, so that cached features are not enough.
    pub(crate) fn needs_images(self) -> bool {
        matches!(self, Self::InputGradient(_) | Self::GradCam(_)) || self.is_random()
    }

    /// Returns the image that training shows to the network. Random numbers come from `sample_key`, or from `batch_key`
    /// where one draw decides for the whole batch.
    pub(crate) fn alter_image(
        self,
        image: Pixels,
        mask: &Mask,
        sample_key: NoiseKey,
        batch_key: NoiseKey,
        preset: Preset,
    ) -> Pixels {
        let add_noise = |sigma: f32, image: &Pixels| {
            let noise = Noise { norm: Norm::Linf, sigma, region: Region::Background, empty: EmptyRegion::Unchanged };
            noise.apply(image, mask, sample_key)
        };
        let ablate = |word: &str, image: Pixels| match parse(word, Preset::Strict) {
            Ok(ablation) => ablation.apply(&image, mask, sample_key),
            Err(_) => image,
        };
        match self {
            Self::BackgroundNoise(sigma) => {
                let coin = if preset == Preset::Paper { batch_key } else { sample_key };
                if coin.fork("coin").below(0, 2) == 1 { add_noise(sigma, &image) } else { image }
            }
            Self::CoreRisk(sigma) => add_noise(sigma, &image),
            Self::BackgroundOnly => ablate("gray", image),
            Self::ObjectOnly => ablate("gray-bg", image),
            _ => image,
        }
    }

    /// Returns the number after the colon.
    fn number(self) -> Option<String> {
        match self {
            Self::BackgroundNoise(sigma) | Self::CoreRisk(sigma) => Some(sigma.to_string()),
            Self::InputGradient(number) | Self::GradCam(number) | Self::GroupDro(number) => Some(number.to_string()),
            _ => None,
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

/// Writes the word and the number, as [`Objective::parse`] takes them.
impl std::fmt::Display for Objective {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let info = OBJECTIVES.iter().find(|info| discriminant(&(info.create)(0.0)) == discriminant(self));
        f.write_str(info.map_or("", |info| info.word))?;
        match self.number() {
            Some(number) => write!(f, ":{number}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_round_trips() {
        for ObjectiveInfo { word, parameter, .. } in OBJECTIVES {
            let objective = Objective::parse(word).unwrap();
            let number = parameter.map_or(String::new(), |parameter| format!(":{}", parameter.default));
            assert_eq!(objective.to_string(), format!("{word}{number}"));
            assert_eq!(Objective::parse(&objective.to_string()).unwrap(), objective, "{word}");
        }
        assert_eq!(Objective::parse("input-gradient:3.5").unwrap(), Objective::InputGradient(3.5));
        let check = |text: &str, expected: &str| {
            let error = Objective::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check("dro", "known objectives are erm, background-noise");
        check("erm:1", "takes no number");
        check("grad-cam:x", "\"x\" is not a number");
        check("core-risk:-1", "not a number of 0 or more");
    }

    #[test]
    fn objectives_alter_the_object_or_its_surroundings() {
        let image = Pixels::from_vec(4, 4, (0..48).map(|v| v as f32 / 48.0).collect()).unwrap();
        let mask = Mask::from_fn(4, 4, |row, _| row < 2);
        let key = |n: u32| NoiseKey::new(1, "one", n);
        let altered = |word: &str, n: u32, preset| {
            Objective::parse(word).unwrap().alter_image(image.clone(), &mask, key(n), key(100), preset)
        };
        let object = |image: &Pixels| image.as_slice()[..8].to_vec();
        let around = |image: &Pixels| image.as_slice()[8..16].to_vec();
        assert_eq!(object(&altered("background-only", 0, Preset::Strict)), [0.5; 8]);
        assert_eq!(around(&altered("object-only", 0, Preset::Strict)), [0.5; 8]);
        let noisy: Vec<Pixels> = (0..40).map(|n| altered("background-noise", n, Preset::Strict)).collect();
        assert!(noisy.iter().all(|one| object(one) == object(&image)));
        let changed = noisy.iter().filter(|one| around(one) != around(&image)).count();
        assert!((10..30).contains(&changed), "{changed}");
        // One coin for the batch: all images get noise or none.
        let together =
            (0..40).filter(|&n| around(&altered("background-noise", n, Preset::Paper)) != around(&image)).count();
        assert!(together == 0 || together == 40, "{together}");
        assert!((0..40).all(|n| around(&altered("core-risk", n, Preset::Strict)) != around(&image)));
    }
}
