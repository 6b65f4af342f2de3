use crate::files::split_mask_name;
use crate::{DatasetError, Pickle, parse_pickle};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Training images in the order of their spurious cues, for each class: which pictures of dog sleds have most of snow
/// and dogs, which least. Which end is first is not documented for the published files.
///
/// Published as `paths_by_rank.pkl` or `paths_by_rank2.pkl`, a dictionary from class to image paths; a JSON object of
/// the same form is read too. What counts of a path is its file name without the extension, which ImageNet uses only
/// once; so the keys, which may be ImageNet indices, WordNet ids or own labels, need not be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rankings {
    lists: BTreeMap<String, Vec<String>>,
    ranks: HashMap<String, Rank>,
}

/// Place of an image among the ranked ones of its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rank {
    /// How many come before it.
    pub position: usize,
    /// How many there are.
    pub of: usize,
}

impl Rank {
    /// Which of `parts` equal parts of the order it is in, from 0; `part(10)` is its decile.
    pub fn part(self, parts: usize) -> usize {
        self.position * parts / self.of
    }
}

impl Rankings {
    /// Takes, for each class, image paths in their order.
    ///
    /// # Errors
    /// Says which image is there twice.
    pub fn new(lists: impl IntoIterator<Item = (String, Vec<String>)>) -> Result<Self, String> {
        let lists: BTreeMap<_, _> = lists.into_iter().collect();
        let mut ranks = HashMap::new();
        for (class, paths) in &lists {
            for (position, path) in paths.iter().enumerate() {
                if ranks.insert(picture(path).to_owned(), Rank { position, of: paths.len() }).is_some() {
                    return Err(format!("{path} of class {class} is ranked twice"));
                }
            }
        }
        Ok(Self { lists, ranks })
    }

    /// Reads a pickle or JSON file, by its content.
    ///
    /// # Errors
    /// [`DatasetError::Meta`] if the file cannot be read or is no ranking.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let path = path.as_ref();
        let fail = |problem: String| DatasetError::Meta { path: path.into(), problem };
        Self::parse(&std::fs::read(path).map_err(|e| fail(e.to_string()))?).map_err(fail)
    }

    /// Reads the bytes of a pickle or JSON file.
    ///
    /// # Errors
    /// Says in words what is wrong with them.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let expected = "expected a ranking: a dictionary from class to image paths";
        if bytes.trim_ascii_start().starts_with(b"{") {
            let lists: BTreeMap<_, _> = serde_json::from_slice(bytes).map_err(|e| format!("{expected} ({e})"))?;
            return Self::new(lists);
        }
        let pickle = parse_pickle(bytes).map_err(|problem| format!("{expected}, but {problem}"))?;
        let pairs = pickle.as_dict().and_then(|pairs| pairs.iter().map(list).collect::<Option<Vec<_>>>());
        Self::new(pairs.ok_or(expected)?)
    }

    /// Rank of the sample with this id, or of the picture at this path; `None` if it is not ranked.
    pub fn rank(&self, id: &str) -> Option<Rank> {
        self.ranks.get(picture(id)).copied()
    }

    /// The image paths of each class in their order, by the class's key.
    pub fn lists(&self) -> &BTreeMap<String, Vec<String>> {
        &self.lists
    }

    /// As a pickle in the published form, protocol 2; keys that are numbers are written as such.
    pub fn to_pickle(&self) -> Vec<u8> {
        let mut out = b"\x80\x02}(".to_vec();
        for (class, paths) in &self.lists {
            match class.parse::<i32>() {
                Ok(index) => {
                    out.push(b'J');
                    out.extend(index.to_le_bytes());
                }
                Err(_) => put_string(&mut out, class),
            }
            out.extend(b"](");
            paths.iter().for_each(|path| put_string(&mut out, path));
            out.push(b'e');
        }
        out.extend(b"u.");
        out
    }
}

fn list((class, paths): &(Pickle, Pickle)) -> Option<(String, Vec<String>)> {
    let class = class.as_str().map(str::to_owned).or_else(|| class.as_index().map(|index| index.to_string()))?;
    let paths = paths.as_list()?.iter().map(|path| path.as_str().map(str::to_owned));
    Some((class, paths.collect::<Option<_>>()?))
}

/// File name of the picture without extension, whether the path is the picture's, its mask's or a sample's id.
fn picture(path: &str) -> &str {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    match split_mask_name(stem) {
        Some((wnid, rest)) if rest.starts_with(wnid) || rest.starts_with("ILSVRC2012_") => rest,
        _ => stem,
    }
}

fn put_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'X');
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.as_bytes());
}
