//! What identifies a feature bank.

use hard_imagenet_files::sha256_hex;
use hard_imagenet_images::{Filter, Preprocessing, Resize};
use serde::{Deserialize, Serialize};

/// What a feature bank was computed from. Banks with equal identities hold features of the same kind.
///
/// Banks store this identity, so a change of what [`describe_preprocessing`] or [`describe_samples`] return makes
/// existing banks unusable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankIdentity {
    /// The model's name.
    pub model: String,
    /// SHA-256 of the model's weights, hexadecimal.
    pub weights_sha256: String,
    /// The node whose value the features are.
    pub feature_node: String,
    /// The node at which the features still have places in the image.
    pub map_node: String,
    /// The preprocessing of the images, from [`describe_preprocessing`].
    pub preprocess: String,
    /// The dataset's name.
    pub dataset: String,
    /// The dataset's samples, from [`describe_samples`]; empty if they are not known.
    pub samples: String,
    /// The names of the dataset's classes.
    pub classes: Vec<String>,
    /// The column of the model's head for each class.
    pub columns: Vec<u32>,
}

impl BankIdentity {
    /// Returns the fields in which this identity differs from the one that is asked for, each as "NAME: A there, B
    /// asked for".
    pub fn differences(&self, asked: &Self) -> Vec<String> {
        let fields = [
            ("model", &self.model, &asked.model),
            ("weights", &self.weights_sha256, &asked.weights_sha256),
            ("preprocessing", &self.preprocess, &asked.preprocess),
            ("dataset", &self.dataset, &asked.dataset),
            ("images", &self.samples, &asked.samples),
            ("feature node", &self.feature_node, &asked.feature_node),
            ("map node", &self.map_node, &asked.map_node),
        ];
        let differing = fields.into_iter().filter(|(_, there, asked)| there != asked);
        let mut differences: Vec<String> =
            differing.map(|(name, there, asked)| format!("{name}: {there} there, {asked} asked for")).collect();
        if self.classes != asked.classes || self.columns != asked.columns {
            differences.push("the classes".into());
        }
        differences
    }
}

/// Describes preprocessing in one line, field by field.
pub fn describe_preprocessing(preprocessing: &Preprocessing) -> String {
    let Preprocessing { resize, input: (height, width), filter, mean, std } = preprocessing;
    format!(
        "Preprocess {{ resize: {}, input: ({height}, {width}), filter: {}, mean: {}, std: {} }}",
        describe_resize(*resize),
        filter_name(*filter),
        describe_channels(mean),
        describe_channels(std)
    )
}

fn describe_resize(resize: Resize) -> String {
    match resize {
        Resize::None => "None".to_owned(),
        Resize::Squash(height, width) => format!("Squash({height}, {width})"),
        Resize::ShorterSide(side) => format!("ShorterSide({side})"),
        Resize::Cover(height, width) => format!("Cover({height}, {width})"),
        Resize::Contain { size: (height, width), fill: [red, green, blue] } => {
            format!("Contain {{ size: ({height}, {width}), fill: [{red}, {green}, {blue}] }}")
        }
    }
}

fn filter_name(filter: Filter) -> &'static str {
    match filter {
        Filter::Nearest => "Nearest",
        Filter::Box => "Box",
        Filter::Bilinear => "Bilinear",
        Filter::Hamming => "Hamming",
        Filter::Bicubic => "Bicubic",
        Filter::Lanczos => "Lanczos",
    }
}

/// Numbers always have a decimal point, which only the debug form of floats guarantees.
fn describe_channels(values: &[f32; 3]) -> String {
    let [red, green, blue] = values;
    format!("[{red:?}, {green:?}, {blue:?}]")
}

/// Describes samples, given the id and class of each, by their number and the start of a SHA-256.
pub fn describe_samples<'a>(samples: impl Iterator<Item = (&'a str, usize)>) -> String {
    let (mut count, mut text) = (0, String::new());
    for (id, class) in samples {
        count += 1;
        text += &format!("{id} {class}\n");
    }
    format!("{count} ({})", &sha256_hex(text.as_bytes())[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Banks on users' disks contain these strings.
    #[test]
    fn descriptions_never_change() {
        let check = |preprocessing: Preprocessing, want: &str| {
            assert_eq!(describe_preprocessing(&preprocessing), want);
        };
        let imagenet = Preprocessing::imagenet();
        check(
            imagenet,
            "Preprocess { resize: ShorterSide(256), input: (224, 224), filter: Bilinear, \
             mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }",
        );
        check(
            Preprocessing { resize: Resize::None, input: (64, 48), mean: [0.0; 3], std: [1.0; 3], ..imagenet },
            "Preprocess { resize: None, input: (64, 48), filter: Bilinear, mean: [0.0, 0.0, 0.0], std: [1.0, 1.0, 1.0] }",
        );
        for (resize, want) in [
            (Resize::Squash(8, 9), "Squash(8, 9)"),
            (Resize::Cover(8, 9), "Cover(8, 9)"),
            (Resize::Contain { size: (8, 9), fill: [1, 2, 3] }, "Contain { size: (8, 9), fill: [1, 2, 3] }"),
        ] {
            assert_eq!(describe_resize(resize), want);
        }
        assert_eq!(
            describe_samples([("a", 0), ("b", 1)].into_iter()),
            format!("2 ({})", &sha256_hex(b"a 0\nb 1\n")[..16])
        );
    }
}
