//! The contents of images and masks.

use super::{FindingKind, Severity};

kinds! {
    /// Files that cannot be decoded.
    UNREADABLE: Error "unreadable" {
        what: "files that cannot be decoded",
        effect: "these samples are left out of all scores",
        remedy: "get these files again; the next run tries them again",
    }
    /// Masks of another shape than their image.
    SIZES: Warning "sizes" {
        what: "masks whose shape differs from their image's",
        effect: "each mask is stretched to its image, so it may cover other pixels than the object's",
        remedy: "use the masks that were drawn on these images, or scale them without cropping",
    }
    /// Masks of another size than their image, but of its shape.
    SCALED_MASK: Note "scaled-mask" {
        what: "masks that are their image's at another scale",
        effect: "each is resized from its own size",
        remedy: "",
    }
    /// Masks that were drawn on the turned image.
    TURNED: Warning "exif-orientation" {
        what: "images that a viewer turns (EXIF orientation), with masks that may have been drawn on the turned image",
        effect: "the masks cover other pixels than the object's",
        remedy: "have the orientation applied to the images, or draw the masks on the pixels as stored",
    }
    /// Masks without an object.
    EMPTY_MASK: Warning "empty-mask" {
        what: "masks without an object",
        effect: "removing the object changes nothing on these samples, and saliency scores are left out",
        remedy: "look at these files: the object must have other values than the background",
    }
    /// Masks whose object vanishes.
    LOST_OBJECT: Note "lost-object" {
        what: "masks whose object is gone after resize and crop",
        effect: "removing the object changes nothing on these samples, and saliency scores are left out",
        remedy: "nothing to do if there are few",
    }
    /// Masks that are object everywhere.
    FULL_MASK: Warning "full-mask" {
        what: "masks that are object everywhere",
        effect: "removing the object removes the whole image",
        remedy: "look at these files: the background must be 0 (black)",
    }
    /// Masks that seem to mark the background.
    INVERTED: Warning "inverted-mask" {
        what: "masks that cover the border of the image and leave its middle free, as if object and background were \
               exchanged",
        effect: "removing the object would remove its surroundings, and all scores would mean the opposite",
        remedy: "look at these files: the object must be white and the background black",
    }
    /// Masks with values of labels instead of brightness.
    LABEL_MASK: Warning "label-mask" {
        what: "masks whose values are few and small, like numbers or colors of classes",
        effect: "every value other than the background's 0 was taken as object",
        remedy: "nothing to do if that is meant; otherwise choose the value or the threshold of the object",
    }
    /// The mask lies in the alpha channel.
    ALPHA_MASK: Warning "alpha-mask" {
        what: "masks with a transparent background (cut-outs)",
        effect: "everything that is not transparent was taken as object",
        remedy: "nothing to do if that is meant; otherwise save masks without an alpha channel",
    }
    /// Masks with values between black and white.
    GRAY_MASK: Note "gray-mask" {
        what: "masks with values between 0 and 255",
        effect: "the paper preset counts every value above 0 as object, the strict preset values of 128 and more",
        remedy: "",
    }
    /// Files that lack their end.
    INCOMPLETE: Warning "incomplete-image" {
        what: "samples with a file that lacks its end, although all pixels are there",
        effect: "none: every pixel is there",
        remedy: "get these files again if they should be whole",
    }
}
