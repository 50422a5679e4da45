//! References in a passage: `features §2.7`, `§3 and §4.2` after it, `regimes sections 2 and 9`, `R1.15–19`, `A24`,
//! `ADR 21`.

use super::passages::Word;

/// Words before `§` that mean something outside the project: books. So does an `RFC`.
pub(super) const ELSEWHERE: [&str; 2] = ["recipes", "computations"];

/// Words between two sections of one document.
const BETWEEN: [&str; 3] = ["and", "to", "or"];

/// Series of ids that are followed by two digits; those of requirements have a point.
const SERIES: [u8; 3] = [b'A', b'C', b'S'];

/// Something referred to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum What {
    /// A section of a document of the specification.
    Section { document: String, number: String },
    /// A section of who knows what.
    Nameless { number: String, before: String },
    /// An id.
    Id(String),
    /// A decision.
    Decision(u32),
}

/// Where something is referred to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Reference {
    pub(super) line: usize,
    pub(super) what: What,
}

/// Whose section it is.
#[derive(Clone, Debug)]
enum Owner {
    Spec(String),
    Elsewhere,
    Nobody(String),
}

/// References of a passage. `document` is the document that a word in lower case names. Inside a document (`own`) a section
/// without a name is its own.
pub(super) fn of(words: &[Word<'_>], own: Option<&str>, document: impl Fn(&str) -> Option<String>) -> Vec<Reference> {
    let mut out = Vec::new();
    let mut owner = None;
    let mut listing = false;
    for (i, (line, word)) in words.iter().enumerate() {
        let before = i.checked_sub(1).map_or("", |b| words[b].1);
        let standard = i >= 2 && bare(words[i - 2].1) == "RFC";
        let numbers = if listing { number_at(bare(word)).into_iter().collect() } else { sections(word) };
        if !numbers.is_empty() {
            let named = match (standard, listing) {
                (true, _) => Some(Owner::Elsewhere),
                (false, true) => None,
                (false, false) => owner_of(word, before, own, &document),
            };
            let of = named.or(owner.take()).unwrap_or_else(|| nobody(before, own));
            out.extend(numbers.iter().filter_map(|n| reference(*line, &of, n)));
            owner = Some(of);
        }
        listing = goes_on(listing, word, !numbers.is_empty());
        let named = document(&name_of(before)).filter(|_| matches!(bare(word), "section" | "sections"));
        if let Some(name) = named {
            (owner, listing) = (Some(Owner::Spec(name)), true);
        }
        let decision = number_at(bare(word)).and_then(|n| n.parse().ok()).filter(|_| bare(before) == "ADR");
        out.extend(decision.map(|number| Reference { line: *line, what: What::Decision(number) }));
        out.extend(ids(word).into_iter().map(|id| Reference { line: *line, what: What::Id(id) }));
    }
    out
}

/// Does a list of numbers after "sections" go on behind this word?
fn goes_on(listing: bool, word: &str, is_number: bool) -> bool {
    listing && (is_number && !word.ends_with(['.', ')', ';', ':']) || BETWEEN.contains(&word))
}

fn reference(line: usize, of: &Owner, number: &str) -> Option<Reference> {
    let number = number.to_owned();
    let what = match of {
        Owner::Spec(document) => What::Section { document: document.clone(), number },
        Owner::Nobody(before) => What::Nameless { number, before: before.clone() },
        Owner::Elsewhere => return None,
    };
    Some(Reference { line, what })
}

/// Who is named before `§`; `None` where the section follows another one and is of the same document.
fn owner_of(word: &str, before: &str, own: Option<&str>, document: &impl Fn(&str) -> Option<String>) -> Option<Owner> {
    let glued = word.split('§').next().map(name_of).filter(|g| !g.is_empty());
    let name = glued.unwrap_or_else(|| name_of(before));
    if let Some(name) = document(&name) {
        return Some(Owner::Spec(name));
    }
    if ELSEWHERE.contains(&name.as_str()) {
        return Some(Owner::Elsewhere);
    }
    let follows = before.contains('§') || BETWEEN.contains(&before);
    (!follows).then(|| nobody(before, own))
}

fn nobody(before: &str, own: Option<&str>) -> Owner {
    own.map_or_else(|| Owner::Nobody(bare(before).to_owned()), |own| Owner::Spec(own.to_owned()))
}

/// The word without what surrounds it.
fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

fn name_of(word: &str) -> String {
    bare(word).to_lowercase()
}

/// Numbers of the sections in a word: one, or both ends of a range with or without a second sign.
fn sections(word: &str) -> Vec<&str> {
    let mut out = Vec::new();
    for part in word.split('§').skip(1) {
        let Some(number) = number_at(part) else { continue };
        out.push(number);
        out.extend(until(&part[number.len()..]).and_then(number_at));
    }
    out
}

/// What follows the dash of a range.
fn until(rest: &str) -> Option<&str> {
    rest.strip_prefix('–').or_else(|| rest.strip_prefix('-'))
}

/// `2.7` at the head of `2.7), which`.
pub(super) fn number_at(text: &str) -> Option<&str> {
    let mut end = digits(text);
    while end > 0 && text[end..].starts_with('.') && digits(&text[end + 1..]) > 0 {
        end += 1 + digits(&text[end + 1..]);
    }
    (end > 0).then(|| &text[..end])
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// Ids in a word; of a range both ends.
fn ids(word: &str) -> Vec<String> {
    let mut out = Vec::new();
    for (at, _) in word.char_indices().filter(|(at, _)| begins(&word[..*at])) {
        let Some(id) = id_at(&word[at..]) else { continue };
        out.push(id.to_owned());
        let rest = until(&word[at + id.len()..]).filter(|r| digits(r) > 0);
        let series = id.split_once('.').map_or(&id[..1], |(series, _)| &id[..=series.len()]);
        out.extend(rest.map(|r| format!("{series}{}", &r[..digits(r)])));
    }
    out
}

/// May an id begin after this?
fn begins(before: &str) -> bool {
    before.chars().next_back().is_none_or(|c| !c.is_alphanumeric() && !"-_%#:.".contains(c))
}

/// `R1.15` or `A07` at the head of `text`, and nothing that makes it another word.
pub(super) fn id_at(text: &str) -> Option<&str> {
    let first = text.bytes().next().filter(u8::is_ascii_uppercase)?;
    let number = number_at(&text[1..])?;
    let parts: Vec<usize> = number.split('.').map(str::len).collect();
    let fits = match parts[..] {
        [1, 1 | 2] => first == b'R',
        [2] => SERIES.contains(&first),
        _ => false,
    };
    let rest = &text[1 + number.len()..];
    let another = rest.starts_with(|c: char| c.is_alphanumeric() || "_%".contains(c));
    let hyphened = rest.strip_prefix('-').is_some_and(|r| r.starts_with(char::is_alphabetic));
    (fits && !another && !hyphened).then(|| &text[..1 + number.len()])
}
