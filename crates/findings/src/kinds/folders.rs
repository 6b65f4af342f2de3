//! Folders, archives and the names of files.

use super::{FindingKind, Severity};

kinds! {
    /// A path that does not exist.
    MISSING_PATH: Error "missing" {
        what: "a path does not exist",
        effect: "nothing can be read",
        remedy: "correct the path",
    }
    /// Images were given as masks, and masks as images.
    EXCHANGED: Error "exchanged" {
        what: "images and masks are exchanged",
        effect: "nothing can be read",
        remedy: "swap the paths of the masks and the images",
    }
    /// A folder that does not hold what is expected.
    WRONG_FOLDER: Error "wrong-folder" {
        what: "a folder does not hold what is expected",
        effect: "nothing can be read",
        remedy: "use the folder that the message names",
    }
    /// A folder of masks where images are expected.
    MASKS_AS_IMAGES: Error "masks-as-images" {
        what: "a folder holds masks instead of images",
        effect: "nothing can be read",
        remedy: "use ImageNet's folder as the path of the images",
    }
    /// Masks without their image.
    NO_IMAGE: Error "no-image" {
        what: "masks whose image is missing",
        effect: "these samples are left out of all scores",
        remedy: "get these images of ImageNet (ILSVRC2012), or use the folder that holds train/ and val/ as the path \
                 of the images",
    }
    /// Masks in a folder of your own that have no image.
    MASK_ALONE: Warning "mask-alone" {
        what: "masks without an image",
        effect: "they are ignored",
        remedy: "a mask must have its image's name, with any extension",
    }
    /// Images in a folder of your own that have no mask.
    IMAGE_ALONE: Warning "image-alone" {
        what: "images without a mask",
        effect: "they are left out of all scores",
        remedy: "a mask must have its image's name, with any extension",
    }
    /// Masks that a list names and that do not exist.
    MASK_MISSING: Error "mask-missing" {
        what: "masks that the dataset's list names and that are missing",
        effect: "these samples are left out of all scores",
        remedy: "get the rest of the dataset, or move its list away to use the masks at hand",
    }
    /// Images of the benchmark's classes that have no mask.
    UNMASKED: Note "no-mask" {
        what: "images of the dataset's classes without a mask",
        effect: "they are not part of the benchmark",
        remedy: "if they should have masks, unpack the archive of masks again",
    }
    /// Images that several masks may belong to.
    AMBIGUOUS_MASK: Warning "ambiguous-mask" {
        what: "images that several masks may belong to, or that share a mask",
        effect: "they are left out of all scores",
        remedy: "give each image one mask of its own, with the image's name",
    }
    /// Masks that were matched by less than the whole name.
    LOOSE_NAME: Note "loose-name" {
        what: "masks that are not named exactly like their image (upper and lower case, an ending such as _mask)",
        effect: "each was matched to the only image it can belong to",
        remedy: "",
    }
    /// Images too deep in the folders.
    NESTED: Warning "nested" {
        what: "images in folders below the class folders",
        effect: "they are left out of all scores",
        remedy: "move them up into the folder of their class",
    }
    /// Images without an extension.
    NO_EXTENSION: Warning "no-extension" {
        what: "images whose names lack the extension of an image",
        effect: "they are left out of all scores",
        remedy: "give them the extension of their kind (.png, .jpg)",
    }
    /// Files of a kind of image that is not read.
    UNREAD_KIND: Warning "unread-kind" {
        what: "images of a kind that is not read",
        effect: "they are left out of all scores",
        remedy: "convert them to PNG or JPEG",
    }
    /// File names that are not text.
    NOT_UTF8: Warning "name-not-text" {
        what: "file names that are not UTF-8",
        effect: "the names are read with U+FFFD in place of each byte that is no text",
        remedy: "rename the files (convmv does it for a whole folder) if sample ids should be readable",
    }
    /// Masks of a class that the dataset does not have.
    UNKNOWN_CLASS: Error "unknown-class" {
        what: "masks of a class that the dataset does not have",
        effect: "the dataset cannot be opened",
        remedy: "move these files out of the folder of the masks",
    }
    /// Several masks of one image.
    DUPLICATE: Error "duplicate" {
        what: "masks of an image that has one already",
        effect: "the dataset cannot be opened",
        remedy: "keep one mask of each image (names that differ only in their extension are the same sample)",
    }
    /// Files that are not named like masks.
    ODD_NAME: Note "odd-name" {
        what: "files that are not named <wnid>_<ImageNet file name>",
        effect: "they are ignored",
        remedy: "nothing to do, unless they are masks",
    }
    /// Folders of classes that are not known.
    UNKNOWN_FOLDER: Warning "unknown-folder" {
        what: "folders next to ImageNet's classes that are not read",
        effect: "images in them are missing",
        remedy: "name them by their WordNet ids (n03218198) if they hold images of the dataset's classes",
    }
    /// Class folders that hold no image.
    EMPTY_FOLDER: Warning "empty-folder" {
        what: "class folders without an image",
        effect: "they are not classes of the dataset, so models need one output less",
        remedy: "remove the folders, or put images in them",
    }
    /// Entries of an archive that are not read.
    SKIPPED: Warning "skipped" {
        what: "entries of an archive that are ignored",
        effect: "images or masks may be missing",
        remedy: "nothing to do if you trust the source of the archive; its other files are read",
    }
    /// Annotations of a COCO file that cannot be used.
    ANNOTATIONS: Warning "annotations" {
        what: "annotations that cannot be used",
        effect: "their objects are missing in masks and boxes",
        remedy: "correct the file, or export it again",
    }
    /// Objects that the dataset skips on purpose.
    SKIPPED_OBJECT: Note "skipped-object" {
        what: "objects that are crowds or too small to be samples of their own",
        effect: "they are no samples",
        remedy: "",
    }
    /// Images without an object.
    NO_OBJECT: Note "no-object" {
        what: "images without an object that can be used",
        effect: "they are no samples",
        remedy: "",
    }
    /// A class without samples.
    EMPTY_CLASS: Warning "empty-class" {
        what: "classes without a sample",
        effect: "means over classes leave them out",
        remedy: "get the rest of the dataset",
    }
    /// Fewer or more validation masks of a class than were published.
    CLASS_COUNT: Note "class-count" {
        what: "classes whose number of validation masks differs from the published one",
        effect: "scores are those of the samples at hand and not the published ones",
        remedy: "unpack the archive of masks again if it should be complete",
    }
    /// Fewer or more training masks than were published.
    TRAIN_COUNT: Note "train-count" {
        what: "the number of training masks differs from the published one",
        effect: "scores are those of the samples at hand",
        remedy: "unpack the archive of masks again if it should be complete",
    }
    /// The order of the classes cannot be read.
    PICKLE: Error "pickle" {
        what: "the order of the classes cannot be read",
        effect: "the dataset cannot be opened",
        remedy: "get the meta folder again, or move it away: then the usual order of the 15 classes is used",
    }
    /// There is no order of the classes.
    NO_PICKLE: Note "no-pickle" {
        what: "there is no meta/hard_imagenet_idx.pkl; the usual order of the 15 classes is used",
        effect: "",
        remedy: "",
    }
    /// How many masks there are.
    COUNT: Note "count" {
        what: "number of masks",
        effect: "",
        remedy: "",
    }
    /// How the images lie on the disk.
    LAYOUT: Note "layout" {
        what: "layout of the images",
        effect: "",
        remedy: "",
    }
    /// The files could not be searched.
    UNSEARCHABLE: Error "unsearchable" {
        what: "a folder or an archive cannot be read",
        effect: "the dataset cannot be opened",
        remedy: "get the file again, or use another path",
    }
}
