//! What runs commands behind another one, or one after another: all run, what each printed and how it ended is there, and one that failed is enough.
#![expect(clippy::unwrap_used, reason = "a helper of tests, outside of test functions")]

use std::process::Command;

/// Whether all passed, and the lines that were printed; the seconds that a command took are left out.
fn ran(commands: &[&str]) -> (bool, Vec<String>) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/beside.sh");
    let ended = Command::new("bash").arg(script).args(commands).output().unwrap();
    let printed = String::from_utf8(ended.stdout).unwrap();
    let without = |line: &str| match line.split_once(" after ") {
        Some((word, rest)) => format!("{word}: {}", rest.split_once(" s: ").unwrap().1),
        None => line.to_owned(),
    };
    (ended.status.success(), printed.lines().map(without).collect())
}

#[test]
fn all_run_and_one_that_fails_is_enough() {
    for (commands, passed, lines) in [
        (&["echo front", "true"][..], true, &["front", "passed: echo front", "passed: true"][..]),
        (
            &["sleep 1; exit 3", "echo one", "echo two"],
            false,
            &["one", "two", "FAILED (3): sleep 1; exit 3", "passed: echo one", "passed: echo two"],
        ),
        (&["true", "exit 4", "true"], false, &["passed: true", "FAILED (4): exit 4", "passed: true"]),
        (&["true"], true, &["passed: true"]),
    ] {
        let (all, mut printed) = ran(commands);
        printed.sort_unstable();
        let mut wanted: Vec<_> = lines.iter().map(|l| (*l).to_owned()).collect();
        wanted.sort_unstable();
        assert_eq!((all, printed), (passed, wanted), "{commands:?}");
    }
}

#[test]
fn those_behind_give_way() {
    let (_, printed) = ran(&["nice", "nice"]);
    let levels: Vec<i32> = printed.iter().filter_map(|l| l.parse().ok()).collect();
    assert_eq!(levels.len(), 2, "{printed:?}");
    assert_eq!(levels.iter().max(), Some(&19), "{levels:?}");
}

#[test]
fn each_word_is_tried_and_one_that_fails_is_named() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/each.sh");
    for (words, passed, last) in
        [(&["0", "0"][..], true, "0 0 s, 0 0 s"), (&["0", "3", "0"], false, "0 0 s, 3 0 s (FAILED), 0 0 s")]
    {
        let ended = Command::new("bash").args([script, "echo tried; exit"]).args(words).output().unwrap();
        let printed = String::from_utf8(ended.stdout).unwrap();
        let lines: Vec<_> = printed.lines().collect();
        let (end, tried) = lines.split_last().unwrap();
        assert_eq!((ended.status.success(), tried.len(), *end), (passed, words.len(), last), "{words:?}");
    }
}
