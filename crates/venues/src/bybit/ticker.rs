//! The merged ticker of one market: deltas change what they carry, everything else stays (sheet §4).
//!
//! Each field keeps the stamp of the message that set it, and an older message does not overwrite a newer one. So the
//! tickers of two connections merge in whatever order they come, and one that lags does no harm.

use super::{map, wire};
use barograph_domain::Ts;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Field {
    value: Option<f64>,
    at: Option<Ts>,
}

impl Field {
    /// False: there is a text, and it is not such a number.
    fn set(&mut self, at: Ts, text: &str, read: impl Fn(&str) -> Option<f64>) -> bool {
        if text.is_empty() {
            return true;
        }
        let value = read(text);
        if value.is_some() && self.at.is_none_or(|t| at >= t) {
            (self.value, self.at) = (value, Some(at));
        }
        value.is_some()
    }
}

/// The ticker of one market as its partial messages add up.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Merged {
    /// A snapshot has been seen: the rest is complete.
    complete: bool,
    bid: Field,
    ask: Field,
    mark: Field,
    index: Field,
    single: Field,
    both: Field,
    rate: Field,
    hours: Field,
    next: Option<(Ts, Ts)>,
}

impl Merged {
    /// Merges a message; `None` when it cannot be used yet (a delta before the first snapshot). False: a field of it was
    /// out of range and left out.
    pub(super) fn merge(&mut self, at: Ts, snapshot: bool, t: &wire::Ticker<'_>) -> Option<bool> {
        self.complete |= snapshot;
        if !self.complete {
            return None;
        }
        let mut good = true;
        good &= self.bid.set(at, &t.bid1_price, map::price);
        good &= self.ask.set(at, &t.ask1_price, map::price);
        good &= self.mark.set(at, &t.mark_price, map::price);
        good &= self.index.set(at, &t.index_price, map::price);
        good &= self.single.set(at, &t.single_open_interest, map::qty);
        good &= self.both.set(at, &t.open_interest, map::qty);
        good &= self.rate.set(at, &t.funding_rate, map::rate);
        if let Some(hours) = t.funding_interval_hour.0 {
            let hours = u8::try_from(hours).ok().filter(|h| (1..=24).contains(h)).map(f64::from);
            good &= hours.is_some();
            if hours.is_some() && self.hours.at.is_none_or(|h| at >= h) {
                self.hours = Field { value: hours, at: Some(at) };
            }
        }
        if let Some(next) = t.next_funding_time.ts()
            && self.next.is_none_or(|(_, was)| at >= was)
        {
            self.next = Some((next, at));
        }
        Some(good)
    }

    pub(super) fn top(&self) -> Option<(f64, f64)> {
        Some((self.bid.value?, self.ask.value?))
    }

    pub(super) fn mark(&self) -> Option<f64> {
        self.mark.value
    }

    pub(super) fn index(&self) -> Option<f64> {
        self.index.value
    }

    /// One side, as the venue counts: base units, USD for inverse contracts.
    pub(super) fn interest(&self) -> Option<f64> {
        self.single.value.or_else(|| self.both.value.map(|v| v / 2.0))
    }

    /// Running rate, hours between settlements, next settlement.
    pub(super) fn funding(&self) -> Option<(f64, Option<f64>, Option<Ts>)> {
        Some((self.rate.value?, self.hours.value, self.next.map(|(t, _)| t)))
    }

    pub(super) fn next(&self) -> Option<Ts> {
        self.next.map(|(t, _)| t)
    }
}
