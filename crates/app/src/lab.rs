//! How research is shown on the terminal.

pub(crate) mod feeds;
pub(crate) mod print;
