//! Properties that hold for a small network of any family.

use crate::device::device;
use candle_core::{DType, Tensor, Var};
use hard_imagenet_models::{Architecture, Model, ModelSpec, Network, generated, zoo};

/// A network and its golden values.
pub(crate) struct Family<'a> {
    pub(crate) golden: &'a [u8],
    /// The prefix of its tensors: `name.logits`, `name.features`, `name.gradient`.
    pub(crate) name: &'a str,
    pub(crate) architecture: &'a dyn Architecture,
    pub(crate) size: (usize, usize),
}

/// Checks that logits, features and input gradient equal those of the original, that half precision gives nearly the
/// same logits, that the network can be cut at every node, and that the node for activation maps has rows and columns.
pub(crate) fn check(family: &Family<'_>) {
    check_with_gain(family, 1.0);
}

/// Checks the same with the generated weights of convolutions multiplied by `gain`.
pub(crate) fn check_with_gain(family: &Family<'_>, gain: f64) {
    let golden = candle_core::safetensors::load_buffer(family.golden, &device()).unwrap();
    let want = |key: &str| &golden[&format!("{}.{key}", family.name)];
    let shape = [2, 3, family.size.0, family.size.1];
    let x = Tensor::from_vec(generated::values("input", &shape), &shape, &device()).unwrap();

    let model = model(family.architecture, gain, DType::F32);
    near(&model.forward(&x).unwrap(), want("logits"), 1e-4, "logits");
    near(&model.features(&x).unwrap(), want("features"), 1e-4, "features");
    for (dtype, share) in [(DType::BF16, 0.1), (DType::F16, 0.02)] {
        let halves = self::model(family.architecture, gain, dtype).forward(&x).unwrap();
        assert_eq!(halves.dtype(), DType::F32);
        near(&halves, want("logits"), share, &format!("{dtype:?}"));
    }
    let cam = model.graph().find(&model.spec().cam_node).unwrap();
    assert!(model.graph().node(cam).layout.has_positions(), "{}", model.spec().cam_node);
    let (logits, values) = model.forward_with(&x, &[&model.spec().cam_node, &model.spec().feature_node]).unwrap();
    near(&logits, want("logits"), 1e-4, "logits with values");
    near(&values[1], want("features"), 1e-4, "features with logits");
    assert_eq!(values[0].dims(), model.value(&model.spec().cam_node, &x).unwrap().dims());

    let image = Var::from_tensor(&x).unwrap();
    let sum = model.forward(&image).unwrap().narrow(1, 3, 1).unwrap().sum_all().unwrap();
    let gradient = sum.backward().unwrap().get(&image).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let every: Vec<f32> = gradient.into_iter().step_by(97).collect();
    let every = Tensor::from_slice(&every, every.len(), &device()).unwrap();
    near(&every, want("gradient"), 1e-3, "gradient");

    for node in model.nodes() {
        let cut = model.cut(&node.name).unwrap();
        let value = model.trunk(&cut, &x).unwrap();
        near(&model.head(&cut, &value).unwrap(), want("logits"), 1e-4, &node.name);
        // The layout describes the value correctly.
        if let Some(places) = node.layout.positions(&value.at).unwrap() {
            assert_eq!(places.values.dim(1).unwrap(), places.h * places.w, "{}", node.name);
        }
    }
}

fn model(architecture: &dyn Architecture, gain: f64, dtype: DType) -> Model {
    let graph = architecture.graph(10).unwrap();
    let mut weights = generated::weights(&graph).unwrap();
    for weight in weights.values_mut().filter(|weight| weight.rank() == 4) {
        *weight = weight.affine(gain, 0.0).unwrap();
    }
    let spec = ModelSpec {
        classes: 10,
        cam_node: architecture.cam_node(),
        feature_node: architecture.feature_node(),
        ..zoo::spec("resnet18").unwrap()
    };
    Model::new(Network::new(spec, graph, weights, ""), &device(), dtype).unwrap()
}

/// Checks that errors are below `share` of the golden values' standard deviation.
fn near(got: &Tensor, want: &Tensor, share: f32, what: &str) {
    assert_eq!(got.dims(), want.dims(), "{what}");
    let mean = want.mean_all().unwrap().to_scalar::<f32>().unwrap();
    let deviation = want.affine(1.0, f64::from(-mean)).unwrap().sqr().unwrap().mean_all().unwrap().sqrt().unwrap();
    let deviation = deviation.to_scalar::<f32>().unwrap();
    let error = (got - want).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
    assert!(error < share * deviation, "{what}: {error}, standard deviation {deviation}");
}
