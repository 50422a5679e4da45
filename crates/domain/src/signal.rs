//! Signals: values that somebody brings beside what venues publish (R1.13, R1.18, R1.19).
//!
//! A signal has a name of its own, `x.` and words, so that it never stands for a metric of the program. What the program fetches from
//! on-chain, options and sentiment sources is kept in the same way, under names that nobody else may write. A value is never overwritten: what
//! is brought later about the same moment is a revision with a later `known_ts`, and an answer as of a moment is made of what was
//! known by then. What does not belong here: where values come from, and what is made of them.

use crate::text::is_one_line;
use crate::{InstrumentName, Ts};
use std::collections::BTreeMap;
use std::fmt;

/// What every name begins with.
pub const SIGNAL_PREFIX: &str = "x.";
/// What names of values begin with that the program fetches itself, by who measured them (docs/sheets/onchain.md,
/// docs/options.md).
pub const FETCHED_PREFIXES: [&str; 6] = ["defillama.", "deribit.", "dune.", "fng.", "glassnode.", "sentiment."];
/// Longest name, the beginning included; so long are columns and file names that other tools still show.
pub const SIGNAL_NAME_MAX: usize = 64;
/// Longest name of a source.
pub const SIGNAL_SOURCE_MAX: usize = 64;
/// Most tags of a value, and the longest key or text of one.
pub const SIGNAL_TAGS_MAX: (usize, usize) = (16, 128);
/// Where a signal is of every market.
const EVERY_MARKET: &str = "*";

/// A source as the declaration of a rule names it: between quotation marks where it is not one plain word.
#[must_use]
pub fn source_in_rule(source: &str) -> String {
    let is_word = !source.is_empty() && !source.contains(|c: char| c.is_whitespace() || ";#'\"".contains(c));
    match source {
        _ if is_word => source.to_owned(),
        _ if source.contains('\'') => format!("\"{source}\""),
        _ => format!("'{source}'"),
    }
}

/// Name of a signal, for example `x.desk_flow` or `x.news.score`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SignalName(String);

impl SignalName {
    /// The name in `text`.
    ///
    /// # Errors
    /// What is wrong with it and how it is written.
    pub fn parse(text: &str) -> Result<Self, SignalFault> {
        let words = text.strip_prefix(SIGNAL_PREFIX).ok_or_else(|| SignalFault::Prefix(text.to_owned()))?;
        Self::of_words(text, words)
    }

    /// The name in `text`, which may also be one of a value that the program fetches: what is stored and what is asked for.
    ///
    /// # Errors
    /// See [`Self::parse`].
    pub fn any(text: &str) -> Result<Self, SignalFault> {
        if Self::is_fetched(text) { Self::of_words(text, text) } else { Self::parse(text) }
    }

    /// Does this begin as names of values do that the program fetches?
    #[must_use]
    pub fn is_fetched(text: &str) -> bool {
        FETCHED_PREFIXES.iter().any(|prefix| text.starts_with(prefix))
    }

    fn of_words(text: &str, words: &str) -> Result<Self, SignalFault> {
        let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
        let is_word =
            |word: &str| word.bytes().next().is_some_and(|c| c.is_ascii_lowercase()) && word.bytes().all(plain);
        if text.len() > SIGNAL_NAME_MAX || !words.split('.').all(is_word) {
            return Err(SignalFault::Name(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SignalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A number that is made of a signal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum SignalNumber {
    /// Its newest value, in its own unit.
    Value,
    /// Change since the value of a day before, as a fraction.
    Delta24h,
    /// Score against the values of 7 days, in standard deviations.
    Z7d,
    /// Rank among the values of 30 days, in [0, 1].
    Percentile30d,
}

impl SignalNumber {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Value, Self::Delta24h, Self::Z7d, Self::Percentile30d];

    /// What a rule calls it: the name of the signal, and behind a dot that of the reading.
    #[must_use]
    pub fn of(self, name: &SignalName) -> String {
        format!("{name}{}", self.ending())
    }

    /// What stands behind the name of the signal.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Value => "",
            Self::Delta24h => ".delta_24h",
            Self::Z7d => ".z_7d",
            Self::Percentile30d => ".percentile_30d",
        }
    }
}

/// What a signal speaks of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SignalScope {
    /// Every market.
    Every,
    /// One market.
    Market(InstrumentName),
}

impl SignalScope {
    /// `*`, or `venue:symbol`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, SignalFault> {
        if text == EVERY_MARKET {
            return Ok(Self::Every);
        }
        InstrumentName::parse(text).map(Self::Market).map_err(|_plain| SignalFault::Scope(text.to_owned()))
    }
}

impl fmt::Display for SignalScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every => f.write_str(EVERY_MARKET),
            Self::Market(name) => write!(f, "{name}"),
        }
    }
}

/// Where the moment comes from since when a value may be used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SignalKnown {
    /// It arrived then.
    Received,
    /// Whoever brought it states so: history, whose arrival nobody here has seen.
    Stated,
}

impl SignalKnown {
    /// The word in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Stated => "stated",
        }
    }
}

/// One value as it was known at a moment.
#[derive(Clone, PartialEq, Debug)]
pub struct SignalPoint {
    /// What is measured.
    pub name: SignalName,
    /// What it speaks of.
    pub scope: SignalScope,
    /// Who measured it.
    pub source: String,
    /// The moment it is of.
    pub event_ts: Ts,
    /// The value, finite, in the unit of its source; `None` takes back what was there.
    pub value: Option<f64>,
    /// What the source adds, by key.
    pub tags: BTreeMap<String, String>,
    /// Since when it may be used.
    pub known_ts: Ts,
    /// Where that comes from.
    pub known: SignalKnown,
}

impl SignalPoint {
    /// What makes two values revisions of one: (source, symbol, name, timestamp), R1.18.
    #[must_use]
    pub fn key(&self) -> SignalKey<'_> {
        SignalKey { name: &self.name, scope: &self.scope, event_ts: self.event_ts, source: &self.source }
    }

    /// Does it say the same as another of its key? The moment since when it is known does not count.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.bits() == other.bits() && self.tags == other.tags
    }

    /// The bits of the value; of both zeros those of the positive one, because a database need not keep them apart.
    #[must_use]
    pub fn bits(&self) -> Option<u64> {
        self.value.map(|v| (v + 0.0).to_bits())
    }

    /// Is it what can be stored?
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), SignalFault> {
        if let Some(value) = self.value.filter(|v| !v.is_finite()) {
            return Err(SignalFault::Value(value));
        }
        if !is_one_line(&self.source, SIGNAL_SOURCE_MAX) {
            return Err(SignalFault::Source);
        }
        let (count, length) = SIGNAL_TAGS_MAX;
        if self.tags.len() > count || !self.tags.iter().all(|(k, v)| is_one_line(k, length) && is_one_line(v, length)) {
            return Err(SignalFault::Tags);
        }
        if self.known_ts < self.event_ts {
            return Err(SignalFault::Early { event: self.event_ts, known: self.known_ts });
        }
        Ok(())
    }
}

/// What names a value through all its revisions, in the order in which values are listed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SignalKey<'a> {
    /// What is measured.
    pub name: &'a SignalName,
    /// What it speaks of.
    pub scope: &'a SignalScope,
    /// The moment it is of.
    pub event_ts: Ts,
    /// Who measured it.
    pub source: &'a str,
}

/// Why a value cannot be taken.
#[derive(Clone, PartialEq, Debug)]
pub enum SignalFault {
    /// The name is not one for signals.
    Prefix(String),
    /// The name cannot be one.
    Name(String),
    /// No market.
    Scope(String),
    /// Not a finite number.
    Value(f64),
    /// No name of a source.
    Source,
    /// Too many tags, or texts that are empty, long or not printable.
    Tags,
    /// Known before it happened.
    Early {
        /// The moment it is of.
        event: Ts,
        /// Since when it is meant to be known.
        known: Ts,
    },
}

impl fmt::Display for SignalFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(text) => write!(
                f,
                "'{text}' is not a name for a signal of your own: names begin with '{SIGNAL_PREFIX}', for example \
                 {SIGNAL_PREFIX}desk_flow; others are the program's"
            ),
            Self::Name(text) => write!(
                f,
                "'{text}' cannot be the name of a signal: '{SIGNAL_PREFIX}' and words of lower-case letters, digits and _ \
                 joined by dots, each beginning with a letter, {SIGNAL_NAME_MAX} characters at most"
            ),
            Self::Scope(text) => {
                write!(
                    f,
                    "'{text}' is no market: use venue:symbol, for example binance-usdm:BTCUSDT, or * for every market"
                )
            }
            Self::Value(value) => write!(f, "the value {value} is not a finite number; null takes a value back"),
            Self::Source => {
                write!(f, "the source is a name of 1 to {SIGNAL_SOURCE_MAX} visible characters, for example my_desk")
            }
            Self::Tags => {
                let (count, length) = SIGNAL_TAGS_MAX;
                write!(f, "at most {count} tags, keys and texts of 1 to {length} visible characters")
            }
            Self::Early { event, known } => {
                write!(
                    f,
                    "known since {known}, before the moment it is of ({event}); nothing is known before it happens"
                )
            }
        }
    }
}

impl std::error::Error for SignalFault {}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(value: Option<f64>) -> SignalPoint {
        SignalPoint {
            name: SignalName::parse("x.desk_flow").unwrap(),
            scope: SignalScope::Every,
            source: "desk".to_owned(),
            event_ts: Ts(10),
            value,
            tags: BTreeMap::new(),
            known_ts: Ts(20),
            known: SignalKnown::Received,
        }
    }

    #[test]
    fn names_are_words_behind_the_prefix() {
        for good in ["x.a", "x.desk_flow", "x.news.score_2"] {
            assert_eq!(SignalName::parse(good).unwrap().to_string(), good);
        }
        let long = format!("x.{}", "a".repeat(SIGNAL_NAME_MAX));
        for (bad, words) in [
            ("funding_rate", "begin with 'x.'"),
            ("x.", "cannot be the name"),
            ("x.A", "cannot be the name"),
            ("x.1a", "cannot be the name"),
            ("x.a..b", "cannot be the name"),
            ("x.a b", "cannot be the name"),
            (long.as_str(), "64 characters at most"),
        ] {
            let fault = SignalName::parse(bad).unwrap_err().to_string();
            assert!(fault.contains(words), "{bad}: {fault}");
        }
    }

    #[test]
    fn names_of_what_the_program_fetches_are_not_for_others_to_write() {
        for name in [
            "deribit.iv_expiry.e20261227",
            "defillama.tvl.all",
            "glassnode.btc.market.mvrv",
            "fng.value",
            "sentiment.score",
        ] {
            assert_eq!(SignalName::any(name).unwrap().as_str(), name);
            let refused = SignalName::parse(name).unwrap_err().to_string();
            assert!(refused.contains("others are the program's"), "{refused}");
        }
        assert_eq!(SignalName::any("x.a").unwrap().as_str(), "x.a");
        for bad in ["defillama.", "defillama.tvl..all", "defillama.TVL", "funding_rate", "fng"] {
            assert!(SignalName::any(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_scope_is_a_market_or_every_one() {
        for text in ["*", "binance-usdm:BTCUSDT"] {
            assert_eq!(SignalScope::parse(text).unwrap().to_string(), text);
        }
        assert!(SignalScope::parse("BTC USDT").unwrap_err().to_string().contains("venue:symbol"));
    }

    #[test]
    fn what_cannot_be_stored_is_refused_with_its_reason() {
        type Change = fn(&mut SignalPoint);
        let cases: [(Change, &str); 8] = [
            (|p| p.value = Some(f64::NAN), "not a finite number"),
            (|p| p.value = Some(f64::INFINITY), "not a finite number"),
            (|p| p.source.clear(), "the source is a name"),
            (|p| p.source = "a\nb".to_owned(), "the source is a name"),
            (|p| p.source = "desk\u{200b}".to_owned(), "the source is a name"),
            (|p| drop(p.tags.insert("k".to_owned(), "\u{202e}v".to_owned())), "at most 16 tags"),
            (|p| drop(p.tags.insert("k".to_owned(), String::new())), "at most 16 tags"),
            (|p| p.known_ts = Ts(9), "before the moment it is of"),
        ];
        point(Some(1.0)).check().unwrap();
        point(None).check().unwrap();
        for (change, words) in cases {
            let mut changed = point(Some(1.0));
            change(&mut changed);
            let fault = changed.check().unwrap_err().to_string();
            assert!(fault.contains(words), "{fault}");
        }
    }

    #[test]
    fn the_same_value_known_later_is_the_same() {
        let mut later = point(Some(1.0));
        later.known_ts = Ts(30);
        assert!(point(Some(1.0)).is_same(&later));
        assert!(!point(Some(1.0)).is_same(&point(Some(2.0))));
        assert!(!point(Some(1.0)).is_same(&point(None)));
        assert!(point(Some(0.0)).is_same(&point(Some(-0.0))), "one zero");
        assert_eq!(point(Some(1.0)).key(), later.key());
    }
}
