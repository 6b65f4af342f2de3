//! Writes weights that are a function of their names: for any model, without a download, the same numbers on every machine.
//!
//! ```sh
//! cargo run --release -p hard-imagenet-examples --bin generate-weights -- weights 'resnet*' deit_small_patch16_224.fb_in1k
//! ```
//!
//! Such a model has learned nothing, but it does the same computations as a trained one. That is enough to try a program,
//! to time a kernel or to compare two implementations.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a program prints and reads its arguments")]

use hard_imagenet::models::{generated, zoo};
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, patterns @ ..] = &arguments[..] else {
        return Err("usage: generate-weights FOLDER MODEL..".into());
    };
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(&folder)?;
    for pattern in patterns {
        let found = zoo::find(pattern);
        if found.is_empty() {
            return Err(format!("no model matches '{pattern}'").into());
        }
        for name in found {
            let path = folder.join(format!("{name}.safetensors"));
            generated::write(&zoo::graph(name, zoo::spec(name)?.classes)?, &path)?;
            println!("{}", path.display());
        }
    }
    Ok(())
}
