//! Heatmaps for a class decision: which pixels spoke for it?
//!
//! - [`Explain`] is the question: a model, a batch of inputs, a class for each; one [`Explanation`] an image.
//! - [`GradCam`] is an answer, at the model's usual node or at any other that has rows and columns, in every family of
//!   networks, without code of its own for any.
//!
//! ```
//! use candle_core::{DType, Device, Tensor};
//! use hard_imagenet_models::{Weights, generated, zoo};
//! use hard_imagenet_saliency::{Explain, GradCam};
//!
//! // Real weights come from files; these are numbers made from the names, for tests.
//! let file = std::env::temp_dir().join("hard-imagenet-saliency-doc.safetensors");
//! generated::write(&zoo::graph("planted_resnet", 8)?, &file)?;
//! let model = zoo::load("planted_resnet", &Weights::File(file), &Device::Cpu, DType::F32)?;
//!
//! let x = Tensor::zeros((2, 3, 64, 64), DType::F32, &Device::Cpu)?;
//! let explanations = GradCam::default().explain(&model, &x, &[3, 5])?;
//! assert_eq!((explanations[0].raw.height(), explanations[0].raw.width()), (8, 8));
//! assert_eq!((explanations[1].map.height(), explanations[1].map.width()), (64, 64));
//!
//! // Finer, from an earlier stage; any name of `model.nodes()` will do.
//! let early = GradCam { node: Some("layer1".into()) };
//! assert_eq!(early.explain(&model, &x, &[3, 5])?[0].raw.height(), 32);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Only the part of the network behind the node is differentiated, and the classes of a batch at once: in evaluation,
//! images of a batch do not see each other, so the gradient of the sum of their logits is each one's own.
//!
//! Features: `cuda`, `metal` (candle's backends).
//!
//! # References
//! Selvaraju et al. 2017, *Grad-CAM: Visual explanations from deep networks via gradient-based localization*. Scaling of
//! the maps: the pytorch-grad-cam package, which Hard ImageNet (Moayeri, Singla, Feizi 2022) used.

mod ablationcam;
mod cam;
mod eigencam;
mod explain;
mod floors;
mod gradcam;
mod gradcam_plus_plus;
mod hirescam;
mod layercam;
mod list;
mod scorecam;
mod xgradcam;

pub use ablationcam::AblationCam;
pub use eigencam::EigenCam;
pub use explain::{Explain, ExplainError, Explanation, Question};
pub use floors::{Centre, RandomMap};
pub use gradcam::GradCam;
pub use gradcam_plus_plus::GradCamPlusPlus;
pub use hirescam::HiResCam;
pub use layercam::LayerCam;
pub use list::{EXPLAINERS, Explainer, parse};
pub use scorecam::ScoreCam;
pub use xgradcam::XGradCam;
