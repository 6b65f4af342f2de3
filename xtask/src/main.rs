//! Chores of the workspace: `cargo xtask NAME`. One file for each; none has dependencies, so that this program builds in a
//! second.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a program prints and runs other programs")]

mod fuzz;
mod golden;
mod guide;
mod links;
mod lint;
mod markdown;
mod package;
mod run;
mod tables;

use run::Result;
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask NAME [ARGUMENTS]

  golden [CRATE..]           run the scripts that make golden files (tests/golden/make*.py)
  tables [NAME..]            measure tables and write them into docs/; without a name, list them
  tables --from FILE..       write tables that were measured elsewhere into docs/
  guide                      build the guide with mdBook into target/guide
  links                      check the links of all Markdown files
  package                    check that every crate can be packaged, with its README and licenses
  fuzz [TARGET..] [--seconds N]   run the fuzz targets, 60 seconds each by default
  lint [shapes]              check that public functions document their errors, panics and shapes, or only shapes
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[&str]) -> Result<()> {
    match arguments {
        ["golden", crates @ ..] => golden::run(crates),
        ["tables", "--from", files @ ..] => tables::write_from(files),
        ["tables", names @ ..] => tables::run(names),
        ["guide"] => guide::run(),
        ["links"] => links::run(),
        ["package"] => package::run(),
        ["fuzz", arguments @ ..] => fuzz::run(arguments),
        ["lint"] => lint::run(),
        ["lint", "shapes"] => lint::shapes(),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        [unknown, ..] => Err(format!("unknown task {unknown:?}\n\n{HELP}").into()),
    }
}
