//! Properties that hold for any bytes. The fuzz target and the test of its corpus share them.

use hard_imagenet_pickle::Pickle;

/// Checks that a pickle is an error or has no more values than bytes.
pub(crate) fn pickle(bytes: &[u8]) {
    let _ = Pickle::read_objects(&mut &bytes[..]).map(|pickle| format!("{:?}", pickle.root()));
    let Ok(pickle) = Pickle::parse(bytes) else { return };
    let root = pickle.root();
    let _ = (root.as_int(), root.as_text(), root.as_bytes(), format!("{root:?}"));
    let items = root.items().map_or(0, |items| items.map(|item| format!("{item:?}")).count());
    let entries = root.entries().map_or(0, |entries| entries.filter(|(key, _)| key.as_text().is_some()).count());
    assert!(items + entries <= bytes.len());
}
