//! Pure functions from records to scores. (Page to be completed.)

mod record;

pub use record::Record;
