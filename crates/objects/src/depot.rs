//! Checkpoints of the workers of a cluster, by group of markets and moment, in any [`ObjectStore`].
//!
//! ```text
//! checkpoints/group=<g>/<stamp, nanoseconds since 1970, 20 digits>.ckpt
//! ```
//!
//! A checkpoint saves time and decides nothing: one that is damaged is passed over, with its reason, and the one before it is used.

use crate::{Error, ObjectSource, ObjectStore, Result};
use barograph_domain::Ts;
use std::sync::Arc;

/// Checkpoints by group, in one place.
#[derive(Clone, Debug)]
pub struct Depot {
    store: Arc<dyn ObjectStore>,
}

/// The newest checkpoint that could be read, and those that could not.
#[derive(Debug)]
pub struct DepotFind {
    /// Its moment and its bytes; `None` where there is none that can be used.
    pub newest: Option<(Ts, Vec<u8>)>,
    /// Newer ones that were passed over, and why.
    pub passed_over: Vec<PassedOver>,
}

/// A checkpoint that cannot be used.
#[derive(Debug)]
pub struct PassedOver {
    /// Its moment.
    pub at: Ts,
    /// Its key.
    pub key: String,
    /// What is wrong with it.
    pub why: Error,
}

impl Depot {
    /// In this place.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store }
    }

    /// Where it is, for people.
    #[must_use]
    pub fn place(&self) -> String {
        self.store.place()
    }

    /// Puts the checkpoint of a group at a moment; one of the same moment is replaced.
    ///
    /// # Errors
    /// When it is not there afterwards, or nobody knows; a moment before 1970 is refused.
    pub fn put(&self, group: u16, at: Ts, bytes: &[u8]) -> Result<()> {
        let key = key(group, at);
        if at < Ts(0) {
            return Err(Error::Key { key, why: "its moment is before 1970" });
        }
        self.store.put(&key, &ObjectSource::of_bytes(bytes))
    }

    /// The newest checkpoint of a group, or the newest at or before a moment, verified by its digest. A damaged one, or one without a
    /// digest, is passed over for the one before.
    ///
    /// # Errors
    /// When the place cannot be asked: that is no reason to use an older one.
    pub fn find(&self, group: u16, not_later: Option<Ts>) -> Result<DepotFind> {
        let mut passed_over = Vec::new();
        for (at, key) in self.list(group)?.into_iter().rev() {
            if not_later.is_some_and(|limit| at > limit) {
                continue;
            }
            match self.read(&key) {
                Ok(bytes) => return Ok(DepotFind { newest: Some((at, bytes)), passed_over }),
                Err(why @ (Error::Digest { .. } | Error::Damaged { .. } | Error::Absent { .. })) => {
                    passed_over.push(PassedOver { at, key, why });
                }
                Err(other) => return Err(other),
            }
        }
        Ok(DepotFind { newest: None, passed_over })
    }

    /// As [`Self::find`], without what was passed over.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub fn newest(&self, group: u16, not_later: Option<Ts>) -> Result<Option<(Ts, Vec<u8>)>> {
        Ok(self.find(group, not_later)?.newest)
    }

    /// Keeps the `n` newest checkpoints of a group, and at least one; older ones are taken away. Gives how many were.
    ///
    /// # Errors
    /// When the place fails; what was taken away so far is gone.
    pub fn keep(&self, group: u16, n: usize) -> Result<usize> {
        let found = self.list(group)?;
        let older = found.len().saturating_sub(n.max(1));
        found[..older].iter().try_for_each(|(_, key)| self.store.delete(key))?;
        Ok(older)
    }

    /// Moments and keys of a group's checkpoints, oldest first. Other objects in its folder do not count.
    ///
    /// # Errors
    /// When the place cannot be asked.
    pub fn list(&self, group: u16) -> Result<Vec<(Ts, String)>> {
        let prefix = folder(group);
        let found = self.store.list(&prefix)?.into_iter();
        let moment = |key: &str| {
            let digits = key.strip_prefix(&prefix)?.strip_suffix(".ckpt")?;
            let is_stamp = digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit());
            digits.parse().ok().filter(|_| is_stamp).map(Ts)
        };
        Ok(found.filter_map(|object| Some((moment(&object.key)?, object.key))).collect())
    }

    fn read(&self, key: &str) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self.store.get_into(key, &mut bytes)?.sha256 {
            Some(_) => Ok(bytes),
            None => Err(Error::Damaged { key: key.to_owned(), what: "it was put without its SHA-256".to_owned() }),
        }
    }
}

fn folder(group: u16) -> String {
    format!("checkpoints/group={group}/")
}

fn key(group: u16, at: Ts) -> String {
    format!("{}{:020}.ckpt", folder(group), at.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FolderObjects;

    fn depot(root: &std::path::Path) -> Depot {
        Depot::new(Arc::new(FolderObjects::new(root)))
    }

    #[test]
    fn a_damaged_checkpoint_is_passed_over_for_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let depot = depot(dir.path());
        assert_eq!(depot.newest(3, None).unwrap(), None);
        for n in 1..=4 {
            depot.put(3, Ts(n), format!("state {n}").as_bytes()).unwrap();
        }
        depot.put(30, Ts(9), b"of another group").unwrap();
        let file = |n: i64| dir.path().join(format!("checkpoints/group=3/{n:020}.ckpt"));
        assert_eq!(depot.newest(3, None).unwrap(), Some((Ts(4), b"state 4".to_vec())));
        assert_eq!(depot.newest(3, Some(Ts(2))).unwrap(), Some((Ts(2), b"state 2".to_vec())));
        assert_eq!(depot.newest(3, Some(Ts(0))).unwrap(), None);
        std::fs::write(file(4), b"state X").unwrap();
        std::fs::remove_file(file(3).with_extension("ckpt.sha256")).unwrap();
        let found = depot.find(3, None).unwrap();
        assert_eq!(found.newest, Some((Ts(2), b"state 2".to_vec())));
        assert!(matches!(found.passed_over[0].why, Error::Digest { .. }), "{found:?}");
        assert!(matches!(found.passed_over[1].why, Error::Damaged { .. }), "{found:?}");
        assert_eq!((found.passed_over[0].at, found.passed_over[1].at), (Ts(4), Ts(3)));
    }

    #[test]
    fn older_ones_are_taken_away_and_one_always_stays() {
        let dir = tempfile::tempdir().unwrap();
        let depot = depot(dir.path());
        (1..=5).for_each(|n| depot.put(0, Ts(n * 1_000_000_000_000), b"x").unwrap());
        std::fs::write(dir.path().join("checkpoints/group=0/notes.txt"), b"x").unwrap();
        let moments = || depot.list(0).unwrap().into_iter().map(|(at, _)| at.0 / 1_000_000_000_000).collect::<Vec<_>>();
        assert_eq!((depot.keep(0, 2).unwrap(), moments()), (3, vec![4, 5]));
        assert_eq!((depot.keep(0, 0).unwrap(), moments()), (1, vec![5]));
        assert_eq!(depot.keep(1, 2).unwrap(), 0);
        assert!(dir.path().join("checkpoints/group=0/notes.txt").exists());
        assert!(matches!(depot.put(0, Ts(-1), b"x"), Err(Error::Key { .. })));
    }
}
