//! Pictures with masks and labels. (Page to be completed.)

mod dataset;

pub use dataset::{Class, Dataset, DatasetError, DatasetInfo, Sample};
