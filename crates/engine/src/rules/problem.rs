//! What is wrong with a rule book, where, and what was probably meant.

use core::fmt;

/// One mistake.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct BookProblem {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What was wrong and what to do: lower case, no full stop.
    pub message: String,
}

/// Everything that is wrong with a book. Printed one mistake a line, `file:line:column: message`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BookError {
    /// The file as the caller named it.
    pub file: String,
    /// At least one, in order of place.
    pub problems: Vec<BookProblem>,
}

impl fmt::Display for BookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, p) in self.problems.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}:{}:{}: {}", self.file, p.line, p.column, p.message)?;
        }
        Ok(())
    }
}
impl std::error::Error for BookError {}

/// Collects mistakes by byte position and turns positions into lines and columns at the end.
#[derive(Debug)]
pub(super) struct Problems<'a> {
    file: &'a str,
    text: &'a str,
    found: Vec<(usize, String)>,
}

impl<'a> Problems<'a> {
    pub(super) const fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, found: Vec::new() }
    }
    pub(super) fn add(&mut self, at: usize, message: impl Into<String>) {
        self.found.push((at, message.into()));
    }
    pub(super) const fn is_empty(&self) -> bool {
        self.found.is_empty()
    }
    pub(super) fn line_of(&self, at: usize) -> usize {
        self.place(at).0
    }
    fn place(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
    pub(super) fn into_error(self) -> BookError {
        let mut problems: Vec<BookProblem> = self
            .found
            .iter()
            .map(|(at, message)| {
                let (line, column) = self.place(*at);
                BookProblem { line, column, message: message.clone() }
            })
            .collect();
        problems.sort();
        problems.dedup();
        BookError { file: self.file.to_owned(), problems }
    }
}

/// ` — did you mean 'x'?` for the known name nearest to what was written, or nothing when none is near.
pub(crate) fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let nearest = known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(written, name), name))
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        Some((distance, name)) if distance <= (written.chars().count() / 3).max(2) => {
            format!(" — did you mean '{name}'?")
        }
        _ => String::new(),
    }
}
