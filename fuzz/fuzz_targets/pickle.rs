//! Any bytes as a pickle: an error or values no larger than the pickle.
#![no_main]

use hard_imagenet_datasets::Pickle;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(pickle) = Pickle::parse(bytes) else { return };
    let root = pickle.root();
    let _ = (root.int(), root.text(), root.bytes(), format!("{root:?}"));
    let items = root.items().map(|items| items.filter(|item| item.int().is_some()).count());
    let entries = root.entries().map(|entries| entries.filter(|(key, _)| key.text().is_some()).count());
    assert!(items.unwrap_or(0) + entries.unwrap_or(0) <= bytes.len());
});
