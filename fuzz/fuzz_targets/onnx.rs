#![no_main]

#[path = "../../crates/onnx/tests/corpus/check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check::onnx(&std::env::temp_dir().join(format!("fuzz-{}.onnx", std::process::id())), bytes);
});
