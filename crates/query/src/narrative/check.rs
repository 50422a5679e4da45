//! Is a text made of these facts only? Pure, and strict where in doubt: what is refused is replaced by our own sentences.

use super::facts::{NarrativeFact, NarrativeFacts, NarrativeValue};
use super::figures::{FigureKind, NumberInText, TextFigure, WrittenNumber, written};
use super::layout::layout;
use super::near::{NearWords, Way};
use super::words::{ADVICE, FORETOLD, USUAL};
use barograph_domain::Ts;
use core::fmt;
use std::collections::BTreeSet;

/// Longest text, in characters.
pub const TEXT_MAX: usize = 900;
/// Most sentences.
pub const SENTENCES_MAX: usize = 5;
/// A number may be rounded, but by no more than this share of what it is: `5 %` is no way to write 5.4 %.
const ROUNDED_MAX: f64 = 0.01;

/// What is wrong with a text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum NarrativeFault {
    /// Nothing is written.
    Empty,
    /// So many characters.
    TooLong(usize),
    /// So many sentences.
    Sentences(usize),
    /// It is no plain text of sentences: what stands there.
    Layout(String),
    /// No fact has this number.
    UnknownNumber(String),
    /// A number in a form that cannot be compared.
    UnreadNumber(String),
    /// No fact has this day or time.
    UnknownMoment(String),
    /// The words at a number say that it rose where it fell, or fell where it rose.
    OtherWay(String),
    /// It stands without the sign of its fact, which is below 0, and no word at it is one of falling or of less than nothing.
    NoSign(String),
    /// A name that no fact has.
    UnknownName(String),
    /// It advises.
    Advice(String),
    /// It says what will come.
    Foretold(String),
}

impl fmt::Display for NarrativeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::TooLong(n) => write!(f, "it has {n} characters, more than {TEXT_MAX}"),
            Self::Sentences(n) => write!(f, "it has {n} sentences, more than {SENTENCES_MAX}"),
            Self::Layout(what) => write!(f, "it is not plain text: {what}"),
            Self::UnknownNumber(text) => write!(f, "no fact has the number '{text}'"),
            Self::UnreadNumber(text) => write!(f, "'{text}' is not a number written in digits"),
            Self::UnknownMoment(text) => write!(f, "no fact has the moment '{text}'"),
            Self::OtherWay(text) => write!(f, "'{text}' went the other way"),
            Self::NoSign(text) => write!(f, "'{text}' lacks the minus sign of its fact"),
            Self::UnknownName(text) => write!(f, "no fact has the name '{text}'"),
            Self::Advice(text) => write!(f, "'{text}' is advice"),
            Self::Foretold(text) => write!(f, "'{text}' is about the future"),
        }
    }
}

/// What is wrong with a text; nothing where every number, moment and name in it is one of the facts'.
///
/// # Errors
/// Each fault once, in the order of [`NarrativeFault`].
pub fn check(text: &str, facts: &NarrativeFacts) -> Result<(), Vec<NarrativeFault>> {
    let mut faults = BTreeSet::new();
    faults.extend(layout(text, facts));
    let known = Known::of(facts);
    for found in written(text) {
        faults.extend(known.fault(&found, text));
    }
    faults.extend(names(text, facts));
    let words = spaced(&without_days(text));
    let phrase = |all: &[&str]| all.iter().find(|p| words.contains(&format!(" {p} "))).map(|p| (*p).to_owned());
    faults.extend(phrase(&ADVICE).map(NarrativeFault::Advice));
    faults.extend(phrase(&FORETOLD).map(NarrativeFault::Foretold));
    if faults.is_empty() { Ok(()) } else { Err(faults.into_iter().collect()) }
}

/// The text without its dates, in which a month may be May.
fn without_days(text: &str) -> String {
    let days: Vec<_> = written(text).into_iter().filter(|w| matches!(w.number, WrittenNumber::Day(..))).collect();
    let is_of_day = |at: usize| days.iter().any(|d| (d.at..d.at + d.text.chars().count()).contains(&at));
    text.chars().enumerate().map(|(at, c)| if is_of_day(at) { ' ' } else { c }).collect()
}

/// Words in lower case with a blank on each side.
fn spaced(text: &str) -> String {
    let letters: String = text.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    format!(" {} ", letters.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Names within a sentence, and words in capitals anywhere, that no fact has. The first word of a sentence has its capital anyway.
fn names(text: &str, facts: &NarrativeFacts) -> Vec<NarrativeFault> {
    let of_facts: BTreeSet<String> =
        facts.texts().flat_map(|t| split(t).map(|(word, _)| word.to_lowercase())).collect();
    let months: BTreeSet<usize> = written(text).iter().flat_map(|w| w.at..w.at + w.text.chars().count()).collect();
    let is_name = |word: &str, begins: bool| {
        let capitals = word.chars().filter(|c| c.is_uppercase()).count();
        let is_upper = capitals > 1 && word.chars().all(|c| !c.is_lowercase());
        capitals > 0 && (is_upper || !begins || capitals > 1)
    };
    let mut begins = true;
    let mut found = Vec::new();
    for (word, at) in split(text) {
        let known = USUAL.contains(&word) || of_facts.contains(&word.to_lowercase()) || months.contains(&at);
        if is_name(word, begins) && !known {
            found.push(NarrativeFault::UnknownName(word.to_owned()));
        }
        let behind = text.chars().skip(at + word.chars().count());
        begins = behind.take_while(|c| !c.is_alphanumeric()).any(|c| matches!(c, '.' | '?' | ':' | ';'));
    }
    found
}

/// Words with their places, in characters.
fn split(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut at = 0;
    text.split(|c: char| !c.is_alphanumeric()).filter_map(move |word| {
        let from = at;
        at += word.chars().count() + 1;
        (!word.is_empty()).then_some((word, from))
    })
}

/// A number that may be written.
#[derive(Clone, Copy, Debug)]
struct Allowed {
    value: f64,
    kind: FigureKind,
    /// It says by how much something moved.
    is_change: bool,
    /// It says where something stands, which may rise to a value below 0.
    is_level: bool,
}

/// Everything that may be written.
struct Known {
    numbers: Vec<Allowed>,
    moments: Vec<(u32, u32, u32, u32, u32)>,
    days: BTreeSet<(u32, u32, u32)>,
    clocks: BTreeSet<(u32, u32)>,
    words: BTreeSet<String>,
}

impl Known {
    fn of(facts: &NarrativeFacts) -> Self {
        let mut known = Self {
            numbers: Vec::new(),
            moments: Vec::new(),
            days: BTreeSet::new(),
            clocks: BTreeSet::new(),
            words: BTreeSet::new(),
        };
        for fact in &facts.items {
            match fact.value {
                NarrativeValue::Number(value) => known.number(value, fact.unit),
                NarrativeValue::Moment(moment) => known.moments.extend(parts(moment)),
                NarrativeValue::Word => {}
            }
        }
        for fact in &facts.items {
            known.text(fact);
        }
        for (year, month, day, hour, minute) in known.moments.clone() {
            known.days.insert((year, month, day));
            known.clocks.insert((hour, minute));
        }
        known
    }

    /// A fact's own number, in the units that people write it in.
    fn number(&mut self, value: f64, unit: &str) {
        let is_change = value != 0.0 && unit == super::facts::CHANGE;
        let (value, kind) = match unit {
            super::facts::CHANGE | super::facts::SHARE => (value * 100.0, FigureKind::Percent),
            super::facts::SECONDS => (value, FigureKind::Seconds),
            _ => (value, FigureKind::Plain),
        };
        self.numbers.push(Allowed { value, kind, is_change, is_level: unit != super::facts::CHANGE });
    }

    /// What stands in a fact's text may be repeated.
    fn text(&mut self, fact: &NarrativeFact) {
        let of_change = fact.unit == super::facts::CHANGE;
        let is_number = matches!(fact.value, NarrativeValue::Number(_));
        let text = fact.text.as_str();
        for found in written(text) {
            match found.number {
                WrittenNumber::Figure(TextFigure { value, kind, is_signed, .. }) => {
                    // In a headline a percentage with a sign is how far something went.
                    let is_change = kind == FigureKind::Percent && (of_change || (is_signed && !is_number));
                    self.numbers.push(Allowed { value, kind, is_change, is_level: is_number && !of_change });
                }
                WrittenNumber::Day(Some(year), month, day) => drop(self.days.insert((year, month, day))),
                WrittenNumber::Clock(hour, minute) => drop(self.clocks.insert((hour, minute))),
                WrittenNumber::Day(None, ..) | WrittenNumber::Word | WrittenNumber::Other => {}
            }
        }
        let bare = |w: &str| w.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        self.words.extend(text.split_whitespace().map(bare));
    }

    fn fault(&self, found: &NumberInText, text: &str) -> Option<NarrativeFault> {
        let shown = found.text.clone();
        match &found.number {
            WrittenNumber::Figure(figure) => self.figure_fault(figure, found, text),
            WrittenNumber::Day(year, month, day) => {
                let same =
                    |known: &(u32, u32, u32)| (known.1, known.2) == (*month, *day) && year.is_none_or(|y| y == known.0);
                (!self.days.iter().any(same)).then_some(NarrativeFault::UnknownMoment(shown))
            }
            WrittenNumber::Clock(hour, minute) => {
                (!self.clocks.contains(&(*hour, *minute))).then_some(NarrativeFault::UnknownMoment(shown))
            }
            WrittenNumber::Word | WrittenNumber::Other => {
                (!self.words.contains(&shown.to_lowercase())).then_some(NarrativeFault::UnreadNumber(shown))
            }
        }
    }

    fn figure_fault(&self, figure: &TextFigure, found: &NumberInText, text: &str) -> Option<NarrativeFault> {
        let matched: Vec<&Allowed> = self.numbers.iter().filter(|known| is_same(figure, known)).collect();
        if matched.is_empty() {
            return Some(NarrativeFault::UnknownNumber(found.text.clone()));
        }
        let near = NearWords::of(text, found);
        let verdicts = matched.iter().map(|known| sign_fault(figure, known, near));
        // What fits one fact is that fact's.
        let fault = verdicts.reduce(Option::and)??;
        Some(fault(found.text.clone()))
    }
}

/// Makes the fault of a number as it stands in the text.
type FaultOf = fn(String) -> NarrativeFault;

/// Do the words at a number speak against this fact, whose size it has?
fn sign_fault(figure: &TextFigure, known: &Allowed, near: NearWords) -> Option<FaultOf> {
    let other_way: Option<FaultOf> = Some(NarrativeFault::OtherWay);
    if known.value >= 0.0 {
        let is_minus = near.is_minus && known.kind != FigureKind::Seconds;
        let is_against = is_minus || (known.is_change && near.way == Some(Way::Fell));
        return other_way.filter(|_| is_against);
    }
    if near.way == Some(Way::Rose) && !(figure.is_signed && known.is_level && near.is_level) {
        return other_way;
    }
    let is_below = near.is_negative || near.way == Some(Way::Fell);
    if figure.is_signed || is_below { None } else { Some(NarrativeFault::NoSign) }
}

/// Year, month, day, hour and minute of a moment, UTC.
fn parts(moment: Ts) -> Option<(u32, u32, u32, u32, u32)> {
    let text = moment.to_string();
    let part = |from: usize, to: usize| text.get(from..to)?.parse().ok();
    Some((part(0, 4)?, part(5, 7)?, part(8, 10)?, part(11, 13)?, part(14, 16)?))
}

/// Is this number as it stands a way to write that one? Without a sign it may be its size alone, as in "fell 3 %".
fn is_same(figure: &TextFigure, known: &Allowed) -> bool {
    if figure.kind != known.kind {
        return false;
    }
    let size = known.value.abs();
    let near = figure.half.min(ROUNDED_MAX * size) + 1e-9 * size;
    let off = if figure.is_signed { (figure.value - known.value).abs() } else { (figure.value - size).abs() };
    off <= near
}
