use crate::{Objective, Schedule, TrainingError, UpdateRule};
use hard_imagenet_files::write_whole;
use hard_imagenet_perturbations::Preset;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Which weights learn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrainableWeights {
    /// The last linear layer, on frozen features, as in the paper.
    #[default]
    Head,
    /// All weights after a node ("layer3" leaves layer4 and the head to learn).
    #[serde(rename = "behind")]
    After(String),
    /// All weights.
    All,
}

impl TrainableWeights {
    /// Parses "head", "all", or the name of the node after which weights learn.
    pub fn parse(word: &str) -> Self {
        match word {
            "head" => Self::Head,
            "all" => Self::All,
            node => Self::After(node.to_owned()),
        }
    }
}

/// What batch norms do in training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BatchNormMode {
    /// They use their stored statistics, as when the model is evaluated.
    #[default]
    Frozen,
    /// They use the batch's statistics, and their stored statistics do not change. The published code does this (Q11),
    /// so it trains the head with other statistics than it is evaluated with.
    Dropped,
    /// They use the batch's statistics and update their stored statistics. Choose this to train all weights.
    Followed,
}

/// How a network is finetuned. [`Recipe::default`] is the paper's recipe (Hard ImageNet, section 5), with its quirks
/// corrected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recipe {
    /// What is minimized.
    pub objective: Objective,
    /// Which weights learn.
    #[serde(rename = "part")]
    pub trainable: TrainableWeights,
    /// How a gradient changes the weights.
    pub rule: UpdateRule,
    /// Highest learning rate.
    #[serde(rename = "rate")]
    pub learning_rate: f64,
    /// How the learning rate changes after the warm-up.
    pub schedule: Schedule,
    /// Number of steps during which the learning rate rises at the start.
    pub warm_up: usize,
    /// How often every image is seen.
    pub epochs: usize,
    /// Images per step.
    #[serde(rename = "batch")]
    pub batch_size: usize,
    /// Label smoothing, in [0, 1).
    #[serde(rename = "smoothing")]
    pub label_smoothing: f64,
    /// Whether images are randomly cropped and mirrored instead of preprocessed as the model says.
    pub augment: bool,
    /// What batch norms do.
    pub batch_norms: BatchNormMode,
    /// Whether forward and backward passes compute in bf16, with weights and optimizer in f32. Meant for GPUs.
    pub bf16: bool,
    /// Stops the training after this many epochs without a better validation accuracy.
    pub patience: Option<usize>,
    /// Seed of the order, of augmentation and noise, and of a new head.
    pub seed: u64,
    /// Whether quirks of the published code are reproduced.
    #[serde(with = "preset")]
    pub preset: Preset,
}

impl Default for Recipe {
    /// Returns a recipe for a linear head: Adam with a learning rate of 5e-4 and a weight decay of 1e-4, 15 epochs of
    /// batches of 32, no augmentation. Batch norms are frozen, unlike in the published code.
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
    /// Returns the paper's recipe with the quirks of the published code.
    pub fn paper() -> Self {
        Self { batch_norms: BatchNormMode::Dropped, preset: Preset::Paper, ..Self::default() }
    }

    /// Returns what batch norms do by default under a preset.
    pub fn default_batch_norms(preset: Preset) -> BatchNormMode {
        match preset {
            Preset::Paper => BatchNormMode::Dropped,
            Preset::Strict => BatchNormMode::Frozen,
        }
    }

    /// Writes the recipe as `recipe.json` in a folder, which is created if necessary.
    ///
    /// # Errors
    /// Returns [`TrainingError::File`] if the file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), TrainingError> {
        let json = serde_json::to_string_pretty(self).map_err(|error| TrainingError::Recipe(error.to_string()))?;
        Ok(write_whole(&folder.join("recipe.json"), (json + "\n").as_bytes())?)
    }

    pub(crate) fn check(&self) -> Result<(), TrainingError> {
        let fail = |reason: &str| Err(TrainingError::Recipe(reason.to_owned()));
        if self.epochs == 0 || self.batch_size == 0 {
            return fail("a recipe needs at least an epoch and an image per step");
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return fail("the learning rate must be a number above 0");
        }
        let (decay, momentum) = match self.rule {
            UpdateRule::Adam { decay } | UpdateRule::AdamW { decay } => (decay, 0.0),
            UpdateRule::Sgd { momentum, decay } => (decay, momentum),
        };
        if !(decay >= 0.0 && decay.is_finite() && (0.0..1.0).contains(&momentum)) {
            return fail("weight decay must be a number of 0 or more, and momentum must be in [0, 1)");
        }
        if !(0.0..1.0).contains(&self.label_smoothing) {
            return fail("label smoothing must be in [0, 1)");
        }
        if self.batch_norms != BatchNormMode::Frozen && matches!(self.trainable, TrainableWeights::After(_)) {
            return fail("batch norms can use the batch's statistics only if the head or all weights are trained");
        }
        if self.batch_norms != BatchNormMode::Frozen
            && matches!(self.objective, Objective::InputGradient(_) | Objective::GradCam(_))
        {
            return fail("penalties on saliency need frozen batch norms");
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

#[cfg(test)]
mod tests {
    use super::*;

    /// recipe.json and the identities in checkpoints contain these keys.
    #[test]
    fn serialized_names_stay() {
        let recipe = Recipe { trainable: TrainableWeights::After("layer3".into()), ..Recipe::default() };
        let json = serde_json::to_string(&recipe).unwrap();
        let want = r#"{"objective":"erm","part":{"behind":"layer3"},"rule":{"adam":{"decay":0.0001}},"rate":0.0005,"schedule":"constant","warm-up":0,"epochs":15,"batch":32,"smoothing":0.0,"augment":false,"batch-norms":"frozen","bf16":false,"patience":null,"seed":0,"preset":"strict"}"#;
        assert_eq!(json, want);
        assert_eq!(serde_json::from_str::<Recipe>(want).unwrap(), recipe);
    }
}
