#![no_main]

#[path = "../../crates/images/tests/corpus/check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::image(bytes));
