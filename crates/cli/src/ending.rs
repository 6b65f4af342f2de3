//! How a command ended, as its exit code says it.
//!
//! | code | meaning |
//! |--:|---|
//! | 0 | all well |
//! | 1 | an error |
//! | 2 | wrong usage |
//! | 3 | finished, but something was left out: a model, or more samples than `--max-failed` allows |
//! | 4 | not complete: parts or shards are missing |

use hard_imagenet::runs::Run;
use std::process::ExitCode;

/// How a command that did its work ended. The last variant that applies counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// Everything was computed.
    #[default]
    Complete,
    /// Models or samples were left out.
    LeftOut,
    /// Parts are missing.
    Incomplete,
}

impl Ending {
    /// Judges finished runs. `max_failed` is the largest share of samples that may be left out.
    pub(crate) fn of_runs(runs: &[Run], max_failed: f64) -> Self {
        runs.iter().map(|run| Self::of_run(run, max_failed)).max().unwrap_or_default()
    }

    fn of_run(run: &Run, max_failed: f64) -> Self {
        if !run.is_complete() {
            return Self::Incomplete;
        }
        let mut failed: Vec<&str> =
            run.records().iter().filter(|record| record.error.is_some()).map(|record| record.sample.as_str()).collect();
        failed.dedup();
        Self::of_samples(failed.len(), run.description().dataset.samples, max_failed)
    }

    /// Judges a number of samples that were left out. If there are no samples at all, everything was left out.
    pub(crate) fn of_samples(failed: usize, all: usize, max_failed: f64) -> Self {
        let too_many = failed as f64 > max_failed * all as f64 || failed == all;
        if too_many { Self::LeftOut } else { Self::Complete }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        ExitCode::from(match ending {
            Ending::Complete => 0,
            Ending::LeftOut => 3,
            Ending::Incomplete => 4,
        })
    }
}

/// The share of samples that may be left out.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct MaxFailed {
    /// The largest share of samples that may fail, such as 0.01; if more fail, or all, the exit code is 3
    #[arg(long, value_name = "SHARE", value_parser = share, default_value_t = 0.01)]
    pub(crate) max_failed: f64,
}

/// Parses a share in [0, 1].
fn share(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "write a number from 0 to 1, such as 0.01".to_owned())?;
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err("write a number from 0 to 1, such as 0.01".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::Ending;

    #[test]
    fn one_bad_image_of_many_is_no_failure() {
        let check = |failed, all, expected| assert_eq!(Ending::of_samples(failed, all, 0.01), expected);
        check(0, 750, Ending::Complete);
        check(7, 750, Ending::Complete);
        check(8, 750, Ending::LeftOut);
        check(1, 3, Ending::LeftOut);
        check(3, 3, Ending::LeftOut);
        check(0, 0, Ending::LeftOut);
        assert_eq!(Ending::of_samples(3, 3, 1.0), Ending::LeftOut);
        assert!(Ending::Incomplete > Ending::LeftOut);
    }
}
