//! Objects by key: a lake's files and checkpoints in a folder or behind an S3 API, each verified by its SHA-256.
//!
//! [`ObjectStore`] is what both places have in common, and one suite of tests holds both to it. [`depot::Depot`] keeps the checkpoints
//! of the workers of a cluster.
//!
//! Every object is kept with the digest of its bytes, and whoever reads it through this crate compares the two: bytes that are not those
//! that were put are an [`Error::Digest`] with the key and both digests, never data. Calls block; from within an asynchronous task they
//! are made on a thread for such calls.
//!
//! Left out on purpose: what the bytes mean, which files of a journal or a lake are complete (that is `lake`), deleting what a folder no
//! longer has, and listening for changes.
#![warn(missing_docs)]

mod address;
pub mod copy;
pub mod depot;
mod digest;
mod error;
mod folder;
mod key;
pub mod s3;
mod source;
mod store;

pub use address::open;
pub use digest::{ObjectDigest, TallyingWriter};
pub use error::{Error, Recovery, Result};
pub use folder::FolderObjects;
pub use source::ObjectSource;
pub use store::{ListedObject, ObjectHead, ObjectStore};
