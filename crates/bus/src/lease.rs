//! Entries that are only changed by those who know what they change.

use crate::error::{away, refused};
use crate::open::ANSWER_WITHIN;
use crate::{Bus, Result};
use async_nats::jetstream::kv;
use core::future::Future;
use tokio_stream::StreamExt as _;

/// An entry as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredLease {
    /// Grows with every change of any entry.
    pub revision: u64,
    /// What was written.
    pub value: Vec<u8>,
}

/// What became of a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Swapped {
    /// It is written, under this revision.
    Written(u64),
    /// Somebody else has changed the entry meanwhile.
    Other,
}

impl Bus {
    /// An entry; `None` where there is none.
    ///
    /// # Errors
    /// [`crate::Error::Away`] where the server does not answer.
    pub fn lease(&self, key: &str) -> Result<Option<StoredLease>> {
        let found = self.within(async { self.leases.entry(key).await.map_err(away) })?;
        Ok(found
            .filter(|e| e.operation == kv::Operation::Put)
            .map(|e| StoredLease { revision: e.revision, value: e.value.to_vec() }))
    }

    /// The keys that begin so, with the revisions of their entries.
    ///
    /// # Errors
    /// [`crate::Error::Away`] where the server does not answer.
    pub fn leases(&self, prefix: &str) -> Result<Vec<(String, u64)>> {
        self.within(async {
            let mut keys = self.leases.keys().await.map_err(away)?;
            let mut found = Vec::new();
            while let Some(key) = keys.next().await {
                let key = key.map_err(away)?;
                if key.starts_with(prefix)
                    && let Some(entry) = self.leases.entry(key.as_str()).await.map_err(away)?
                {
                    found.push((key, entry.revision));
                }
            }
            Ok(found)
        })
    }

    /// Writes an entry where it is still of this revision; `None`: where there is none.
    ///
    /// # Errors
    /// [`crate::Error::Away`] where the server does not answer: it may have written it all the same.
    pub fn swap_lease(&self, key: &str, expected: Option<u64>, value: &[u8]) -> Result<Swapped> {
        let value = bytes::Bytes::copy_from_slice(value);
        self.within(async {
            match expected {
                Some(revision) => match self.leases.update(key, value, revision).await {
                    Ok(revision) => Ok(Swapped::Written(revision)),
                    Err(e) => match e.kind() {
                        kv::UpdateErrorKind::WrongLastRevision => Ok(Swapped::Other),
                        kv::UpdateErrorKind::InvalidKey => Err(refused(e)),
                        kv::UpdateErrorKind::TimedOut | kv::UpdateErrorKind::Other => Err(away(e)),
                    },
                },
                None => match self.leases.create(key, value).await {
                    Ok(revision) => Ok(Swapped::Written(revision)),
                    Err(e) => match e.kind() {
                        kv::CreateErrorKind::AlreadyExists => Ok(Swapped::Other),
                        kv::CreateErrorKind::InvalidKey => Err(refused(e)),
                        kv::CreateErrorKind::Publish | kv::CreateErrorKind::Ack | kv::CreateErrorKind::Other => {
                            Err(away(e))
                        }
                    },
                },
            }
        })
    }

    /// Removes an entry.
    ///
    /// # Errors
    /// [`crate::Error::Away`] where the server does not answer.
    pub fn remove_lease(&self, key: &str) -> Result<()> {
        self.within(async { self.leases.purge(key).await.map_err(away) })
    }

    /// An answer, in the time that there is for one.
    fn within<T>(&self, asked: impl Future<Output = Result<T>>) -> Result<T> {
        self.runtime.block_on(async {
            tokio::time::timeout(ANSWER_WITHIN, asked).await.map_err(|_e| away("no answer in two seconds"))?
        })
    }
}
