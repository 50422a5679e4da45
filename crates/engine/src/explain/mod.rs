//! From a minute row to the published snapshot (regimes §10, §14).

pub mod guidance;
