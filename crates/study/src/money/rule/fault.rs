//! What is wrong with a rule, and where.

use super::word::RuleWord;

/// A word that could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleFault {
    /// Line of the rule, from 1.
    pub line: usize,
    /// Character of the line at which the word begins, from 1.
    pub column: usize,
    /// Characters of the word; 0 where one is missing.
    pub length: usize,
    /// The line as it was written.
    pub text: String,
    /// What is wrong with the word, and what may stand there.
    pub why: String,
}

impl RuleFault {
    pub(super) fn new(line: usize, text: &str, word: Option<RuleWord<'_>>, why: String) -> Self {
        let (at, length) =
            word.map_or_else(|| (text.trim_end().chars().count(), 0), |w| (w.at, w.text.chars().count()));
        Self { line, column: at + 1, length, text: text.to_owned(), why }
    }
}

impl core::fmt::Display for RuleFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { line, column, length, text, why } = self;
        let (before, under) = (" ".repeat(column - 1), "^".repeat((*length).max(1)));
        write!(f, "line {line}, character {column}: {why}\n  {}\n  {before}{under}", text.trim_end().replace('\t', " "))
    }
}

impl core::error::Error for RuleFault {}
