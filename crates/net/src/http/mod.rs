//! Requests: who may ask when, and the asking itself.

pub(crate) mod client;
pub(crate) mod desk;
pub(crate) mod door;
pub(crate) mod job;
pub(crate) mod worker;
