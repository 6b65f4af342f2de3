//! What holds for any bytes. The fuzz target and the test of its corpus share it.

use hard_imagenet_datasets::Pickle;

/// A pickle: an error, or values that are no more than the bytes that made them.
pub(crate) fn pickle(bytes: &[u8]) {
    let Ok(pickle) = Pickle::parse(bytes) else { return };
    let root = pickle.root();
    let _ = (root.int(), root.text(), root.bytes(), format!("{root:?}"));
    let items = root.items().map_or(0, |items| items.map(|item| format!("{item:?}")).count());
    let entries = root.entries().map_or(0, |entries| entries.filter(|(key, _)| key.text().is_some()).count());
    assert!(items + entries <= bytes.len());
}
