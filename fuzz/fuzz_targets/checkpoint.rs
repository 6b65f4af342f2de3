#![no_main]

#[path = "../../crates/models/tests/corpus/check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check::checkpoint(&std::env::temp_dir().join(format!("fuzz-{}.pth", std::process::id())), bytes);
});
