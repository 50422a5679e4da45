//! Rust source as far as its words go: comments, docstrings and named items. Strings and numbers are left out.
//!
//! Macros are read like any other code: an item that one makes is seen where it is written out.

/// One piece of source, with its line counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Token<'a> {
    pub(super) line: usize,
    pub(super) piece: Piece<'a>,
}

/// What it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Piece<'a> {
    /// With its marks.
    Comment(&'a str),
    /// An identifier or keyword.
    Word(&'a str),
    Mark(char),
}

/// How far a name can be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reach {
    /// Other crates, or the whole crate.
    Crate,
    /// Its own module, the one above, or some path.
    Near,
}

/// A named item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Item<'a> {
    pub(super) line: usize,
    pub(super) name: &'a str,
    pub(super) is_type: bool,
    pub(super) reach: Reach,
}

/// Lines of comment without code between them, each with its text as it stands.
pub(super) type Comment<'a> = Vec<(usize, &'a str)>;

pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let (length, piece) = next(first, rest);
        out.extend(piece.map(|piece| Token { line, piece }));
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    out
}

/// Length of what stands first, and what it is where it counts.
fn next(first: char, rest: &str) -> (usize, Option<Piece<'_>>) {
    let until = |end: fn(char) -> bool| rest.find(end).unwrap_or(rest.len());
    match first {
        '/' if rest.starts_with("//") => {
            let end = until(|c| c == '\n');
            (end, Some(Piece::Comment(&rest[..end])))
        }
        '/' if rest.starts_with("/*") => {
            let end = rest.find("*/").map_or(rest.len(), |at| at + 2);
            (end, Some(Piece::Comment(&rest[..end])))
        }
        '"' => (string(rest), None),
        '\'' => (quoted(rest), None),
        '0'..='9' => (until(|c| !is_of_word(c)), None),
        c if is_of_word(c) => {
            let (word, after) = rest.split_at(until(|c| !is_of_word(c)));
            match raw_string(word, after) {
                Some(length) => (word.len() + length, None),
                None => (word.len(), Some(Piece::Word(word))),
            }
        }
        c => (c.len_utf8(), (!c.is_whitespace()).then_some(Piece::Mark(c))),
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Length of a string literal.
fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if c == '"' && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    rest.len()
}

/// Length of a character literal; of a lifetime only its quote.
fn quoted(rest: &str) -> usize {
    let mut inside = rest.chars().skip(1);
    match (inside.next(), inside.next()) {
        (Some('\\'), Some(escaped)) => {
            let from = 2 + escaped.len_utf8();
            rest[from..].find('\'').map_or(rest.len(), |at| from + at + 1)
        }
        (Some(c), Some('\'')) => 2 + c.len_utf8(),
        _ => 1,
    }
}

/// Length of what follows the prefix of a raw string.
fn raw_string(prefix: &str, after: &str) -> Option<usize> {
    if !matches!(prefix, "r" | "br" | "cr") {
        return None;
    }
    let hashes = after.len() - after.trim_start_matches('#').len();
    let inside = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(hashes + 1 + inside.find(&end).map_or(inside.len(), |at| at + end.len()))
}

/// Comments, those on lines that follow each other as one.
pub(super) fn comments<'a>(tokens: &[Token<'a>]) -> Vec<Comment<'a>> {
    let mut out: Vec<Comment<'a>> = Vec::new();
    for token in tokens {
        let Piece::Comment(text) = token.piece else { continue };
        let lines = text.lines().enumerate().map(|(n, text)| (token.line + n, text));
        match out.last_mut() {
            Some(open) if open.last().is_some_and(|(last, _)| last + 1 == token.line) => open.extend(lines),
            _ => out.push(lines.collect()),
        }
    }
    out
}

/// The part of a file that is no test, without comments; and the names of modules in files of their own that are tests.
pub(super) fn product<'a>(tokens: &[Token<'a>]) -> (Vec<Token<'a>>, Vec<&'a str>) {
    let code: Vec<_> = tokens.iter().filter(|t| !matches!(t.piece, Piece::Comment(_))).copied().collect();
    let (mut kept, mut modules) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(token) = code.get(at) {
        if let Some(attribute) = test_attribute(&code[at..]) {
            let item = &code[at + attribute..];
            let length = item_length(item);
            modules.extend(module_elsewhere(&item[..length]));
            at += attribute + length;
        } else {
            kept.push(*token);
            at += 1;
        }
    }
    (kept, modules)
}

/// Length of a `#[cfg(test)]` that stands first.
fn test_attribute(code: &[Token<'_>]) -> Option<usize> {
    let starts = [Piece::Mark('#'), Piece::Mark('['), Piece::Word("cfg"), Piece::Mark('(')];
    if !code.iter().map(|t| t.piece).take(4).eq(starts) {
        return None;
    }
    let length = code.iter().position(|t| t.piece == Piece::Mark(']'))? + 1;
    let has = |word| code[..length].iter().any(|t| t.piece == Piece::Word(word));
    (has("test") && !has("not")).then_some(length)
}

/// Up to the semicolon or closing brace of the item that stands first.
fn item_length(code: &[Token<'_>]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in code.iter().enumerate() {
        match token.piece {
            Piece::Mark('{') => depth += 1,
            Piece::Mark('}') if depth <= 1 => return at + 1,
            Piece::Mark('}') => depth -= 1,
            Piece::Mark(';') if depth == 0 => return at + 1,
            Piece::Comment(_) | Piece::Word(_) | Piece::Mark(_) => {}
        }
    }
    code.len()
}

/// The name in `mod name;`.
fn module_elsewhere<'a>(item: &[Token<'a>]) -> Option<&'a str> {
    match item {
        [.., Token { piece: Piece::Word("mod"), .. }, Token { piece: Piece::Word(name), .. }, end]
            if end.piece == Piece::Mark(';') =>
        {
            Some(*name)
        }
        _ => None,
    }
}

/// Named items, private ones too.
pub(super) fn items<'a>(code: &[Token<'a>]) -> Vec<Item<'a>> {
    (0..code.len()).filter_map(|at| item(&code[..at], &code[at..])).collect()
}

/// The item whose kind stands first in `code`; `before` says how far its name can be used.
fn item<'a>(before: &[Token<'a>], code: &[Token<'a>]) -> Option<Item<'a>> {
    let [kind, named, ..] = code else { return None };
    let (Piece::Word(kind), Piece::Word(name)) = (kind.piece, named.piece) else { return None };
    let is_type = matches!(kind, "struct" | "enum" | "union" | "trait" | "type");
    let is_item = match kind {
        "const" => !matches!(name, "fn" | "async" | "unsafe" | "extern"),
        // A lifetime has no colon behind what it is of.
        "static" => code.get(2).is_some_and(|t| t.piece == Piece::Mark(':')),
        "fn" | "mod" => true,
        _ => is_type,
    };
    is_item.then(|| Item { line: named.line, name, is_type, reach: reach(before) })
}

fn reach(mut before: &[Token<'_>]) -> Reach {
    while let [rest @ .., last] = before
        && let Piece::Word("const" | "async" | "unsafe" | "extern") = last.piece
    {
        before = rest;
    }
    match before.last().map(|t| t.piece) {
        Some(Piece::Word("pub")) => Reach::Crate,
        Some(Piece::Mark(')')) => {
            let open = before.iter().rposition(|t| t.piece == Piece::Mark('(')).unwrap_or(0);
            match (&before[..open], &before[open..]) {
                ([.., word], [_, inside, ..]) if word.piece == Piece::Word("pub") => {
                    if inside.piece == Piece::Word("crate") { Reach::Crate } else { Reach::Near }
                }
                _ => Reach::Near,
            }
        }
        _ => Reach::Near,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_lifetimes_hide_nothing_behind_them() {
        let text = "let a = \"// no \\\" pub fn x\"; // one\nlet b = '\"'; /* two */ let c: &'a str = r#\"pub fn \" y\"#;\n\
                    let d = '\\''; let e = b\"//\"; // three";
        let lines: Vec<_> = comments(&tokens(text)).concat();
        assert_eq!(lines, [(1, "// one"), (2, "/* two */"), (3, "// three")]);
        assert_eq!(items(&tokens(text)), []);
    }

    #[test]
    fn items_are_found_with_their_reach() {
        let text = "pub struct A; pub(crate) enum B {} pub(super) fn c() {} pub const fn d() {} pub const E: u8 = 1;\n\
                    pub use x::F; struct G { pub field: u8 } pub unsafe trait H {} pub(in crate::x) type I = u8; pub mod j;\n\
                    async fn k(x: &'static Str, y: fn(u8)) {} const L: u8 = 1; static M: &'static N = &O;";
        let found: Vec<_> = items(&tokens(text)).iter().map(|i| (i.name, i.is_type, i.reach)).collect();
        assert_eq!(
            found,
            [
                ("A", true, Reach::Crate),
                ("B", true, Reach::Crate),
                ("c", false, Reach::Near),
                ("d", false, Reach::Crate),
                ("E", false, Reach::Crate),
                ("G", true, Reach::Near),
                ("H", true, Reach::Crate),
                ("I", true, Reach::Near),
                ("j", false, Reach::Crate),
                ("k", false, Reach::Near),
                ("L", false, Reach::Near),
                ("M", false, Reach::Near),
            ]
        );
    }

    #[test]
    fn tests_are_no_part_of_the_product() {
        let text = "pub fn a() {}\n#[cfg(test)]\nmod tests { pub fn b() { if x { y } } }\n#[cfg(test)]\nmod rig;\n\
                    #[cfg(not(test))]\npub fn c() {}\n#[cfg(all(test, unix))]\npub(crate) use d::{e};\npub fn f() {}";
        let (code, modules) = product(&tokens(text));
        assert_eq!(items(&code).iter().map(|i| i.name).collect::<Vec<_>>(), ["a", "c", "f"]);
        assert_eq!(modules, ["rig"]);
    }
}
