//! Words of a rule with their places.

/// A word as it stands in its line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct RuleWord<'a> {
    pub(super) text: &'a str,
    /// Characters of the line before it.
    pub(super) at: usize,
}

/// Cuts a line into names, numbers and signs; blanks end a word.
pub(super) fn words(line: &str) -> Vec<RuleWord<'_>> {
    let mut out = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            c if c.is_whitespace() => 0,
            c if is_name(c) => name_length(rest),
            _ if ["<=", ">=", "==", "!="].iter().any(|sign| rest.starts_with(sign)) => 2,
            c => c.len_utf8(),
        };
        if length == 0 {
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let before = line.len() - rest.len();
        let (text, after) = rest.split_at(length);
        out.push(RuleWord { text, at: line[..before].chars().count() });
        rest = after;
    }
    out
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
}

/// Bytes of a name or number; a sign behind the `e` of a number is part of it, as in `2e-5`.
fn name_length(text: &str) -> usize {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let exponent = is_number && matches!(before, 'e' | 'E') && matches!(c, '+' | '-');
        if !is_name(c) && !exponent {
            return at;
        }
        before = c;
    }
    text.len()
}
