use crate::{AverageRule, BoxEdges, EmptyRegion, NoiseFillRule, Preset, TileRule};

/// The switches that select a variant of a perturbation, one for each difference between the published code and its
/// method. A [`Preset`] sets them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Switches {
    /// Whether the box of an object includes its last row and column (Q3).
    pub box_edges: BoxEdges,
    /// How tiles are found and pasted (Q4).
    pub tile: TileRule,
    /// How colors are averaged (Q5).
    pub average: AverageRule,
    /// What the noise that replaces the object is centered on, and whether it is clipped (Q26).
    pub noise_fill: NoiseFillRule,
    /// What noise of a given l2 norm does where its region has no pixels (Q9).
    pub empty_region: EmptyRegion,
}

impl From<Preset> for Switches {
    fn from(preset: Preset) -> Self {
        Self {
            box_edges: preset.into(),
            tile: preset.into(),
            average: preset.into(),
            noise_fill: preset.into(),
            empty_region: preset.into(),
        }
    }
}
