//! Weights for tests and benchmarks: numbers that are functions of the tensors' names.
//!
//! Element i of a tensor is a uniform number that SplitMix64 makes of `fnv1a(name) + i`. Its range keeps activations
//! moderate: ±0.1 for running means, 0.5 to 1.5 for running variances and the scales of norms, ±0.05 for biases,
//! ±√(3 / fan-in) for other weights, and ±0.5 for embeddings. Every language can make the same numbers bit for bit, so
//! implementations of a network can be compared without exchanging weights.

use crate::ModelError;
use candle_core::{Device, Tensor};
use hard_imagenet_cpu::random::{fnv1a, splitmix64, unit};
use hard_imagenet_graph::{Graph, WeightMap};
use std::path::Path;

/// Returns all weights of a graph as candle tensors (f32, on the CPU).
///
/// # Errors
/// Returns candle's error.
pub fn weights(graph: &Graph) -> Result<WeightMap, ModelError> {
    let tensor = |name: &str, shape: Vec<usize>| Tensor::from_vec(values(name, &shape), shape, &Device::Cpu);
    graph.parameters().into_iter().map(|p| Ok((p.name.clone(), tensor(&p.name, p.shape)?))).collect()
}

/// Writes the [`weights`] of a graph to a safetensors file.
///
/// # Errors
/// Returns [`ModelError`] if the file cannot be written.
pub fn write(graph: &Graph, path: &Path) -> Result<(), ModelError> {
    Ok(candle_core::safetensors::save(&weights(graph)?, path)?)
}

/// Returns the values of one tensor in row-major order.
pub fn values(name: &str, shape: &[usize]) -> Vec<f32> {
    let (low, high) = range(name, shape);
    let start = fnv1a(name);
    (0..shape.iter().product::<usize>() as u64)
        .map(|i| (low + (high - low) * unit(splitmix64(start.wrapping_add(i)))) as f32)
        .collect()
}

/// Returns the bounds of the values of a tensor, which depend on how its name ends.
fn range(name: &str, shape: &[usize]) -> (f64, f64) {
    if name.ends_with("running_mean") {
        (-0.1, 0.1)
    } else if name.ends_with("running_var") {
        (0.5, 1.5)
    } else if name.ends_with("bias") {
        (-0.05, 0.05)
    } else if name.ends_with("weight") && shape.len() == 1 {
        (0.5, 1.5)
    } else if name.ends_with("weight") {
        let fan_in: usize = shape[1..].iter().product();
        let bound = (3.0 / fan_in as f64).sqrt();
        (-bound, bound)
    } else {
        (-0.5, 0.5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_equal_those_of_the_golden_scripts() {
        assert_eq!(fnv1a(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("conv1.weight"), 0x69a2_9a2c_ee47_d254);
        assert_eq!(fnv1a("blocks.0.attn.qkv.weight"), 0xb8ee_d840_ed19_9670);
        assert_eq!(splitmix64(0), 0xe220_a839_7b1d_cdaf);
        assert_eq!(splitmix64(12_345_678_901_234_567_890), 0xf959_d463_56af_d6e8);
    }

    fn check(name: &str, shape: &[usize], first: &[u32]) {
        let bits: Vec<u32> = values(name, shape).iter().take(first.len()).map(|v| v.to_bits()).collect();
        assert_eq!(bits, first, "{name}");
    }

    #[test]
    fn values_equal_those_of_the_golden_scripts() {
        check("conv1.weight", &[64, 3, 7, 7], &[0x3c53_009e, 0xbdf8_cb4a, 0x3e06_96a0, 0x3dc9_1ae9]);
        check("bn1.running_var", &[64], &[0x3f92_3723, 0x3f7c_1c4b, 0x3f16_cbf7, 0x3f8b_e037]);
        check("bn1.running_mean", &[64], &[0x3d40_0fb9, 0xbcd5_d082, 0x3cf6_16b1, 0x3d93_8165]);
        check("bn1.weight", &[64], &[0x3f5c_3655, 0x3f75_d4e9, 0x3f48_0fd1, 0x3fb3_fca8]);
        check("bn1.bias", &[64], &[0xbd06_44b8, 0xbd35_b266, 0xbc50_c574, 0xbcd0_5dd5]);
        check("fc.weight", &[1000, 2048], &[0xba9a_0cdc, 0x3cb0_e667, 0xbce8_6c55, 0xbcb1_1c9b]);
        check("blocks.0.attn.qkv.weight", &[1152, 384], &[0x3d29_2fbf, 0xbd37_935c, 0xbd8f_379b, 0x3d5d_c2fe]);
        check("pos_embed", &[1, 197, 384], &[0xbe8b_3a97, 0xbef2_2f05, 0xbe87_196b, 0x3e1a_0a49]);
        check("cls_token", &[1, 1, 384], &[0xbc3a_f636, 0x3e10_f166, 0x3ecc_0b7e, 0x3ea4_e66c]);
    }
}
