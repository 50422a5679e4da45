//! Positions the user has registered: the way to the store, the positions file, and the thread that watches.

pub(crate) mod desk;
pub(crate) mod file;
pub(crate) mod stops;
pub(crate) mod synced;
pub(crate) mod watch;

pub(crate) use desk::Desk;
pub(crate) use stops::Stops;
pub(crate) use synced::Synced;
