#![no_main]

#[path = "../../crates/masks/tests/corpus/check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::rle(bytes));
