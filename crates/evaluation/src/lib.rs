//! skeleton
mod part;
mod text;
