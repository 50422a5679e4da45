//! Several markets: hours between them over files, and how they are printed.

pub(crate) mod files;
pub(crate) mod print;
