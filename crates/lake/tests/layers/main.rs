//! The lake as its callers see it: what goes in comes out, an hour that is closed stays as it is, and other tools read the same.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod absent;
mod broken;
mod readers;
mod reopen;
mod support;
mod write;
