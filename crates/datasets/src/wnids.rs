//! ImageNet's thousand classes.

use crate::Class;
use crate::files::is_wnid;
use crate::imagenet::{self, HARD_IMAGENET, RIVAL20};
use std::collections::HashMap;
use std::sync::LazyLock;

/// The (WordNet id, name) of each class in the order of ImageNet's indices, which is the order of the ids.
///
/// A name is the first word of the synset in WordNet, so some names are shared ("crane" is a bird and a machine).
static ROWS: LazyLock<Vec<(&str, &str)>> =
    LazyLock::new(|| include_str!("wnids.txt").lines().filter_map(|line| line.split_once(' ')).collect());

/// Returns the ImageNet class of a WordNet id, if it is one of the thousand.
pub(crate) fn class(wnid: &str) -> Option<Class> {
    if let Some(row) = HARD_IMAGENET.iter().chain(&RIVAL20).find(|row| row.1 == wnid) {
        return Some(imagenet::class(row)); // with the name that the benchmark uses
    }
    let index = ROWS.binary_search_by_key(&wnid, |row| row.0).ok()?;
    Some(Class { name: ROWS[index].1.into(), wnid: Some(wnid.into()), imagenet: u32::try_from(index).ok() })
}

/// The WordNet ids by the letters and digits of class names; `None` if several classes share the name.
static BY_NAME: LazyLock<HashMap<String, Option<&str>>> = LazyLock::new(|| {
    let mut by_name = HashMap::new();
    let benchmark = HARD_IMAGENET.iter().chain(&RIVAL20).map(|&(_, wnid, name)| (wnid, name));
    for (wnid, name) in ROWS.iter().copied().chain(benchmark) {
        let known = by_name.entry(letters(name)).or_insert(Some(wnid));
        *known = known.filter(|known| *known == wnid);
    }
    by_name
});

/// Returns the WordNet id of the class that a folder is named after.
///
/// The folder is named by the id, or by the name of the class in upper or lower case, with spaces, underscores or
/// neither, and possibly followed by other words of the synset after commas: "dog sled", "Dog_Sled", "dogsled, dog
/// sleigh".
///
/// # Errors
/// Returns the reason why there is no such class.
pub(crate) fn find_by_folder(folder: &str) -> Result<String, &'static str> {
    if is_wnid(folder) {
        return Ok(folder.to_owned());
    }
    let first = folder.split(',').next().unwrap_or_default();
    match [folder, first].into_iter().find_map(|name| BY_NAME.get(&letters(name))) {
        Some(Some(wnid)) => Ok((*wnid).to_owned()),
        Some(None) => Err("several classes of ImageNet have this name"),
        None => Err("no class of ImageNet has this name"),
    }
}

/// Keeps letters and digits, in lower case.
fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_classes_in_the_order_of_their_ids() {
        assert_eq!(ROWS.len(), 1000);
        assert!(ROWS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let well_formed = |wnid: &str| wnid.len() == 9 && wnid.starts_with('n') && wnid[1..].parse::<u32>().is_ok();
        assert!(ROWS.iter().all(|(wnid, name)| well_formed(wnid) && !name.is_empty()));
    }

    #[test]
    fn the_tables_of_the_benchmark_agree() {
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

    #[test]
    fn folders_are_named_by_ids_or_names() {
        let check = |folder, expected: Result<&str, &str>| {
            let found = find_by_folder(folder);
            let matches = match &expected {
                Ok(wnid) => found.as_deref() == Ok(wnid),
                Err(words) => found.as_ref().is_err_and(|why| why.contains(words)),
            };
            assert!(matches, "{folder}: {found:?}");
        };
        for name in ["n03218198", "dog sled", "dogsled", "Dog_Sled", "DOG-SLED", "dogsled, dog sled, dog sleigh"] {
            check(name, Ok("n03218198"));
        }
        check("swimming cap", Ok("n02807133")); // the name in the benchmark
        check("bathing_cap", Ok("n02807133")); // the name in WordNet
        check("jack-o'-lantern", Ok("n03590841"));
        check("n00000000", Ok("n00000000"));
        for (_, wnid, name) in HARD_IMAGENET.iter().chain(&RIVAL20) {
            check(name, Ok(wnid));
        }
        check("crane", Err("several"));
        check("sledge", Err("no class"));
        check("train", Err("no class"));
        check("", Err("no class"));
        check("__", Err("no class"));
    }
}
