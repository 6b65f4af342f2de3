use crate::{Gray, GrayBox, Identity, Noise, Norm, Perturb, Preset, Region, Tile};

/// The perturbations there are: how an id is written, and one line on what it does.
pub const KINDS: &[(&str, &str)] = &[
    ("none", "the clean image"),
    ("gray", "object pixels become gray"),
    ("gray-box", "the box around the object becomes gray"),
    ("tile", "the object's boxes are covered with tiles of their surroundings"),
    (
        "noise:NORM:SIGMA:REGION",
        "Gaussian noise; NORM linf or l2, REGION fg (object) or bg (all else), e.g. noise:linf:0.25:fg",
    ),
];

/// A perturbation id that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown perturbation {id:?}: {reason}; known are {}", known())]
pub struct ParseError {
    /// What was given.
    pub id: String,
    /// What is wrong with it.
    pub reason: String,
}

fn known() -> String {
    let words: Vec<&str> = KINDS.iter().map(|&(word, _)| word).collect();
    words.join(", ")
}

/// The perturbation of an id, as [`Perturb::id`] writes it; the preset chooses among its variants.
///
/// # Errors
/// [`ParseError`] for an unknown word, and for noise with a norm, strength or region that is none.
pub fn parse(id: &str, preset: Preset) -> Result<Box<dyn Perturb>, ParseError> {
    let fail = |reason: String| ParseError { id: id.to_owned(), reason };
    let parts: Vec<&str> = id.split(':').collect();
    Ok(match parts[..] {
        ["none"] => Box::new(Identity),
        ["gray"] => Box::new(Gray),
        ["gray-box"] => Box::new(GrayBox { edges: preset.into() }),
        ["tile"] => Box::new(Tile { rule: preset.into() }),
        ["noise", norm, sigma, region] => {
            let norm = match norm {
                "linf" => Norm::Linf,
                "l2" => Norm::L2,
                other => return Err(fail(format!("the norm is linf or l2, not {other:?}"))),
            };
            let region = match region {
                "fg" => Region::Foreground,
                "bg" => Region::Background,
                other => return Err(fail(format!("the region is fg or bg, not {other:?}"))),
            };
            let sigma = match sigma.parse::<f32>() {
                Ok(sigma) if sigma.is_finite() && sigma.is_sign_positive() => sigma,
                _ => return Err(fail(format!("the strength is a number of 0 or more, not {sigma:?}"))),
            };
            Box::new(Noise { norm, sigma, region, empty: preset.into() })
        }
        ["noise", ..] => return Err(fail("noise needs norm, strength and region".to_owned())),
        _ => return Err(fail("no such word".to_owned())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back() {
        let check = |id: &str, written: &str| {
            for preset in [Preset::Paper, Preset::Strict] {
                let perturbation = parse(id, preset).unwrap();
                assert_eq!(perturbation.id(), written);
                assert_eq!(perturbation.is_random(), id.starts_with("noise"));
            }
        };
        for id in ["none", "gray", "gray-box", "tile", "noise:linf:0.25:fg", "noise:l2:30:bg", "noise:l2:0:fg"] {
            check(id, id);
        }
        check("noise:linf:0.250:bg", "noise:linf:0.25:bg");
        check("noise:l2:3e1:fg", "noise:l2:30:fg");
    }

    #[test]
    fn errors_say_what_is_known() {
        let check = |id: &str, expected: &str| {
            let error = parse(id, Preset::Paper).err().unwrap().to_string();
            assert!(error.contains(&format!("{id:?}: {expected}")), "{error}");
            assert!(error.ends_with("known are none, gray, gray-box, tile, noise:NORM:SIGMA:REGION"), "{error}");
        };
        check("grey", "no such word");
        check("", "no such word");
        check("gray:0.5", "no such word");
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
