//! How the program speaks (UX §1), as far as a test can hold it to that: which words no sentence uses, how numbers are written, how long a
//! sentence is. The one list of private words of the house.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What people outside the house do not say, or not of this: within one word boundary, in lower case, a line each. Each was read in a
/// sentence once. The test of the page's sentences (web/scripts/sentences.test.mjs) reads the same file.
const PRIVATE: &str = include_str!("private_words.txt");

/// Words of the wire that are words of people too.
const SPOKEN_UPPER: [&str; 3] = ["USD_M", "COIN_M", "UTC"];

/// Words a sentence may have, numbers and signs not counted; longer ones are hard to read at a glance. The evidence of a squeeze, which UX §1
/// gives as the example, has 35 of them.
const WORDS_MAX: usize = 35;

/// What is wrong with a text that people read; empty where nothing is.
#[must_use]
pub fn faults(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let lower = format!(" {} ", text.to_lowercase().replace(|c: char| !c.is_alphanumeric() && c != '\'', " "));
    let squeezed = lower.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in PRIVATE.lines().filter(|word| format!(" {squeezed} ").contains(&format!(" {word} "))) {
        out.push(format!("the private word '{word}'"));
    }
    // `!=` and `!~` are operators.
    if text.replace("!=", "").replace("!~", "").contains('!') {
        out.push("an exclamation mark".to_owned());
    }
    out.extend(hyphen_for_minus(text).then(|| "a hyphen for a minus".to_owned()));
    out.extend(nanoseconds(text).then(|| "a moment finer than seconds".to_owned()));
    out.extend(wire_word(text).map(|word| format!("the word of the wire '{word}'")));
    out.extend(text.split(". ").map(words).filter(|n| *n > WORDS_MAX).map(|n| format!("a sentence of {n} words")));
    out
}

fn words(sentence: &str) -> usize {
    sentence.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic)).count()
}

/// A hyphen before a digit, where a number begins.
fn hyphen_for_minus(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    chars.windows(2).enumerate().any(|(at, pair)| {
        let begins = at == 0 || matches!(chars[at - 1], ' ' | '(' | '+' | '=');
        pair[0] == '-' && pair[1].is_ascii_digit() && begins
    })
}

/// `14:35:00.123456789Z`
fn nanoseconds(text: &str) -> bool {
    text.split_whitespace().any(|word| {
        let fraction = word
            .split_once('.')
            .filter(|(head, _)| head.contains(':') && !head.contains("//"))
            .map(|(_, fraction)| fraction);
        fraction.is_some_and(|f| f.chars().take_while(char::is_ascii_digit).count() > 0)
    })
}

/// A word such as `HIGH_VOL`.
fn wire_word(text: &str) -> Option<&str> {
    let is_wire = |word: &&str| {
        word.contains('_')
            && word.len() > 3
            && word.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
            && !SPOKEN_UPPER.contains(word)
    };
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).find(is_wire)
}

/// The text with every number as `#`: what was made from one template is alike.
#[must_use]
pub fn template(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '0'..='9' if out.ends_with('#') => {}
            '0'..='9' => out.push('#'),
            ',' | '.' | ':' if out.ends_with('#') => out.push(c),
            c => out.push(c),
        }
    }
    // "#,#" and "#.#" are one number.
    for joined in ["#,#", "#.#", "#:#"] {
        while out.contains(joined) {
            out = out.replace(joined, "#");
        }
    }
    out
}

/// Every template that was said, by what it is for, with one sample of each.
#[derive(Debug, Default)]
pub struct Voice(BTreeMap<String, BTreeMap<String, String>>);

impl Voice {
    /// A text as it was said.
    pub fn check(&mut self, what: &str, text: &str) {
        if !text.is_empty() {
            self.0.entry(what.to_owned()).or_default().entry(template(text)).or_insert_with(|| text.to_owned());
        }
    }

    /// The sentences of a text, each by itself.
    pub fn check_each(&mut self, what: &str, text: &str) {
        for sentence in text.split_inclusive(". ") {
            self.check(what, sentence.trim_end());
        }
    }

    /// How many templates there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }

    /// Was nothing said?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The catalogue: a sample of each template, below what it is for.
    #[must_use]
    pub fn catalogue(&self) -> String {
        let mut out = String::new();
        for (what, samples) in &self.0 {
            let _infallible = writeln!(out, "## {what}");
            for sample in samples.values() {
                let _infallible = writeln!(out, "{sample}");
            }
        }
        out
    }

    /// What is wrong with each of them.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let all = self.0.iter().flat_map(|(what, samples)| samples.values().map(move |sample| (what, sample)));
        all.flat_map(|(what, sample)| faults(sample).into_iter().map(move |fault| format!("{what}: {fault}: {sample}")))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_found() {
        for (text, want) in [
            ("Funding is −18.7σ below its mean. It would clear to chop risk.", ""),
            ("Nobody is told.", "the private word 'nobody'"),
            ("It stood until told.", "the private word 'told'"),
            ("Understands a threshold.", ""),
            ("funding -0.01 %", "a hyphen for a minus"),
            ("since 2026-02-05, 4-hour", ""),
            ("at 2026-02-05T14:35:00.000000001Z", "a moment finer than seconds"),
            ("at 14:35:00Z, 0.5 % of it", ""),
            ("It would clear to CHOP_RISK.", "the word of the wire 'CHOP_RISK'"),
            ("Squeeze risk!", "an exclamation mark"),
        ] {
            assert_eq!(faults(text).first().map_or("", String::as_str), want, "{text}");
        }
        assert!(faults(&"word 1 ".repeat(36)).iter().any(|f| f.contains("36 words")));
    }

    #[test]
    fn numbers_make_no_template() {
        assert_eq!(template("1,234.5 % at 14:35Z, 2 of 48"), "# % at #Z, # of #");
        let mut voice = Voice::default();
        voice.check_each("risk", "Price 1. Price 2. Other 3.");
        assert_eq!((voice.len(), voice.catalogue().as_str()), (2, "## risk\nOther 3.\nPrice 1.\n"));
    }
}
