//! Compares with reference outputs of the published code. Run by hand.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a test may print and read its settings")]

use hard_imagenet_masks::{Connectivity, Heatmap, Mask};
use safetensors::SafeTensors;
use std::path::PathBuf;

fn read(name: &str) -> Vec<u8> {
    let root = std::env::var_os("HARD_IMAGENET_REFERENCE").expect("HARD_IMAGENET_REFERENCE names the folder");
    std::fs::read(PathBuf::from(root).join(name)).unwrap()
}

#[test]
#[ignore = "needs reference data: HARD_IMAGENET_REFERENCE=dir cargo test -p hard-imagenet-masks --test reference -- --ignored"]
fn boxes_and_labels() {
    let bytes = read("bbox_cc.safetensors");
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let mut cases = 0;
    for name in tensors.names().iter().filter_map(|name| name.strip_suffix(".mask")) {
        let mask = tensors.tensor(&format!("{name}.mask")).unwrap();
        let (height, width) = (mask.shape()[0], mask.shape()[1]);
        let mask = Mask::from_vec(height, width, mask.data().to_vec()).unwrap();
        let labels = tensors.tensor(&format!("{name}.labels4")).unwrap();
        let labels: Vec<u32> = labels.data().chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]]).into()).collect();
        assert_eq!(mask.components(Connectivity::Four).labels(), labels, "{name}");
        let bounds = mask.bounding_box().map(|bounds| bounds.to_exclusive());
        let exclusive = Mask::from_fn(height, width, |row, column| bounds.is_some_and(|r| r.contains(row, column)));
        assert_eq!(exclusive.as_slice(), tensors.tensor(&format!("{name}.bbox_original")).unwrap().data(), "{name}");
        cases += 1;
    }
    println!("{cases} cases");
    assert_eq!(cases, 27);
}

#[test]
#[ignore = "needs reference data: HARD_IMAGENET_REFERENCE=dir cargo test -p hard-imagenet-masks --test reference -- --ignored"]
fn resized_maps_equal_opencv() {
    let bytes = read("ranking.safetensors");
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let floats = |name: &str| -> Vec<f32> {
        let data = tensors.tensor(name).unwrap().data();
        data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    };
    println!(
        "{:?} {:?}",
        tensors.tensor("nam_raw_7x7").unwrap().shape(),
        tensors.tensor("nam_resized").unwrap().shape()
    );
    let (small, large) = (floats("nam_raw_7x7"), floats("nam_resized"));
    for (small, large) in small.chunks_exact(49).zip(large.chunks_exact(224 * 224)) {
        let most = small.iter().copied().fold(0.0, f32::max);
        let map = Heatmap::from_vec(7, 7, small.iter().map(|v| v / most).collect()).unwrap().resize(224, 224);
        let off = map.as_slice().iter().zip(large).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!("at most {off:e}");
        assert!(off < 1e-6);
    }
}
