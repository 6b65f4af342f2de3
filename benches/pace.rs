//! Times forward passes of one network in slices. `compare_cpu.py` runs this program in alternation with other runtimes
//! (`python/runtimes.py`), which use the same protocol:
//!
//! ```text
//! pace NAME BATCH DTYPE WEIGHTS INPUT LOGITS [--write] [--profile]
//! ```
//!
//! DTYPE is f32 or bf16. WEIGHTS is a safetensors file; `--write` first writes generated weights to it. INPUT holds the
//! normalized batch `(BATCH, 3, H, W)` of square images as little-endian f32. With `--profile` the program prints the time of each step of the plan
//! and ends.
//!
//! 1. The program loads the network, runs it once and writes the logits to LOGITS as little-endian f32. Then it prints
//!    the seconds of loading and of the first pass.
//! 2. For each line of standard input, which is a number of seconds, it runs forward passes for that long, at least
//!    one. Then it prints the seconds of the fastest pass, their median, and the number of passes.
//! 3. At the end of the input it prints its peak resident memory in MiB.
//!
//! `HARD_IMAGENET_ISA` in the environment limits the kernels to an instruction set (avx2).
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a program prints and reads its arguments")]

use candle_core::{DType, Device, Tensor};
use hard_imagenet::cpu::Isa;
use hard_imagenet::models::{Model, Weights, generated, zoo};
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (flags, names): (Vec<&str>, Vec<&str>) =
        arguments.iter().map(String::as_str).partition(|a| a.starts_with("--"));
    let [name, batch, dtype, weights, input, logits] = names[..] else {
        // `cargo bench` without a name runs every benchmark.
        println!("usage: pace NAME BATCH DTYPE WEIGHTS INPUT LOGITS [--write]; compare_cpu.py runs this program");
        return Ok(());
    };
    limit_instruction_set()?;
    let dtype = match dtype {
        "f32" => DType::F32,
        "bf16" => DType::BF16,
        other => return Err(format!("{other} is neither f32 nor bf16").into()),
    };
    if flags.contains(&"--write") {
        generated::write(&zoo::graph(name, 1000)?, Path::new(weights))?;
    }
    let x = read_batch(input, batch.parse()?)?.to_dtype(dtype)?;

    let start = Instant::now();
    let model = zoo::load(name, &Weights::File(weights.into()), &Device::Cpu, dtype)?;
    let loading = start.elapsed();
    let start = Instant::now();
    let output = model.forward(&x)?;
    let first_pass = start.elapsed();
    let values = output.flatten_all()?.to_vec1::<f32>()?;
    std::fs::write(logits, values.into_iter().flat_map(f32::to_le_bytes).collect::<Vec<u8>>())?;
    println!("{} {}", loading.as_secs_f64(), first_pass.as_secs_f64());

    if flags.contains(&"--profile") {
        return print_profile(&model, &x);
    }
    for line in std::io::stdin().lines() {
        let times = time_passes(&model, &x, Duration::from_secs_f64(line?.trim().parse()?))?;
        let median = (times[(times.len() - 1) / 2] + times[times.len() / 2]) / 2;
        println!("{} {} {}", times[0].as_secs_f64(), median.as_secs_f64(), times.len());
    }
    println!("{}", peak_memory()?);
    Ok(())
}

/// Prints the milliseconds of each step on one thread, the least of several passes, and their sums by kind of step.
fn print_profile(model: &Model, x: &Tensor) -> Result<(), Box<dyn Error>> {
    let mut best = model.profile(x)?;
    for _ in 0..5 {
        for (best, time) in best.iter_mut().zip(model.profile(x)?) {
            best.seconds = best.seconds.min(time.seconds);
        }
    }
    let mut kinds: Vec<(&str, f64)> = Vec::new();
    for step in &best {
        println!("{:10.3}  {:10} {}", 1e3 * step.seconds, step.kernel, step.node);
        match kinds.iter_mut().find(|(kind, _)| *kind == step.kernel) {
            Some((_, seconds)) => *seconds += step.seconds,
            None => kinds.push((step.kernel, step.seconds)),
        }
    }
    kinds.iter().for_each(|(kind, seconds)| println!("{:10.3}  all {kind}", 1e3 * seconds));
    Ok(())
}

/// Limits the kernels to the instruction set that HARD_IMAGENET_ISA names, if it is set. Products by the crate gemm, which
/// only the reference executor uses, have no such limit.
fn limit_instruction_set() -> Result<(), Box<dyn Error>> {
    match std::env::var("HARD_IMAGENET_ISA") {
        Ok(isa) if !Isa::limit(&isa) => Err(format!("HARD_IMAGENET_ISA={isa}: no such instruction set").into()),
        _ => Ok(()),
    }
}

/// Reads a batch `(B, 3, H, W)` of square images, f32.
fn read_batch(path: &str, size: usize) -> Result<Tensor, Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    let values: Vec<f32> = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    let side = (values.len() / (3 * size)).isqrt();
    Ok(Tensor::from_vec(values, (size, 3, side, side), &Device::Cpu)?)
}

/// Runs forward passes until `duration` has passed and returns their times, sorted.
fn time_passes(model: &Model, x: &Tensor, duration: Duration) -> Result<Vec<Duration>, Box<dyn Error>> {
    let (start, mut times) = (Instant::now(), Vec::new());
    while times.is_empty() || start.elapsed() < duration {
        let pass = Instant::now();
        black_box(model.forward(black_box(x))?);
        times.push(pass.elapsed());
    }
    times.sort();
    Ok(times)
}

/// Returns the peak resident memory of this process in MiB, which only Linux reports.
fn peak_memory() -> Result<f64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    Ok(line.trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
}
