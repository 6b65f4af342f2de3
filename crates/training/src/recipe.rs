use crate::{Objective, Schedule, TrainingError, UpdateRule};
use hard_imagenet_perturbations::Preset;
use serde::{Deserialize, Serialize};

/// Which weights learn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrainableWeights {
    /// The last linear layer, on frozen features, as in the paper.
    #[default]
    Head,
    /// Every layer after a node ("layer3" leaves layer4 and the head to learn).
    #[serde(rename = "behind")]
    After(String),
    /// Everything.
    All,
}

/// What batch norms do in training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BatchNormMode {
    /// They keep the statistics they have, as when the model is used.
    #[default]
    Frozen,
    /// They use the batch's, and what they learn of them is dropped, as in the published code (Q11): the head is trained
    /// against other statistics than it meets afterwards.
    Dropped,
    /// They use the batch's, and follow them: for training everything.
    Followed,
}

/// How a model is finetuned. [`Recipe::default`] is the paper's (SPEC 6.1) where that is right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recipe {
    /// What for.
    pub objective: Objective,
    /// Which weights learn.
    #[serde(rename = "part")]
    pub trainable: TrainableWeights,
    /// How a gradient moves them.
    pub rule: UpdateRule,
    /// Highest learning rate.
    #[serde(rename = "rate")]
    pub learning_rate: f64,
    /// How the rate goes on.
    pub schedule: Schedule,
    /// Steps in which the rate rises first.
    pub warm_up: usize,
    /// Times that every picture is seen.
    pub epochs: usize,
    /// Pictures a step.
    #[serde(rename = "batch")]
    pub batch_size: usize,
    /// Of the targets, in [0, 1).
    #[serde(rename = "smoothing")]
    pub label_smoothing: f64,
    /// Random crops and mirror images instead of the model's own preprocessing.
    pub augment: bool,
    /// What batch norms do.
    pub batch_norms: BatchNormMode,
    /// Forward and backward in bf16, weights and optimizer in f32: for GPUs.
    pub bf16: bool,
    /// Stop after so many epochs without a better validation accuracy.
    pub patience: Option<usize>,
    /// Of the order, of augmentation and noise, and of a new head.
    pub seed: u64,
    /// What the published code did, or what it meant, where they differ.
    #[serde(with = "preset")]
    pub preset: Preset,
}

impl Default for Recipe {
    /// A linear head by Adam at 5e-4 with a decay of 1e-4, 15 epochs of batches of 32, no augmentation; batch norms frozen,
    /// unlike the published code.
    fn default() -> Self {
        Self {
            objective: Objective::Erm,
            trainable: TrainableWeights::Head,
            rule: UpdateRule::Adam { decay: 1e-4 },
            learning_rate: 5e-4,
            schedule: Schedule::Constant,
            warm_up: 0,
            epochs: 15,
            batch_size: 32,
            label_smoothing: 0.0,
            augment: false,
            batch_norms: BatchNormMode::Frozen,
            bf16: false,
            patience: None,
            seed: 0,
            preset: Preset::Strict,
        }
    }
}

impl Recipe {
    /// The paper's, with its quirks.
    pub fn paper() -> Self {
        Self { batch_norms: BatchNormMode::Dropped, preset: Preset::Paper, ..Self::default() }
    }

    pub(crate) fn check(&self) -> Result<(), TrainingError> {
        let bad = |what: &str| Err(TrainingError::Recipe(what.to_owned()));
        if self.epochs == 0 || self.batch_size == 0 {
            return bad("a recipe needs an epoch and a picture a step at least");
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return bad("the learning rate is a number above 0");
        }
        let (decay, momentum) = match self.rule {
            UpdateRule::Adam { decay } | UpdateRule::AdamW { decay } => (decay, 0.0),
            UpdateRule::Sgd { momentum, decay } => (decay, momentum),
        };
        if !(decay >= 0.0 && decay.is_finite() && (0.0..1.0).contains(&momentum)) {
            return bad("decay is a number of 0 or more, momentum one in [0, 1)");
        }
        if !(0.0..1.0).contains(&self.label_smoothing) {
            return bad("label smoothing is a number in [0, 1)");
        }
        if self.batch_norms != BatchNormMode::Frozen && matches!(self.trainable, TrainableWeights::After(_)) {
            return bad("batch norms use the batch's statistics for a head or for everything only");
        }
        if self.batch_norms != BatchNormMode::Frozen
            && matches!(self.objective, Objective::InputGradient(_) | Objective::GradCam(_))
        {
            return bad("penalties on saliency need frozen batch norms");
        }
        Ok(())
    }
}

mod preset {
    use hard_imagenet_perturbations::Preset;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(preset: &Preset, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(if *preset == Preset::Paper { "paper" } else { "strict" })
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Preset, D::Error> {
        match String::deserialize(from)?.as_str() {
            "paper" => Ok(Preset::Paper),
            "strict" => Ok(Preset::Strict),
            other => Err(D::Error::custom(format!("the preset is paper or strict, not \"{other}\""))),
        }
    }
}
