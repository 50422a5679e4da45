//! What a folder and an S3 API have in common.

use crate::{ObjectDigest, ObjectSource, Result};
use core::fmt::Debug;
use std::io::Write;

/// What is known of an object without its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ObjectHead {
    /// Bytes of it.
    pub size: u64,
    /// SHA-256 of what was put; `None` of an object that others put without one.
    pub sha256: Option<ObjectDigest>,
}

/// An object in a list.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ListedObject {
    /// Its key.
    pub key: String,
    /// Bytes of it.
    pub size: u64,
}

/// Objects by key. Keys are relative paths with `/`; no name in one begins with a dot, and none ends in `.sha256`.
///
/// An object appears whole or not at all, and is there for good once a call that puts it has come back. All calls block, and may be made
/// from several threads at a time.
pub trait ObjectStore: Send + Sync + Debug {
    /// Where the objects are, for people: no secret is in it.
    fn place(&self) -> String;

    /// Puts an object in the place of whatever has this key.
    ///
    /// # Errors
    /// When it is not there afterwards, or nobody knows; putting it again does no harm.
    fn put(&self, key: &str, source: &ObjectSource<'_>) -> Result<()>;

    /// Puts an object if none has this key: `false` when one has. Of several callers at a time one gets `true`.
    ///
    /// # Errors
    /// As [`Self::put`]; after [`crate::Error::Away`] it may have been put.
    fn put_if_absent(&self, key: &str, source: &ObjectSource<'_>) -> Result<bool>;

    /// Writes an object's bytes into `into` and gives what they are: size and digest of the bytes, compared with the digest kept beside
    /// the object where there is one. What was written is worth nothing after an error.
    ///
    /// # Errors
    /// [`crate::Error::Absent`]; [`crate::Error::Digest`] when the bytes are others than were put; when the place or `into` fails.
    fn get_into(&self, key: &str, into: &mut dyn Write) -> Result<ObjectHead>;

    /// What is known of an object; `None` when there is none.
    ///
    /// # Errors
    /// When the place fails.
    fn head(&self, key: &str) -> Result<Option<ObjectHead>>;

    /// Objects whose keys begin with a text, in the order of their keys; an empty text is all. Of thousands there are as many requests
    /// as thousands.
    ///
    /// # Errors
    /// When the place fails.
    fn list(&self, prefix: &str) -> Result<Vec<ListedObject>>;

    /// Takes an object away; one that is not there is not missed.
    ///
    /// # Errors
    /// When the place fails.
    fn delete(&self, key: &str) -> Result<()>;

    /// An object's bytes, verified as by [`Self::get_into`].
    ///
    /// # Errors
    /// As [`Self::get_into`].
    fn get(&self, key: &str) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.get_into(key, &mut bytes)?;
        Ok(bytes)
    }
}
