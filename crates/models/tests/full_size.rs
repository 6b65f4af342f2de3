//! Models at full size against timm, from a file that `golden/full_size.py` wrote; its first lines say how.

use candle_core::{DType, Device, Tensor, Var};
use hard_imagenet_models::{Model, generated, zoo};
use std::collections::{BTreeSet, HashMap};

/// Logits and features of the named model, of two generated pictures, and the gradients of the logits of classes 3 and 7
/// by their pictures.
fn results(name: &str, classes: usize) -> [Tensor; 3] {
    let (graph, spec) = (zoo::graph(name, classes).unwrap(), zoo::spec(name).unwrap());
    let (height, width) = spec.preprocess.input;
    let (feature_node, shape) = (spec.feature_node.clone(), [2, 3, height, width]);
    let weights = generated::weights(&graph).unwrap();
    let model = Model::new(spec, &graph, &weights, String::new(), &Device::Cpu, DType::F32).unwrap();
    let x = Tensor::from_vec(generated::values("input", &shape), &shape, &Device::Cpu).unwrap();
    let (logits, mut features) = model.forward_with(&x, &[&feature_node]).unwrap();
    let x = Var::from_tensor(&x).unwrap();
    let targets = Tensor::new(&[[3u32], [7]], &Device::Cpu).unwrap();
    let target = model.forward(&x).unwrap().gather(&targets, 1).unwrap().sum_all().unwrap();
    let slope = target.backward().unwrap().get(&x).expect("a gradient by the pictures").clone();
    [logits, features.remove(0), slope]
}

/// The largest error, of the golden values' deviation.
fn error(got: &Tensor, want: &Tensor) -> f32 {
    let scalar = |tensor: Tensor| tensor.to_scalar::<f32>().unwrap();
    let mean = scalar(want.mean_all().unwrap());
    let variance = want.affine(1.0, f64::from(-mean)).unwrap().sqr().unwrap().mean_all().unwrap();
    scalar((got - want).unwrap().abs().unwrap().max_all().unwrap()) / scalar(variance).sqrt()
}

#[test]
#[ignore = "needs the file of golden/full_size.py: HARD_IMAGENET_FULL_SIZE=file cargo test --release -p hard-imagenet-models --test full_size -- --ignored"]
fn logits_features_and_slopes_are_timms() {
    let path = std::env::var("HARD_IMAGENET_FULL_SIZE").expect("HARD_IMAGENET_FULL_SIZE names a file");
    let golden: HashMap<String, Tensor> = candle_core::safetensors::load(path, &Device::Cpu).unwrap();
    let models: BTreeSet<&str> = golden.keys().filter_map(|key| key.strip_suffix(".logits")).collect();
    assert!(!models.is_empty(), "the file holds no model");
    for name in models {
        let want = |part: &str| &golden[&format!("{name}.{part}")];
        let [logits, features, slope] = results(name, want("logits").dim(1).unwrap());
        let errors = [error(&logits, want("logits")), error(&features, want("features"))];
        println!("{name}: logits {:.1e}, features {:.1e} of their deviation", errors[0], errors[1]);
        assert!(errors.iter().all(|error| *error < 1e-3), "{name}: {errors:?}");

        let norm = |tensor: &Tensor| tensor.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap().sqrt();
        let error = norm(&(slope - want("slope")).unwrap()) / norm(want("slope"));
        let own = norm(want("slope_error"));
        println!("{name}: slope {error:.1e} of its norm; torch's own error is {own:.1e}");
        assert!(error < (4.0 * own).max(1e-4), "{name}: slope {error} of its norm, torch's own error {own}");
    }
}
