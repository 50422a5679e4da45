//! Copies of a folder's files in an [`crate::ObjectStore`], and back: what is new is sent, what came is verified, nothing is deleted.
//!
//! Each file is an object whose key is its path in the folder. Behind each push that changed something stands a manifest with every
//! object's key, size and SHA-256; the newest one says what the copy is. What a manifest once had stays in later ones, also where the
//! folder no longer has it, but for folders that a push names as whole: of those the copy has what the folder has.

mod check;
mod each;
mod manifest;
mod pull;
mod push;

pub use check::{CopyCheck, CopyFinding, check};
pub use manifest::{CopyEntry, CopyManifest, newest};
pub use pull::{PullReport, pull};
pub use push::{CopyFile, LeftFile, PushPlan, PushReport, push};

/// What a copy reports while it goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CopyStep {
    /// So many bytes are to be read or carried.
    Size(u64),
    /// So many bytes more are done.
    Done(u64),
}

/// Takes the steps of a copy, from several threads.
pub type CopyProgress<'a> = &'a (dyn Fn(CopyStep) + Sync);
