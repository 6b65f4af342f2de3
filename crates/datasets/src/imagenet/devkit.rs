//! The labels of the validation images in the development kit of ILSVRC2012.

use super::labels::{Labels, stem};
use crate::files::is_wnid;
use crate::mat::{self, Cell};
use crate::store::join;
use crate::{DatasetError, Store};
use std::collections::HashMap;
use std::path::Path;

const KIT: &str = "ILSVRC2012_devkit_t12";
/// Two files in the folder `data` of the kit: one `ILSVRC2012_ID` per line in the order of the images, and the WordNet
/// ids.
const TRUTH: &str = "ILSVRC2012_validation_ground_truth.txt";
const SYNSETS: &str = "meta.mat";

/// Reads the labels from a kit in `folder`, as downloaded or unpacked, or from its two files. Returns `None` if there
/// is no kit.
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
            fail(&truth, format!("line {}: \"{}\" is not an ILSVRC2012_ID of {SYNSETS}", i + 1, line.trim()))
        })?;
        Ok((stem(i + 1), wnid.clone()))
    };
    text.lines().enumerate().map(label).collect::<Result<_, _>>().map(Some)
}

/// Reads the WordNet ids by `ILSVRC2012_ID`. The thousand classes come first, in an order of their own, and groups of
/// them follow.
fn wnids(bytes: &[u8]) -> Result<HashMap<u32, String>, String> {
    let mut wnids = HashMap::new();
    for record in mat::records(bytes, "synsets", ["ILSVRC2012_ID", "WNID"])? {
        match record {
            [Cell::Number(id), Cell::Text(wnid)] if id >= 1.0 && id.fract() == 0.0 && is_wnid(&wnid) => {
                if id <= 1000.0 && wnids.insert(id as u32, wnid).is_some() {
                    return Err(format!("the ILSVRC2012_ID {id} occurs twice"));
                }
            }
            odd => return Err(format!("a synset has no ILSVRC2012_ID or no WordNet id ({odd:?})")),
        }
    }
    Ok(wnids)
}
