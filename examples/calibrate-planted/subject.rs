//! The models of the study and their training.

use crate::hybrid::Hybrid;
use crate::training::{Recipe, Result, train};
use candle_core::{DType, Device};
use hard_imagenet::images::{Filter, Preprocessing, Resize};
use hard_imagenet::models::families::resnet::{Block, ResNet, Stem};
use hard_imagenet::models::{Architecture, Checkpoint, Model, ModelSpec, Network, WeightMap, generated};
use std::path::{Path, PathBuf};

/// Side of the images, in pixels.
pub(crate) const SIZE: usize = 32;
/// Strengths of the cue in training. The first is chance, where the scene reveals nothing.
pub(crate) const CUES: [f64; 6] = [0.125, 0.25, 0.5, 0.75, 0.9, 1.0];
/// Number of seeds for each kind and strength.
pub(crate) const SEEDS: u64 = 5;

/// A kind of network and the length of its training.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    network: &'static (dyn Architecture + Sync),
    steps: usize,
    rate: f64,
}

const RESNET: ResNet = ResNet { stem: Stem::Small, stem_width: 24, block: Block::Basic, stages: &[(24, 1), (48, 1)] };
const TRANSFORMER: Hybrid = Hybrid { image: SIZE, stem: 24, width: 48, depth: 2, heads: 4 };

pub(crate) const KINDS: [Kind; 2] = [
    Kind { name: "resnet", network: &RESNET, steps: 900, rate: 5e-3 },
    Kind { name: "transformer", network: &TRANSFORMER, steps: 1100, rate: 3e-3 },
];

/// One model of the study.
pub(crate) struct Subject {
    pub(crate) kind: &'static Kind,
    pub(crate) cue: f64,
    pub(crate) seed: u64,
}

impl Subject {
    /// Returns all models. Those of a seed come together, so that an interrupted study has every strength of the cue.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for seed in 1..=SEEDS {
            for cue in CUES {
                all.extend(KINDS.iter().map(|kind| Self { kind, cue, seed }));
            }
        }
        all
    }

    /// Returns a name such as "resnet-0.75-3": kind, cue, seed.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}-{}", self.kind.name, self.cue, self.seed)
    }

    fn weights(&self, folder: &Path) -> PathBuf {
        folder.join("models").join(format!("{}.safetensors", self.name()))
    }

    pub(crate) fn is_trained(&self, folder: &Path) -> bool {
        self.weights(folder).exists()
    }

    /// Trains the model and writes its weights, whole or not at all. Returns loss and accuracy on the last tenth of its images.
    pub(crate) fn train(&self, folder: &Path) -> Result<(f64, f64)> {
        let graph = self.kind.network.graph(8)?;
        // Each seed has its own initial weights, which are made from the tensors' names and the seed.
        let tensor = |name: &str, shape: &[usize]| {
            let values = generated::values(&format!("{}/{name}", self.seed), shape);
            candle_core::Tensor::from_vec(values, shape, &Device::Cpu)
        };
        let start = graph
            .parameters()
            .into_iter()
            .map(|p| Ok((p.name.clone(), tensor(&p.name, &p.shape)?)))
            .collect::<Result<WeightMap>>()?;
        let Kind { steps, rate, .. } = *self.kind;
        let recipe = Recipe { cue: self.cue, seed: self.seed, steps, batch: 16, rate };
        let (mut loss, mut accuracy, last) = (0.0, 0.0, steps / 10);
        let weights = train(&graph, start, &preprocess(), &recipe, |step| {
            if step.number > steps - last {
                loss += step.loss / last as f64;
                accuracy += step.accuracy / last as f64;
            }
        })?;
        let path = self.weights(folder);
        let draft = path.with_extension("tmp");
        candle_core::safetensors::save(&weights, &draft)?;
        std::fs::rename(&draft, &path)?;
        Ok((loss, accuracy))
    }

    /// Loads the trained model.
    pub(crate) fn load(&self, folder: &Path) -> Result<Model> {
        let network = self.kind.network;
        let checkpoint = Checkpoint::open(&self.weights(folder))?;
        let mut weights = WeightMap::new();
        let stored = checkpoint.tensors().chunks(1).map(|tensor| (tensor[0].name.clone(), tensor));
        let sha256 = checkpoint.read(stored, |name, tensors| {
            weights.extend(tensors.into_iter().map(|tensor| (name.clone(), tensor)));
            Ok(())
        })?;
        let spec = ModelSpec {
            name: self.name(),
            preprocess: preprocess(),
            classes: 8,
            cam_node: network.cam_node(),
            feature_node: network.feature_node(),
            class_names: None,
        };
        Ok(Model::new(Network::new(spec, network.graph(8)?, weights, sha256), &Device::Cpu, DType::F32)?)
    }
}

/// Returns preprocessing that keeps images as they are and scales values to -1..1.
fn preprocess() -> Preprocessing {
    Preprocessing {
        resize: Resize::Squash(SIZE, SIZE),
        input: (SIZE, SIZE),
        filter: Filter::Bilinear,
        mean: [0.5; 3],
        std: [0.5; 3],
    }
}
