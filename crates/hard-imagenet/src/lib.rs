//! Does an image classifier see the object, or only what usually surrounds it?
//!
//! This crate is the façade of the Hard ImageNet benchmark (Moayeri, Singla, Feizi, NeurIPS 2022 Datasets and
//! Benchmarks): it re-exports the crates that do the work, each of which can also be used alone, and has nothing of its
//! own.
//!
//! | module | what it is for |
//! |---|---|
//! | [`masks`] | which pixels are object; heatmaps |
//! | [`images`] | decoding, Pillow-exact resampling, paired transforms |
//! | [`perturbations`] | ablations and noise, given a mask |
//! | [`datasets`] | Hard ImageNet and its relatives, COCO files, any masked folder, generated planted cues |
//! | [`models`] | image classifiers by timm's names, as graphs ([`graph`]) of operations ([`kernels`]) |
//! | [`saliency`] | heatmaps for a class decision |
//! | [`ranking`] | which features of a model are spurious; hard classes; pictures in the order of their cues |
//! | [`training`] | finetuning for the right reasons |
//! | [`evaluation`] | dataset × protocol × model → records in a run folder |
//! | [`runs`] | the run folder: its description, records and gallery |
//! | [`metrics`] | records → scores with intervals |
//! | [`report`] | scores → pages and tables |
//!
//! The whole benchmark on generated pictures, with a small network whose weights are generated too:
//!
//! ```
//! use hard_imagenet::prelude::*;
//!
//! let folder = tempfile::tempdir()?;
//! let weights = folder.path().join("planted_resnet.safetensors");
//! models::generated::write(&zoo::graph("planted_resnet", 8)?, &weights)?;
//! let model = zoo::load("planted_resnet", &Weights::File(weights), &Device::Cpu, DType::F32)?;
//!
//! let data = PlantedCues::hard(7, 8, 64);
//! let run = Evaluation::new(&data).protocol(Protocol::quick()).preset(Preset::Strict).run(&model, folder.path().join("run"))?;
//!
//! let scores = score(run.records(), &Options::default());
//! let accuracy = scores.headline("accuracy", "gray").expect("gray is part of the protocol");
//! assert!((accuracy.low..=accuracy.high).contains(&accuracy.value));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Features: `cuda`, `cudnn` and `metal` give candle a GPU; without them everything runs on the CPU. `turbojpeg` decodes JPEG files
//! as Pillow does, to the bit; it needs cmake, nasm and a C compiler to build. `hub` fetches weights from the Hugging
//! Face hub.

pub use hard_imagenet_datasets as datasets;
pub use hard_imagenet_evaluation as evaluation;
pub use hard_imagenet_graph as graph;
pub use hard_imagenet_images as images;
pub use hard_imagenet_kernels as kernels;
pub use hard_imagenet_masks as masks;
pub use hard_imagenet_metrics as metrics;
pub use hard_imagenet_models as models;
pub use hard_imagenet_perturbations as perturbations;
pub use hard_imagenet_ranking as ranking;
pub use hard_imagenet_report as report;
pub use hard_imagenet_runs as runs;
pub use hard_imagenet_saliency as saliency;
pub use hard_imagenet_training as training;

/// What a program that evaluates models usually needs.
pub mod prelude {
    pub use crate::models;
    pub use candle_core::{DType, Device};
    pub use hard_imagenet_datasets::{
        Dataset, HardImageNet, ImageNet, MaskedFolder, PlantedCues, Rankings, Rival20, Split, Subset,
    };
    pub use hard_imagenet_evaluation::Evaluation;
    pub use hard_imagenet_images::{Pixels, Preprocessing};
    pub use hard_imagenet_masks::{Heatmap, Mask};
    pub use hard_imagenet_metrics::{Options, Record, Scores, score};
    pub use hard_imagenet_models::{Model, Weights, zoo};
    pub use hard_imagenet_perturbations::{NoiseKey, Perturb, Preset};
    pub use hard_imagenet_runs::{Protocol, Quirks, Run};
    pub use hard_imagenet_saliency::{Explain, GradCam};
}
