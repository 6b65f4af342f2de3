use crate::{Objective, TrainingError};

/// How a network is finetuned: under an objective, or by [`deep_feature_reweighting`](crate::deep_feature_reweighting).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TrainingMethod {
    /// Training under an objective.
    Objective(Objective),
    /// `reweighting`, `reweighting:10`: deep feature reweighting with this many draws.
    Reweighting {
        /// How many last layers are averaged.
        draws: usize,
    },
}

/// The word for reweighting, and its number of draws if none is given.
const REWEIGHTING: (&str, usize) = ("reweighting", 10);

impl TrainingMethod {
    /// Parses an objective's word ([`Objective::parse`]) or `reweighting`, with a number after a colon if it takes one.
    ///
    /// # Errors
    /// Returns [`TrainingError::Recipe`], which lists the known words.
    pub fn parse(text: &str) -> Result<Self, TrainingError> {
        let (word, number) = text.split_once(':').map_or((text, None), |(word, number)| (word, Some(number)));
        if word != REWEIGHTING.0 {
            return Ok(Self::Objective(Objective::parse(text)?));
        }
        let draws = number.map_or(Ok(REWEIGHTING.1), str::parse);
        let fail = |_| TrainingError::Recipe(format!("\"{text}\": the number of draws is a whole number"));
        Ok(Self::Reweighting { draws: draws.map_err(fail)? })
    }

    /// Returns the objective of each training: for reweighting the mean loss.
    pub fn objective(self) -> Objective {
        match self {
            Self::Objective(objective) => objective,
            Self::Reweighting { .. } => Objective::Erm,
        }
    }

    /// Returns whether the method needs the group of each sample.
    pub fn needs_groups(self) -> bool {
        match self {
            Self::Objective(objective) => objective.needs_groups(),
            Self::Reweighting { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reweighting_is_a_word_among_the_objectives() {
        let parse = |text: &str| TrainingMethod::parse(text).map_err(|error| error.to_string());
        assert_eq!(parse("reweighting"), Ok(TrainingMethod::Reweighting { draws: 10 }));
        assert_eq!(parse("reweighting:3"), Ok(TrainingMethod::Reweighting { draws: 3 }));
        assert_eq!(parse("erm"), Ok(TrainingMethod::Objective(Objective::Erm)));
        assert!(parse("reweighting:x").unwrap_err().contains("number of draws"));
        assert!(parse("dro").unwrap_err().contains("erm, background-noise"));
    }
}
