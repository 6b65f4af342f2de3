//! Runs the scripts that make golden files.

use crate::run::{Result, command, files, root};

/// Runs `tests/golden/make*.py` of the named crates, or of all crates. Each script names the Python packages that it needs.
pub(crate) fn run(crates: &[&str]) -> Result<()> {
    let scripts = scripts(crates)?;
    if scripts.is_empty() {
        return Err(format!("no script makes golden files of {}", crates.join(", ")).into());
    }
    for script in scripts {
        println!("{script}");
        crate::run::run(&mut command("python3", &[&script]))?;
    }
    Ok(())
}

/// Returns the scripts of the named crates, or of all, relative to the root.
fn scripts(crates: &[&str]) -> Result<Vec<String>> {
    let mut scripts = Vec::new();
    for path in files(&root().join("crates"), &|name| name.starts_with("make") && name.ends_with(".py"))? {
        let script = path.strip_prefix(root())?.to_string_lossy().replace('\\', "/");
        let of = script.split('/').nth(1).unwrap_or_default();
        if script.contains("/tests/golden/") && (crates.is_empty() || crates.contains(&of)) {
            scripts.push(script);
        }
    }
    Ok(scripts)
}

#[cfg(test)]
mod tests {
    use super::scripts;

    #[test]
    fn finds_the_scripts_of_a_crate() {
        assert!(scripts(&["masks"]).unwrap().contains(&"crates/masks/tests/golden/make.py".to_owned()));
        assert!(scripts(&["masks"]).unwrap().iter().all(|script| script.starts_with("crates/masks/")));
        assert!(scripts(&[]).unwrap().len() > scripts(&["masks"]).unwrap().len());
    }
}
