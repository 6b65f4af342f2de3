/// Selects between the published code and its method. A preset sets every switch that reproduces a quirk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Preset {
    /// The published code with its quirks (Q1 to Q25 in the project's list), so that numbers can be compared with the paper's.
    Paper,
    /// The method as the paper describes it.
    Strict,
}
