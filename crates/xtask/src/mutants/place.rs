//! A place in a source, and what may be written there instead.

use std::ops::Range;

/// What the place gives when its mutant is chosen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// This expression.
    Other(String),
    /// The opposite of the truth it gives.
    Flipped,
    /// Nothing: the statement is left out.
    Removed,
}

/// One way to be wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Change {
    /// What became what, for people and for `equivalent.toml`.
    pub(super) what: String,
    pub(super) kind: Kind,
    /// Line on which it is seen, from 1, and the text of that line, trimmed.
    pub(super) line: usize,
    pub(super) text: String,
    /// Which of the equal changes on equal lines of the file it is, from 1.
    pub(super) nth: usize,
}

impl Change {
    pub(super) fn new(what: String, kind: Kind) -> Self {
        Self { what, kind, line: 0, text: String::new(), nth: 1 }
    }
    /// The expression that chooses between both: `on` is the question whether this mutant is the chosen one.
    pub(super) fn either(&self, original: &str, on: &str) -> String {
        match &self.kind {
            Kind::Other(other) => format!("(if {on} {{ {other} }} else {{ {original} }})"),
            Kind::Flipped => format!("({on} ^ ({original}))"),
            Kind::Removed => format!("if !{on} {{ {original}; }}"),
        }
    }
}

/// Bytes of a source, with every change that may be made there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) range: Range<usize>,
    pub(super) changes: Vec<Change>,
}

/// Code on one line, at most so many characters of it.
pub(super) fn short(code: &str) -> String {
    const MOST: usize = 48;
    let words: Vec<_> = code.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= MOST {
        return line;
    }
    let cut: String = line.chars().take(MOST - 1).collect();
    format!("{cut}…")
}
