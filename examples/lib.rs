//! Compiles and runs the Rust code in the READMEs and in the guide. Each page becomes a documentation test:
//! `cargo test -p hard-imagenet-examples --doc`.

macro_rules! pages {
    ($($name:ident $path:literal)*) => {
        $(#[cfg(doctest)] #[doc = include_str!($path)] pub struct $name;)*
    };
}

pages! {
    Cpu "../crates/cpu/README.md"
    Crates "../docs/crates.md"
    Datasets "../crates/datasets/README.md"
    Evaluation "../crates/evaluation/README.md"
    Facade "../crates/hard-imagenet/README.md"
    Files "../crates/files/README.md"
    Findings "../crates/findings/README.md"
    Graph "../crates/graph/README.md"
    Images "../crates/images/README.md"
    Kernels "../crates/kernels/README.md"
    Masks "../crates/masks/README.md"
    Metrics "../crates/metrics/README.md"
    Models "../crates/models/README.md"
    Onnx "../crates/onnx/README.md"
    Perturbations "../crates/perturbations/README.md"
    Pickle "../crates/pickle/README.md"
    Report "../crates/report/README.md"
    Runs "../crates/runs/README.md"
    Saliency "../crates/saliency/README.md"
    Training "../crates/training/README.md"
}
