//! Positions the user has registered: the way to the store, and where their stops stand.

mod desk;
mod stops;
mod synced;

pub use desk::{NoticeReceivers, PositionDesk};
pub use stops::WatchedStops;
pub use synced::Synced;
