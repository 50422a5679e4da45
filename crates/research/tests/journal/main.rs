//! A journal becomes the same rows as the recordings it was fed with; what it misses is said.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod damaged;
mod follow;
mod heard;
mod made;
mod rows;
