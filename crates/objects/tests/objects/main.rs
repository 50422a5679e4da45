//! One suite for all places of objects, copies of folders in them, and what servers and networks do to both.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod copies;
mod folder;
mod proxy;
mod s3;
mod server;
mod suite;
