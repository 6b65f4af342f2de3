use crate::{KINDS, Perturb, Perturbation, Switches};

/// A perturbation id that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown perturbation {id:?}: {reason}; known are {}", known())]
pub struct ParseError {
    /// The id.
    pub id: String,
    /// What is wrong with it.
    pub reason: String,
}

fn known() -> String {
    let patterns: Vec<&str> = KINDS.iter().map(|kind| kind.pattern).collect();
    patterns.join(", ")
}

/// Returns the perturbation of an id, as [`Perturb::id`] writes it. The switches select its variant; a
/// [`Preset`](crate::Preset) sets them all.
///
/// # Errors
/// Returns a [`ParseError`] if no kind is written like the id, if an argument is missing or out of range, and for the
/// words of [`Mix`](crate::Mix), which takes two images (see [`parse_any`]).
pub fn parse(id: &str, switches: impl Into<Switches>) -> Result<Box<dyn Perturb>, ParseError> {
    match parse_any(id, switches)? {
        Perturbation::Single(perturb) => Ok(perturb),
        Perturbation::Mix(_) => Err(ParseError {
            id: id.to_owned(),
            reason: "it needs a second image that lends its background".to_owned(),
        }),
    }
}

/// Returns the perturbation of an id, whether it takes one image or two.
///
/// # Errors
/// Returns a [`ParseError`] if no kind is written like the id, and if an argument is missing or out of range.
pub fn parse_any(id: &str, switches: impl Into<Switches>) -> Result<Perturbation, ParseError> {
    let switches = switches.into();
    let parsed = KINDS.iter().find_map(|kind| kind.parse(id, switches));
    let parsed = parsed.unwrap_or_else(|| Err("no such word".to_owned()));
    parsed.map_err(|reason| ParseError { id: id.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Preset;

    #[test]
    fn ids_come_back() {
        let check = |id: &str, written: &str, random| {
            for preset in [Preset::Paper, Preset::Strict] {
                let perturbation = parse(id, preset).unwrap();
                assert_eq!(perturbation.id(), written);
                assert_eq!(perturbation.is_random(), random, "{id}");
            }
        };
        for id in "none gray gray-box tile average average:shape mean imagenet-mean blur:2.5 no-fg only-fg gray-bg \
                   only-bg-b only-bg-t"
            .split_whitespace()
        {
            check(id, id, false);
        }
        for id in ["noise:linf:0.25:fg", "noise:l2:30:bg", "noise:l2:0:fg", "shuffle:1", "shuffle:16", "noise-fill"] {
            check(id, id, true);
        }
        check("noise:linf:0.250:bg", "noise:linf:0.25:bg", true);
        check("noise:l2:3e1:fg", "noise:l2:30:fg", true);
        check("blur:10.0", "blur:10", false);
    }

    #[test]
    fn errors_say_what_is_known() {
        let check = |id: &str, expected: &str| {
            let error = parse(id, Preset::Paper).err().unwrap().to_string();
            assert!(error.contains(&format!("{id:?}: {expected}")), "{error}");
            assert!(error.contains("; known are none, "), "{error}");
            assert!(error.ends_with(", noise:NORM:SIGMA:REGION"), "{error}");
        };
        check("grey", "no such word");
        check("", "no such word");
        check("gray:0.5", "no such word");
        check("average:box", "no such word");
        check("blur", "blur needs its size in pixels");
        check("blur:0", "the blur is a number above 0, at most 1000, not \"0\"");
        check("blur:NaN", "the blur is a number above 0, at most 1000, not \"NaN\"");
        check("shuffle", "shuffle needs the side of a cell in pixels");
        check("shuffle:0", "the cell is a whole number of pixels, not \"0\"");
        check("mixed-rand", "it needs a second image");
        check("noise", "noise needs norm, strength and region");
        check("noise:linf:0.25", "noise needs norm, strength and region");
        check("noise:l3:0.25:fg", "the norm is linf or l2, not \"l3\"");
        check("noise:linf:strong:fg", "the strength is a number of 0 or more, not \"strong\"");
        check("noise:linf:-1:fg", "the strength is a number of 0 or more, not \"-1\"");
        check("noise:linf:NaN:fg", "the strength is a number of 0 or more, not \"NaN\"");
        check("noise:linf:inf:fg", "the strength is a number of 0 or more, not \"inf\"");
        check("noise:linf:0.25:object", "the region is fg or bg, not \"object\"");
    }
}
