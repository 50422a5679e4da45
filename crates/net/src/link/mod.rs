//! Keeping wanted connections open.

pub(crate) mod conn;
pub(crate) mod supervisor;
