//! How research is shown on the terminal.

pub(crate) mod execution;
pub(crate) mod feeds;
pub(crate) mod goals;
pub(crate) mod leadlag;
pub(crate) mod page;
pub(crate) mod print;
pub(crate) mod simulation;
mod words;
pub(crate) mod worth;
