//! Linear probes, compared step by step with torch (`golden/make_probe.py`).

use candle_core::{Device, Tensor, Var};
use hard_imagenet_kernels::{gradients, linear};
use hard_imagenet_training::{Optimizer, Schedule, UpdateRule, cross_entropy};

fn check(name: &str, rule: UpdateRule, rate: f64, smoothing: f64, schedule: Option<(Schedule, usize)>) {
    let golden =
        candle_core::safetensors::load_buffer(include_bytes!("golden/probe.safetensors"), &Device::Cpu).unwrap();
    let labels = golden["labels"].to_vec1::<i64>().unwrap();
    let order = golden["order"].to_vec1::<i64>().unwrap();
    let variable = |key: &str| Var::from_tensor(&golden[key]).unwrap();
    let (weight, bias) = (variable("weight"), variable("bias"));
    let named = vec![("weight".to_owned(), weight.clone()), ("bias".to_owned(), bias.clone())];
    let mut optimizer = Optimizer::new(rule, named.clone()).unwrap();
    let losses = golden[&format!("{name}.losses")].to_vec1::<f32>().unwrap();
    for (step, batch) in order.chunks(8).enumerate() {
        if step == 20 {
            // From here on, the optimizer has a state that was stored and restored.
            let (steps, state) = optimizer.state();
            optimizer = Optimizer::new(rule, named.clone()).unwrap();
            optimizer.restore(steps, &state).unwrap();
        }
        let rows: Vec<u32> = batch.iter().map(|&i| i as u32).collect();
        let batch_labels: Vec<u32> = batch.iter().map(|&i| labels[i as usize] as u32).collect();
        let x = golden["features"].index_select(&Tensor::new(rows, &Device::Cpu).unwrap(), 0).unwrap();
        let logits = linear(&x, &weight, Some(bias.as_tensor())).unwrap();
        let loss = cross_entropy(&logits, &Tensor::new(batch_labels, &Device::Cpu).unwrap(), smoothing).unwrap();
        let loss = loss.mean_all().unwrap();
        assert!((loss.to_scalar::<f32>().unwrap() - losses[step]).abs() < 1e-4, "{name}, step {step}");
        let slopes = gradients(&loss, [&weight, &bias]).unwrap();
        let share = schedule.map_or(1.0, |(schedule, warm_up)| schedule.factor(step, 50, warm_up));
        optimizer.step(&slopes, rate * share).unwrap();
    }
    for (key, got) in [("weight", &weight), ("bias", &bias)] {
        let want = &golden[&format!("{name}.{key}")];
        let error = (got.as_tensor() - want).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(error < 1e-4, "{name}.{key}: {error}");
    }
}

#[test]
fn adam() {
    check("adam", UpdateRule::Adam { decay: 1e-2 }, 5e-3, 0.0, None);
}

#[test]
fn adam_w_with_label_smoothing() {
    check("adam_w", UpdateRule::AdamW { decay: 1e-1 }, 5e-3, 0.1, None);
}

#[test]
fn sgd_with_warm_up_and_cosine() {
    check("sgd", UpdateRule::Sgd { momentum: 0.9, decay: 1e-3 }, 5e-2, 0.0, Some((Schedule::Cosine, 10)));
}
