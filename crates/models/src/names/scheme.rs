use super::weight::Weight;
use std::collections::BTreeMap;

/// The names that another source uses for the weights of a family.
pub(crate) struct Scheme {
    /// A part of a name by which files of this source are recognized.
    pub(super) mark: &'static str,
    /// The replacements to make in each name, in order. `#0`, `#1` and so on mark parts of one tensor, which are joined
    /// along the first dimension.
    pub(super) replacements: &'static [(&'static str, &'static str)],
    /// Further replacements, which several families share.
    pub(super) then: &'static [(&'static str, &'static str)],
    /// The prefixes of names that do not belong to the network.
    pub(super) ignored: &'static [&'static str],
    /// Adapts weights that differ in more than their names.
    pub(super) amend: fn(&mut WeightsByName),
}

/// Weights by name.
pub(super) type WeightsByName = BTreeMap<String, Weight>;

impl Scheme {
    /// Creates a scheme that differs only in names.
    pub(super) const fn new(mark: &'static str, replacements: &'static [(&'static str, &'static str)]) -> Self {
        Self { mark, replacements, then: &[], ignored: &[], amend: |_| {} }
    }
}
