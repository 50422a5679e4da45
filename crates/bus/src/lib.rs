//! The way between the machines of a cluster, over one NATS server: parcels of a journal to all who follow it, questions to the process
//! that writes it, and leases.
//!
//! ```text
//! stream  <name>-frames   subject <name>.frames    parcels, kept for some minutes
//! bucket  <name>-leases   key group-<n>            who owns a group; the revision of an entry only grows
//! subject <name>.ranges   question and answer      an answer comes in pieces that fit the server
//! ```
//!
//! **What is not relied on.** The server may lose what it has acknowledged (Jepsen's report on NATS 2.12.1 shows how), deliver twice, and
//! come back without its last writes. A parcel says what it follows, so a hole is seen and fetched from the journal; a lease that two
//! believe in is settled by the token that the store checks. What is acknowledged here is counted and decides nothing.
//!
//! Calls wait for their answer, within a time that is an argument; sockets have one thread of their own. Left out on purpose: what bytes
//! mean.

mod ask;
mod error;
mod follow;
mod lease;
mod open;
mod publish;

pub use ask::ServedQuestions;
pub use error::{Error, Result};
pub use follow::Followed;
pub use lease::{StoredLease, Swapped};
pub use open::{Bus, BusOptions};
pub use publish::{ParcelPublisher, SentParcels};
