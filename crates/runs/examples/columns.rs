//! Prints the columns of the records for docs/RECORDS.md; `cargo xtask tables records` writes them there.
#![allow(clippy::disallowed_macros, reason = "an example may print")]

fn main() {
    print!("<!-- begin: records -->\n{}<!-- end: records -->\n", hard_imagenet_runs::columns_markdown());
}
