//! Properties that hold for any bytes. The fuzz target and the test of changed files share them.

use hard_imagenet_models::Checkpoint;
use std::path::Path;

/// Checks that a weights file is an error or has tensors whose values can be read or are refused. A tensor can be larger
/// than the file, which repeats the numbers; reading limits its size.
pub(crate) fn checkpoint(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("a writable folder");
    let Ok(checkpoint) = Checkpoint::open(path) else { return };
    let mut all = Vec::new();
    for stored in checkpoint.tensors() {
        let count = stored.shape.iter().try_fold(1usize, |count, &length| count.checked_mul(length));
        assert!(count.is_some(), "{stored:?}");
        all.push((stored, std::slice::from_ref(stored)));
    }
    let _ = checkpoint.read(all, |stored, values| {
        assert!(values.iter().all(|value| value.dims() == stored.shape));
        Ok(())
    });
}
