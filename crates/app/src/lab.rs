//! How research is shown on the terminal.

pub(crate) mod print;
pub(crate) mod worth;
