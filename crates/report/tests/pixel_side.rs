//! The crates of the pixel side do not link candle, so that scoring an old run and drawing it again builds in seconds.

use std::collections::{HashMap, HashSet};

/// The pixel side. Whoever needs masks, images or scores depends on these alone.
const PIXEL_SIDE: [&str; 10] = [
    "hard-imagenet-cpu",
    "hard-imagenet-files",
    "hard-imagenet-findings",
    "hard-imagenet-masks",
    "hard-imagenet-images",
    "hard-imagenet-perturbations",
    "hard-imagenet-datasets",
    "hard-imagenet-metrics",
    "hard-imagenet-runs",
    "hard-imagenet-report",
];

/// Returns the names of the direct dependencies of every package in the lock file.
fn dependencies(lock: &str) -> HashMap<&str, Vec<&str>> {
    let mut packages: HashMap<&str, Vec<&str>> = HashMap::new();
    for package in lock.split("[[package]]\n").skip(1) {
        let name = package.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).unwrap();
        let listed = package.lines().filter_map(|line| line.strip_prefix(" \"")?.strip_suffix("\","));
        // A dependency is written as "name" or as "name version".
        let names = listed.map(|dependency| dependency.split(' ').next().unwrap());
        packages.entry(name).or_default().extend(names);
    }
    packages
}

/// Returns all direct and indirect dependencies of a package, including those of its tests.
fn closure<'a>(packages: &HashMap<&'a str, Vec<&'a str>>, root: &'a str) -> HashSet<&'a str> {
    let (mut found, mut open) = (HashSet::new(), vec![root]);
    while let Some(name) = open.pop() {
        if found.insert(name) {
            open.extend(packages.get(name).unwrap_or_else(|| panic!("{name} is not in Cargo.lock")));
        }
    }
    found
}

#[test]
fn no_crate_of_the_pixel_side_links_candle() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock")).unwrap();
    let packages = dependencies(&lock);
    assert!(closure(&packages, "hard-imagenet-models").contains("candle-core"), "the lock file was read wrongly");
    for root in PIXEL_SIDE {
        let found = closure(&packages, root);
        let candle: Vec<&&str> = found.iter().filter(|name| name.starts_with("candle-")).collect();
        assert!(candle.is_empty(), "{root} links {candle:?}");
        let tensor_side = ["kernels", "graph", "onnx", "models", "saliency", "ranking", "training", "evaluation"];
        for other in tensor_side.map(|name| format!("hard-imagenet-{name}")) {
            assert!(!found.contains(other.as_str()), "{root} depends on {other}");
        }
    }
}
