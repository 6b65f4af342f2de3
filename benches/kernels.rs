//! Times tensor operations: `cargo bench -p hard-imagenet-benches --bench kernels --features networks`.
//!
//! The comparator is candle's operation, or its equivalent in candle's tensors where candle has none. Both must agree before
//! anything is timed. Sizes are those of a network's early and late layers, for one image.

use candle_core::{D, Device, Result, Tensor};
use candle_nn::{LayerNorm, Module, ops};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hard_imagenet::kernels::{self, Activation, Conv2dParams, Pool2dParams, TensorActivation};
use std::hint::black_box;

/// Returns numbers in -1..1.
fn tensor(shape: &[usize]) -> Tensor {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|i| (i * 7919 % 1009) as f32 / 504.5 - 1.0).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).expect("as many values as the shape")
}

fn agree(ours: &Tensor, theirs: &Tensor) {
    let difference = (ours - theirs).and_then(|d| d.abs()?.max_all()?.to_scalar::<f32>()).expect("values of one shape");
    let scale = theirs.abs().and_then(|x| x.max_all()?.to_scalar::<f32>()).expect("values");
    assert!(difference <= 1e-4 * scale, "not the same operation: {difference} of {scale}");
}

/// Times our operation and candle's on one input.
fn compare(
    c: &mut Criterion,
    operation: &str,
    shape: &[usize],
    ours: impl Fn(&Tensor) -> Result<Tensor>,
    theirs: impl Fn(&Tensor) -> Result<Tensor>,
) {
    let x = tensor(shape);
    agree(&ours(&x).expect("a value"), &theirs(&x).expect("a value"));
    let size = shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
    let mut group = c.benchmark_group(operation);
    group.throughput(Throughput::Elements(x.elem_count() as u64));
    group.bench_function(BenchmarkId::new("ours", &size), |b| b.iter(|| ours(black_box(&x)).expect("a value")));
    group.bench_function(BenchmarkId::new("candle", &size), |b| b.iter(|| theirs(black_box(&x)).expect("a value")));
    group.finish();
}

const IMAGES: [[usize; 4]; 2] = [[1, 64, 112, 112], [1, 512, 14, 14]];
const TOKENS: [[usize; 3]; 2] = [[1, 197, 384], [8, 197, 768]];

fn activations(c: &mut Criterion) {
    for shape in IMAGES {
        compare(c, "relu", &shape, |x| Activation::Relu.apply(x), Tensor::relu);
        compare(c, "silu", &shape, |x| Activation::Silu.apply(x), Tensor::silu);
        let sixth = |x: &Tensor| x * ((x / 6.0)? + 0.5)?.clamp(0f32, 1f32)?;
        compare(c, "hard swish", &shape, |x| Activation::HardSwish.apply(x), sixth);
    }
    for shape in TOKENS {
        compare(c, "gelu", &shape, |x| Activation::Gelu.apply(x), Tensor::gelu_erf);
        compare(c, "gelu tanh", &shape, |x| Activation::GeluTanh.apply(x), Tensor::gelu);
    }
}

fn pools(c: &mut Criterion) {
    for shape in IMAGES {
        let stem = Pool2dParams { stride: 2, padding: 1, ..Pool2dParams::new(3) };
        // candle's pool does not pad. Repeating the border is equivalent for a maximum, because the copies are no larger than
        // what the window already contains.
        let padded = |x: &Tensor| x.pad_with_same(2, 1, 1)?.pad_with_same(3, 1, 1)?.max_pool2d_with_stride(3, 2);
        compare(c, "max pool 3x3", &shape, |x| kernels::max_pool2d(x, stem), padded);
        let two = Pool2dParams::new(2);
        compare(c, "average pool 2x2", &shape, |x| kernels::avg_pool2d(x, two, true), |x| x.avg_pool2d(2));
    }
}

fn convolutions(c: &mut Criterion) {
    for (shape, kernel) in [([1, 96, 56, 56], 7), ([1, 144, 56, 56], 3), ([1, 768, 7, 7], 7)] {
        let weight = tensor(&[shape[1], 1, kernel, kernel]);
        let params = Conv2dParams { padding: kernel / 2, groups: shape[1], ..Conv2dParams::default() };
        let ours = |x: &Tensor| kernels::conv2d(x, &weight, None, params);
        let theirs = |x: &Tensor| x.conv2d(&weight, kernel / 2, 1, 1, shape[1]);
        compare(c, &format!("depthwise {kernel}x{kernel}"), &shape, ours, theirs);
    }
    let weight = tensor(&[64, 64, 3, 3]);
    let params = Conv2dParams { padding: 1, ..Conv2dParams::default() };
    let ours = |x: &Tensor| kernels::conv2d(x, &weight, None, params);
    compare(c, "convolution 3x3", &[1, 64, 56, 56], ours, |x| x.conv2d(&weight, 1, 1, 1, 1));
}

fn rows(c: &mut Criterion) {
    for shape in TOKENS {
        let (weight, bias) = (tensor(&[shape[2]]), tensor(&[shape[2]]));
        let theirs = LayerNorm::new(weight.clone(), bias.clone(), 1e-6);
        let ours = |x: &Tensor| kernels::layer_norm(x, &weight, &bias, 1e-6);
        compare(c, "layer norm", &shape, ours, |x| theirs.forward(x));
    }
    for shape in [[1, 6, 197, 197], [8, 12, 197, 197]] {
        compare(c, "softmax", &shape, kernels::softmax, ops::softmax_last_dim);
        compare(c, "softmax, differentiable", &shape, kernels::softmax, |x| ops::softmax(x, D::Minus1));
    }
}

criterion_group!(benches, activations, pools, convolutions, rows);
criterion_main!(benches);
