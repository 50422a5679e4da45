//! The journal as its callers see it: what goes in comes out, in order, after any end of the process.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

mod export;
mod given_up;
mod grows;
mod kill;
mod limits;
mod mended;
mod order;
mod prune;
mod python;
mod refuse;
mod torn;
