//! How a test says that it was skipped: in words for people, and in a list of which `make test` makes its last line.
//!
//! What a passing test prints is kept by the harness, and tests run in many processes and folders; so each skip is appended to one
//! file, in one write. `summary.sh` beside this crate makes the line of it.

use std::fs::OpenOptions;
use std::io::Write as _;

/// The environment variable that names the list. It has no `BAROGRAPH_` before it: the program, which tests start, refuses
/// variables of its own that it does not know.
pub const LIST: &str = "SKIPPED_TESTS";

/// Says that the test under way, or the rest of it, is skipped, and why: `skipped: <test>: <why>`.
///
/// # Panics
/// When the list cannot be written to: a skip that nobody hears of would be a test that passed.
pub fn skipped(why: &str) {
    report(&test_name(), why);
}

/// The same for a part of the test: `skipped: <test> (<part>): <why>`. The summary counts the test.
///
/// # Panics
/// As [`skipped`].
pub fn skipped_part(part: &str, why: &str) {
    report(&format!("{} ({part})", test_name()), why);
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so to who runs it")]
fn report(what: &str, why: &str) {
    let line = format!("skipped: {what}: {why}").replace(['\n', '\r'], " ");
    eprintln!("{line}");
    let Some(list) = std::env::var_os(LIST) else { return };
    // One write of a whole line to a file opened for appending: lines of several processes do not mix.
    let written = OpenOptions::new().append(true).create(true).open(&list);
    let written = written.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    assert!(written.is_ok(), "{LIST}: {} cannot be written to: {written:?}", list.display());
}

/// Program and test, as `golden_replays::luna_of_may_2022`: the harness names a test's thread after it.
fn test_name() -> String {
    let thread = std::thread::current();
    let program = std::env::current_exe().ok();
    let program = program.as_deref().and_then(|p| p.file_stem()).and_then(|s| s.to_str()).unwrap_or("a test");
    match thread.name().filter(|name| *name != "main") {
        Some(test) => format!("{}::{test}", without_hash(program)),
        None => without_hash(program).to_owned(),
    }
}

/// Cargo puts sixteen hexadecimal digits behind the name of a test program.
fn without_hash(program: &str) -> &str {
    match program.rsplit_once('-') {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => name,
        _ => program,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_has_the_name_of_its_program_and_its_own() {
        assert_eq!(test_name(), "barograph_testkit::skipped::tests::a_test_has_the_name_of_its_program_and_its_own");
        assert_eq!(without_hash("golden_replays-0123456789abcdef"), "golden_replays");
        assert_eq!(without_hash("two-words"), "two-words");
    }
}
