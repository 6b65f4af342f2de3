//! Runs and what comes out of them.

use super::{FindingKind, Severity};

kinds! {
    /// Samples without a score.
    LEFT_OUT: Warning "left-out" {
        what: "samples that could not be evaluated",
        effect: "they are left out of all scores",
        remedy: "repair the files and run again; only these samples' parts are computed anew",
    }
    /// Nothing was evaluated.
    NOTHING_EVALUATED: Error "nothing-evaluated" {
        what: "not a single sample could be evaluated",
        effect: "there are no scores",
        remedy: "the first examples say why",
    }
    /// Logits that are not numbers.
    NOT_NUMBERS: Error "not-numbers" {
        what: "images for which the model's outputs are not numbers (NaN) or infinite",
        effect: "their predictions mean nothing: accuracy and drops are wrong",
        remedy: "check the weights, and evaluate in f32 if the model was exported in half precision",
    }
    /// The same logits for every image.
    CONSTANT: Error "constant-output" {
        what: "the model's output is the same for every image",
        effect: "no score says anything about the images",
        remedy: "check the weights and the preprocessing; the output may not depend on the input",
    }
    /// One class is predicted for everything.
    ONE_CLASS: Warning "one-class" {
        what: "one class is predicted for all unchanged images",
        effect: "accuracies are those of a constant",
        remedy: "check the preprocessing and whether the weights belong to this network",
    }
    /// Accuracy no better than chance.
    AT_CHANCE: Warning "at-chance" {
        what: "accuracy on unchanged images is no better than chance",
        effect: "drops and gaps mean nothing",
        remedy: "wrong labels or wrong preprocessing are likelier than a bad model: compare the order of the classes, \
                 mean and standard deviation with the model's source",
    }
    /// Records of an earlier run.
    RECORDS_KEPT: Note "records-kept" {
        what: "samples whose records were kept from an earlier run",
        effect: "none: settings and files are the same",
        remedy: "restart the run to compute them again",
    }
    /// Files that changed since their records were made.
    INPUTS_CHANGED: Warning "inputs-changed" {
        what: "samples whose image or mask changed since their records were made",
        effect: "what depends on them is computed anew",
        remedy: "nothing to do if the change is meant",
    }
    /// Files that are gone, though their records exist.
    INPUTS_GONE: Warning "inputs-gone" {
        what: "samples whose files can no longer be read",
        effect: "their records of an earlier run are kept",
        remedy: "repair the files, or restart the run to leave these samples out",
    }
    /// Records whose inputs are not known.
    INPUTS_UNKNOWN: Warning "inputs-unknown" {
        what: "parts that do not say which files they were computed from, as an earlier version wrote them",
        effect: "if images or masks changed since, the scores are those of the old files",
        remedy: "restart the run to be sure",
    }
}
