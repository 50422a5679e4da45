//! The scorecard and the ledger on paper: tables of a terminal, files of an export.

pub(crate) mod contest;
pub(crate) mod export;
pub(crate) mod picture;
pub(crate) mod print;
pub(crate) mod print_drift;
