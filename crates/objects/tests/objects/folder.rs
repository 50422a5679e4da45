//! A folder as a place of objects.

use crate::suite;
use barograph_objects::{FolderObjects, ObjectSource, ObjectStore as _};
use std::process::Command;

#[test]
fn a_folder_does_what_every_place_does() {
    let (dir, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let damage = |key: &str| {
        let path = dir.path().join(key);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[0] ^= 1;
        std::fs::write(&path, bytes).unwrap();
    };
    suite::check(&FolderObjects::new(dir.path()), scratch.path(), &damage);
}

#[test]
fn of_several_at_a_time_one_puts_what_was_absent() {
    let dir = tempfile::tempdir().unwrap();
    let store = FolderObjects::new(dir.path());
    for round in 0..20 {
        let key = format!("lease/{round}");
        let won: Vec<bool> = std::thread::scope(|scope| {
            let put = |n: u8| store.put_if_absent(&key, &ObjectSource::of_bytes(&[n])).unwrap();
            let all: Vec<_> = (0..8).map(|n| scope.spawn(move || put(n))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
        let winner = won.iter().position(|won| *won).unwrap();
        assert_eq!(store.get(&key).unwrap(), [u8::try_from(winner).unwrap()]);
    }
    assert_eq!(std::fs::read_dir(dir.path().join("lease")).unwrap().count(), 40, "objects and digests, nothing else");
}

#[test]
fn digests_can_be_read_by_others() {
    let dir = tempfile::tempdir().unwrap();
    FolderObjects::new(dir.path()).put("a/b.bin", &ObjectSource::of_bytes(b"bytes")).unwrap();
    let checked =
        Command::new("sha256sum").args(["--check", "b.bin.sha256"]).current_dir(dir.path().join("a")).output();
    let Ok(checked) = checked else { return barograph_testkit::skipped("sha256sum is not installed") };
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
