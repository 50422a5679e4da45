//! The PostgreSQL implementation: the suite of the contract, the views, and what only a server can do.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod both;
mod contract;
mod faults;
mod groups;
mod server;
#[path = "../shared/tables.rs"]
mod shared;
mod tables;
mod tls;
