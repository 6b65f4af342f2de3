use crate::{SkippedSample, TrainingError};
use hard_imagenet_files::write_whole;
use hard_imagenet_models::Network;
use serde::{Deserialize, Serialize};
use std::fmt::{Display, Formatter, Write};
use std::path::{Path, PathBuf};

/// The results of one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// The epoch's number, counted from 1.
    pub number: usize,
    /// Mean cross entropy of the training images. Each image counts with the loss it had before its step.
    pub loss: f64,
    /// Mean penalty before multiplication by λ, for objectives that have one.
    pub penalty: Option<f64>,
    /// Share of the training images that were classified correctly, in [0, 1].
    pub accuracy: f64,
    /// Share of the validation images that are classified correctly after the epoch, in [0, 1].
    pub validation: Option<f64>,
}

/// Formats the epoch as one line for people.
impl Display for Epoch {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "epoch {:3}  loss {:.4}  accuracy {:.1} %", self.number, self.loss, 100.0 * self.accuracy)?;
        if let Some(penalty) = self.penalty {
            write!(f, "  penalty {penalty:.4}")?;
        }
        if let Some(validation) = self.validation {
            write!(f, "  validation {:.1} %", 100.0 * validation)?;
        }
        Ok(())
    }
}

/// Returns the epochs as a CSV table with a header, one line per epoch. Undefined values are empty.
pub fn epochs_csv(epochs: &[Epoch]) -> String {
    let mut out = String::from("epoch,loss,accuracy,penalty,validation\n");
    let text = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    for epoch in epochs {
        let Epoch { number, loss, accuracy, .. } = epoch;
        let _ = writeln!(out, "{number},{loss},{accuracy},{},{}", text(epoch.penalty), text(epoch.validation));
    }
    out
}

/// What a training reports to its listener.
#[derive(Clone, Copy, Debug)]
pub enum TrainingEvent<'e> {
    /// Images went through the frozen layers, whose outputs are kept for all epochs.
    Features {
        /// Images done.
        done: usize,
        /// Images in total.
        total: usize,
    },
    /// A step was taken.
    Step {
        /// Steps done.
        done: usize,
        /// Steps in total.
        total: usize,
        /// Mean cross entropy of the step's batch.
        loss: f64,
    },
    /// An epoch ended, and its checkpoint was written.
    Epoch(&'e Epoch),
}

/// The result of a training.
#[derive(Clone, Debug)]
pub struct TrainingOutcome {
    /// The network with the weights of the epoch that had the best validation accuracy, the first one among equals.
    /// Without validation, the weights are those of the last epoch.
    pub network: Network,
    /// All epochs in order.
    pub epochs: Vec<Epoch>,
    /// Samples that could not be read and were skipped.
    pub skipped: Vec<SkippedSample>,
}

impl TrainingOutcome {
    /// Writes `epochs.csv` and `MODEL.safetensors` into a folder, which is created if necessary, and returns the path
    /// of the weights.
    ///
    /// # Errors
    /// Returns [`TrainingError::File`] if a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, TrainingError> {
        write_whole(&folder.join("epochs.csv"), epochs_csv(&self.epochs).as_bytes())?;
        let path = folder.join(format!("{}.safetensors", self.network.spec.name));
        let fail = |error: safetensors::SafeTensorError| candle_core::Error::Msg(error.to_string());
        let bytes = safetensors::serialize(&self.network.weights, None).map_err(fail)?;
        write_whole(&path, &bytes)?;
        Ok(path)
    }
}
