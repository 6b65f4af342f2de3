//! Models of full size against timm, from a file that `golden/full_size.py` writes; the script explains how.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a test may print and read its settings")]

mod device;

use candle_core::{DType, Tensor, Var};
use device::device;
use hard_imagenet_models::{Model, Network, generated, zoo};
use std::collections::{BTreeSet, HashMap};

/// Returns the named model with generated weights, and two generated images.
fn model(name: &str, classes: usize) -> (Model, Tensor) {
    let (graph, spec) = (zoo::graph(name, classes).unwrap(), zoo::spec(name).unwrap());
    let (height, width) = spec.preprocess.input;
    let shape = [2, 3, height, width];
    let weights = generated::weights(&graph).unwrap();
    let model = Model::new(Network::new(spec, graph, weights, ""), &device(), DType::F32).unwrap();
    (model, Tensor::from_vec(generated::values("input", &shape), &shape, &device()).unwrap())
}

/// Returns the gradient of the logit of class 3 for the first image and of class 7 for the second.
fn input_gradient(model: &Model, x: &Tensor) -> Tensor {
    let x = Var::from_tensor(x).unwrap();
    let logits = model.forward(x.as_tensor()).unwrap();
    let classes = Tensor::new(&[[3u32], [7]], &device()).unwrap();
    let gradients = logits.gather(&classes, 1).unwrap().sum_all().unwrap().backward().unwrap();
    gradients.get(&x).expect("a gradient").clone()
}

/// Returns the largest error as a fraction of the golden values' standard deviation.
fn error(got: &Tensor, want: &Tensor) -> f32 {
    let scalar = |tensor: Tensor| tensor.to_scalar::<f32>().unwrap();
    let mean = scalar(want.mean_all().unwrap());
    let variance = want.affine(1.0, f64::from(-mean)).unwrap().sqr().unwrap().mean_all().unwrap();
    scalar((got - want).unwrap().abs().unwrap().max_all().unwrap()) / scalar(variance).sqrt()
}

/// Returns the root mean square of the error as a fraction of that of the golden values.
fn rms_error(got: &Tensor, want: &Tensor) -> f32 {
    let mean_square = |tensor: &Tensor| tensor.sqr().unwrap().mean_all().unwrap().to_scalar::<f32>().unwrap();
    (mean_square(&(got - want).unwrap()) / mean_square(want)).sqrt()
}

#[test]
#[ignore = "needs the file of golden/full_size.py: HARD_IMAGENET_FULL_SIZE=file cargo test --release -p hard-imagenet-models --test full_size -- --ignored"]
fn logits_features_and_gradients_equal_timms() {
    let path = std::env::var("HARD_IMAGENET_FULL_SIZE").expect("HARD_IMAGENET_FULL_SIZE names a file");
    let golden: HashMap<String, Tensor> = candle_core::safetensors::load(path, &device()).unwrap();
    let models: BTreeSet<&str> = golden.keys().filter_map(|key| key.strip_suffix(".logits")).collect();
    assert!(!models.is_empty(), "the file contains no model");
    for name in models {
        let [want_logits, want_features] = ["logits", "features"].map(|part| &golden[&format!("{name}.{part}")]);
        let (model, x) = model(name, want_logits.dim(1).unwrap());
        let (logits, features) = model.forward_with(&x, &[&model.spec().feature_node]).unwrap();
        let errors = [error(&logits, want_logits), error(&features[0], want_features)];
        println!("{name}: logits {:.1e}, features {:.1e} of their standard deviation", errors[0], errors[1]);
        assert!(errors.iter().all(|error| *error < 1e-3), "{name}: {errors:?}");
        if let Some(want) = golden.get(&format!("{name}.gradient")) {
            let [ours, torchs] =
                [&input_gradient(&model, &x), &golden[&format!("{name}.gradient_f32")]].map(|got| rms_error(got, want));
            println!("{name}: input gradient {ours:.1e} of its root mean square, torch in f32 {torchs:.1e}");
            // A ReLU whose input is 0 up to rounding can be on in one network and off in the other, so the largest
            // error means little.
            assert!(ours < 1e-4 + 3.0 * torchs, "{name}: input gradient {ours}, torch {torchs}");
        }
    }
}
