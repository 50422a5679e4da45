//! The program itself, as `make check` runs it behind `make test`: it is built with the other tests, and answers bad input by a
//! sentence and the product's exit codes.

use std::process::Command;

/// What is typed, the exit code and a word of the answer.
const TYPED: [(&[&str], i32, &str); 5] = [
    (&[], 0, "usage: cargo x"),
    (&["paint"], 2, "unknown command 'paint'"),
    (&["synth"], 2, "--out"),
    (&["bench", "no.such.figure"], 2, "no.such.figure"),
    (&["tidy", "--hard"], 2, "--hard"),
];

#[test]
fn what_is_typed_wrong_is_named_and_ends_with_two() {
    for (words, code, answer) in TYPED {
        let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args(words).output().unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{words:?}: {text}");
        assert!(text.contains(answer), "{words:?}: {text}");
    }
}
