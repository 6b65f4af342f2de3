//! Serialized forms: a mask is the object that COCO's files hold, a heatmap its size and values.

use crate::{CocoRle, Heatmap, Mask, Rle};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Writes `{"size": [height, width], "counts": "compressed"}`.
impl Serialize for Rle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_coco().serialize(serializer)
    }
}

/// Reads compressed and uncompressed run lengths.
impl<'de> Deserialize<'de> for Rle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(CocoRle::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Writes the mask as its [`Rle`].
impl Serialize for Mask {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_rle().serialize(serializer)
    }
}

/// Reads the mask from an [`Rle`].
impl<'de> Deserialize<'de> for Mask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Rle::deserialize(deserializer)?.to_mask())
    }
}

#[derive(Serialize, Deserialize)]
struct HeatmapForm<V> {
    size: [usize; 2],
    values: V,
}

/// Writes `{"size": [height, width], "values": [..]}`, row-major.
impl Serialize for Heatmap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        HeatmapForm { size: [self.height(), self.width()], values: self.as_slice() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Heatmap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let HeatmapForm { size: [height, width], values } = HeatmapForm::deserialize(deserializer)?;
        Self::from_vec(height, width, values).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json, to_value};

    #[test]
    fn masks_are_written_as_in_cocos_files() {
        let mask = Mask::from_fn(2, 3, |_, column| column == 1);
        assert_eq!(to_value(&mask).unwrap(), json!({"size": [2, 3], "counts": "222"}));
        for counts in [json!("222"), json!([2, 2, 2])] {
            assert_eq!(from_value::<Mask>(json!({"size": [2, 3], "counts": counts})).unwrap(), mask);
        }
        let error = from_value::<Rle>(json!({"size": [2, 3], "counts": [7]})).unwrap_err().to_string();
        assert!(error.contains("must cover 6 pixels"), "{error}");
    }

    #[test]
    fn heatmaps_keep_size_and_values() {
        let map = Heatmap::from_vec(1, 2, vec![0.25, -1.0]).unwrap();
        let form = json!({"size": [1, 2], "values": [0.25, -1.0]});
        assert_eq!(to_value(&map).unwrap(), form);
        assert_eq!(from_value::<Heatmap>(form).unwrap(), map);
        assert!(from_value::<Heatmap>(json!({"size": [2, 2], "values": [0.25]})).is_err());
    }
}
