//! The outline of an object: polygons or run lengths.

use super::json;
use hard_imagenet_masks::{CocoCounts, CocoRle, Rle};
use serde_json::Value;

/// The outline of one object, as the file states it.
pub(super) enum Segmentation {
    /// Polygons of at least three corners (x, y).
    Polygons(Vec<Vec<[f64; 2]>>),
    Runs(CocoRle),
}

const POLYGONS: &str = "expected polygons [[x, y, ..], ..] or run lengths";
const RUNS: &str = "expected run lengths {\"size\": [height, width], \"counts\": ..}";

impl Segmentation {
    /// Returns whether a segmentation holds nothing.
    pub(super) fn is_empty(text: &str) -> bool {
        let letters = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).take(5);
        [b"[]".as_slice(), b"[[]]", b"{}", b"\"\"", b"null"].contains(&letters.collect::<Vec<u8>>().as_slice())
    }

    /// Reads a segmentation. As in pycocotools, the last of an odd number of coordinates does not count. A polygon may
    /// also be a list of corners, and a single polygon need not be in a list.
    ///
    /// # Errors
    /// Returns what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match serde_json::from_str(text) {
            Ok(Value::Object(runs)) => parse_runs(&Value::Object(runs)).map(Self::Runs).ok_or_else(|| RUNS.into()),
            Ok(Value::Array(list)) => parse_polygons(&list).map(Self::Polygons),
            Ok(_) => Err(POLYGONS.into()),
            Err(error) => Err(format!("{POLYGONS} ({error})")),
        }
    }

    /// Returns the width and the height of the box around the object and its area, in pixels.
    pub(super) fn measure(&self) -> Option<([f64; 2], f64)> {
        match self {
            Self::Polygons(polygons) => {
                let range = |axis: usize| {
                    let values = polygons.iter().flatten().map(|corner| corner[axis]);
                    let (low, high) = (values.clone().fold(f64::MAX, f64::min), values.fold(f64::MIN, f64::max));
                    high - low
                };
                Some(([range(0), range(1)], polygons.iter().map(|polygon| area(polygon)).sum()))
            }
            Self::Runs(runs) => {
                let rle = Rle::try_from(runs.clone()).ok()?;
                let bounds = rle.bounding_box()?;
                Some(([bounds.width() as f64, bounds.height() as f64], rle.area() as f64))
            }
        }
    }

    /// Returns the mask in an image of `height × width`.
    ///
    /// # Errors
    /// Returns what is wrong with the segmentation.
    pub(super) fn to_rle(&self, height: usize, width: usize) -> Result<Rle, String> {
        match self {
            Self::Polygons(polygons) => Rle::from_polygons(height, width, polygons).map_err(|error| error.to_string()),
            Self::Runs(runs) if runs.size != [height, width] => {
                let [tall, wide] = runs.size;
                Err(format!("its size is {tall} × {wide}, but the image has {height} × {width} pixels"))
            }
            Self::Runs(runs) => Rle::try_from(runs.clone()).map_err(|error| error.to_string()),
        }
    }
}

fn parse_polygons(list: &[Value]) -> Result<Vec<Vec<[f64; 2]>>, String> {
    let is_flat = |list: &[Value]| !list.is_empty() && list.iter().all(|value| !value.is_array());
    let is_corner = |value: &Value| value.as_array().is_some_and(|pair| pair.len() == 2 && is_flat(pair));
    let is_single = is_flat(list) || (list.len() >= 3 && list.iter().all(is_corner));
    let polygon = |value: &[Value]| -> Option<Vec<[f64; 2]>> {
        let numbers: Option<Vec<f64>> = if !value.is_empty() && value.iter().all(is_corner) {
            value.iter().filter_map(Value::as_array).flatten().map(json::number).collect()
        } else {
            value.iter().map(json::number).collect()
        };
        Some(numbers?.as_chunks().0.to_vec())
    };
    let polygons: Option<Vec<_>> = if is_single {
        polygon(list).map(|polygon| vec![polygon])
    } else {
        list.iter().map(|value| polygon(value.as_array()?)).collect()
    };
    let mut polygons = polygons.ok_or(POLYGONS)?;
    polygons.retain(|polygon| polygon.len() >= 3);
    if polygons.is_empty() {
        return Err("it has no polygon of at least three corners".into());
    }
    Ok(polygons)
}

fn parse_runs(object: &Value) -> Option<CocoRle> {
    let sizes: Option<Vec<usize>> = object.get("size")?.as_array()?.iter().map(json::size).collect();
    let count = |value: &Value| u32::try_from(json::size(value)?).ok();
    let counts = match object.get("counts")? {
        Value::String(text) => CocoCounts::Compressed(text.clone()),
        Value::Array(counts) => CocoCounts::Uncompressed(counts.iter().map(count).collect::<Option<_>>()?),
        _ => return None,
    };
    Some(CocoRle { size: sizes?.try_into().ok()?, counts })
}

/// Returns the area of a polygon.
fn area(polygon: &[[f64; 2]]) -> f64 {
    let next = polygon.iter().cycle().skip(1);
    let twice: f64 = polygon.iter().zip(next).map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum();
    twice.abs() / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polygons_of_every_form() {
        for text in [
            "[[1, 2, 5, 2, 5, 8]]",
            "[[\"1\", \"2\", \"5.0\", \"2\", \"5\", \"8\"]]",
            "[[1, 2, 5, 2, 5, 8, 9]]",
            "[[1, 2, 5, 2, 5, 8], [], [1, 2]]",
            "[1, 2, 5, 2, 5, 8]",
            "[[1, 2], [5, 2], [5, 8]]",
            "[[[1, 2], [5, 2], [5, 8]]]",
        ] {
            let found = Segmentation::parse(text).unwrap();
            assert_eq!(found.measure(), Some(([4.0, 6.0], 12.0)), "{text}");
        }
        for text in ["[[1, 2, 3]]", "[[1, 2, 3, 4]]", "[7]"] {
            assert!(Segmentation::parse(text).err().unwrap().contains("three corners"), "{text}");
        }
        for text in ["[[1, 2, \"x\", 3]]", "7", "true", "[{}]", "[null]", "[[1, 2, \"\", 3, 4, 5]]"] {
            assert!(Segmentation::parse(text).err().unwrap().contains("expected polygons"), "{text}");
        }
    }

    #[test]
    fn runs_of_every_form() {
        for text in [
            "{\"size\": [4, 4], \"counts\": [5, 2, 9]}",
            "{\"size\": [4.0, \"4\"], \"counts\": [5.0, \"2\", 9], \"other\": 1}",
        ] {
            assert_eq!(Segmentation::parse(text).unwrap().measure(), Some(([1.0, 2.0], 2.0)), "{text}");
        }
        for text in ["{}", "{\"size\": [4], \"counts\": []}", "{\"size\": [4, 4], \"counts\": [-1]}"] {
            assert!(Segmentation::parse(text).err().unwrap().contains("expected run lengths"), "{text}");
        }
    }

    #[test]
    fn empty_ones() {
        for text in ["[]", "[ [ ] ]", "null", "{}", "\"\""] {
            assert!(Segmentation::is_empty(text), "{text}");
        }
        assert!(!Segmentation::is_empty("[[1]]") && !Segmentation::is_empty("[[], [1, 2, 3, 4, 5, 6]]"));
    }
}
