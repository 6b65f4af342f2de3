//! Computes heatmaps that show which pixels speak for a class decision.
//!
//! - [`Explain`] is an explainer. It answers an [`ExplainRequest`] (a model, a batch of inputs, a class for each) with
//!   one [`Explanation`] per image.
//! - [`parse`] creates the explainer that a word names ("gradcam", "layercam:layer2"). [`EXPLAINERS`] lists the words.
//! - [`GradCam`] is the explainer that Hard ImageNet used.
//! - [`ExplainedImage`] has everything that a model says about one image.
//!
//! Class activation maps look from the model's usual node or from any other node with rows and columns. They work for
//! all families of networks without code for any of them:
//!
//! | word | type | weights of a node's channels | passes per image |
//! |---|---|---|---|
//! | `gradcam` | [`GradCam`] | mean gradient | 1, and back through the head |
//! | `hirescam` | [`HiResCam`] | gradient at each place | 1, and back through the head |
//! | `gradcam++` | [`GradCamPlusPlus`] | positive gradients, higher where there are few | 1, and back through the head |
//! | `xgradcam` | [`XGradCam`] | gradients by their share of the activation | 1, and back through the head |
//! | `layercam` | [`LayerCam`] | positive gradient at each place | 1, and back through the head |
//! | `eigencam` | [`EigenCam`] | first principal component, for no particular class | 1 |
//! | `scorecam` | [`ScoreCam`] | logit of the input masked by the channel | one per channel |
//! | `ablationcam` | [`AblationCam`] | drop of the logit without the channel | one through the head per channel |
//!
//! Other explainers look at the network as a whole:
//!
//! | word | type | a pixel's value | passes per image |
//! |---|---|---|---|
//! | `gradient` | [`Gradient`] | largest slope over channels ([`input_gradient`]) | 1, and back |
//! | `gradient-x-input` | [`GradientXInput`] | input times slope, summed over channels | 1, and back |
//! | `smoothgrad` | [`SmoothGrad`] | slope, averaged over noisy copies | 50, and back |
//! | `integrated-gradients` | [`IntegratedGradients`] | input times the mean slope between the mean color and the input | 50, and back |
//! | `rollout` | [`Rollout`] | product of the attention of all blocks, for no particular class; ViTs only | 1 |
//! | `attention` | [`Attention`] | the same product, weighted by positive gradients; ViTs only | 1, and back |
//! | `rise` | [`Rise`] | mean probability of the random masks that show it | 1,000 |
//!
//! [`Faithfulness`] (insertion, deletion) and [`Road`] measure whether a map is faithful to the network: they remove
//! pixels in the map's order and record the probability of the class.
//!
//! Two explainers do not depend on the decision at all and show what a map must beat: `random` ([`RandomMap`]) and
//! `centre` ([`CenterPrior`]).
//!
//! Explainers that need many passes report their progress: `progress(done, total)` is called after each batch of
//! passes, and returning `Break` cancels the work with [`ExplainError::Canceled`].
//!
//! ```
//! use candle_core::{DType, Device, Tensor};
//! use hard_imagenet_models::{Weights, generated, zoo};
//! use hard_imagenet_saliency::{Explain, GradCam};
//!
//! // Real weights come from files. These are numbers generated from the names of the weights.
//! let file = std::env::temp_dir().join("hard-imagenet-saliency-doc.safetensors");
//! generated::write(&zoo::graph("planted_resnet", 8)?, &file)?;
//! let model = zoo::load("planted_resnet", &Weights::File(file), &Device::Cpu, DType::F32)?;
//!
//! let x = Tensor::zeros((2, 3, 64, 64), DType::F32, &Device::Cpu)?;
//! let explanations = GradCam::default().explain(&model, &x, &[3, 5])?;
//! assert_eq!((explanations[0].raw.height(), explanations[0].raw.width()), (8, 8));
//! assert_eq!((explanations[1].map.height(), explanations[1].map.width()), (64, 64));
//!
//! // An earlier stage gives a finer map. `model.nodes()` lists all names.
//! let early = GradCam { node: Some("layer1".into()) };
//! assert_eq!(early.explain(&model, &x, &[3, 5])?[0].raw.height(), 32);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Only the part of the network after the node is differentiated, and all classes of a batch at once: the images of a
//! batch do not influence each other in evaluation, so the gradient of the sum of their logits is each image's own
//! gradient.
//!
//! The tensors, devices and data types in this crate's interface are those of candle ([`candle_core`]).
//!
//! Features: `cuda`, `cudnn`, `metal` (candle's backends).
//!
//! # References
//! - Selvaraju et al. 2017, *Grad-CAM: Visual explanations from deep networks via gradient-based localization*.
//! - Draelos and Carin 2020, *Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural
//!   networks*.
//! - Chattopadhay et al. 2018, *Grad-CAM++: Generalized gradient-based visual explanations for deep convolutional
//!   networks*.
//! - Fu et al. 2020, *Axiom-based Grad-CAM: Towards accurate visualization and explanation of CNNs*.
//! - Jiang et al. 2021, *LayerCAM: Exploring hierarchical class activation maps for localization*.
//! - Muhammad and Yeasin 2020, *Eigen-CAM: Class activation map using principal components*.
//! - Wang et al. 2020, *Score-CAM: Score-weighted visual explanations for convolutional neural networks*.
//! - Desai and Ramaswamy 2020, *Ablation-CAM: Visual explanations for deep convolutional network via gradient-free
//!   localization*.
//! - Simonyan, Vedaldi and Zisserman 2014, *Deep inside convolutional networks: Visualising image classification models
//!   and saliency maps*.
//! - Shrikumar et al. 2016, *Not just a black box: Learning important features through propagating activation
//!   differences*.
//! - Smilkov et al. 2017, *SmoothGrad: Removing noise by adding noise*.
//! - Sundararajan, Taly and Yan 2017, *Axiomatic attribution for deep networks*.
//! - Abnar and Zuidema 2020, *Quantifying attention flow in transformers*.
//! - Chefer, Gur and Wolf 2021, *Generic attention-model explainability for interpreting bi-modal and encoder-decoder
//!   transformers*.
//! - Petsiuk, Das and Saenko 2018, *RISE: Randomized input sampling for explanation of black-box models*.
//! - Rong et al. 2022, *A consistent and efficient evaluation strategy for attribution methods*.
//!
//! The weights and the scaling of the maps are those of the pytorch-grad-cam package, which Hard ImageNet (Moayeri,
//! Singla, Feizi 2022) used.

mod ablationcam;
mod attention;
mod cam;
mod coarse;
mod eigencam;
mod explain;
mod explained_image;
mod faithfulness;
mod floors;
mod gradcam;
mod gradcam_plus_plus;
mod gradient;
mod hirescam;
mod imputation;
mod integrated_gradients;
mod layercam;
mod registry;
mod rise;
mod road;
mod scorecam;
mod smoothgrad;
mod xgradcam;

pub use ablationcam::AblationCam;
pub use attention::{Attention, Rollout};
pub use eigencam::EigenCam;
pub use explain::{Explain, ExplainError, ExplainRequest, Explanation};
pub use explained_image::ExplainedImage;
pub use faithfulness::{Curve, Faithfulness, Substrate};
pub use floors::{CenterPrior, RandomMap};
pub use gradcam::GradCam;
pub use gradcam_plus_plus::GradCamPlusPlus;
pub use gradient::{Gradient, GradientXInput, input_gradient};
pub use hirescam::HiResCam;
pub use integrated_gradients::IntegratedGradients;
pub use layercam::LayerCam;
pub use registry::{EXPLAINERS, ExplainerInfo, parse};
pub use rise::Rise;
pub use road::{Road, RoadScores};
pub use scorecam::ScoreCam;
pub use smoothgrad::SmoothGrad;
pub use xgradcam::XGradCam;
