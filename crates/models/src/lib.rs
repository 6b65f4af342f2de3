//! A zoo of image classifiers, as graphs with weights and preprocessing.
//!
//! - [`zoo::find`] lists models by name, [`zoo::load`] makes one from [`Weights`]: a file, a folder, or bytes, in
//!   safetensors or torch's own formats. Names are timm's (`resnet50.tv_in1k`, or `resnet50` for short).
//! - [`Checkpoint`] is such a file by itself: what it holds, and its tensors one after the other.
//! - [`onnx::load`] makes one from an ONNX file, whatever its architecture.
//! - [`zoo::read`] and [`onnx::read`] give the [`Network`] before it is a model, to change them.
//! - [`Model`] is a graph, its weights and a [`ModelSpec`]: [`forward`](Model::forward) gives logits,
//!   [`nodes`](Model::nodes) lists the places to look from, [`cut`](Model::cut) divides it at one of them.
//!   [`with_head`](Model::with_head) and [`zero_shot`](Model::zero_shot) give it other classes.
//! - [`ClipText`] is the half of CLIP that reads; [`zero_shot`] makes a classifier of class names with it.
//! - [`best_device`] and [`device`] choose where it runs.
//!
//! ```
//! use candle_core::{DType, Device};
//! use hard_imagenet_images::Pixels;
//! use hard_imagenet_models::{ModelError, Weights, generated, zoo};
//!
//! // Real weights come from files; these are numbers made from the names, for tests.
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
//! assert_eq!(model.head(&cut, &value)?.to_vec2::<f32>()?, logits.to_vec2::<f32>()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Adding a model
//! A row in its family's table (`resnet.rs`, `vit.rs`, ..); a new family is a file with a function that builds a graph,
//! and one line in `zoo.rs`. What transformers have in common is in `transformer.rs`, the blocks of mobile networks
//! are in `mobile_block.rs`.
//!
//! Features: `cuda`, `cudnn`, `metal` (candle's backends); `hub` adds `Weights::Hub`, which fetches weights from the Hugging Face
//! hub into the cache that Python shares.
//!
//! # References
//! He et al. 2016, *Deep residual learning*; Simonyan and Zisserman 2015, *Very deep convolutional networks*; Huang et al.
//! 2017, *Densely connected convolutional networks*; Howard et al. 2019, *Searching for MobileNetV3*; Tan and Le 2019,
//! *EfficientNet*; Dosovitskiy et al. 2021, *An image is worth 16x16 words*; Touvron et al. 2021, *Training data-efficient
//! image transformers*; Oquab et al. 2024, *DINOv2*; Radford et al. 2021, *Learning transferable visual models from
//! natural language supervision*; Liu et al. 2021, *Swin transformer*; d'Ascoli et al. 2021, *ConViT*; Liu et al. 2022, *A
//! ConvNet for the 2020s*; Qin et al. 2024, *MobileNetV4*. Parameter names: torchvision, timm.

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
