//! How a command ends when it does not end well: an exit code and one sentence.

use core::fmt;
use std::io::Write as _;
use std::process::ExitCode;

/// Why a command stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The check said no: stale, not causal, different. The answer is on standard output already.
    No(String),
    /// Usage or configuration; nothing was done.
    Usage(String),
    /// Something failed while running.
    Broken(String),
    /// Whoever read our output has gone; that is their right.
    ReaderGone,
}

impl Failure {
    pub(crate) fn usage(text: impl fmt::Display) -> Self {
        Self::Usage(text.to_string())
    }
    pub(crate) fn broken(text: impl fmt::Display) -> Self {
        Self::Broken(text.to_string())
    }

    /// Prints the sentence and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        let (code, text) = match self {
            Self::No(text) => (1, text),
            Self::Usage(text) => (2, text),
            Self::Broken(text) => (3, text),
            Self::ReaderGone => return ExitCode::SUCCESS,
        };
        if !text.is_empty() {
            // Standard error may be closed too; there is nobody left to tell.
            drop(writeln!(std::io::stderr(), "barograph: {text}"));
        }
        ExitCode::from(code)
    }
}

impl From<std::io::Error> for Failure {
    fn from(e: std::io::Error) -> Self {
        if e.kind() == std::io::ErrorKind::BrokenPipe { Self::ReaderGone } else { Self::Broken(e.to_string()) }
    }
}
impl From<barograph_lake::Error> for Failure {
    fn from(e: barograph_lake::Error) -> Self {
        Self::Usage(chain(&e))
    }
}
impl From<barograph_store::Error> for Failure {
    fn from(e: barograph_store::Error) -> Self {
        Self::Broken(chain(&e))
    }
}
impl From<barograph_api::Error> for Failure {
    fn from(e: barograph_api::Error) -> Self {
        Self::Broken(chain(&e))
    }
}

/// The error and its causes, joined by colons; a cause already in the text is not said twice.
pub(crate) fn chain(e: &dyn std::error::Error) -> String {
    let mut text = e.to_string();
    let mut source = e.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = cause.source();
    }
    text
}
