//! What is suspicious, on standard error.

use anyhow::{Result, bail};
use hard_imagenet::findings::{Finding, Severity};

/// The number of samples whose content is looked at before work begins.
pub(crate) const FIRST: usize = 64;

/// Prints findings of one place, such as a run or a folder. Notes take one line.
pub(crate) fn print(label: &str, findings: &[Finding]) {
    findings.iter().for_each(|finding| lines(label, finding).iter().for_each(|line| eprintln!("{line}")));
}

/// Returns the lines of one finding.
pub(crate) fn lines(label: &str, finding: &Finding) -> Vec<String> {
    if finding.severity == Severity::Note {
        let effect = if finding.effect.is_empty() { String::new() } else { format!(" ({})", finding.effect) };
        return vec![format!("{label}: note: {}{effect}", finding.headline())];
    }
    let mut lines = finding.lines();
    lines[0] = format!("{label}: {}", lines[0]);
    lines
}

/// Prints findings about inputs before work begins on them.
///
/// # Errors
/// If inputs must be clean and something is suspicious.
pub(crate) fn report(label: &str, findings: &[Finding], strict: bool) -> Result<()> {
    print(label, findings);
    let suspicious = findings.iter().filter(|finding| finding.severity.is_suspicious()).count();
    if strict && suspicious > 0 {
        bail!("{suspicious} of what was found is suspicious, and --strict-inputs was given; nothing was computed");
    }
    Ok(())
}
