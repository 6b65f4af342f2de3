//! The families of networks, one file each.
//!
//! A file has a type that holds the numbers of one network and implements [`Architecture`](crate::Architecture), and a
//! table of the models with published weights. To add a model, add a row to the table of its family. To add a family,
//! add a file here and its table to `FAMILIES`. [`blocks`] has the parts that several families share.

pub mod blocks;
pub mod clip_resnet;
pub mod convit;
pub mod convnext;
pub mod densenet;
pub mod efficientnet;
pub mod mobilenet;
pub mod resnet;
mod row;
pub mod swin;
pub mod vgg;
pub mod vit;

pub(crate) use row::Row;

/// The tables of all families. [`zoo::find`](crate::zoo::find) lists models in this order.
const FAMILIES: &[&[Row]] = &[
    resnet::ROWS,
    vgg::ROWS,
    densenet::ROWS,
    convnext::ROWS,
    efficientnet::ROWS,
    mobilenet::ROWS,
    clip_resnet::ROWS,
    vit::ROWS,
    swin::ROWS,
    convit::ROWS,
];

/// Returns the rows of all families in order.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    FAMILIES.iter().copied().flatten()
}
