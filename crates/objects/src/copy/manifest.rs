//! What a copy is: one object behind each push that lists all of them.
//!
//! `manifests/<stamp, nanoseconds since 1970, 20 digits>.json`. Older ones stay, and each can be read by itself.

use crate::{Error, ObjectDigest, ObjectSource, ObjectStore, Result};
use barograph_domain::Ts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const FOLDER: &str = "manifests/";
/// Raised by a change that older readers would misread.
const VERSION: u32 = 1;

/// An object of a copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CopyEntry {
    /// Bytes of it.
    pub size: u64,
    /// SHA-256 of it.
    pub sha256: ObjectDigest,
}

/// Every object of a copy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CopyManifest {
    /// When it was made.
    pub at: Ts,
    /// Size and digest by key.
    pub objects: BTreeMap<String, CopyEntry>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    at: Ts,
    objects: Vec<WrittenEntry>,
}

#[derive(Serialize, Deserialize)]
struct WrittenEntry {
    key: String,
    size: u64,
    sha256: String,
}

impl CopyManifest {
    /// Its key.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{FOLDER}{:020}.json", self.at.0)
    }

    /// Bytes of all objects.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.objects.values().map(|entry| entry.size).sum()
    }

    /// Puts it, under a stamp of its own.
    pub(super) fn put(&self, store: &dyn ObjectStore) -> Result<()> {
        let entry = |(key, entry): (&String, &CopyEntry)| WrittenEntry {
            key: key.clone(),
            size: entry.size,
            sha256: entry.sha256.to_string(),
        };
        let written = Written { version: VERSION, at: self.at, objects: self.objects.iter().map(entry).collect() };
        let key = self.key();
        let damaged = |e: serde_json::Error| Error::Damaged { key: key.clone(), what: e.to_string() };
        let mut text = serde_json::to_vec_pretty(&written).map_err(damaged)?;
        text.push(b'\n');
        if store.put_if_absent(&key, &ObjectSource::of_bytes(&text))? {
            return Ok(());
        }
        Err(Error::Damaged { what: "another push wrote it at the same moment; push again".to_owned(), key })
    }

    fn read(key: &str, text: &[u8]) -> Result<Self> {
        let damaged = |what: String| Error::Damaged { key: key.to_owned(), what };
        let written: Written = serde_json::from_slice(text).map_err(|e| damaged(e.to_string()))?;
        if written.version > VERSION {
            return Err(damaged(format!("a newer release wrote it (version {}); upgrade to read it", written.version)));
        }
        let mut objects = BTreeMap::new();
        for WrittenEntry { key, size, sha256 } in written.objects {
            crate::key::check_key(&key)?;
            let digest = ObjectDigest::parse(&sha256);
            let sha256 = digest.ok_or_else(|| damaged(format!("'{sha256}' is no SHA-256")))?;
            objects.insert(key, CopyEntry { size, sha256 });
        }
        Ok(Self { at: written.at, objects })
    }
}

/// The newest manifest of a copy; `None` where nothing was pushed yet.
///
/// # Errors
/// When the place cannot be asked, or the newest manifest is damaged: an older one would be another copy.
pub fn newest(store: &dyn ObjectStore) -> Result<Option<CopyManifest>> {
    let listed = store.list(FOLDER)?;
    let is_stamp = |key: &str| {
        let digits = key.strip_prefix(FOLDER).and_then(|name| name.strip_suffix(".json"));
        digits.is_some_and(|digits| digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit()))
    };
    let Some(newest) = listed.into_iter().rev().find(|object| is_stamp(&object.key)) else { return Ok(None) };
    CopyManifest::read(&newest.key, &store.get(&newest.key)?).map(Some)
}

/// Is this the key of a manifest, or of something beside them?
pub(super) fn is_reserved(key: &str) -> bool {
    key.starts_with(FOLDER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FolderObjects;

    #[test]
    fn the_newest_is_read_and_a_damaged_one_is_no_reason_for_an_older() {
        let dir = tempfile::tempdir().unwrap();
        let store = FolderObjects::new(dir.path());
        assert_eq!(newest(&store).unwrap(), None);
        let entry = CopyEntry { size: 3, sha256: ObjectDigest::of(b"abc") };
        let of = |at: i64| CopyManifest { at: Ts(at), objects: BTreeMap::from([("a/b".to_owned(), entry)]) };
        of(9).put(&store).unwrap();
        of(10_000_000_000_000_000).put(&store).unwrap();
        assert_eq!(newest(&store).unwrap(), Some(of(10_000_000_000_000_000)));
        assert!(of(9).put(&store).is_err(), "there is one of this moment");
        for bad in ["{}", "{\"version\":2,\"at\":\"1970-01-01T00:00:00Z\",\"objects\":[]}"] {
            assert!(matches!(CopyManifest::read("m", bad.as_bytes()), Err(Error::Damaged { .. })), "{bad}");
        }
        let leaving = "{\"version\":1,\"at\":\"1970-01-01T00:00:00Z\",\"objects\":[{\"key\":\"../x\",\"size\":1,\"sha256\":\"\"}]}";
        assert!(matches!(CopyManifest::read("m", leaving.as_bytes()), Err(Error::Key { .. })));
        std::fs::write(dir.path().join(of(10_000_000_000_000_000).key()), b"{}").unwrap();
        assert!(matches!(newest(&store), Err(Error::Digest { .. })));
    }
}
