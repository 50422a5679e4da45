//! On-chain and sentiment sources: what is asked of whom and when, what a body holds, and what of it is news (R1.32–R1.34, R4.68;
//! sources: the sheet `onchain.md` of the venues, read 2026-11).
//!
//! The rooms: [`series`] is one series as set, [`defillama`], [`glassnode`], [`dune`], [`fng`] and [`scored`] read bodies, [`protocol`] one
//! protocol with the tokens that explain a jump, [`schedule`] says when a series is asked again, [`reply`] what an answer's status
//! and headers mean, [`vintage`] which values are new or revised and since when each counts as known.
//!
//! Left out on purpose: sockets, keys, clocks and the store (`live`), and what the values amount to (`engine`).

pub mod defillama;
pub mod dune;
pub mod fng;
pub mod glassnode;
pub mod protocol;
pub mod reply;
pub mod schedule;
pub mod scored;
pub mod series;
pub mod vintage;

pub use series::{OnchainHost, OnchainSeries, SeriesRules};

use barograph_domain::{Span, Ts};
use core::fmt;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

/// Largest body that is read, in bytes: charts have some 2 MB, a protocol with all its tokens tens of them.
pub const BODY_BYTES_MAX: usize = 32 << 20;
/// A day.
pub(crate) const DAY: Span = Span::days(1);
/// How far ahead of our clock a source's may be.
const FAST_MAX: Span = Span::mins(10);

/// A value as a body states it.
#[derive(Clone, PartialEq, Debug)]
pub struct OnchainPoint {
    /// Start of the interval that it describes, or the moment of a text.
    pub event_ts: Ts,
    /// In the unit of its series; `None` where the source states that it has none.
    pub value: Option<f64>,
    /// Its interval was not over when it was read: it moves until then.
    pub provisional: bool,
    /// Since when its source had it, where the source says so.
    pub known: Option<Ts>,
    /// Which market it is of as its source writes it; `None`: every one.
    pub symbol: Option<String>,
    /// Who measured it, where that is not the source of the series.
    pub source: Option<String>,
    /// What else the source states, by key.
    pub tags: BTreeMap<&'static str, String>,
}

impl OnchainPoint {
    /// A value of an interval of this length, as read at `recv`.
    pub(crate) fn of_interval(event_ts: Ts, value: impl Into<Option<f64>>, interval: Span, recv: Ts) -> Self {
        let provisional = event_ts + interval > recv;
        Self {
            event_ts,
            value: value.into(),
            provisional,
            known: None,
            symbol: None,
            source: None,
            tags: BTreeMap::new(),
        }
    }
}

/// What a body holds, ascending by moment.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OnchainBody {
    /// The values.
    pub points: Vec<OnchainPoint>,
    /// Rows that were left out, the first few with their reasons.
    pub left_out: Vec<String>,
    /// What the operator should know of a body that is used all the same.
    pub note: Option<String>,
}

/// Why a body is not used at all: it is kept aside, and the values of before stay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quarantine(pub String);

impl fmt::Display for Quarantine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Quarantine {}

pub(crate) fn quarantine<T>(why: impl Into<String>) -> Result<T, Quarantine> {
    Err(Quarantine(why.into()))
}

/// Longest beginning of a body that is repeated to people.
const SHOWN_MAX: usize = 40;

/// The body as JSON of a shape; other fields are ignored.
pub(crate) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Quarantine> {
    let begin = body.iter().position(|b| !b.is_ascii_whitespace()).map_or(&[][..], |at| &body[at..]);
    match begin.first() {
        None => quarantine("the body is empty"),
        Some(b'<') => quarantine("the body is a page (HTML), not data"),
        Some(_) => serde_json::from_slice(body).map_err(|e| {
            let shown: String = String::from_utf8_lossy(begin).chars().take(SHOWN_MAX).collect();
            let shown = barograph_domain::text::escape_control(&shown).into_owned();
            Quarantine(format!("the body is not what was expected: {e}; it begins with '{shown}'"))
        }),
    }
}

/// A moment in unix seconds, as a number or as a text, not ahead of `recv`.
pub(crate) fn seconds(value: &Value, recv: Ts) -> Result<Ts, Quarantine> {
    let whole = match value {
        Value::Number(n) => n.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    // Bitcoin's first block is of 2009: what is older is another unit, or no time.
    let known = whole.filter(|s| (1_230_768_000..=9_000_000_000).contains(s)).map(Ts::from_secs);
    match known {
        Some(ts) if ts > recv + FAST_MAX => quarantine(format!("{ts} lies ahead of our clock ({recv})")),
        Some(ts) => Ok(ts),
        None => quarantine(format!("{value} is no time in unix seconds")),
    }
}

/// Ascending by moment; of several of one moment the last counts, as in a chart whose newest row is «now».
pub(crate) fn ordered(mut points: Vec<OnchainPoint>) -> Vec<OnchainPoint> {
    points.sort_by_key(|p| p.event_ts);
    let mut kept: Vec<OnchainPoint> = Vec::with_capacity(points.len());
    for point in points {
        match kept.last_mut() {
            Some(last) if last.event_ts == point.event_ts => *last = point,
            _ => kept.push(point),
        }
    }
    kept
}

/// Amounts of dollars or coins are finite and not negative.
pub(crate) fn amount(value: f64, what: &str, at: Ts) -> Result<f64, Quarantine> {
    if value.is_finite() && value >= 0.0 {
        Ok(value)
    } else {
        quarantine(format!("{what} of {at} is {value}, which no amount can be"))
    }
}
