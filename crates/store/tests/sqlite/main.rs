//! The SQLite implementation: the suite of the contract, and what only files and processes can do.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod common;
mod contract;
mod files;
#[cfg(unix)]
mod kill;
#[cfg(unix)]
mod kill_outbox;
#[cfg(unix)]
mod ledger;
#[cfg(unix)]
mod processes;
#[path = "../shared/tables.rs"]
mod shared;
mod tables;
