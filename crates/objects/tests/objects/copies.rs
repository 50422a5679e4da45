//! Copies of folders, in a folder and in a bucket.

use crate::proxy::{Fault, Proxy};
use crate::s3::{config, through};
use crate::server::S3Server;
use barograph_domain::Ts;
use barograph_objects::copy::{CopyFile, CopyStep, LeftFile, PushPlan, PushReport, check, newest, pull, push};
use barograph_objects::s3::S3Objects;
use barograph_objects::{Error, FolderObjects, ObjectStore};
use std::fs;
use std::path::Path;

const QUIET: &(dyn Fn(CopyStep) + Sync) = &|_| {};

/// Writes files of these names, each with a text of its own.
fn written(folder: &Path, keys: &[&str]) {
    for key in keys {
        let path = folder.join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("text of {key}")).unwrap();
    }
}

fn plan(folder: &Path, keys: &[&str], whole: &[&str]) -> PushPlan {
    let file = |key: &&str| CopyFile { key: (*key).to_owned(), path: folder.join(key) };
    PushPlan { files: keys.iter().map(file).collect(), whole: whole.iter().map(|w| (*w).to_owned()).collect() }
}

fn pushed(store: &dyn ObjectStore, plan: &PushPlan) -> PushReport {
    push(store, plan, false, Ts(1_000), QUIET).unwrap()
}

fn keys(store: &dyn ObjectStore) -> Vec<String> {
    newest(store).unwrap().unwrap().objects.into_keys().collect()
}

/// What a copy is over its life.
fn lives(store: &dyn ObjectStore) {
    let dir = tempfile::tempdir().unwrap();
    let first = ["journal/a", "silver/h0/_manifest.json", "silver/h0/p-0", "silver/h0/p-1"];
    written(dir.path(), &first);
    let whole = ["silver/h0/"];
    let report = pushed(store, &plan(dir.path(), &first, &whole));
    assert_eq!((report.sent, report.present, report.objects), (4, 0, 4));
    let again = pushed(store, &plan(dir.path(), &first, &whole));
    assert_eq!((again.sent, again.present), (0, 4));
    assert_eq!(again.manifest, report.manifest, "nothing changed, and no manifest is written");

    // A file more, one fewer, and an hour that is one file now; the clock stands still.
    let second = ["journal/b", "silver/h0/_manifest.json", "silver/h0/hour"];
    written(dir.path(), &second);
    fs::write(dir.path().join("silver/h0/_manifest.json"), "another").unwrap();
    let report = pushed(store, &plan(dir.path(), &second, &whole));
    assert_eq!((report.sent, report.present), (3, 0));
    assert_eq!(keys(store), ["journal/a", "journal/b", "silver/h0/_manifest.json", "silver/h0/hour"]);
    assert!(store.head("silver/h0/p-1").unwrap().is_some(), "nothing is deleted");

    // What is gone by the time it is read leaves its whole folder as it was.
    let gone = ["journal/c", "silver/h0/_manifest.json", "silver/h0/next"];
    written(dir.path(), &gone[..2]);
    let report = pushed(store, &plan(dir.path(), &gone, &whole));
    assert_eq!(report.left, [LeftFile { key: "silver/h0/next".into(), why: "it went away meanwhile".into() }]);
    assert_eq!(keys(store), ["journal/a", "journal/b", "journal/c", "silver/h0/_manifest.json", "silver/h0/hour"]);
    fs::write(dir.path().join("silver/h0/_manifest.json"), "another").unwrap();
    assert_eq!(pushed(store, &plan(dir.path(), &second, &whole)).sent, 1, "as the folder is now");

    let back = tempfile::tempdir().unwrap();
    let report = pull(store, back.path(), false, QUIET).unwrap();
    assert_eq!((report.came, report.present, report.findings.len()), (5, 0, 0));
    for key in keys(store).iter().filter(|key| *key != "journal/a") {
        assert_eq!(fs::read(back.path().join(key)).unwrap(), fs::read(dir.path().join(key)).unwrap(), "{key}");
    }
    let files: Vec<_> = plan(back.path(), &["journal/a", "journal/b"], &[]).files;
    let report = check(store, Some((back.path(), &files)), QUIET).unwrap();
    assert_eq!((report.objects, report.findings.len()), (5, 0));

    // Another file of the same name is left, unless it is to be replaced; a missing one comes.
    fs::write(back.path().join("journal/a"), "mine").unwrap();
    fs::remove_file(back.path().join("journal/b")).unwrap();
    written(back.path(), &["journal/mine"]);
    let files = plan(back.path(), &["journal/a", "journal/mine"], &[]).files;
    let found = check(store, Some((back.path(), &files)), QUIET).unwrap().findings;
    assert_eq!(found.iter().map(|f| f.key.as_str()).collect::<Vec<_>>(), ["journal/a", "journal/b", "journal/mine"]);
    let report = pull(store, back.path(), false, QUIET).unwrap();
    assert_eq!((report.came, report.present, report.findings[0].key.as_str()), (1, 3, "journal/a"));
    assert_eq!(fs::read(back.path().join("journal/a")).unwrap(), b"mine");
    let report = pull(store, back.path(), true, QUIET).unwrap();
    assert_eq!((report.came, report.present, report.findings.len()), (1, 4, 0));
    assert_eq!(fs::read_dir(back.path().join("journal")).unwrap().count(), 4, "no temporary file is left");
}

/// What is damaged and lost behind its back is found, and comes again.
fn is_mended(store: &dyn ObjectStore, damage: &dyn Fn(&str), lose: &dyn Fn(&str)) {
    let dir = tempfile::tempdir().unwrap();
    let files = ["journal/a", "journal/b", "journal/c"];
    written(dir.path(), &files);
    let plan = plan(dir.path(), &files, &[]);
    pushed(store, &plan);
    damage("journal/a");
    lose("journal/b");
    let found = check(store, None, QUIET).unwrap().findings;
    let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(shown[0].starts_with("'journal/a' is damaged: its SHA-256 has to be ") && shown[0].contains(" and is "));
    assert!(shown[1].starts_with("'journal/b' is not in "), "{shown:?}");
    let back = tempfile::tempdir().unwrap();
    let report = pull(store, back.path(), false, QUIET).unwrap();
    assert_eq!((report.came, report.findings), (1, found));
    assert_eq!(fs::read_dir(back.path().join("journal")).unwrap().count(), 1, "damage is no file");
    assert_eq!(pushed(store, &plan).sent, 1, "the one that is lost");
    let report = push(store, &plan, true, Ts(1_000), QUIET).unwrap();
    assert_eq!((report.sent, report.present), (1, 2), "the one that is damaged, once it is read back");
    assert_eq!(check(store, None, QUIET).unwrap().findings, []);
}

#[test]
fn copies_in_a_folder_live_and_are_mended() {
    let dir = tempfile::tempdir().unwrap();
    let store = FolderObjects::new(dir.path());
    assert!(matches!(pull(&store, dir.path(), false, QUIET), Err(Error::Absent { .. })));
    assert!(matches!(check(&store, None, QUIET), Err(Error::Absent { .. })));
    lives(&store);
    let dir = tempfile::tempdir().unwrap();
    let damage = |key: &str| fs::write(dir.path().join(key), "text of journal/!").unwrap();
    is_mended(&FolderObjects::new(dir.path()), &damage, &|key| fs::remove_file(dir.path().join(key)).unwrap());
    let dir = tempfile::tempdir().unwrap();
    let reserved = PushPlan {
        files: vec![CopyFile { key: "manifests/x".to_owned(), path: dir.path().join("x") }],
        whole: Vec::new(),
    };
    assert!(matches!(push(&FolderObjects::new(dir.path()), &reserved, false, Ts(1), QUIET), Err(Error::Key { .. })));
}

#[test]
fn copies_in_a_bucket_live_and_are_mended() {
    let Some(server) = S3Server::start() else { return };
    let of = |prefix: &str| {
        let mut config = config(&server.variables(server.port()));
        config.prefix = prefix.to_owned();
        S3Objects::new(config).unwrap()
    };
    lives(&of("lives/"));
    let full = |key: &str| format!("mended/{key}");
    is_mended(&of("mended/"), &|key| server.damage(&full(key)), &|key| server.lose(&full(key)));
}

#[test]
fn a_push_that_was_interrupted_goes_on() {
    let Some(server) = S3Server::start() else { return };
    let proxy = Proxy::start(server.port());
    let mut impatient = config(&server.variables(proxy.port()));
    impatient.patience.tries = 1;
    let dir = tempfile::tempdir().unwrap();
    let files = ["journal/a", "journal/b", "journal/c", "journal/d", "journal/e", "journal/f"];
    written(dir.path(), &files);
    let plan = plan(dir.path(), &files, &[]);
    proxy.plan("PUT /lake/copies/one/journal/e", [Fault::CutRequest(4)]);
    let failed = push(&S3Objects::new(impatient).unwrap(), &plan, false, Ts(1), QUIET).unwrap_err();
    assert!(matches!(failed, Error::Away { .. }), "{failed}");
    let arrived = proxy.take().iter().filter(|p| p.served && p.line.starts_with("PUT")).count() as u64;
    assert!((1..=5).contains(&arrived), "{arrived}");
    let store = through(&server, &proxy);
    assert_eq!(newest(&store).unwrap(), None, "there is no copy before all of it is there");
    let report = pushed(&store, &plan);
    assert_eq!((report.sent, report.present), (6 - arrived, arrived), "by the digests of the objects themselves");
    assert_eq!(check(&store, None, QUIET).unwrap().findings, []);
}
