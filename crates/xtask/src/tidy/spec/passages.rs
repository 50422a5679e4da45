//! Text that may refer to the specification, cut into passages: what is said in one breath, over line ends.
//!
//! Of code only comments count. A passage ends where code, an empty line, a heading, a row of a table or an item of a list begins.

/// A word and its line, counted from 1.
pub(super) type Word<'a> = (usize, &'a str);

/// The passages of a file, each without marks of comments.
pub(super) fn of<'a>(name: &str, text: &'a str) -> Vec<Vec<Word<'a>>> {
    let part: fn(&str) -> Option<Part<'_>> = match name.rsplit('.').next() {
        Some("rs" | "ts" | "tsx" | "mjs" | "js" | "css") => comment,
        Some("sql") => |line| line.split_once("--").map(|(before, said)| Part::after(before, said)),
        _ => prose,
    };
    let mut passages: Vec<Vec<Word<'a>>> = Vec::new();
    let mut open = false;
    for (n, line) in text.lines().enumerate() {
        let Some(part) = part(line) else {
            open = false;
            continue;
        };
        if !open || part.begins {
            passages.push(Vec::new());
        }
        open = true;
        if let Some(passage) = passages.last_mut() {
            passage.extend(part.said.split_whitespace().map(|word| (n + 1, word)));
        }
    }
    passages
}

/// What one line says.
struct Part<'a> {
    said: &'a str,
    /// Nothing before it belongs to it.
    begins: bool,
}

impl<'a> Part<'a> {
    fn after(before: &str, said: &'a str) -> Self {
        Self { said, begins: !before.trim().is_empty() }
    }
}

/// The comment of a line; `None` where there is none, or nothing in it.
fn comment(line: &str) -> Option<Part<'_>> {
    let at = ["//", "/*"].into_iter().flat_map(|mark| line.match_indices(mark)).map(|(at, _)| at);
    let at = at.filter(|at| !in_string(&line[..*at])).min();
    let (before, said) = match at {
        Some(at) => line.split_at(at),
        None if line.trim_start().starts_with('*') => ("", line),
        None => return None,
    };
    let said = said.trim_start_matches([' ', '/', '*', '!']);
    (!said.is_empty()).then(|| Part::after(before, said))
}

/// Is a string literal open after this? One that goes on over lines is not seen.
fn in_string(before: &str) -> bool {
    let mut last = ' ';
    let mut inside = false;
    for c in before.chars() {
        inside ^= c == '"' && !matches!(last, '\\' | '\'');
        last = c;
    }
    inside
}

/// A line of a document or of a file whose code is mostly data.
fn prose(line: &str) -> Option<Part<'_>> {
    let said = line.trim_start().trim_start_matches("# ");
    let begins = said.starts_with(['|', '#', '-', '*']);
    (!said.is_empty()).then_some(Part { said, begins })
}
