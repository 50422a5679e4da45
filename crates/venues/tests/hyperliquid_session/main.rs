//! Evidence for the Hyperliquid session: the raw recording, fixtures of other clients, and every line of the sheet's checklist.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test may fail by panicking, and reads recordings from files named by the environment"
)]

mod checklist;
#[path = "../driven/mod.rs"]
mod driven;
mod recorded;
mod rig;
