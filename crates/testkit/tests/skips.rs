//! A skip reaches the list from another process, and the list becomes one line.
#![expect(clippy::unwrap_used, reason = "a helper of tests, outside of test functions")]

use barograph_testkit::{LIST, recorded, skipped};
use std::path::Path;
use std::process::Command;

const CHILD: &str = "SKIPS_IN_A_CHILD";

/// Not a test of its own: the program starts itself with this one, and with a list.
#[test]
fn as_a_child() {
    if std::env::var_os(CHILD).is_some() {
        skipped("no moon\ntonight");
        assert_eq!(recorded("no/such/recording"), None);
    }
}

fn summary(list: &Path) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/summary.sh");
    let said = Command::new("sh").arg(script).arg(list).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).unwrap()
}

#[test]
fn a_skip_of_another_process_is_listed_though_its_test_passes() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list");
    assert_eq!(summary(&list), "nothing was skipped\n");
    for _ in 0..2 {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "as_a_child"]).current_dir(folder.path());
        child
            .env(CHILD, "1")
            .env(LIST, &list)
            .env("BAROGRAPH_SHARED_DATA", "/nowhere")
            .env_remove("RUST_TEST_NOCAPTURE");
        let said = child.output().unwrap();
        assert!(said.status.success() && !String::from_utf8_lossy(&said.stderr).contains("skipped:"), "{said:?}");
    }
    let once = "skipped: skips::as_a_child: no moon tonight\n\
                skipped: skips::as_a_child (no/such/recording): recorded data not found in /nowhere\n";
    assert_eq!(std::fs::read_to_string(&list).unwrap(), once.repeat(2));
    let line =
        "skipped: 1 test: skips::as_a_child: no moon tonight; skips::as_a_child: recorded data not found in /nowhere\n";
    assert_eq!(summary(&list), line);
}

#[test]
fn tests_with_one_reason_stand_together() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list");
    let text = "skipped: a::x: PostgreSQL is not installed\nskipped: THE PAGE IS NOT TESTED: Node.js is missing\n\
                skipped: a::y: PostgreSQL is not installed\n";
    std::fs::write(&list, text).unwrap();
    let line =
        "skipped: 3 tests: a::x, a::y: PostgreSQL is not installed; THE PAGE IS NOT TESTED: Node.js is missing\n";
    assert_eq!(summary(&list), line);
}
