//! Checks the documentation of public functions.

use crate::run::{Result, command, files, root};
use std::path::Path;

/// Types whose shape a caller must know.
const SHAPED: [&str; 2] = ["Tensor", "ArrayD"];

/// Runs clippy's lints for documentation over all libraries, then looks for functions that take or return tensors and state
/// no shape.
pub(crate) fn run() -> Result<()> {
    let lints = ["missing_docs", "clippy::missing_errors_doc", "clippy::missing_panics_doc"];
    let lints = lints.iter().flat_map(|lint| ["-W", lint]);
    let words = ["clippy", "--workspace", "--lib", "--locked", "--", "-D", "warnings"].into_iter().chain(lints);
    let clippy = crate::run::run(&mut command("cargo", &words.collect::<Vec<_>>()));
    shapes()?;
    clippy
}

/// Looks for public functions that take or return tensors and state no shape.
pub(crate) fn shapes() -> Result<()> {
    let shapeless = shapeless_functions()?;
    shapeless.iter().for_each(|line| println!("{line}"));
    if shapeless.is_empty() {
        return Ok(());
    }
    Err(format!("{} public functions take or return a tensor and state no shape", shapeless.len()).into())
}

/// Returns a line for each public function of a library that has a tensor in its signature and no shape in its
/// documentation.
fn shapeless_functions() -> Result<Vec<String>> {
    let root = root();
    let mut found = Vec::new();
    for file in files(&root.join("crates"), &|name| name.ends_with(".rs"))? {
        let path = file.strip_prefix(&root)?;
        let is_library = path.components().nth(2).is_some_and(|part| part.as_os_str() == "src");
        if is_library && !path.starts_with("crates/cli") {
            found.extend(shapeless(&std::fs::read_to_string(&file)?, path));
        }
    }
    Ok(found)
}

fn shapeless(text: &str, path: &Path) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let Some(name) = line.trim_start().strip_prefix("pub fn ") else { continue };
        // The signature ends where the body begins.
        let signature: Vec<&str> =
            lines[i..].iter().copied().take_while(|line| !line.trim().is_empty()).take(20).collect();
        let signature = signature.join(" ");
        let signature = signature.split(" {").next().unwrap_or_default();
        let is_shaped = SHAPED.iter().any(|kind| has_word(signature, kind));
        let above = lines[..i]
            .iter()
            .rev()
            .take_while(|line| ["///", "#[", "#!["].iter().any(|p| line.trim_start().starts_with(p)));
        let docs = above.copied().collect::<Vec<_>>().join(" ");
        if is_shaped && !states_shape(&docs) {
            let name: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.push(format!("{}:{}: {name}", path.display(), i + 1));
        }
    }
    found
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word)
}

/// Returns whether a text mentions a shape: the word itself, a scalar, or a tuple of extents such as `(B, C, H, W)`.
fn states_shape(docs: &str) -> bool {
    let lower = docs.to_lowercase();
    let tuple = docs.split('(').skip(1).filter_map(|rest| rest.split_once(')')).any(|(inner, _)| {
        let parts: Vec<&str> = inner.split(',').map(str::trim).collect();
        parts.len() > 1
            && parts.iter().all(|part| part.is_empty() || part.starts_with(|c: char| c.is_alphanumeric() || c == '.'))
    });
    tuple || ["shape", "scalar", "element-wise", "elementwise"].iter().any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::{shapeless, states_shape};
    use std::path::Path;

    #[test]
    fn a_tensor_needs_a_shape() {
        let text = "/// Returns logits.\npub fn f(\n    x: &Tensor,\n) -> Tensor {\n}\n\n/// Returns logits (B, K).\npub fn g(x: &Tensor) {\n}\n";
        assert_eq!(shapeless(text, Path::new("a.rs")), ["a.rs:2: f"]);
        assert!(states_shape("of the same shape as `x`"));
        assert!(!states_shape("a call (of something)"));
    }
}
