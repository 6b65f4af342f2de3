//! Image classifiers by their timm names: graphs, weights and preprocessing.
//!
//! - [`zoo::find`] lists models by name. [`zoo::load`] loads one with its [`Weights`]: a file or folder of safetensors
//!   or torch checkpoints, bytes in memory, or (feature `hub`) the Hugging Face hub. Names are timm's
//!   (`resnet50.tv_in1k`, or `resnet50` for short).
//! - [`onnx::load`] loads an ONNX file of any architecture.
//! - [`Model`] runs a network: [`forward`](Model::forward) returns logits, [`nodes`](Model::nodes) lists all inner
//!   values, and [`cut`](Model::cut) divides the network at one of them. [`with_head`](Model::with_head) and
//!   [`zero_shot`](Model::zero_shot) give it other classes. [`ModelSpec`] describes it.
//! - [`Network`] is a graph with its weights before it becomes a model. [`zoo::read`] and [`onnx::read`] return it for
//!   training and other changes.
//! - [`PreprocessingOptions`] change how images are prepared, on top of what the model's files state.
//! - [`Model::findings`] lists what these files leave open, such as a preprocessing that nothing states.
//! - [`ClipText`] is CLIP's text tower, and [`zero_shot`] makes weights of a classifier from the names of classes.
//! - [`Checkpoint`] is a weights file: a table of tensors whose values are read on demand.
//! - [`best_device`] and [`device`] choose the device.
//!
//! Tensors, devices and dtypes in this crate's API are candle's (`candle_core::{Tensor, Device, DType}`).
//!
//! ```
//! use candle_core::{DType, Device};
//! use hard_imagenet_images::Pixels;
//! use hard_imagenet_models::{Weights, generated, zoo};
//!
//! // Real weights come from files. These are functions of their names, for tests.
//! let folder = std::env::temp_dir().join("hard-imagenet-doc");
//! std::fs::create_dir_all(&folder)?;
//! generated::write(&zoo::graph("planted_resnet", 8)?, &folder.join("planted_resnet.safetensors"))?;
//!
//! let model = zoo::load("planted_resnet", &Weights::Folder(folder), &Device::Cpu, DType::F32)?;
//! assert_eq!(model.spec().classes, 8);
//!
//! let image = Pixels::from_vec(64, 64, vec![0.5; 3 * 64 * 64])?;
//! let x = model.normalize(&model.batch(&[image])?)?;      // (1, 3, 64, 64)
//! let logits = model.forward(&x)?;                         // (1, 8), f32
//! assert_eq!(logits.dims(), [1, 8]);
//!
//! let cut = model.cut(&model.spec().cam_node)?;            // "layer3"
//! let value = model.trunk(&cut, &x)?;                      // (1, 96, 8, 8)
//! assert_eq!(value.at.dims(), [1, 96, 8, 8]);
//! let difference = (model.head(&cut, &value)? - &logits)?.abs()?.max_all()?.to_scalar::<f32>()?;
//! assert!(difference < 1e-5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Adding a model
//! A model of a known family is a row in the table of its family (`families/resnet.rs`, `families/vit.rs` and so on). A
//! new family is a file in `families/` and its table in the list `FAMILIES` of `families/mod.rs`. If other libraries
//! name its weights differently, `names/` gets a scheme.
//!
//! # Features
//! `hub` adds `Weights::Hub`, which downloads weights from the Hugging Face hub into the cache that Python shares.
//! `cuda`, `cudnn` and `metal` are candle's backends.
//!
//! # References
//! He et al. 2016, *Deep residual learning*; Simonyan and Zisserman 2015, *Very deep convolutional networks*; Huang et
//! al. 2017, *Densely connected convolutional networks*; Howard et al. 2019, *Searching for MobileNetV3*; Tan and Le
//! 2019, *EfficientNet*; Dosovitskiy et al. 2021, *An image is worth 16x16 words*; Touvron et al. 2021, *Training
//! data-efficient image transformers*; Oquab et al. 2024, *DINOv2*; Radford et al. 2021, *Learning transferable visual
//! models from natural language supervision*; Liu et al. 2021, *Swin transformer*; d'Ascoli et al. 2021, *ConViT*; Liu
//! et al. 2022, *A ConvNet for the 2020s*; Qin et al. 2024, *MobileNetV4*. Parameter names: torchvision, timm.

mod architecture;
mod clip_text;
mod device;
mod error;
pub mod families;
pub mod generated;
mod head;
mod inference;
mod loading;
mod model;
mod model_name;
mod names;
mod network;
mod preprocessing;
mod preprocessing_options;
mod text_head;
pub mod zero_shot;
pub mod zoo;

pub use architecture::Architecture;
pub use clip_text::ClipText;
pub use device::{best_device, device};
pub use error::ModelError;
pub use hard_imagenet_graph::{Cut, CutValues, Graph, Layout, Node, NodeId, Op, Positions, WatchPoint, WeightMap};
#[cfg(feature = "hub")]
pub use loading::Hub;
pub use loading::{Checkpoint, StoredTensor, Weights, onnx};
pub use model::Model;
pub use network::{ModelSpec, Network};
pub use preprocessing_options::PreprocessingOptions;
