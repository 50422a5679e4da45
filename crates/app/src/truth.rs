//! What detectors and models give, held against recorded sets that know better (surveillance §10, §11).

pub(crate) mod accounts;
mod accounts_print;
pub(crate) mod liquidations;
mod liquidations_print;
mod salt;
