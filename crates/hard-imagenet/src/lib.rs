//! Does an image classifier see the object, or only what usually surrounds it?
//!
//! This crate is the façade of the Hard ImageNet benchmark (Moayeri, Singla, Feizi, NeurIPS 2022 Datasets and Benchmarks). It
//! re-exports the crates that do the work, each of which can also be used alone, and contains nothing of its own.
//!
//! | module | what it is for |
//! |---|---|
//! | [`masks`] | which pixels belong to the object; heatmaps |
//! | [`images`] | decoding, resampling that equals Pillow's, paired transforms of image and mask |
//! | [`perturbations`] | ablations and noise, given a mask |
//! | [`datasets`] | Hard ImageNet and its relatives, COCO files, any masked folder, generated planted cues |
//! | [`models`] | image classifiers by timm's names, as graphs ([`graph`]) of operations ([`kernels`]), compiled for the CPU ([`plan`]) |
//! | [`onnx`] | ONNX files as such graphs |
//! | [`saliency`] | heatmaps for a class decision |
//! | [`ranking`] | which features of a model are spurious, which classes are hard, images ordered by their cues |
//! | [`training`] | finetuning with objectives that reduce reliance on cues |
//! | [`evaluation`] | dataset × protocol × model → records |
//! | [`runs`] | the run folder: its description, records and gallery |
//! | [`metrics`] | records → scores with intervals |
//! | [`report`] | scores → pages and tables |
//! | [`cpu`], [`files`], [`pickle`] | what the others share: arithmetic on slices, whole files, Python's pickles as data |
//!
//! The following example runs the whole benchmark on generated images, with a small network whose weights are generated too:
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
//! # Candle
//!
//! Tensors, devices and automatic differentiation come from candle. Its crates are re-exported as [`candle_core`] and
//! [`candle_nn`], so that a program can name the same versions. These of its types appear in public functions:
//!
//! | type | where |
//! |---|---|
//! | [`Tensor`](candle_core::Tensor) | [`kernels`], [`graph`], [`models`], [`saliency`], [`ranking`], [`training`]: values, weights, gradients |
//! | [`Device`](candle_core::Device) | [`graph`], [`models`], [`training`]: where weights are placed |
//! | [`DType`](candle_core::DType) | [`graph`], [`models`], [`training`]: the precision of weights and activations |
//! | [`Var`](candle_core::Var) | [`kernels`], [`training`]: what is differentiated or trained |
//! | [`Error`](candle_core::Error) | in the errors of all crates above |
//!
//! The modules [`masks`], [`images`], [`perturbations`], [`datasets`], [`metrics`], [`runs`] and
//! [`report`] do not use candle. Depend on
//! their crates directly if you need nothing else: they build in seconds.
//!
//! # Features
//!
//! - `hub` downloads weights from the Hugging Face hub.
//! - `cuda`, `cudnn` and `metal` give candle a GPU. Without them everything runs on the CPU.
//! - `turbojpeg` decodes JPEG files to the same pixels as Pillow, bit for bit. Building it needs CMake, NASM and a C compiler.
//! - `zstd` reads parquet shards that are compressed by zstd. Building it needs a C compiler.

pub use candle_core;
pub use candle_nn;

pub use hard_imagenet_cpu as cpu;
pub use hard_imagenet_datasets as datasets;
pub use hard_imagenet_evaluation as evaluation;
pub use hard_imagenet_files as files;
pub use hard_imagenet_findings as findings;
pub use hard_imagenet_graph as graph;
pub use hard_imagenet_images as images;
pub use hard_imagenet_kernels as kernels;
pub use hard_imagenet_masks as masks;
pub use hard_imagenet_metrics as metrics;
pub use hard_imagenet_models as models;
pub use hard_imagenet_onnx as onnx;
pub use hard_imagenet_perturbations as perturbations;
pub use hard_imagenet_pickle as pickle;
pub use hard_imagenet_plan as plan;
pub use hard_imagenet_ranking as ranking;
pub use hard_imagenet_report as report;
pub use hard_imagenet_runs as runs;
pub use hard_imagenet_saliency as saliency;
pub use hard_imagenet_training as training;

/// The names that a program that evaluates models usually needs.
pub mod prelude {
    pub use crate::{datasets, models, report};
    pub use candle_core::{DType, Device};
    pub use hard_imagenet_datasets::{
        Dataset, HardImageNet, ImageNet, MaskedFolder, PlantedCues, Rankings, Rival20, Split, Subset,
    };
    pub use hard_imagenet_evaluation::Evaluation;
    pub use hard_imagenet_images::{Pixels, Preprocessing};
    pub use hard_imagenet_masks::{Heatmap, Mask};
    pub use hard_imagenet_metrics::{Metric, Options, Record, Scores, score};
    pub use hard_imagenet_models::{Model, Weights, zoo};
    pub use hard_imagenet_perturbations::{NoiseKey, Perturb, Preset};
    pub use hard_imagenet_runs::{Protocol, Quirks, Run};
    pub use hard_imagenet_saliency::{Explain, GradCam};
}
