//! Lifts that measure themselves: how often the price moved after an alert, against how often it moves here at all (verification §5).
//!
//! The event is `alert_move_1h` of the ledger: within an hour of the first fifth minute after the alert the price moves by one
//! hourly ATR. Its base rate is the same question asked at every fifth minute. Only outcomes that are known by now count, so what a
//! severity rests on could be known when it was given. The ledger registers the same forecasts and resolves them the same way.

use barograph_domain::alert::{AlertChange, Datum, Word};
use barograph_domain::math::{Z_90, wilson};
use barograph_domain::pattern::Family;
use barograph_domain::{Alert, Pattern, Span, Trigger, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

const MINUTE: Span = Span::mins(1);
const GRID: Span = Span::mins(5);
const HORIZON: Span = Span::hours(1);
const MINUTES: i64 = 60;
/// Share of an hour's minutes that must have a price before it may be said that nothing happened.
const COVERAGE_MIN: f64 = 0.80;
/// Windows of an alert that do not overlap, before its lift is stated.
const SEPARATE_MIN: u32 = 30;
/// Instants before a base rate is one: 30 days of fifth minutes.
const BASE_MIN: u32 = 30 * 24 * 12;
/// Windows that begin within an hour overlap.
const OVERLAP: f64 = 12.0;

/// Fact of a record: the lift that was measured of alerts like it before.
pub const LIFT: &str = "lift";
/// Fact of a record: the lower bound of it.
pub const LIFT_LOW: &str = "lift_low";
/// Fact of a record: how many alerts it was measured on.
pub const LIFT_CASES: &str = "lift_cases";

/// How much likelier the price moves after such an alert than at any time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LiftReading {
    /// Precision over base rate.
    pub value: f64,
    /// Wilson's 90 % lower bound of the precision of alerts apart from each other, over the upper bound of the base rate.
    pub low: f64,
    /// Alerts whose outcome is known.
    pub cases: u32,
}

impl LiftReading {
    pub(super) fn note(self, data: &mut Vec<(Word, Datum)>) {
        let numbers = [(LIFT, self.value), (LIFT_LOW, self.low), (LIFT_CASES, f64::from(self.cases))];
        data.extend(numbers.map(|(name, x)| (Word::from(name), Datum::Number(x))));
    }
}

/// What followed one kind of alert.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Followed {
    pattern: Pattern,
    trigger: Option<Trigger>,
    /// The label that was entered; empty of what has none.
    label: Box<str>,
    cases: u32,
    hits: u32,
    separate: u32,
    busy_until: Option<Ts>,
}

/// An instant whose hour is not over.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Begun {
    ts: Ts,
    price: f64,
    atr: f64,
}

/// The lifts of one market.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct LiftWatch {
    /// Prices of the last hour, newest last.
    prices: VecDeque<Option<f64>>,
    newest: Option<Ts>,
    /// Instants of the last hour, oldest first.
    begun: VecDeque<Begun>,
    followed: Vec<Followed>,
    /// Kinds of alerts since the last fifth minute.
    asserted: Vec<u16>,
    /// Kinds of alerts that were registered, and when.
    waiting: Vec<(u16, Ts)>,
    windows: u32,
    moved: u32,
}

impl LiftWatch {
    /// Takes a minute before it is judged; on every fifth what is known by it counts from now on.
    pub fn minute(&mut self, ts: Ts, price: Option<f64>) {
        let missing = self.newest.map_or(MINUTES, |last| (ts - last).0.div_euclid(MINUTE.0) - 1);
        for _ in 0..missing.clamp(0, MINUTES) {
            self.push(None);
        }
        self.push(price.filter(|p| *p > 0.0 && p.is_finite()));
        self.newest = Some(ts);
        if ts.floor(GRID) != ts {
            return;
        }
        while let Some(begun) = self.begun.front().copied().filter(|b| b.ts + HORIZON <= ts) {
            self.begun.pop_front();
            // An hour that ended in a hole is not looked back at.
            let came = if begun.ts + HORIZON == ts { self.came(&begun) } else { None };
            self.count(begun.ts, came);
        }
        self.waiting.retain(|(_, issued)| *issued + HORIZON > ts);
    }

    fn push(&mut self, price: Option<f64>) {
        if self.prices.len() == usize::try_from(MINUTES).unwrap_or(usize::MAX) {
            self.prices.pop_front();
        }
        self.prices.push_back(price);
    }

    /// Did the price move within the hour that has just ended? `None`: too little of it was seen.
    fn came(&self, begun: &Begun) -> Option<bool> {
        let seen = self.prices.iter().flatten();
        let (low, high, n) = seen.fold((begun.price, begun.price, 0_u32), |(a, b, n), p| (a.min(*p), b.max(*p), n + 1));
        let share = |p: f64| barograph_domain::math::ln(p / begun.price).abs() / (begun.atr / begun.price);
        if share(low).max(share(high)) >= 1.0 {
            return Some(true);
        }
        (f64::from(n) / 60.0 >= COVERAGE_MIN).then_some(false)
    }

    fn count(&mut self, issued: Ts, came: Option<bool>) {
        let Some(came) = came else { return };
        self.windows = self.windows.saturating_add(1);
        self.moved = self.moved.saturating_add(u32::from(came));
        for (kind, _) in self.waiting.iter().filter(|(_, at)| *at == issued) {
            let Some(of) = self.followed.get_mut(usize::from(*kind)) else { continue };
            of.cases = of.cases.saturating_add(1);
            of.hits = of.hits.saturating_add(u32::from(came));
            if of.busy_until.is_none_or(|until| issued >= until) {
                of.busy_until = Some(issued + HORIZON);
                of.separate = of.separate.saturating_add(1);
            }
        }
    }

    /// Takes the records that a minute, or an event in it, made.
    pub fn reported(&mut self, records: &[Alert]) {
        for alert in records {
            let begins = matches!(alert.change, AlertChange::Opened | AlertChange::Happened);
            if begins && alert.pattern.family() != Family::Session {
                let kind = self.kind(alert);
                self.asserted.push(kind);
            }
        }
    }

    /// The minute has been judged: on every fifth, what was said since the one before is registered.
    pub fn close(&mut self, ts: Ts, atr: Option<f64>) {
        if ts.floor(GRID) != ts {
            return;
        }
        let price = self.prices.back().copied().flatten();
        let asserted = core::mem::take(&mut self.asserted);
        let Some((price, atr)) = price.zip(atr.filter(|a| *a > 0.0)) else { return };
        self.begun.push_back(Begun { ts, price, atr });
        self.waiting.extend(asserted.into_iter().map(|kind| (kind, ts)));
    }

    fn kind(&mut self, alert: &Alert) -> u16 {
        let label = alert.label_entered().unwrap_or_default();
        let at = self.place(alert.pattern, alert.trigger, label).unwrap_or_else(|| {
            let (pattern, trigger, label) = (alert.pattern, alert.trigger, label.into());
            self.followed.push(Followed { pattern, trigger, label, cases: 0, hits: 0, separate: 0, busy_until: None });
            self.followed.len() - 1
        });
        u16::try_from(at).unwrap_or(u16::MAX)
    }

    fn place(&self, pattern: Pattern, trigger: Option<Trigger>, label: &str) -> Option<usize> {
        self.followed.iter().position(|f| (f.pattern, f.trigger, &*f.label) == (pattern, trigger, label))
    }

    /// What is known of such alerts; `None` before there are enough of them, or of anything.
    #[must_use]
    pub fn of(&self, pattern: Pattern, trigger: Option<Trigger>, label: &str) -> Option<LiftReading> {
        let of = self.followed.get(self.place(pattern, trigger, label)?)?;
        if of.separate < SEPARATE_MIN || self.windows < BASE_MIN || self.moved == 0 {
            return None;
        }
        let precision = f64::from(of.hits) / f64::from(of.cases);
        let base = f64::from(self.moved) / f64::from(self.windows);
        let [low, _] = wilson(precision, f64::from(of.separate), Z_90);
        let [_, high] = wilson(base, f64::from(self.windows) / OVERLAP, Z_90);
        // Of no hits the bound is zero but for rounding.
        let value = precision / base;
        Some(LiftReading { value, low: (low / high).min(value), cases: of.cases })
    }

    /// Windows whose outcome is known, and those in which the price moved, of every fifth minute.
    #[must_use]
    pub const fn base(&self) -> (u32, u32) {
        (self.windows, self.moved)
    }

    /// Alerts whose outcome is known, and those after which the price moved.
    #[must_use]
    pub fn counted(&self) -> (u32, u32) {
        self.followed.iter().fold((0, 0), |(n, k), f| (n + f.cases, k + f.hits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Severity;

    /// 60 days in which the price jumps by 2 % at minute 30 of every sixth hour, with an ATR of 1 %.
    fn run(until: i64, alerts_before_jumps: bool) -> LiftWatch {
        let mut watch = LiftWatch::default();
        for n in 0..until {
            let ts = Ts(0) + MINUTE.times(n);
            let price = if (n + 330) / 360 % 2 == 0 { 100.0 } else { 102.0 };
            watch.minute(ts, Some(price));
            // Twenty minutes before each jump, or as long after it.
            let at = if alerts_before_jumps { 10 } else { 50 };
            if n % 360 == at {
                watch.reported(&[Alert::opened(Pattern::FundingAnomaly, ts, Severity::Medium)]);
            }
            watch.close(ts, Some(1.0));
        }
        watch
    }

    #[test]
    fn alerts_before_moves_are_lifted_and_others_are_not() {
        let of = |watch: &LiftWatch| watch.of(Pattern::FundingAnomaly, None, "");
        let days = |n: i64| n * 1_440;
        let good = of(&run(days(60), true)).unwrap();
        // Twelve instants of each 72 come before a jump.
        assert!((good.value - 6.0).abs() < 0.1 && good.low > 4.0 && good.cases == 240, "{good:?}");
        let bad = of(&run(days(60), false)).unwrap();
        assert!(bad.value == 0.0 && bad.low == 0.0, "{bad:?}");
        assert_eq!(of(&run(days(20), true)), None, "less than a month of base rate");
        assert_eq!(run(days(60), true).of(Pattern::FundingReversal, None, ""), None);
    }

    #[test]
    fn an_outcome_counts_when_its_hour_is_over_and_not_before() {
        // The alert of minute 10 is registered then; the price moves at minute 30.
        assert_eq!([60, 69, 71].map(|n| run(n, true).counted()), [(0, 0), (0, 0), (1, 1)]);
        let bytes = postcard::to_allocvec(&run(65, true)).unwrap();
        assert_eq!(postcard::from_bytes::<LiftWatch>(&bytes).unwrap(), run(65, true));
    }

    #[test]
    fn holes_make_no_outcome() {
        let mut watch = LiftWatch::default();
        for n in (0..200).filter(|n| !(20..80).contains(n)) {
            watch.minute(Ts(0) + MINUTE.times(n), Some(100.0));
            watch.close(Ts(0) + MINUTE.times(n), Some(1.0));
        }
        // Hours from minute 80 on, and none that reached into the hole for more than a fifth.
        let (windows, moved) = watch.base();
        assert_eq!((windows, moved), (12, 0));
    }
}
