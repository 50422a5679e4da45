//! The words at a number that say which way something went: the four before it in its sentence, else the two behind it.

use super::figures::NumberInText;
use super::words::{FELL, LEVEL, NEGATIVE, NOT, ROSE};

/// Words before a number that say which way something went.
const BEFORE: usize = 4;
/// Words behind it that do: `6.1 % lower`.
const BEHIND: usize = 2;
/// What ends a sentence or a part of one; a full stop within a number does not.
const STOPS: [&str; 5] = [". ", "; ", "? ", "! ", "\n"];
/// What ends that to which the words behind a number belong.
const BREAKS: [&str; 5] = [",", "(", ")", " while ", " and "];

/// Which way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// The words put it higher than before.
    Rose,
    /// The words put it lower than before.
    Fell,
}

/// What the words at a number say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NearWords {
    /// By the nearest word that says it.
    pub(super) way: Option<Way>,
    /// They say that it is less than nothing.
    pub(super) is_negative: bool,
    /// The same, right before the number.
    pub(super) is_minus: bool,
    /// The word right before it makes it the end of a way, not its length: `to`, `at`.
    pub(super) is_level: bool,
}

impl NearWords {
    /// What stands at this number.
    pub(super) fn of(text: &str, found: &NumberInText) -> Self {
        let lower = |part: String| part.to_lowercase();
        let before = lower(text.chars().take(found.at).collect());
        let from = STOPS.iter().filter_map(|stop| Some(before.rfind(stop)? + stop.len())).max().unwrap_or(0);
        let before: Vec<&str> = words(&before[from..]).rev().take(BEFORE).collect();
        let behind = lower(text.chars().skip(found.at + found.text.chars().count()).collect());
        let end = STOPS.iter().chain(&BREAKS).filter_map(|stop| behind.find(stop)).min().unwrap_or(behind.len());
        let behind: Vec<&str> = words(&behind[..end]).take(BEHIND).collect();
        // "Not negative" and "never fell" say nothing of a fall.
        let is_denied = before.iter().any(|word| NOT.contains(word));
        let way = before.iter().find_map(|word| way(word)).or_else(|| behind.iter().find_map(|word| way(word)));
        Self {
            way: way.filter(|way| !(is_denied && *way == Way::Fell)),
            is_negative: !is_denied && before.iter().any(|word| NEGATIVE.contains(word)),
            is_minus: !is_denied && before.iter().take(2).any(|word| NEGATIVE.contains(word)),
            is_level: before.first().is_some_and(|word| LEVEL.contains(word)),
        }
    }
}

fn words(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty())
}

fn way(word: &str) -> Option<Way> {
    if ROSE.contains(&word) {
        return Some(Way::Rose);
    }
    FELL.contains(&word).then_some(Way::Fell)
}
