use crate::{
    Average, Blur, Gray, GrayBox, Identity, Mix, Noise, NoiseFill, Norm, OnlyBg, Paint, Perturb, Preset, Region,
    Shuffle, Tile,
};

/// The perturbations there are: how an id is written, and one line on what it does.
pub const KINDS: &[(&str, &str)] = &[
    ("none", "the clean image"),
    ("gray", "object pixels become gray"),
    ("gray-box", "the box around the object becomes gray"),
    ("tile", "the object's boxes are covered with tiles of their surroundings"),
    ("average", "the boxes of the object's parts in the mean colour of what they hold beside it"),
    ("average:shape", "the same for the parts themselves"),
    ("mean", "object pixels in the mean colour of all else"),
    ("imagenet-mean", "object pixels in ImageNet's mean colour"),
    ("blur:SIGMA", "the object blurred in place; SIGMA in pixels, e.g. blur:10"),
    ("shuffle:CELL", "the object's pixels (CELL 1), or cells of CELL × CELL, change places at random, e.g. shuffle:16"),
    ("noise-fill", "object pixels become Gaussian noise"),
    ("no-fg", "object pixels become black"),
    ("only-fg", "all but the object becomes black"),
    ("gray-bg", "all but the object becomes gray"),
    ("only-bg-b", "the box around the object becomes black"),
    ("only-bg-t", "the box around the object is covered with the largest strip beside it"),
    ("mixed-same", "the object before the surroundings of another picture of its class"),
    ("mixed-rand", "the object before the surroundings of a picture of another class"),
    ("mixed-next", "the object before the surroundings of a picture of the next class"),
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
/// [`ParseError`] for an unknown word, for noise with a norm, strength or region that is none, a blur or cell without
/// size, and for the words of [`Mix`], which takes two pictures.
pub fn parse(id: &str, preset: Preset) -> Result<Box<dyn Perturb>, ParseError> {
    let fail = |reason: String| ParseError { id: id.to_owned(), reason };
    let parts: Vec<&str> = id.split(':').collect();
    Ok(match parts[..] {
        ["none"] => Box::new(Identity),
        ["gray"] => Box::new(Gray),
        ["gray-box"] => Box::new(GrayBox { edges: preset.into() }),
        ["tile"] => Box::new(Tile { rule: preset.into() }),
        ["average"] => Box::new(Average { keep_shape: false, rule: preset.into() }),
        ["average", "shape"] => Box::new(Average { keep_shape: true, rule: preset.into() }),
        ["blur", sigma] => match sigma.parse::<f32>() {
            Ok(sigma) if sigma > 0.0 && sigma <= Blur::MOST => Box::new(Blur { sigma }),
            _ => return Err(fail(format!("the blur is a number above 0, at most {}, not {sigma:?}", Blur::MOST))),
        },
        ["shuffle", cell] => match cell.parse::<usize>() {
            Ok(cell) if cell > 0 => Box::new(Shuffle { cell }),
            _ => return Err(fail(format!("the cell is a whole number of pixels, not {cell:?}"))),
        },
        ["noise-fill"] => Box::new(NoiseFill { rule: preset.into() }),
        ["only-bg-b"] => Box::new(OnlyBg::Black),
        ["only-bg-t"] => Box::new(OnlyBg::Tiled),
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
        ["blur"] => return Err(fail("blur needs its size in pixels".to_owned())),
        ["shuffle"] => return Err(fail("shuffle needs the side of a cell in pixels".to_owned())),
        [word] => match (Paint::parse(word), Mix::parse(word)) {
            (Some(paint), _) => Box::new(paint),
            (_, Some(_)) => return Err(fail("it needs a second picture, whose background it takes".to_owned())),
            _ => return Err(fail("no such word".to_owned())),
        },
        _ => return Err(fail("no such word".to_owned())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn every_listed_word_is_known() {
        for &(word, _) in KINDS {
            let id = word.replace("NORM", "l2").replace("REGION", "bg").replace("SIGMA", "2").replace("CELL", "8");
            assert_eq!(parse(&id, Preset::Strict).is_ok(), Mix::parse(&id).is_none(), "{id}");
        }
    }

    #[test]
    fn errors_say_what_is_known() {
        let check = |id: &str, expected: &str| {
            let error = parse(id, Preset::Paper).err().unwrap().to_string();
            assert!(error.contains(&format!("{id:?}: {expected}")), "{error}");
            assert!(error.contains("; known are none, gray, gray-box, tile, average, "), "{error}");
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
        check("mixed-rand", "it needs a second picture");
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
