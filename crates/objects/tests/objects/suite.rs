//! What every place of objects does, asked of each.

use barograph_objects::{Error, ListedObject, ObjectDigest, ObjectHead, ObjectSource, ObjectStore};
use std::path::Path;

/// The smallest part that S3 takes.
pub(crate) const PART: u64 = 5 << 20;
/// One byte more than what goes in one request.
const LARGE: usize = (5 << 20) + 1;

/// Holds a place, empty before, to what the trait says. `damage` changes a byte of an object behind its back.
pub(crate) fn check(store: &dyn ObjectStore, scratch: &Path, damage: &dyn Fn(&str)) {
    objects_come_back(store);
    lists_are_in_order(store);
    absence_is_kept(store);
    damage_is_found(store, damage);
    large_objects_come_back(store, scratch);
    what_changed_is_refused(store, scratch);
}

fn put(store: &dyn ObjectStore, key: &str, bytes: &[u8]) {
    store.put(key, &ObjectSource::of_bytes(bytes)).unwrap();
}

fn objects_come_back(store: &dyn ObjectStore) {
    assert_eq!(store.list("").unwrap(), []);
    let keys = ["a", "venue=okx/date=2026-02-05/public-0.zst", "odd/x y%2F+&=~'(ü)*", "odd/_manifest.json"];
    for (n, key) in keys.iter().enumerate() {
        let bytes = key.repeat(n * 1_000).into_bytes();
        assert_eq!(store.head(key).unwrap(), None, "{key}");
        assert!(matches!(store.get(key), Err(Error::Absent { .. })), "{key}");
        put(store, key, &bytes);
        let head = ObjectHead { size: bytes.len() as u64, sha256: Some(ObjectDigest::of(&bytes)) };
        assert_eq!(store.head(key).unwrap(), Some(head), "{key}");
        assert_eq!(store.get(key).unwrap(), bytes, "{key}");
        put(store, key, b"another");
        assert_eq!(store.get(key).unwrap(), b"another", "{key}");
    }
    for key in keys {
        store.delete(key).unwrap();
        assert_eq!(store.head(key).unwrap(), None, "{key}");
        store.delete(key).unwrap();
    }
    for bad in ["", "/a", "a/../b", "a.sha256", "a//b"] {
        let source = ObjectSource::of_bytes(b"x");
        assert!(matches!(store.put(bad, &source), Err(Error::Key { .. })), "{bad}");
        assert!(matches!(store.get(bad), Err(Error::Key { .. })), "{bad}");
        assert!(matches!(store.delete(bad), Err(Error::Key { .. })), "{bad}");
    }
}

fn lists_are_in_order(store: &dyn ObjectStore) {
    let keys = ["l/a/1", "l/a-b/1", "l/ab/2", "l/ab/ü&<>", "l/b"];
    keys.iter().for_each(|key| put(store, key, key.as_bytes()));
    for (prefix, want) in [
        ("l/", &["l/a-b/1", "l/a/1", "l/ab/2", "l/ab/ü&<>", "l/b"][..]),
        ("l/a", &["l/a-b/1", "l/a/1", "l/ab/2", "l/ab/ü&<>"]),
        ("l/a/", &["l/a/1"]),
        ("l/a/1", &["l/a/1"]),
        ("l/c", &[]),
        ("none/", &[]),
    ] {
        let want: Vec<_> = want.iter().map(|k| ListedObject { key: (*k).to_owned(), size: k.len() as u64 }).collect();
        assert_eq!(store.list(prefix).unwrap(), want, "{prefix}");
    }
    keys.iter().for_each(|key| store.delete(key).unwrap());
}

fn absence_is_kept(store: &dyn ObjectStore) {
    let absent = |bytes: &[u8]| store.put_if_absent("only/one", &ObjectSource::of_bytes(bytes)).unwrap();
    assert!(absent(b"first"));
    assert!(!absent(b"second"));
    assert_eq!(store.get("only/one").unwrap(), b"first");
    store.delete("only/one").unwrap();
    assert!(absent(b"third"));
    store.delete("only/one").unwrap();
}

fn damage_is_found(store: &dyn ObjectStore, damage: &dyn Fn(&str)) {
    put(store, "bad/one", b"some bytes");
    damage("bad/one");
    let Err(Error::Digest { key, expected, found }) = store.get("bad/one") else { panic!("damage was not found") };
    assert_eq!((key.as_str(), expected), ("bad/one", ObjectDigest::of(b"some bytes")));
    assert_ne!(found, expected);
    put(store, "bad/one", b"some bytes");
    assert_eq!(store.get("bad/one").unwrap(), b"some bytes");
    store.delete("bad/one").unwrap();
}

/// Bytes that differ from part to part.
pub(crate) fn large(seed: u8) -> Vec<u8> {
    (0..LARGE).map(|n| u8::try_from((n / 4_096 + n) % 251).unwrap() ^ seed).collect()
}

fn large_objects_come_back(store: &dyn ObjectStore, scratch: &Path) {
    let path = scratch.join("large");
    for seed in [0, 1] {
        std::fs::write(&path, large(seed)).unwrap();
        let source = ObjectSource::of_file(&path).unwrap();
        assert_eq!(source.sha256(), ObjectDigest::of(&large(seed)));
        store.put("large/one", &source).unwrap();
        let head = store.head("large/one").unwrap().unwrap();
        assert_eq!(head, ObjectHead { size: LARGE as u64, sha256: Some(source.sha256()) });
        assert!(store.get("large/one").unwrap() == large(seed), "other bytes came back");
    }
    assert!(!store.put_if_absent("large/one", &ObjectSource::of_file(&path).unwrap()).unwrap());
    store.delete("large/one").unwrap();
    assert!(store.put_if_absent("large/one", &ObjectSource::of_file(&path).unwrap()).unwrap());
    store.delete("large/one").unwrap();
}

fn what_changed_is_refused(store: &dyn ObjectStore, scratch: &Path) {
    let path = scratch.join("changing");
    for (before, after) in [(&b"before"[..], &b"after!"[..]), (b"long", b"s"), (&large(0), &large(7))] {
        std::fs::write(&path, before).unwrap();
        let source = ObjectSource::of_file(&path).unwrap();
        std::fs::write(&path, after).unwrap();
        assert!(matches!(store.put("changing", &source), Err(Error::Changed { .. })));
        assert_eq!(store.head("changing").unwrap(), None, "nothing of it is there");
    }
    assert_eq!(store.list("").unwrap(), []);
}
