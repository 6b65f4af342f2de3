/// Equal to the published code, or right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Preset {
    /// The published code with its quirks (SPEC section 12), so that numbers compare with the paper's.
    Paper,
    /// What the method says.
    Strict,
}
