//! Names of models: "resnet50.tv_in1k" is the architecture "resnet50" with the weights of the tag "tv_in1k".

/// Returns the name without its tag.
pub(crate) fn without_tag(name: &str) -> &str {
    name.split_once('.').map_or(name, |(architecture, _)| architecture)
}

/// Returns whether a name fits a pattern, in which each `*` stands for any run of characters.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(i, _)| i).chain([rest.len()]).any(|i| matches(after, &rest[i..]))
        }),
    }
}

/// Returns the three of `known` names that look most like `name`.
pub(crate) fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> Vec<String> {
    let mut known: Vec<&str> = known.collect();
    // A name without tag is compared without tags, at the price of one edit.
    let distance = |known: &str| {
        let tag_missing = usize::from(known.contains('.'));
        edit_distance(known, name).min(edit_distance(without_tag(known), without_tag(name)) + tag_missing)
    };
    known.sort_by_key(|known| distance(known));
    known.into_iter().take(3).map(str::to_owned).collect()
}

/// Returns the Levenshtein distance: the number of characters to insert, delete or replace.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    // row[j] is the distance between the part of `a` read so far and the first j characters of `b`.
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replace = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
