//! Which mask belongs to which image, judged by their names.

use super::listing::ImageFile;
use crate::files::is_image;
use crate::store::{file_stem, join, normal};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Words that a mask's name may have in addition to its image's.
const MASK_WORDS: [&str; 14] = [
    "segmentations",
    "segmentation",
    "groundtruth",
    "annotation",
    "segmap",
    "labels",
    "masks",
    "label",
    "matte",
    "mask",
    "segm",
    "seg",
    "sod",
    "gt",
];

/// Words that an image's name may have in addition to its mask's.
const IMAGE_WORDS: [&str; 8] = ["original", "images", "image", "photo", "orig", "rgb", "img", "im"];

/// What may stand between such a word and the rest.
const SEPARATORS: [char; 4] = ['_', '-', '.', ' '];

/// Which masks belong to which images, by their positions in the lists.
#[derive(Default)]
pub(super) struct Pairs {
    /// The mask of each image.
    pub(super) mask_of: BTreeMap<usize, usize>,
    /// The images whose mask has not exactly their name.
    pub(super) loose: Vec<usize>,
    /// The images that may have several masks, or share one.
    pub(super) ambiguous: BTreeSet<usize>,
    /// Two images with exactly the name of one mask, and the mask.
    pub(super) shared: Option<[usize; 3]>,
}

/// How closely names must match. The next level is only tried for images and masks that are not matched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    /// The same name in one normal form of Unicode.
    Exact,
    /// Upper and lower case are the same.
    Case,
    /// The mask's name may have a word more: "7_mask".
    MaskWord,
    /// Both may have a word more: "img_7" and "mask_7".
    BothWords,
}

/// Returns the key of a file: its folder and its name without extension, in one normal form.
pub(super) fn key(file: &ImageFile) -> String {
    join(&file.folder, &normal(file_stem(&file.name)))
}

/// Pairs images and masks, whose keys are unique on each side.
pub(super) fn pair(images: &[ImageFile], masks: &[ImageFile]) -> Pairs {
    let mut pairs = Pairs::default();
    let mut is_taken = vec![false; masks.len()];
    for level in [Level::Exact, Level::Case, Level::MaskWord, Level::BothWords] {
        let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, mask) in masks.iter().enumerate().filter(|(at, _)| !is_taken[*at]) {
            let stem = mask_stem(&mask.name, level);
            by_key.entry(fold(&join(&mask.folder, &stem), level)).or_default().push(at);
        }
        // The images that claim each mask.
        let mut claims: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, image) in images.iter().enumerate() {
            if pairs.mask_of.contains_key(&at) || pairs.ambiguous.contains(&at) {
                continue;
            }
            match find(image, &by_key, level).as_slice() {
                [] => {}
                [mask] => claims.entry(*mask).or_default().push(at),
                _ => drop(pairs.ambiguous.insert(at)),
            }
        }
        for (mask, images) in claims {
            match *images.as_slice() {
                [image] => {
                    pairs.mask_of.insert(image, mask);
                    is_taken[mask] = true;
                    if level != Level::Exact {
                        pairs.loose.push(image);
                    }
                }
                [first, second, ..] if level == Level::Exact => pairs.shared = Some([first, second, mask]),
                _ => pairs.ambiguous.extend(images),
            }
        }
    }
    pairs.loose.sort_unstable();
    pairs
}

/// Finds the masks of an image: in the folder of its class, at the top, or at the top with the class in the name.
fn find(image: &ImageFile, by_key: &HashMap<String, Vec<usize>>, level: Level) -> Vec<usize> {
    let stem = normal(file_stem(&image.name));
    let stem = match level {
        Level::BothWords => without_word(&fold(&stem, level), &IMAGE_WORDS).map_or(stem, Cow::Owned),
        _ => stem,
    };
    let keys = [join(&image.folder, &stem), stem.to_string(), format!("{}_{stem}", image.folder)];
    keys.iter().find_map(|key| by_key.get(&fold(key, level))).cloned().unwrap_or_default()
}

/// Returns the part of a mask's name that its image has too.
fn mask_stem(name: &str, level: Level) -> String {
    let stem = normal(file_stem(name)).into_owned();
    match level {
        Level::Exact | Level::Case => stem,
        Level::MaskWord | Level::BothWords => image_name_of_mask(&stem).unwrap_or(stem),
    }
}

/// Returns the name of the image to which a mask of this name belongs, if the name says that it is a mask's: "7" for
/// "7_mask", "mask_7", "7.jpg" and "7.jpg_mask". It is in lower case.
pub(super) fn image_name_of_mask(stem: &str) -> Option<String> {
    let stem = stem.to_lowercase();
    let without_extension = |name: &str| if is_image(name) { file_stem(name).to_owned() } else { name.to_owned() };
    let name = without_extension(&stem);
    let name = without_extension(&without_word(&name, &MASK_WORDS).unwrap_or(name));
    (name != stem && !name.is_empty()).then_some(name)
}

/// Removes one of the words from the end or the beginning of a name in lower case, with what separates it.
fn without_word(name: &str, words: &[&str]) -> Option<String> {
    let rest = words.iter().find_map(|word| {
        let end = name.strip_suffix(word).and_then(|rest| rest.strip_suffix(SEPARATORS));
        end.or_else(|| name.strip_prefix(word).and_then(|rest| rest.strip_prefix(SEPARATORS)))
    })?;
    (!rest.is_empty()).then(|| rest.to_owned())
}

fn fold(key: &str, level: Level) -> String {
    if level == Level::Exact { key.to_owned() } else { normal(&key.to_lowercase()).into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Vec<ImageFile> {
        let file = |name: &&str| ImageFile {
            folder: name.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned(),
            name: (*name).to_owned(),
        };
        names.iter().map(file).collect()
    }

    /// Pairs the names; each expected line is "image=mask", or "image?" for an ambiguous one.
    fn check(images: &[&str], masks: &[&str], expected: &[&str]) {
        let pairs = pair(&files(images), &files(masks));
        let matched = pairs.mask_of.iter().map(|(&image, &mask)| format!("{}={}", images[image], masks[mask]));
        let ambiguous = pairs.ambiguous.iter().map(|&image| format!("{}?", images[image]));
        let found: Vec<String> = matched.chain(ambiguous).collect();
        assert_eq!(found, expected, "{images:?} {masks:?}");
    }

    #[test]
    fn endings_of_masks() {
        for mask in [
            "7.png",
            "7_mask.png",
            "7-mask.png",
            "7.mask.png",
            "7 mask.png",
            "7_Mask.PNG",
            "7_seg.png",
            "7_gt.png",
            "7_segmentation.png",
            "7_SEGMENTATION.png",
            "7_label.png",
            "mask_7.png",
            "gt-7.png",
            "7.jpg.png",
            "7_mask.jpg.png",
            "7.jpg_mask.png",
        ] {
            check(&["a/7.jpg"], &[&format!("a/{mask}")], &[&format!("a/7.jpg=a/{mask}")]);
            check(&["a/7.jpg"], &[mask], &[&format!("a/7.jpg={mask}")]);
        }
        check(&["a/7.jpg"], &["a_7_mask.png"], &["a/7.jpg=a_7_mask.png"]);
        check(&["a/img_7.jpg"], &["a/mask_7.png"], &["a/img_7.jpg=a/mask_7.png"]);
        check(&["a/7_image.jpg"], &["a/7_mask.png"], &["a/7_image.jpg=a/7_mask.png"]);
        check(&["A/X.JPG"], &["a/x.png"], &["A/X.JPG=a/x.png"]);
        for mask in ["a/7mask.png", "a/77_mask.png", "a/mask.png", "a/_mask.png", "b/7_mask.png"] {
            check(&["a/7.jpg"], &[mask], &[]);
        }
    }

    #[test]
    fn an_exact_name_wins_and_doubt_is_no_match() {
        check(&["7.jpg"], &["7_mask.png", "7.png"], &["7.jpg=7.png"]);
        check(&["7_mask.jpg", "7.jpg"], &["7_mask.png"], &["7_mask.jpg=7_mask.png"]);
        check(&["7.jpg"], &["7_mask.png", "7_seg.png"], &["7.jpg?"]);
        check(&["a.jpg", "A.jpg"], &["a_mask.png"], &["a.jpg?", "A.jpg?"]);
        check(&["a.jpg", "A.jpg"], &["a.png", "A.png"], &["a.jpg=a.png", "A.jpg=A.png"]);
        check(&["x/7.jpg", "y/7.jpg"], &["7_mask.png"], &["x/7.jpg?", "y/7.jpg?"]);
        check(
            &["x/7.jpg", "y/7.jpg"],
            &["x/7_mask.png", "y/7_mask.png"],
            &["x/7.jpg=x/7_mask.png", "y/7.jpg=y/7_mask.png"],
        );
    }

    #[test]
    fn normal_forms_are_equal() {
        check(&["a/M\u{fc}ller.jpg"], &["a/Mu\u{308}ller.png"], &["a/M\u{fc}ller.jpg=a/Mu\u{308}ller.png"]);
        check(&["a/Mu\u{308}ller.jpg"], &["a/M\u{dc}LLER_mask.png"], &["a/Mu\u{308}ller.jpg=a/M\u{dc}LLER_mask.png"]);
    }
}
