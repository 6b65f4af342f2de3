//! The labels of the validation pictures as the development kit of ILSVRC2012 gives them.

use super::labels::{Labels, stem};
use crate::files::is_wnid;
use crate::mat::{self, Cell};
use crate::store::join;
use crate::{DatasetError, Store};
use std::collections::HashMap;
use std::path::Path;

const KIT: &str = "ILSVRC2012_devkit_t12";
/// In its folder `data`: an `ILSVRC2012_ID` a line, in the order of the pictures; and what the ids are.
const TRUTH: &str = "ILSVRC2012_validation_ground_truth.txt";
const SYNSETS: &str = "meta.mat";

/// The labels from a kit in a folder, as it was downloaded or unpacked, or from its two files; `None` if there is none.
pub(super) fn labels(folder: &Path) -> Result<Option<Labels>, DatasetError> {
    let forms = ["", ".tar.gz", ".tar"].map(|ending| folder.join(format!("{KIT}{ending}")));
    let (store, data) = if let Some(kit) = forms.iter().find(|path| path.exists()) {
        let store = Store::open(kit)?;
        let data = store.find_parent("data").map_or_else(String::new, |top| join(&top, "data"));
        (store, data)
    } else if folder.join(TRUTH).is_file() {
        (Store::open(folder)?, String::new())
    } else {
        return Ok(None);
    };
    let (truth, synsets) = (join(&data, TRUTH), join(&data, SYNSETS));
    let fail = |file: &str, problem: String| DatasetError::Meta { path: store.location(file), problem };
    let wnids = wnids(&store.read(&synsets)?).map_err(|problem| {
        fail(&synsets, format!("{problem}; expected the table of synsets of the ILSVRC2012 development kit"))
    })?;
    let text = String::from_utf8_lossy(&store.read(&truth)?).into_owned();
    let label = |(i, line): (usize, &str)| {
        let wnid = line.trim().parse().ok().and_then(|id: u32| wnids.get(&id));
        let wnid = wnid.ok_or_else(|| {
            fail(&truth, format!("line {}: \"{}\" is no ILSVRC2012_ID of {SYNSETS}", i + 1, line.trim()))
        })?;
        Ok((stem(i + 1), wnid.clone()))
    };
    text.lines().enumerate().map(label).collect::<Result<_, _>>().map(Some)
}

/// WordNet ids by `ILSVRC2012_ID`. The thousand classes come first, in an order of their own; groups of them follow.
fn wnids(bytes: &[u8]) -> Result<HashMap<u32, String>, String> {
    let mut wnids = HashMap::new();
    for record in mat::records(bytes, "synsets", ["ILSVRC2012_ID", "WNID"])? {
        match record {
            [Cell::Number(id), Cell::Text(wnid)] if id >= 1.0 && id.fract() == 0.0 && is_wnid(&wnid) => {
                if id <= 1000.0 && wnids.insert(id as u32, wnid).is_some() {
                    return Err(format!("the ILSVRC2012_ID {id} is there twice"));
                }
            }
            odd => return Err(format!("a synset without an ILSVRC2012_ID or a WordNet id ({odd:?})")),
        }
    }
    Ok(wnids)
}
