use super::{Attribute, Rival10};
use crate::{Dataset, DatasetError, DatasetInfo, Sample, SampleFacts};
use hard_imagenet_findings::Finding;
use hard_imagenet_images::Gray8;

/// The images of RIVAL10 that show an attribute, each with the mask of that attribute instead of the object's.
///
/// The accuracy that is lost when the attribute is painted over is its importance (Moayeri, Pope, Balaji, Feizi 2022).
pub struct Rival10Attribute {
    info: DatasetInfo,
    inner: Rival10,
    attribute: Attribute,
    members: Vec<usize>,
}

impl Rival10 {
    /// Keeps only the images whose labels contain the attribute, with its masks. The dataset is then called
    /// "rival10-wings".
    ///
    /// # Errors
    /// As [`attributes`](Self::attributes); returns [`DatasetError::Folder`] if no image shows the attribute.
    pub fn with_attribute(self, attribute: Attribute) -> Result<Rival10Attribute, DatasetError> {
        let place = Attribute::ALL.iter().position(|&known| known == attribute).unwrap_or_default();
        let mut members = Vec::new();
        for i in 0..self.len() {
            if self.attributes(i)?[place] {
                members.push(i);
            }
        }
        if members.is_empty() {
            return Err(DatasetError::Folder {
                path: self.rival.location(&self.folder),
                problem: format!("no image shows {}", attribute.name()),
                expected: super::EXPECTED.into(),
            });
        }
        let info = DatasetInfo { name: format!("rival10-{}", attribute.name()), ..self.info.clone() };
        Ok(Rival10Attribute { info, inner: self, attribute, members })
    }
}

impl Dataset for Rival10Attribute {
    fn info(&self) -> &DatasetInfo {
        &self.info
    }

    fn len(&self) -> usize {
        self.members.len()
    }

    fn id(&self, i: usize) -> &str {
        self.inner.id(self.members[i])
    }

    fn class(&self, i: usize) -> usize {
        self.inner.class(self.members[i])
    }

    fn findings(&self) -> Vec<Finding> {
        self.inner.findings()
    }

    fn stamp(&self, i: usize) -> Option<String> {
        let at = self.members[i];
        let masks = self.inner.rival.stamp(&self.inner.attribute_file(at, "_attr_dict.pkl"));
        Some(format!("{}\n{masks}", self.inner.stamp(at)?))
    }

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        let at = self.members[i];
        let sample = self.inner.get(at)?;
        let missing = || DatasetError::Meta {
            path: self.inner.rival.location(&self.inner.attribute_file(at, "_attr_dict.pkl")),
            problem: format!("there is no mask of {}", self.attribute.name()),
        };
        let mask = self.inner.attribute_mask(at, self.attribute)?.ok_or_else(missing)?;
        let mask = stretch(&mask, sample.image.height, sample.image.width);
        let facts = SampleFacts { image: sample.facts.image, ..SampleFacts::default() };
        Ok(Sample { mask, facts, ..sample })
    }
}

/// Resizes a mask to the image by the nearest pixel, because attribute masks were drawn on images of 224 × 224.
fn stretch(mask: &Gray8, height: usize, width: usize) -> Gray8 {
    let at =
        |row: usize, column: usize| mask.data[row * mask.height / height * mask.width + column * mask.width / width];
    let data = (0..height).flat_map(|row| (0..width).map(move |column| at(row, column))).collect();
    Gray8 { height, width, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_pixels() {
        let mask = Gray8 { height: 1, width: 2, data: vec![1, 2] };
        assert_eq!(stretch(&mask, 2, 4).data, [1, 1, 2, 2, 1, 1, 2, 2]);
        assert_eq!(stretch(&mask, 1, 1).data, [1]);
    }
}
