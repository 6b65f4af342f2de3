//! The contents of images and masks.

use super::{FindingKind, Severity};

kinds! {
    /// Files that cannot be decoded.
    UNREADABLE: Error "unreadable", "files that cannot be decoded", "these samples are left out of all scores", "get these files again; the next run tries them again";
    /// Masks of another shape than their image.
    SIZES: Warning "sizes", "masks whose shape differs from their image's", "each mask is stretched to its image, so it may cover other pixels than the object's", "use the masks that were drawn on these images, or scale them without cropping";
    /// Masks of another size than their image, but of its shape.
    SCALED_MASK: Note "scaled-mask", "masks that are their image's at another scale", "each is resized from its own size", "";
    /// Masks that were drawn on the turned image.
    TURNED: Warning "exif-orientation", "images that a viewer turns (EXIF orientation), with masks that may have been drawn on the turned image", "the masks cover other pixels than the object's", "have the orientation applied to the images, or draw the masks on the pixels as stored";
    /// Masks without an object.
    EMPTY_MASK: Warning "empty-mask", "masks without an object", "removing the object changes nothing on these samples, and saliency scores are left out", "look at these files: the object must have other values than the background";
    /// Masks whose object vanishes.
    LOST_OBJECT: Note "lost-object", "masks whose object is gone after resize and crop", "removing the object changes nothing on these samples, and saliency scores are left out", "nothing to do if there are few";
    /// Masks that are object everywhere.
    FULL_MASK: Warning "full-mask", "masks that are object everywhere", "removing the object removes the whole image", "look at these files: the background must be 0 (black)";
    /// Masks that seem to mark the background.
    INVERTED: Warning "inverted-mask", "masks that cover the border of the image and leave its middle free, as if object and background were exchanged", "removing the object would remove its surroundings, and all scores would mean the opposite", "look at these files: the object must be white and the background black";
    /// Masks with values of labels instead of brightness.
    LABEL_MASK: Warning "label-mask", "masks whose values are few and small, like numbers or colors of classes", "every value other than the background's 0 was taken as object", "nothing to do if that is meant; otherwise choose the value or the threshold of the object";
    /// The mask lies in the alpha channel.
    ALPHA_MASK: Warning "alpha-mask", "masks with a transparent background (cut-outs)", "everything that is not transparent was taken as object", "nothing to do if that is meant; otherwise save masks without an alpha channel";
    /// Masks with values between black and white.
    GRAY_MASK: Note "gray-mask", "masks with values between 0 and 255", "the paper preset counts every value above 0 as object, the strict preset values of 128 and more", "";
    /// Files that lack their end.
    INCOMPLETE: Warning "incomplete-image", "samples with a file that lacks its end, although all pixels are there", "none: every pixel is there", "get these files again if they should be whole";
}
