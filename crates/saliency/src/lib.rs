//! Heatmaps for a class decision: which pixels spoke for it?
//!
//! - [`Explain`] is a way to answer a [`ExplainRequest`]: a model, a batch of inputs, a class for each; one [`Explanation`] an
//!   image.
//! - [`parse`] gives the explainer of a word ("gradcam", "layercam:layer2"); [`EXPLAINERS`] lists the words.
//! - [`GradCam`] is the one that Hard ImageNet used.
//!
//! Class activation maps look from the model's usual node or from any other that has rows and columns, in every family of
//! networks, without code of their own for any:
//!
//! | word | type | weights of a node's channels | passes an image |
//! |---|---|---|---|
//! | `gradcam` | [`GradCam`] | mean gradient | 1, and back through the head |
//! | `hirescam` | [`HiResCam`] | gradient at each place | alike |
//! | `gradcam++` | [`GradCamPlusPlus`] | positive gradients, more where they are few | alike |
//! | `xgradcam` | [`XGradCam`] | gradients by their share of the activation | alike |
//! | `layercam` | [`LayerCam`] | positive gradient at each place | alike |
//! | `eigencam` | [`EigenCam`] | first principal component; asks for no class | 1 |
//! | `scorecam` | [`ScoreCam`] | logit of the input seen through the channel | one a channel |
//! | `ablationcam` | [`AblationCam`] | loss of logit without the channel | one through the head a channel |
//!
//! Others look at the network as a whole:
//!
//! | word | type | a pixel's value | passes an image |
//! |---|---|---|---|
//! | `gradient` | [`Gradient`] | largest slope over channels ([`input_gradient`]) | 1, and all the way back |
//! | `gradient-x-input` | [`GradientXInput`] | input times slope, summed over channels | alike |
//! | `smoothgrad` | [`SmoothGrad`] | slope, averaged over noisy copies | 50, and back |
//! | `integrated-gradients` | [`IntegratedGradients`] | input times the mean slope from the mean colour to it | 50, and back |
//! | `rollout` | [`Rollout`] | attention of all blocks, multiplied; for no class; ViTs only | 1 |
//! | `attention` | [`Attention`] | the same, weighted by positive gradients; ViTs only | 1, and back |
//! | `rise` | [`Rise`] | mean probability of random masks that show it | 1,000 |
//!
//! Is a map true to the network? [`Faithfulness`] (insertion, deletion) and [`Road`] take pixels away in its order, and
//! watch the class's probability.
//!
//! Floors know nothing of the decision, and show what a map must beat: `random` ([`RandomMap`]), `centre` ([`CenterPrior`]).
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
//! Features: `cuda`, `cudnn`, `metal` (candle's backends).
//!
//! # References
//! - Selvaraju et al. 2017, *Grad-CAM: Visual explanations from deep networks via gradient-based localization*.
//! - Draelos and Carin 2020, *Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks*.
//! - Chattopadhay et al. 2018, *Grad-CAM++: Generalized gradient-based visual explanations for deep convolutional networks*.
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
//! Weights and scaling of the maps are those of the pytorch-grad-cam package, which Hard ImageNet (Moayeri, Singla, Feizi
//! 2022) used.

mod ablationcam;
mod attention;
mod cam;
mod coarse;
mod eigencam;
mod explain;
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
