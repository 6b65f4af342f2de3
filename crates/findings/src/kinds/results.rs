//! Runs and what comes out of them.

use super::{FindingKind, Severity};

kinds! {
    /// Samples without a score.
    LEFT_OUT: Warning "left-out", "samples that could not be evaluated", "they are left out of all scores", "repair the files and run again; only these samples' parts are computed anew";
    /// Nothing was evaluated.
    NOTHING_EVALUATED: Error "nothing-evaluated", "not a single sample could be evaluated", "there are no scores", "the first examples say why";
    /// Logits that are not numbers.
    NOT_NUMBERS: Error "not-numbers", "images for which the model's outputs are not numbers (NaN)", "their predictions mean nothing: accuracy and drops are wrong", "check the weights, and evaluate in f32 if the model was exported in half precision";
    /// The same logits for every image.
    CONSTANT: Error "constant-output", "the model's output is the same for every image", "no score says anything about the images", "check the weights and the preprocessing; the output may not depend on the input";
    /// One class is predicted for everything.
    ONE_CLASS: Warning "one-class", "one class is predicted for all unchanged images", "accuracies are those of a constant", "check the preprocessing and whether the weights belong to this network";
    /// Accuracy no better than chance.
    AT_CHANCE: Warning "at-chance", "accuracy on unchanged images is no better than chance", "drops and gaps mean nothing", "wrong labels or wrong preprocessing are likelier than a bad model: compare the order of the classes, mean and standard deviation with the model's source";
    /// Records of an earlier run.
    RECORDS_KEPT: Note "records-kept", "samples whose records were kept from an earlier run", "none: settings and files are the same", "restart the run to compute them again";
    /// Files that changed since their records were made.
    INPUTS_CHANGED: Warning "inputs-changed", "samples whose image or mask changed since their records were made", "what depends on them is computed anew", "nothing to do if the change is meant";
    /// Files that are gone, though their records exist.
    INPUTS_GONE: Warning "inputs-gone", "samples whose files can no longer be read", "their records of an earlier run are kept", "repair the files, or restart the run to leave these samples out";
    /// Records whose inputs are not known.
    INPUTS_UNKNOWN: Warning "inputs-unknown", "parts that do not say which files they were computed from, as an earlier version wrote them", "if images or masks changed since, the scores are those of the old files", "restart the run to be sure";
}
