use std::cmp::Ordering;

/// The condition of unchanged images.
pub const CLEAN: &str = "none";

/// Where noise falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Region {
    /// On the object.
    Foreground,
    /// On everything else.
    Background,
}

/// The parts of a noise condition's name, `noise:<norm>:<sigma>:<fg|bg>`.
///
/// ```
/// # use hard_imagenet_metrics::{Noise, Region};
/// let noise = Noise::parse("noise:linf:0.25:fg").unwrap();
/// assert_eq!((noise.norm, noise.sigma, noise.region), ("linf", 0.25, Region::Foreground));
/// assert_eq!(noise.level(), "noise:linf:0.25");
/// assert_eq!(Noise::parse("gray"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise<'a> {
    /// The norm that its strength is measured in: "linf" or "l2".
    pub norm: &'a str,
    /// Its strength; finite and not negative.
    pub sigma: f64,
    /// Where it falls.
    pub region: Region,
    level: &'a str,
}

impl<'a> Noise<'a> {
    /// `None` for the name of any other condition.
    pub fn parse(condition: &'a str) -> Option<Self> {
        let (level, region) = condition.rsplit_once(':')?;
        let region = match region {
            "fg" => Region::Foreground,
            "bg" => Region::Background,
            _ => return None,
        };
        let (norm, sigma) = noise_level(level)?;
        Some(Self { norm, sigma, region, level })
    }

    /// The name without the region: "noise:linf:0.25". Scores that need both regions go by it.
    pub fn level(&self) -> &'a str {
        self.level
    }
}

/// Norm and strength of a noise level's name: `noise:<norm>:<sigma>`.
///
/// ```
/// # use hard_imagenet_metrics::noise_level;
/// assert_eq!(noise_level("noise:l2:90"), Some(("l2", 90.0)));
/// ```
pub fn noise_level(level: &str) -> Option<(&str, f64)> {
    let (norm, sigma) = level.strip_prefix("noise:")?.split_once(':')?;
    let sigma: f64 = sigma.parse().ok()?;
    (sigma.is_finite() && sigma >= 0.0).then_some((norm, sigma))
}

/// The order in which people read conditions: clean, the ablations from mild to thorough, others by name, noise by
/// norm, strength and region.
pub(crate) fn reading_order(a: &str, b: &str) -> Ordering {
    let key = |condition: &str| match condition {
        CLEAN => 0,
        "gray" => 1,
        "gray-box" => 2,
        "tile" => 3,
        _ if Noise::parse(condition).is_some() => 5,
        _ => 4,
    };
    key(a).cmp(&key(b)).then_with(|| match (Noise::parse(a), Noise::parse(b)) {
        // "linf" before "l2", as in the paper's main results; hence the reversed order of names.
        (Some(a), Some(b)) => b
            .norm
            .cmp(a.norm)
            .then(a.sigma.total_cmp(&b.sigma))
            .then(a.region.cmp(&b.region))
            .then(a.level.cmp(b.level)),
        _ => a.cmp(b),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_not_noise() {
        for name in
            ["noise", "noise:linf", "noise:linf:0.25", "noise:linf:x:fg", "noise:linf:0.25:both", "noise:l2:-1:fg"]
        {
            assert_eq!(Noise::parse(name), None, "{name}");
        }
    }

    #[test]
    fn conditions_are_read_in_order() {
        let mut names = [
            "noise:l2:30:fg",
            "noise:linf:0.5:bg",
            "noise:linf:0.5:fg",
            "noise:linf:0.25:bg",
            "tile",
            "blur",
            "gray",
            "none",
        ];
        names.sort_by(|a, b| reading_order(a, b));
        assert_eq!(
            names,
            [
                "none",
                "gray",
                "tile",
                "blur",
                "noise:linf:0.25:bg",
                "noise:linf:0.5:fg",
                "noise:linf:0.5:bg",
                "noise:l2:30:fg"
            ]
        );
    }
}
