/// Equal to the published code, or right. Chooses the value of every switch that reproduces a quirk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Preset {
    /// The published code with its quirks (Q1 to Q25 in the project's list), so that numbers compare with the paper's.
    Paper,
    /// What the method says.
    Strict,
}
