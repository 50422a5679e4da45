//! Is a text plain sentences, of characters that people see and nothing here misreads?

use super::check::{NarrativeFault, SENTENCES_MAX, TEXT_MAX};
use super::facts::NarrativeFacts;
use barograph_domain::text::is_hidden;

/// Marks of links and of markup.
const MARKS: [&str; 13] = ["http", "www.", "://", "@", "```", "**", "##", "](", "|", "<", "*", "`", "#"];
/// What an item of a list, or a quotation, begins with.
const BULLETS: [char; 11] = ['-', '–', '—', '−', '+', '>', '•', '·', '‣', '▪', '◦'];

/// The first thing that is no plain sentence.
pub(super) fn layout(text: &str, facts: &NarrativeFacts) -> Option<NarrativeFault> {
    let length = text.chars().count();
    if text.trim().is_empty() {
        return Some(NarrativeFault::Empty);
    }
    if length > TEXT_MAX {
        return Some(NarrativeFault::TooLong(length));
    }
    let lower = text.to_lowercase();
    if let Some(mark) = MARKS.iter().find(|mark| lower.contains(*mark)) {
        return Some(NarrativeFault::Layout((*mark).to_owned()));
    }
    let is_in_facts = |c: char| facts.texts().any(|t| t.contains(c));
    // Numbers of other scripts are numbers that cannot be read, and refused as such.
    let is_other = |c: &char| !is_usual(*c) && !c.is_numeric() && (is_hidden(*c) || !is_in_facts(*c));
    if let Some(c) = text.chars().find(is_other) {
        return Some(NarrativeFault::Layout(c.escape_unicode().to_string()));
    }
    if let Some(item) = text.lines().find_map(list_mark) {
        return Some(NarrativeFault::Layout(item));
    }
    let is_of_facts = |word: &str| facts.texts().any(|t| t.contains(word));
    if let Some(word) = bare_words(text).find(|word| is_address(word) && !is_of_facts(word)) {
        return Some(NarrativeFault::Layout(word.to_owned()));
    }
    let count = sentences(text);
    (count > SENTENCES_MAX).then_some(NarrativeFault::Sentences(count))
}

/// Printable ASCII, Latin letters, and the dashes, quotes, signs and spaces that sentences about markets have.
const fn is_usual(c: char) -> bool {
    matches!(c,
        '\n' | ' '..='~' | 'À'..='ɏ' | 'σ' | '\u{a0}' | '\u{2009}' | '\u{202f}'
        | '–' | '—' | '−' | '‘' | '’' | '“' | '”' | '…' | '·' | '≈' | '≤' | '≥' | '°' | '€' | '£')
}

/// `- `, `1. `, `a) `: what a line of a list begins with.
fn list_mark(line: &str) -> Option<String> {
    let mark = line.split_whitespace().next()?;
    let is_bullet = mark.chars().all(|c| BULLETS.contains(&c));
    let count = mark.strip_suffix(['.', ')']).map(|m| m.trim_start_matches('('));
    let is_count = |m: &str| {
        let is_letter = m.len() == 1 && m.chars().all(|c| c.is_ascii_lowercase());
        is_letter || (!m.is_empty() && m.len() < 3 && m.chars().all(|c| c.is_ascii_digit()))
    };
    (is_bullet || count.is_some_and(is_count)).then(|| mark.to_owned())
}

/// Words without the marks around them.
fn bare_words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
}

/// Is there a full stop right before a letter, as in the name of a host?
fn is_address(word: &str) -> bool {
    let chars: Vec<char> = word.chars().collect();
    chars.windows(3).any(|w| w[1] == '.' && w[0].is_alphanumeric() && w[2].is_alphabetic())
}

/// Parts that end with a full stop, a question or exclamation mark, or with their line, and have a word.
fn sentences(text: &str) -> usize {
    let ends = |word: &str| word.trim_end_matches(['"', '”', '’', '\'', ')']).ends_with(['.', '?', '!', '…']);
    let of_line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let open = words.last().is_some_and(|word| !ends(word));
        words.iter().filter(|word| ends(word)).count() + usize::from(open)
    };
    text.lines().map(of_line).sum()
}
