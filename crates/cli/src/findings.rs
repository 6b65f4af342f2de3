//! What is suspicious, on standard error.

use anyhow::{Result, bail};
use hard_imagenet::findings::kinds::{content, models, results};
use hard_imagenet::findings::{Finding, FindingKind, Severity};

/// The number of samples whose content is looked at before work begins.
pub(crate) const FIRST: usize = 64;

/// Prints findings of one place, such as a run or a folder. Notes take one line.
pub(crate) fn print(label: &str, findings: &[Finding]) {
    findings.iter().for_each(|finding| lines(label, finding).iter().for_each(|line| eprintln!("{line}")));
}

/// Prints the findings that are errors or warnings.
pub(crate) fn print_suspicious(label: &str, findings: &[Finding]) {
    let suspicious: Vec<Finding> = findings.iter().filter(|one| one.severity.is_suspicious()).cloned().collect();
    print(label, &suspicious);
}

/// Returns the lines of one finding, with the options that help.
pub(crate) fn lines(label: &str, finding: &Finding) -> Vec<String> {
    if finding.severity == Severity::Note {
        let effect = if finding.effect.is_empty() { String::new() } else { format!(" ({})", finding.effect) };
        let examples =
            if finding.examples.is_empty() { String::new() } else { format!(": {}", finding.examples.join("; ")) };
        return vec![format!("{label}: note: {}{examples}{effect}", finding.headline())];
    }
    let mut lines = finding.lines();
    lines[0] = format!("{label}: {}", lines[0]);
    lines.extend(OPTIONS.iter().filter(|(kind, _)| kind.id == finding.kind).map(|(_, option)| format!("  → {option}")));
    lines
}

/// The options that help with a kind of finding. The libraries know the problem, but not the command line.
static OPTIONS: [(&FindingKind, &str); 6] = [
    (&models::PREPROCESSING_ASSUMED, "--mean, --std, --interpolation, --crop-pct and --img-size state them"),
    (&models::OUTPUT_CHOSEN, "--logits NAME chooses another output"),
    (&content::LABEL_MASK, "--mask-value VALUE or --mask-threshold LEVEL chooses the object"),
    (&content::TURNED, "--orientation upright turns the images"),
    (&results::INPUTS_UNKNOWN, "--restart computes the run again"),
    (&results::INPUTS_GONE, "--restart computes the run again"),
];

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
