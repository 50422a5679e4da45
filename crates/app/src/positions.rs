//! Positions the user has registered: the positions file, and the thread that watches. The way to the store is
//! `barograph_query::positions`.

pub(crate) mod file;
#[cfg(test)]
mod stops_tests;
pub(crate) mod watch;
