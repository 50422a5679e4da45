//! What runs failed tests once more: which it runs, what it says of them, and when it does not.
#![expect(clippy::unwrap_used, reason = "a helper of tests, outside of test functions")]

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// What a program of tests prints of which the named ones fail.
fn failing(names: &[&str]) -> String {
    let stdout: String = names.iter().map(|n| format!("---- {n} stdout ----\n    no name\n\n")).collect();
    let listed: String = names.iter().map(|n| format!("    {n}\n")).collect();
    format!(
        "failures:\n\n{stdout}\nfailures:\n{listed}\ntest result: FAILED. 1 passed; {} failed\n\nerror: test failed, to rerun pass `-p x`\n",
        names.len()
    )
}

/// Runs it with a cargo that prints these lines and fails, and ends with this status when it is asked again: its status, what the second
/// call was asked, and the list of the unsteady.
fn ran(first: &str, second: i32) -> (i32, Option<String>, String) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("first"), first).unwrap();
    let script = format!(
        "#!/bin/sh\ncd '{}'\nif [ -e begun ]; then echo \"$@\" > asked; [ {second} = 0 ] || cat first; exit {second}; fi\ntouch begun; cat first; [ ! -s first ] || exit 101\n",
        folder.path().display()
    );
    std::fs::write(at("cargo"), script).unwrap();
    std::fs::set_permissions(at("cargo"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let said = Command::new("bash")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/once_more.sh"))
        .args(["--workspace", "--", "--show-output"])
        .env("CARGO", at("cargo"))
        .env("UNSTEADY_TESTS", at("unsteady"))
        .env_remove("ONCE_MORE")
        .output()
        .unwrap();
    let read = |name| std::fs::read_to_string(at(name)).ok();
    (said.status.code().unwrap(), read("asked"), read("unsteady").unwrap_or_default())
}

#[test]
fn what_passes_alone_is_named() {
    let (status, asked, unsteady) = ran(&(failing(&["a::late"]) + &failing(&["src/x.rs - y (line 3)"])), 0);
    assert_eq!(status, 0);
    let args = "test --workspace --no-fail-fast -- --exact --test-threads=1 a::late src/x.rs - y (line 3)\n";
    assert_eq!(asked.as_deref(), Some(args));
    let line = "passed only when run once more, alone: ";
    assert_eq!(unsteady, format!("{line}a::late\n{line}src/x.rs - y (line 3)\n"));
}

#[test]
fn what_fails_twice_fails_and_so_does_what_cannot_be_named() {
    assert_eq!(ran("", 101), (0, None, String::new()), "nothing failed");
    let (status, asked, unsteady) = ran(&failing(&["a::b"]), 101);
    assert!(status == 101 && asked.is_some());
    let aborted = "error: test failed, to rerun pass `-p z`\n";
    let of_one = "FAILED: error: test failed, to rerun pass `-p x`\n";
    assert_eq!(unsteady, format!("FAILED: a::b\n{of_one}"));
    for (hopeless, named) in [
        (failing(&["a", "b", "c", "d"]), format!("FAILED: a\nFAILED: b\nFAILED: c\nFAILED: d\n{of_one}")),
        (failing(&["a"]) + aborted, format!("FAILED: a\n{of_one}FAILED: {aborted}")),
        ("error: could not compile `x`\n".to_owned(), "FAILED: error: could not compile `x`\n".to_owned()),
        (aborted.to_owned(), format!("FAILED: {aborted}")),
    ] {
        assert_eq!(ran(&hopeless, 0), (101, None, named), "{hopeless}");
    }
}
