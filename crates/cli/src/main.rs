//! The program `hard-imagenet`: does an image classifier see the object, or only what usually surrounds it?
//!
//! Each command has a file of its own, which reads the command line, calls the library and prints. No command computes
//! anything itself.
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "the program prints and reads its environment, once, at the edge"
)]

mod ablate;
mod allocator;
mod compare;
mod convert;
mod datasets;
mod demo;
mod doctor;
mod ending;
mod eval;
mod explain;
mod findings;
mod finetune;
mod headline;
mod hub;
mod interrupt;
mod model_reading;
mod models;
mod options;
mod progress;
mod rank;
mod report;
mod sources;

use clap::{Parser, Subcommand};
use ending::Ending;
use hard_imagenet::evaluation::EvaluationError;
use hard_imagenet::models::ModelError;
use std::process::ExitCode;

/// Does an image classifier see the object, or only what usually surrounds it?
///
/// Start with `hard-imagenet demo`, which needs no data and no network.
#[derive(Parser)]
#[command(name = "hard-imagenet", version, propagate_version = true, after_help = CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What the exit codes mean, below the list of commands.
const CODES: &str = "Exit codes: 0 all well; 1 an error; 2 wrong usage; 3 finished, but a model or too many samples were left out; \
                     4 not complete, because parts or shards are missing";

#[derive(Subcommand)]
enum Command {
    /// Evaluate two small models on generated images whose cues are known: offline, about a minute
    Demo(demo::Args),
    /// Evaluate models on a dataset: ablations, noise and saliency
    Eval(eval::Args),
    /// Repeat the paper's comparison: the same models on Hard ImageNet and on RIVAL20
    Headline(headline::Args),
    /// Recompute the scores of runs and draw their page again
    Report(report::Args),
    /// Test whether two runs on the same images differ by more than chance
    Compare(compare::Args),
    /// Show which pixels of an image speak for a class
    Explain(explain::Args),
    /// Apply one of the benchmark's perturbations to an image
    Ablate(ablate::Args),
    /// Find the spurious features of a model, the hard classes, and the images that show the cue
    Rank(rank::Args),
    /// Train a head, a part or all of a model on a dataset, so that it relies on the object
    Finetune(Box<finetune::Args>),
    /// List the datasets, or measure the masks of one
    Datasets(datasets::Args),
    /// Check the folders of a dataset and explain how to repair them
    Doctor(doctor::Args),
    /// List the models that are known by name, or describe one
    Models(models::Args),
    /// Convert weights of any accepted format to safetensors
    Convert(convert::Args),
}

fn main() -> ExitCode {
    allocator::keep_pages();
    let outcome = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Headline(args) => headline::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Compare(args) => compare::run(&args).map(complete),
        Command::Explain(args) => explain::run(&args).map(complete),
        Command::Ablate(args) => ablate::run(&args).map(complete),
        Command::Rank(args) => rank::run(&args),
        Command::Finetune(args) => finetune::run(&args),
        Command::Datasets(args) => datasets::run(&args).map(complete),
        Command::Doctor(args) => doctor::run(&args).map(complete),
        Command::Models(args) => models::run(&args).map(complete),
        Command::Convert(args) => convert::run(&args).map(complete),
    };
    match outcome {
        Ok(ending) => ending.into(),
        Err(error) => {
            eprintln!("error: {}", describe(&error));
            if let Some(hint) = hint(&error) {
                eprintln!("help: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}

/// How a command ends that either does everything or fails.
fn complete((): ()) -> Ending {
    Ending::Complete
}

/// Joins an error and its causes in one line. Many errors already quote their cause, which is then not repeated.
fn describe(error: &anyhow::Error) -> String {
    error
        .chain()
        .map(ToString::to_string)
        .reduce(|text, cause| if text.contains(&cause) { text } else { format!("{text}: {cause}") })
        .unwrap_or_default()
}

/// Returns the options and settings that help with an error. The libraries know the problem, but not the command line.
fn hint(error: &anyhow::Error) -> Option<&'static str> {
    match error.chain().find_map(model_error)? {
        ModelError::Hub { .. } => Some(
            "--weights FILE loads weights without the hub; the environment variable HF_TOKEN holds the access token, \
             HF_ENDPOINT the address of a mirror, HF_HUB_CACHE the folder of the cache",
        ),
        _ => None,
    }
}

/// Finds the error of a model in one that passes it on without being its cause.
fn model_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a ModelError> {
    if let Some(EvaluationError::Model(error)) = error.downcast_ref() {
        return Some(error);
    }
    error.downcast_ref()
}

#[cfg(test)]
mod tests {
    use super::describe;
    use anyhow::anyhow;

    #[test]
    fn causes_are_printed_once() {
        assert_eq!(describe(&anyhow!("no such file").context("cannot read a.png")), "cannot read a.png: no such file");
        assert_eq!(
            describe(&anyhow!("no such file").context("cannot read a.png: no such file")),
            "cannot read a.png: no such file"
        );
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        super::Cli::command().debug_assert();
    }
}
