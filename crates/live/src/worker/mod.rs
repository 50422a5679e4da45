//! The sides of a cluster that make minutes of another process's journal, and hours of what those have stored.
//!
//! The order of things, what is safe and why is in `barograph_cluster`, whose machines are driven here with threads, a broker, a store and a
//! place for checkpoints. Those come as one trait, so the same code runs over a real server and over memory.

mod driver;
mod exposition;
mod held;
mod machine;
mod outside;
mod roster;
mod stand;
#[cfg(test)]
mod tests;
mod universe;

pub use driver::{GroupThread, WorkerPlan};
pub use exposition::{engine_metrics, universe_metrics};
pub use machine::{GroupMachine, GroupMeans, GroupTenure};
pub use outside::{Answered, FollowedParcels, OpenStore, Outside, decode_range, encode_range, question, read_question};
pub use roster::{RosterPlan, held, run_groups};
pub use stand::{BrokerStand, EngineStand, GroupStand, GroupTally, GroupsReach, LoopPulse, UniverseStand};
pub use universe::{OpenRoom, UniversePlan, run_universe};
