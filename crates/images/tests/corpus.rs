//! Replays the inputs that fuzzing found interesting (`fuzz/`): one per line, in hexadecimal digits.

#[path = "corpus/check.rs"]
mod check;

fn inputs(lines: &str) -> impl Iterator<Item = Vec<u8>> {
    let byte = |digits: &[u8]| u8::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap();
    lines.lines().map(move |line| line.as_bytes().chunks(2).map(byte).collect())
}

#[test]
fn image() {
    inputs(include_str!("corpus/image.txt")).for_each(|bytes| check::image(&bytes));
}

#[test]
fn mask() {
    inputs(include_str!("corpus/mask.txt")).for_each(|bytes| check::mask(&bytes));
}
