//! How research is shown on the terminal.

pub(crate) mod execution;
pub(crate) mod leadlag;
pub(crate) mod print;
pub(crate) mod simulation;
mod words;
