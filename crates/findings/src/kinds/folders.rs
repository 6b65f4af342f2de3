//! Folders, archives and the names of files.

use super::{FindingKind, Severity};

kinds! {
    /// A path that does not exist.
    MISSING_PATH: Error "missing", "a path does not exist", "nothing can be read", "correct the path";
    /// Images were given as masks, and masks as images.
    EXCHANGED: Error "exchanged", "images and masks are exchanged", "nothing can be read", "swap the paths of the masks and the images";
    /// A folder that does not hold what is expected.
    WRONG_FOLDER: Error "wrong-folder", "a folder does not hold what is expected", "nothing can be read", "use the folder that the message names";
    /// A folder of masks where images are expected.
    MASKS_AS_IMAGES: Error "masks-as-images", "a folder holds masks instead of images", "nothing can be read", "use ImageNet's folder as the path of the images";
    /// Masks without their image.
    NO_IMAGE: Error "no-image", "masks whose image is missing", "these samples are left out of all scores", "get these images of ImageNet (ILSVRC2012), or use the folder that holds train/ and val/ as the path of the images";
    /// Masks in a folder of your own that have no image.
    MASK_ALONE: Warning "mask-alone", "masks without an image", "they are ignored", "a mask must have its image's name, with any extension";
    /// Images in a folder of your own that have no mask.
    IMAGE_ALONE: Warning "image-alone", "images without a mask", "they are left out of all scores", "a mask must have its image's name, with any extension";
    /// Masks that a list names and that do not exist.
    MASK_MISSING: Error "mask-missing", "masks that the dataset's list names and that are missing", "these samples are left out of all scores", "get the rest of the dataset, or move its list away to use the masks at hand";
    /// Images of the benchmark's classes that have no mask.
    UNMASKED: Note "no-mask", "images of the dataset's classes without a mask", "they are not part of the benchmark", "if they should have masks, unpack the archive of masks again";
    /// Images that several masks may belong to.
    AMBIGUOUS_MASK: Warning "ambiguous-mask", "images that several masks may belong to, or that share a mask", "they are left out of all scores", "give each image one mask of its own, with the image's name";
    /// Masks that were matched by less than the whole name.
    LOOSE_NAME: Note "loose-name", "masks that are not named exactly like their image (upper and lower case, an ending such as _mask)", "each was matched to the only image it can belong to", "";
    /// Images too deep in the folders.
    NESTED: Warning "nested", "images in folders below the class folders", "they are left out of all scores", "move them up into the folder of their class";
    /// Images without an extension.
    NO_EXTENSION: Warning "no-extension", "images whose names lack the extension of an image", "they are left out of all scores", "give them the extension of their kind (.png, .jpg)";
    /// Files of a kind of image that is not read.
    UNREAD_KIND: Warning "unread-kind", "images of a kind that is not read", "they are left out of all scores", "convert them to PNG or JPEG";
    /// File names that are not text.
    NOT_UTF8: Warning "name-not-text", "file names that are not UTF-8", "the names are read with U+FFFD in place of each byte that is no text", "rename the files (convmv does it for a whole folder) if sample ids should be readable";
    /// Masks of a class that the dataset does not have.
    UNKNOWN_CLASS: Error "unknown-class", "masks of a class that the dataset does not have", "the dataset cannot be opened", "move these files out of the folder of the masks";
    /// Several masks of one image.
    DUPLICATE: Error "duplicate", "masks of an image that has one already", "the dataset cannot be opened", "keep one mask of each image (names that differ only in their extension are the same sample)";
    /// Files that are not named like masks.
    ODD_NAME: Note "odd-name", "files that are not named <wnid>_<ImageNet file name>", "they are ignored", "nothing to do, unless they are masks";
    /// Folders of classes that are not known.
    UNKNOWN_FOLDER: Warning "unknown-folder", "folders next to ImageNet's classes that are not read", "images in them are missing", "name them by their WordNet ids (n03218198) if they hold images of the dataset's classes";
    /// Class folders that hold no image.
    EMPTY_FOLDER: Warning "empty-folder", "class folders without an image", "they are not classes of the dataset, so models need one output less", "remove the folders, or put images in them";
    /// Entries of an archive that are not read.
    SKIPPED: Warning "skipped", "entries of an archive that are ignored", "images or masks may be missing", "nothing to do if you trust the source of the archive; its other files are read";
    /// Annotations of a COCO file that cannot be used.
    ANNOTATIONS: Warning "annotations", "annotations that cannot be used", "their objects are missing in masks and boxes", "correct the file, or export it again";
    /// Objects that the dataset skips on purpose.
    SKIPPED_OBJECT: Note "skipped-object", "objects that are crowds or too small to be samples of their own", "they are no samples", "";
    /// Images without an object.
    NO_OBJECT: Note "no-object", "images without an object that can be used", "they are no samples", "";
    /// A class without samples.
    EMPTY_CLASS: Warning "empty-class", "classes without a sample", "means over classes leave them out", "get the rest of the dataset";
    /// Fewer or more validation masks of a class than were published.
    CLASS_COUNT: Note "class-count", "classes whose number of validation masks differs from the published one", "scores are those of the samples at hand and not the published ones", "unpack the archive of masks again if it should be complete";
    /// Fewer or more training masks than were published.
    TRAIN_COUNT: Note "train-count", "the number of training masks differs from the published one", "scores are those of the samples at hand", "unpack the archive of masks again if it should be complete";
    /// The order of the classes cannot be read.
    PICKLE: Error "pickle", "the order of the classes cannot be read", "the dataset cannot be opened", "get the meta folder again, or move it away: then the usual order of the 15 classes is used";
    /// There is no order of the classes.
    NO_PICKLE: Note "no-pickle", "there is no meta/hard_imagenet_idx.pkl; the usual order of the 15 classes is used", "", "";
    /// How many masks there are.
    COUNT: Note "count", "number of masks", "", "";
    /// How the images lie on the disk.
    LAYOUT: Note "layout", "layout of the images", "", "";
    /// The files could not be searched.
    UNSEARCHABLE: Error "unsearchable", "a folder or an archive cannot be read", "the dataset cannot be opened", "get the file again, or use another path";
}
