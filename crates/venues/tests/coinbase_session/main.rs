//! Evidence for the Coinbase session: the raw recording, fixtures of other clients, and every line of the sheet's checklist.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test may fail by panicking, and reads recordings from files named by the environment"
)]

mod books;
mod checklist;
#[path = "../driven/mod.rs"]
mod driven;
mod fixtures;
mod replay;
mod rig;
