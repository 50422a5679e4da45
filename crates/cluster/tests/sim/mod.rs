//! A whole cluster in one process and in virtual time, with everything that can go wrong going wrong: one seed decides all of it.
//!
//! The machines of the crate are driven as threads, NATS and PostgreSQL would drive them: requests travel, wait, are lost, and are
//! answered late. A minute has two seconds here and an hour five minutes. Faults end after forty seconds; then the cluster has to
//! settle, lose one more worker without any other fault, and have stored exactly what one process would have made of the journal.
#![expect(clippy::unwrap_used, reason = "test code: what cannot be is a panic with its place")]

mod engine;
mod faults;
mod ingest;
mod judge;
mod nodes;
mod store;
mod universe;
mod worker;
mod world;

pub(crate) use world::{BUGS, found, run};
