use std::cmp::Ordering;

/// The condition of unchanged images.
pub const CLEAN: &str = "none";

/// What begins the condition of a record of a further explainer's map: "map:random".
pub const MAP: &str = "map:";

/// Does the condition stand for a map instead of a picture?
pub(crate) fn is_map(condition: &str) -> bool {
    condition.starts_with(MAP)
}

/// Where noise falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoiseRegion {
    /// On the object.
    Foreground,
    /// On everything else.
    Background,
}

/// The parts of a noise condition's name, `noise:<norm>:<sigma>:<fg|bg>`.
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
    /// The norm that its strength is measured in: "linf" or "l2".
    pub norm: &'a str,
    /// Its strength; finite and not negative.
    pub sigma: f64,
    /// Where it falls.
    pub region: NoiseRegion,
    level: &'a str,
}

impl<'a> NoiseCondition<'a> {
    /// `None` for the name of any other condition.
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

    /// The name without the region: "noise:linf:0.25". Scores that need both regions go by it.
    pub fn level(&self) -> &'a str {
        self.level
    }
}

/// Norm and strength of a noise level's name: `noise:<norm>:<sigma>`.
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

/// The conditions that take the object away, from mild to thorough. A word with a size (`blur:10`) goes by its name.
const REMOVED: [&str; 11] = [
    "gray",
    "gray-box",
    "tile",
    "mean",
    "imagenet-mean",
    "average",
    "average:shape",
    "noise-fill",
    "no-fg",
    "only-bg-b",
    "only-bg-t",
];

/// Those that leave it, disturbed or before another background.
const KEPT: [&str; 7] = ["blur", "shuffle", "only-fg", "gray-bg", "mixed-same", "mixed-rand", "mixed-next"];

/// Does the condition leave the object's own pixels in the image, if in disorder or before another background? Then
/// accuracy under it is not accuracy without the object.
///
/// ```
/// # use hard_imagenet_metrics::keeps_object;
/// assert!(keeps_object("none") && keeps_object("mixed-rand") && keeps_object("noise:linf:0.25:fg"));
/// assert!(!keeps_object("gray"));
/// ```
pub fn keeps_object(condition: &str) -> bool {
    condition == CLEAN || KEPT.contains(&name(condition)) || NoiseCondition::parse(condition).is_some()
}

/// `blur` of `blur:10`.
fn name(condition: &str) -> &str {
    condition.split_once(':').map_or(condition, |(name, _)| name)
}

/// The plain order of conditions: the clean one, others by name and size, noise by norm, strength and region, maps.
///
/// ```
/// # use hard_imagenet_metrics::condition_order;
/// let mut names = ["map:random", "noise:l2:30:fg", "blur:10", "noise:linf:0.5:bg", "gray", "blur:5", "none"];
/// names.sort_by(|a, b| condition_order(a, b));
/// assert_eq!(names, ["none", "blur:5", "blur:10", "gray", "noise:linf:0.5:bg", "noise:l2:30:fg", "map:random"]);
/// ```
pub fn condition_order(a: &str, b: &str) -> Ordering {
    let group = |condition: &str| match condition {
        CLEAN => 0,
        _ if is_map(condition) => 3,
        _ if condition.starts_with("noise:") => 2,
        _ => 1,
    };
    group(a)
        .cmp(&group(b))
        .then_with(|| match (NoiseOrder::of(a), NoiseOrder::of(b)) {
            (Some(a), Some(b)) => a.compare(&b),
            _ => name(a).cmp(name(b)).then(size(a).total_cmp(&size(b))),
        })
        .then_with(|| a.cmp(b))
}

/// What orders noise conditions and their levels, "noise:linf" and "noise:linf:0.25".
struct NoiseOrder<'a> {
    norm: &'a str,
    sigma: f64,
    region: Option<NoiseRegion>,
}

impl<'a> NoiseOrder<'a> {
    fn of(condition: &'a str) -> Option<Self> {
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

/// The order in which people read conditions: clean, those without the object, others by name, those with it, noise by
/// norm, strength and region, maps.
pub(crate) fn reading_order(a: &str, b: &str) -> Ordering {
    let key = |condition: &str| {
        let place = |words: &[&str], word: &str| words.iter().position(|&known| known == word);
        if condition == CLEAN {
            (0, 0)
        } else if let Some(place) = place(&REMOVED, condition) {
            (1, place)
        } else if let Some(place) = place(&KEPT, name(condition)) {
            (3, place)
        } else {
            (
                if is_map(condition) {
                    5
                } else if NoiseCondition::parse(condition).is_some() {
                    4
                } else {
                    2
                },
                0,
            )
        }
    };
    key(a).cmp(&key(b)).then_with(|| match (NoiseCondition::parse(a), NoiseCondition::parse(b)) {
        // "linf" before "l2", as in the paper's main results; hence the reversed order of names.
        (Some(a), Some(b)) => b
            .norm
            .cmp(a.norm)
            .then(a.sigma.total_cmp(&b.sigma))
            .then(a.region.cmp(&b.region))
            .then(a.level.cmp(b.level)),
        _ => size(a).total_cmp(&size(b)).then_with(|| a.cmp(b)),
    })
}

/// 10 of `blur:10`; 0 where there is none.
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
    fn conditions_are_read_in_order() {
        let expected = [
            "none",
            "gray",
            "tile",
            "only-bg-t",
            "painted blue",
            "blur:5",
            "blur:10",
            "mixed-rand",
            "noise:linf:0.25:bg",
            "noise:linf:0.5:fg",
            "noise:linf:0.5:bg",
            "noise:l2:30:fg",
            "map:random",
        ];
        let mut names = expected;
        names.sort_unstable();
        assert_ne!(names, expected);
        names.sort_by(|a, b| reading_order(a, b));
        assert_eq!(names, expected);
    }
}
