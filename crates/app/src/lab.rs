//! How research is shown on the terminal.

pub(crate) mod print;
