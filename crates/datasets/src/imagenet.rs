//! ImageNet: its images, and which of its classes the datasets of the benchmark use.

mod devkit;
mod images;
mod labels;
mod layout;
mod shards;
mod validation;

pub use images::ImageNet;
pub(crate) use layout::KAGGLE;

use crate::Class;

/// (ImageNet index, WordNet id, name).
pub(crate) type Row = (u32, &'static str, &'static str);

/// The classes of Hard ImageNet in the order of finetuned heads.
pub(crate) const HARD_IMAGENET: [Row; 15] = [
    (537, "n03218198", "dog sled"),
    (379, "n02492660", "howler monkey"),
    (785, "n04162706", "seat belt"),
    (795, "n04228054", "ski"),
    (837, "n04356056", "sunglasses"),
    (433, "n02807133", "swimming cap"),
    (416, "n02777292", "balance beam"),
    (602, "n03535780", "horizontal bar"),
    (706, "n03899768", "patio"),
    (746, "n04019541", "hockey puck"),
    (655, "n03770439", "miniskirt"),
    (810, "n04264628", "space bar"),
    (890, "n04540053", "volleyball"),
    (981, "n09835506", "ballplayer"),
    (801, "n04251144", "snorkel"),
];

/// The classes of RIVAL20. Pairs of them are RIVAL10's classes: truck, car, plane, ship, cat, dog, equine, deer, frog,
/// bird.
pub(crate) const RIVAL20: [Row; 20] = [
    (675, "n03796401", "moving van"),
    (867, "n04467665", "trailer truck"),
    (436, "n02814533", "beach wagon"),
    (511, "n03100240", "convertible"),
    (404, "n02690373", "airliner"),
    (895, "n04552348", "warplane"),
    (628, "n03673027", "ocean liner"),
    (510, "n03095699", "container ship"),
    (283, "n02123394", "Persian cat"),
    (285, "n02124075", "Egyptian cat"),
    (208, "n02099712", "Labrador retriever"),
    (207, "n02099601", "golden retriever"),
    (339, "n02389026", "sorrel"),
    (340, "n02391049", "zebra"),
    (353, "n02423022", "gazelle"),
    (352, "n02422699", "impala"),
    (32, "n01644900", "tailed frog"),
    (31, "n01644373", "tree frog"),
    (11, "n01531178", "goldfinch"),
    (12, "n01532829", "house finch"),
];

/// Converts a row to a class.
pub(crate) fn class(&(index, wnid, name): &Row) -> Class {
    Class { name: name.into(), wnid: Some(wnid.into()), imagenet: Some(index) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn indices_follow_wordnet_ids() {
        // ImageNet numbers its classes in the order of their WordNet ids.
        let rows: BTreeSet<_> = HARD_IMAGENET.iter().chain(&RIVAL20).map(|r| (r.1, r.0)).collect();
        assert_eq!(rows.len(), 35);
        assert!(rows.iter().zip(rows.iter().skip(1)).all(|(a, b)| a.1 < b.1));
    }
}
