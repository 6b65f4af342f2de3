//! What a model's files say and leave open.

use super::{FindingKind, Severity};

kinds! {
    /// The graph ends in a softmax, which was taken off.
    SOFTMAX_REMOVED: Note "softmax-removed" {
        what: "the network ends in a softmax or sigmoid, which was taken off",
        effect: "confidences and maps are those of the logits",
        remedy: "",
    }
    /// The outputs look like probabilities, but no softmax was found.
    PROBABILITIES: Warning "probabilities" {
        what: "the outputs look like probabilities instead of logits",
        effect: "confidences are those of a softmax of a softmax, and gradients are those of probabilities",
        remedy: "export the network without its last softmax or sigmoid",
    }
    /// There are several outputs, one of which was chosen.
    OUTPUT_CHOSEN: Note "output-chosen" {
        what: "the network has several outputs",
        effect: "only the named one is looked at",
        remedy: "ask for another output by its name if it is meant",
    }
    /// Nothing states the preprocessing.
    PREPROCESSING_ASSUMED: Warning "preprocessing-assumed" {
        what: "nothing states how this network's images are preprocessed, so the usual values of ImageNet are assumed \
               (mean, standard deviation, bilinear, 8/7)",
        effect: "with other values accuracy drops, often without being noticed",
        remedy: "put timm's config.json next to the file, with the same name and the extension json, or state the \
                 values",
    }
    /// The network normalizes its images itself.
    RAW_INPUT: Note "raw-input" {
        what: "the network takes pixels of 0 to 255 and normalizes them itself",
        effect: "images are fed as such",
        remedy: "",
    }
    /// Class names could be matched, and their order differs.
    CLASSES_REORDERED: Note "classes-reordered" {
        what: "the model's classes are in another order than the dataset's",
        effect: "outputs were matched to the dataset's classes by name",
        remedy: "",
    }
    /// Classes are numbers in the order of texts.
    NUMERIC_CLASSES: Warning "numeric-classes" {
        what: "the classes are numbers, and the model does not name its classes",
        effect: "output i is taken for the i-th class in the order of texts (0, 1, 10, 2), as torchvision sorts folders, \
                 and not in the order of numbers",
        remedy: "if the model was trained in the order of numbers, name its classes in its description, or give the \
                 folders leading zeros (00, 01, 02)",
    }
    /// Class names could not be matched.
    CLASSES_UNMATCHED: Warning "classes-unmatched" {
        what: "the model names classes that the dataset does not have",
        effect: "output i is taken for the i-th class of the dataset, which may be wrong",
        remedy: "name the class folders like the model's classes, or correct the names in the model's description",
    }
    /// Names of classes in an ONNX file that do not fit its outputs.
    NAMES_IGNORED: Warning "names-ignored" {
        what: "lists of class names in the model file that do not fit its outputs",
        effect: "the classes have no names, so output i is taken for the i-th class of the dataset",
        remedy: "state the names in a description next to the file (label_names)",
    }
    /// Tensors that no layer uses.
    TENSORS_UNUSED: Note "tensors-unused" {
        what: "tensors in the weights file that no layer uses",
        effect: "none: they belong to a loss, a metric or an optimizer",
        remedy: "",
    }
    /// A prefix was removed from the names.
    PREFIX_REMOVED: Note "prefix-removed" {
        what: "the names of the weights have a prefix of a training framework, which was taken off",
        effect: "none",
        remedy: "",
    }
}
