//! Positions the user has registered: the way to the store, and where their stops stand.

mod desk;
mod stops;
mod synced;

pub use desk::{Desk, Told};
pub use stops::Stops;
pub use synced::Synced;
