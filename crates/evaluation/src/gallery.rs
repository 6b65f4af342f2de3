//! Selects a few instructive samples of a run and draws them.

mod draw;
mod select;

pub(crate) use draw::draw;
