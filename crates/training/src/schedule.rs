use serde::{Deserialize, Serialize};

/// How the learning rate changes after the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// The rate stays the same.
    #[default]
    Constant,
    /// The rate falls to zero along half a cosine.
    Cosine,
}

impl Schedule {
    /// Returns the factor on the highest learning rate at a step, counted from 0, of `steps` steps. The factor rises
    /// linearly during the first `warm_up` steps.
    pub fn factor(self, step: usize, steps: usize, warm_up: usize) -> f64 {
        if step < warm_up {
            return (step + 1) as f64 / warm_up as f64;
        }
        match self {
            Self::Constant => 1.0,
            Self::Cosine => {
                let done = (step - warm_up) as f64 / (steps - warm_up).max(1) as f64;
                0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_and_then_stays_or_falls() {
        let factors = |schedule: Schedule| [0, 1, 3, 4, 8, 11].map(|step| schedule.factor(step, 12, 4));
        assert_eq!(factors(Schedule::Constant), [0.25, 0.5, 1.0, 1.0, 1.0, 1.0]);
        let cosine = factors(Schedule::Cosine);
        assert_eq!(cosine[..4], [0.25, 0.5, 1.0, 1.0]);
        assert!((cosine[4] - 0.5).abs() < 1e-12 && cosine[5] > 0.0 && cosine[5] < 0.05);
        assert_eq!(Schedule::Cosine.factor(0, 1, 0), 1.0);
    }
}
