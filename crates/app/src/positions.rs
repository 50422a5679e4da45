//! Positions the user has registered: the positions file, and the thread that watches. The way to the store is
//! `barograph_query::positions`.

pub(crate) mod file;
pub(crate) mod watch;
