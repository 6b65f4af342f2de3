//! The program `hard-imagenet`: does an image classifier see the object, or only what usually surrounds it?
//!
//! One file a command. The commands read the command line, call the library and print; they compute nothing themselves.
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
mod eval;
mod explain;
mod finetune;
mod headline;
mod hub;
mod models;
mod options;
mod progress;
mod rank;
mod report;
mod sources;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Does an image classifier see the object, or only what usually surrounds it?
///
/// Start with `hard-imagenet demo`: it needs nothing but itself.
#[derive(Parser)]
#[command(name = "hard-imagenet", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Judge two small models on generated pictures whose answer is known: offline, about a minute
    Demo(demo::Args),
    /// Judge models on a dataset: ablations, noise, saliency
    Eval(eval::Args),
    /// The paper's comparison: the same models on Hard ImageNet and on RIVAL20, and the difference
    Headline(headline::Args),
    /// Score finished or unfinished runs again and draw their page again
    Report(report::Args),
    /// What differs between two runs on the same images, and whether that may be chance
    Compare(compare::Args),
    /// Which pixels of a picture spoke for a class
    Explain(explain::Args),
    /// Do one of the benchmark's changes to one picture
    Ablate(ablate::Args),
    /// Which features of a model are spurious, which classes are hard, which pictures show the cue
    Rank(rank::Args),
    /// Train a head, a part or all of a model on a dataset, for the right reasons
    Finetune(Box<finetune::Args>),
    /// List the datasets, or measure the masks of one
    Datasets(datasets::Args),
    /// Say what is wrong with the folders of a dataset, and how to mend it
    Doctor(doctor::Args),
    /// List the models this program knows by name, or show one
    Models(models::Args),
    /// Write weights of any accepted form as safetensors
    Convert(convert::Args),
}

fn main() -> ExitCode {
    allocator::keep_pages();
    let outcome = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Headline(args) => headline::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Ablate(args) => ablate::run(&args),
        Command::Rank(args) => rank::run(&args),
        Command::Finetune(args) => finetune::run(&args),
        Command::Datasets(args) => datasets::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Models(args) => models::run(&args),
        Command::Convert(args) => convert::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes in one line. Many errors already quote their cause: nothing is said twice.
fn told(error: &anyhow::Error) -> String {
    error
        .chain()
        .map(ToString::to_string)
        .reduce(|text, cause| if text.contains(&cause) { text } else { format!("{text}: {cause}") })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::told;
    use anyhow::anyhow;

    #[test]
    fn causes_are_told_once() {
        assert_eq!(told(&anyhow!("no such file").context("cannot read a.png")), "cannot read a.png: no such file");
        assert_eq!(
            told(&anyhow!("no such file").context("cannot read a.png: no such file")),
            "cannot read a.png: no such file"
        );
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        super::Cli::command().debug_assert();
    }
}
