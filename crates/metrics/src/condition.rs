use std::cmp::Ordering;

/// The condition of unchanged images.
pub const CLEAN: &str = "none";

/// The beginning of the condition of a further explainer's map: "map:random".
pub const MAP: &str = "map:";

/// Returns whether the condition stands for a map instead of an image.
pub(crate) fn is_map(condition: &str) -> bool {
    condition.starts_with(MAP)
}

/// Where noise is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoiseRegion {
    /// On the object.
    Foreground,
    /// On everything else.
    Background,
}

/// A noise condition, parsed from `noise:<norm>:<sigma>:<fg|bg>`.
///
/// ```
/// # use hard_imagenet_metrics::{NoiseCondition, NoiseRegion};
/// let noise = NoiseCondition::parse("noise:linf:0.25:fg").unwrap();
/// assert_eq!((noise.norm, noise.sigma, noise.region), ("linf", 0.25, NoiseRegion::Foreground));
/// assert_eq!(noise.level(), "noise:linf:0.25");
/// assert_eq!(NoiseCondition::parse("gray"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoiseCondition<'a> {
    /// The norm that measures its strength: "linf" or "l2".
    pub norm: &'a str,
    /// Its strength; finite and not negative.
    pub sigma: f64,
    /// Where it is added.
    pub region: NoiseRegion,
    level: &'a str,
}

impl<'a> NoiseCondition<'a> {
    /// Parses a condition; returns `None` if it is not noise.
    pub fn parse(condition: &'a str) -> Option<Self> {
        let (level, region) = condition.rsplit_once(':')?;
        let region = match region {
            "fg" => NoiseRegion::Foreground,
            "bg" => NoiseRegion::Background,
            _ => return None,
        };
        let (norm, sigma) = parse_noise_level(level)?;
        Some(Self { norm, sigma, region, level })
    }

    /// Returns the name without the region, "noise:linf:0.25", which scores of both regions use.
    pub fn level(&self) -> &'a str {
        self.level
    }
}

/// Parses the norm and the strength of a noise level, `noise:<norm>:<sigma>`.
///
/// ```
/// # use hard_imagenet_metrics::parse_noise_level;
/// assert_eq!(parse_noise_level("noise:l2:90"), Some(("l2", 90.0)));
/// ```
pub fn parse_noise_level(level: &str) -> Option<(&str, f64)> {
    let (norm, sigma) = level.strip_prefix("noise:")?.split_once(':')?;
    let sigma: f64 = sigma.parse().ok()?;
    (sigma.is_finite() && sigma >= 0.0).then_some((norm, sigma))
}

/// Returns `blur` for `blur:10`.
fn name(condition: &str) -> &str {
    condition.split_once(':').map_or(condition, |(name, _)| name)
}

/// Compares two conditions by the plain order: the clean one, others by name and size, noise by norm, strength and region,
/// maps.
///
/// It knows no words of conditions. The table of conditions in `hard-imagenet-runs` has the order in which people read
/// them.
///
/// ```
/// # use hard_imagenet_metrics::condition_order;
/// let mut names = ["map:random", "noise:l2:30:fg", "blur:10", "noise:linf:0.5:bg", "gray", "blur:5", "none"];
/// names.sort_by(|a, b| condition_order(a, b));
/// assert_eq!(names, ["none", "blur:5", "blur:10", "gray", "noise:linf:0.5:bg", "noise:l2:30:fg", "map:random"]);
/// ```
pub fn condition_order(a: &str, b: &str) -> Ordering {
    let noise = (NoiseOrder::new(a), NoiseOrder::new(b));
    let group = |condition: &str, is_noise: bool| match condition {
        CLEAN => 0,
        _ if is_map(condition) => 3,
        _ if is_noise => 2,
        _ => 1,
    };
    let groups = (group(a, noise.0.is_some()), group(b, noise.1.is_some()));
    let within_group = || match noise {
        (Some(a), Some(b)) => a.compare(&b),
        _ => name(a).cmp(name(b)).then(size(a).total_cmp(&size(b))),
    };
    groups.0.cmp(&groups.1).then_with(within_group).then_with(|| a.cmp(b))
}

/// The sort key of noise conditions and of their levels, "noise:linf" and "noise:linf:0.25".
struct NoiseOrder<'a> {
    norm: &'a str,
    sigma: f64,
    region: Option<NoiseRegion>,
}

impl<'a> NoiseOrder<'a> {
    fn new(condition: &'a str) -> Option<Self> {
        if let Some(noise) = NoiseCondition::parse(condition) {
            return Some(Self { norm: noise.norm, sigma: noise.sigma, region: Some(noise.region) });
        }
        if let Some((norm, sigma)) = parse_noise_level(condition) {
            return Some(Self { norm, sigma, region: None });
        }
        let norm = condition.strip_prefix("noise:").filter(|norm| !norm.contains(':'))?;
        Some(Self { norm, sigma: f64::NEG_INFINITY, region: None })
    }

    fn compare(&self, other: &Self) -> Ordering {
        // "linf" comes before "l2", as in the paper's main results; hence the reversed order of names.
        other.norm.cmp(self.norm).then(self.sigma.total_cmp(&other.sigma)).then(self.region.cmp(&other.region))
    }
}

/// Returns 10 for `blur:10`, and 0 if there is no number.
fn size(condition: &str) -> f64 {
    condition.split_once(':').and_then(|(_, size)| size.parse().ok()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_not_noise() {
        for name in
            ["noise", "noise:linf", "noise:linf:0.25", "noise:linf:x:fg", "noise:linf:0.25:both", "noise:l2:-1:fg"]
        {
            assert_eq!(NoiseCondition::parse(name), None, "{name}");
        }
    }

    #[test]
    fn conditions_are_in_order_without_knowing_their_words() {
        let expected = [
            "none",
            "blur:5",
            "blur:10",
            "gray",
            "painted blue",
            "tile",
            "noise:linf",
            "noise:linf:0.25:bg",
            "noise:linf:0.5:fg",
            "noise:linf:0.5:bg",
            "noise:l2:30:fg",
            "map:random",
        ];
        let mut names = expected;
        names.reverse();
        names.sort_by(|a, b| condition_order(a, b));
        assert_eq!(names, expected);
        let mut levels = ["noise:l2:30", "noise:linf:0.5", "noise:linf:0.125", "noise:linf"];
        levels.sort_by(|a, b| condition_order(a, b));
        assert_eq!(levels, ["noise:linf", "noise:linf:0.125", "noise:linf:0.5", "noise:l2:30"]);
    }
}
