use super::weight::Weight;
use std::collections::BTreeMap;

/// How somebody else names the weights of a family.
pub(crate) struct Scheme {
    /// Part of a name, by which files of it are known.
    pub(super) mark: &'static str,
    /// What to replace by what in each name, one after the other. `#0`, `#1`, .. are parts of one tensor, to be put
    /// one after the other along the first dimension.
    pub(super) replacements: &'static [(&'static str, &'static str)],
    /// More of these, which several families share.
    pub(super) then: &'static [(&'static str, &'static str)],
    /// How names begin that are none of the image classifier's.
    pub(super) ignored: &'static [&'static str],
    /// What else differs than names.
    pub(super) amend: fn(&mut Named),
}

/// Weights by name.
pub(super) type Named = BTreeMap<String, Weight>;

impl Scheme {
    /// One that differs in names only.
    pub(super) const fn new(mark: &'static str, replacements: &'static [(&'static str, &'static str)]) -> Self {
        Self { mark, replacements, then: &[], ignored: &[], amend: |_| {} }
    }
}
