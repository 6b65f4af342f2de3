//! ImageNet's thousand classes.

use crate::Class;
use crate::imagenet::{self, HARD_IMAGENET, RIVAL20};
use std::sync::LazyLock;

/// `<WordNet id> <name>` a line, in the order of ImageNet's indices, which is the order of the ids. A name is the first
/// of the synset's words in WordNet, so some are shared ("crane" is a bird and a machine).
static ROWS: LazyLock<Vec<(&str, &str)>> =
    LazyLock::new(|| include_str!("wnids.txt").lines().filter_map(|line| line.split_once(' ')).collect());

/// The ImageNet class of a WordNet id, if it is one of the thousand.
pub(crate) fn class(wnid: &str) -> Option<Class> {
    if let Some(row) = HARD_IMAGENET.iter().chain(&RIVAL20).find(|row| row.1 == wnid) {
        return Some(imagenet::class(row)); // by the name that the benchmark uses
    }
    let index = ROWS.binary_search_by_key(&wnid, |row| row.0).ok()?;
    Some(Class { name: ROWS[index].1.into(), wnid: Some(wnid.into()), imagenet: u32::try_from(index).ok() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_in_the_order_of_their_ids() {
        assert_eq!(ROWS.len(), 1000);
        assert!(ROWS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let well_formed = |wnid: &str| wnid.len() == 9 && wnid.starts_with('n') && wnid[1..].parse::<u32>().is_ok();
        assert!(ROWS.iter().all(|(wnid, name)| well_formed(wnid) && !name.is_empty()));
    }

    #[test]
    fn the_benchmarks_tables_agree() {
        for (index, wnid, _) in HARD_IMAGENET.iter().chain(&RIVAL20) {
            assert_eq!(ROWS[*index as usize].0, *wnid);
        }
    }

    #[test]
    fn every_id_has_its_index() {
        let check = |wnid, expected: Option<(&str, u32)>| {
            let class = class(wnid);
            assert_eq!(class.as_ref().map(|c| (c.name.as_str(), c.imagenet.unwrap())), expected, "{wnid}");
        };
        check("n01440764", Some(("tench", 0)));
        check("n03218198", Some(("dog sled", 537)));
        check("n15075141", Some(("toilet tissue", 999)));
        check("n00000000", None);
        check("cat", None);
    }
}
