//! Images of colored squares on gray with their masks, and networks that tell the colors apart.

use std::fs;
use std::path::{Path, PathBuf};

/// The sides of an image and of its square.
pub(crate) const SIDE: u32 = 40;
const SQUARE: u32 = 22;

/// The classes with their colors. The network's class is the brightest channel.
pub(crate) const CLASSES: [(&str, [u8; 3]); 3] = [("a", [220, 40, 40]), ("b", [40, 220, 40]), ("c", [40, 40, 220])];

fn is_object(x: u32, y: u32) -> bool {
    let inside = |at: u32| (9..9 + SQUARE).contains(&at);
    inside(x) && inside(y)
}

/// A folder of images, masks and a network.
pub(crate) struct Squares {
    pub(crate) folder: tempfile::TempDir,
}

impl Squares {
    /// Writes `count` images of each class with masks in which the object has the value `object`.
    pub(crate) fn new(count: usize, object: u8) -> Self {
        let squares = Self { folder: tempfile::tempdir().expect("a folder") };
        for (class, color) in CLASSES {
            for number in 0..count {
                let image = image::RgbImage::from_fn(SIDE, SIDE, |x, y| {
                    image::Rgb(if is_object(x, y) { color } else { [128, 128, 128 + number as u8] })
                });
                save(image, &squares.image(class, number));
            }
        }
        squares.write_masks("masks", count, object);
        squares.write_model("model.onnx", &[10.0, 0.0, 0.0, 0.0, 10.0, 0.0, 0.0, 0.0, 10.0]);
        squares
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn image(&self, class: &str, number: usize) -> PathBuf {
        self.at(&format!("images/{class}/{number}.png"))
    }

    /// Writes masks of all images.
    pub(crate) fn write_masks(&self, folder: &str, count: usize, object: u8) {
        for (class, _) in CLASSES {
            for number in 0..count {
                let mask = image::GrayImage::from_fn(SIDE, SIDE, |x, y| {
                    image::Luma([if is_object(x, y) { object } else { 0 }])
                });
                save(mask, &self.at(&format!("{folder}/{class}/{number}.png")));
            }
        }
    }

    /// Writes a network: a convolution of 1 × 1 with these weights (outputs, channels), and the mean over the image.
    pub(crate) fn write_model(&self, name: &str, weights: &[f32]) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, onnx(weights)).expect("a model");
    }
}

fn save<P>(image: image::ImageBuffer<P, Vec<u8>>, path: &Path)
where
    P: image::Pixel<Subpixel = u8> + image::PixelWithColorType,
{
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    image.save(path).expect("an image");
}

/// A field of a protocol buffer that holds bytes.
fn bytes(field: u8, content: &[u8]) -> Vec<u8> {
    let mut length = content.len();
    let mut out = vec![field << 3 | 2];
    while length > 127 {
        out.push(length as u8 & 127 | 128);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend(content);
    out
}

/// A field that holds a small number.
fn number(field: u8, value: u8) -> Vec<u8> {
    vec![field << 3, value]
}

/// An operator with one input, maybe weights, and one output.
fn node(operator: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let inputs = inputs.iter().flat_map(|input| bytes(1, input.as_bytes()));
    let mut node: Vec<u8> = inputs.collect();
    node.extend(bytes(2, output.as_bytes()));
    node.extend(bytes(3, output.as_bytes()));
    node.extend(bytes(4, operator.as_bytes()));
    bytes(1, &node)
}

/// An input or output of floats; 0 stands for the batch size.
fn value(name: &str, shape: &[u8]) -> Vec<u8> {
    let dim = |&extent: &u8| bytes(1, &if extent == 0 { bytes(2, b"batch") } else { number(1, extent) });
    let shape = bytes(2, &shape.iter().flat_map(dim).collect::<Vec<u8>>());
    let tensor = bytes(1, &[number(1, 1), shape].concat());
    [bytes(1, name.as_bytes()), bytes(2, &tensor)].concat()
}

/// Returns the network as an ONNX file.
fn onnx(weights: &[f32]) -> Vec<u8> {
    let classes = (weights.len() / 3) as u8;
    let raw: Vec<u8> = weights.iter().flat_map(|weight| weight.to_le_bytes()).collect();
    let dims = [classes, 3, 1, 1].iter().flat_map(|&dim| number(1, dim)).collect();
    let tensor = [dims, number(2, 1), bytes(8, b"w"), bytes(9, &raw)].concat();
    let graph = [
        node("Conv", &["images", "w"], "colors"),
        node("GlobalAveragePool", &["colors"], "pooled"),
        node("Flatten", &["pooled"], "logits"),
        bytes(2, b"squares"),
        bytes(5, &tensor),
        bytes(11, &value("images", &[0, 3, 32, 32])),
        bytes(12, &value("logits", &[0, classes])),
    ]
    .concat();
    [number(1, 8), bytes(7, &graph), bytes(8, &number(2, 17))].concat()
}
