//! Saliency alignment against arrays that are not part of the repository.

use hard_imagenet_metrics::alignment::{delta_density, dice, iou};
use safetensors::SafeTensors;
use std::path::PathBuf;

#[test]
#[ignore = "needs reference data: HARD_IMAGENET_REFERENCE=dir cargo test -- --ignored"]
fn published_code_agrees() {
    let dir = PathBuf::from(std::env::var("HARD_IMAGENET_REFERENCE").expect("HARD_IMAGENET_REFERENCE names a folder"));
    let bytes = std::fs::read(dir.join("golden/saliency_maps.safetensors")).unwrap();
    let arrays = SafeTensors::deserialize(&bytes).unwrap();
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(dir.join("golden/saliency_metrics.json")).unwrap()).unwrap();
    let find = |name: &str| {
        let full = arrays
            .names()
            .into_iter()
            .find(|n| *n == name || n.ends_with(&format!("/{name}")) || n.ends_with(&format!(".{name}")));
        arrays.tensor(full.unwrap_or_else(|| panic!("{name} is not among {:?}", arrays.names()))).unwrap()
    };
    let rows = json["rows"].as_array().unwrap();
    for row in rows {
        let (name, mask_name) = (row["map"].as_str().unwrap(), row["mask"].as_str().unwrap());
        let map: Vec<f32> =
            find(name).data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
        let mask = find(mask_name).data().to_vec();
        let close = |key: &str, value: f64, tolerance: f64| {
            let expected = row[key].as_f64().unwrap();
            assert!((value - expected).abs() < tolerance, "{name} {mask_name} {key}: {value}, expected {expected}");
        };
        close("iou", iou(&map, &mask, 0.5), 1e-9);
        close("dice", dice(&map, &mask, 0.5), 1e-9);
        match delta_density(&map, &mask) {
            Some(value) => close("delta_density", value, 1e-5),
            None => assert_eq!(row["delta_density"], "NaN", "{name} {mask_name}"),
        }
    }
    assert!(rows.len() >= 70);
}
