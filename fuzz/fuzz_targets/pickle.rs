#![no_main]

#[path = "../../crates/pickle/tests/corpus/check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::pickle(bytes));
