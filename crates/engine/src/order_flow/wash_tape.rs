//! The statistics of WASH_TRADING hour by hour over a tape of trades, for studies that hold them against a truth (surveillance §10).
//!
//! The same hours, tests and runs as [`super::OrderFlow`] has, without a book, seconds or records: what a study learns is true of the
//! detector. Hours without a trade are closed like all others. The first hour is not seen whole.

use super::accounting::RestingSide;
use super::hours::Hours;
use super::wash::WashTrading;
use super::wash_signs::{WashSigns, signs};
use super::{FlowThresholds, HourContext};
use barograph_domain::{Side, Span, Ts};

const HOUR: Span = Span::hours(1);
/// Most hours between the first trade of a tape and one behind it: ten years. Each is an hour of its own, so a row with a wrong
/// century would be millions of empty ones.
pub const TAPE_HOURS_MAX: i64 = 10 * 8_766;

/// A trade lies too far from the first one of its tape.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TapeSpanFault {
    /// Beginning of the first hour.
    pub first: Ts,
    /// The trade.
    pub at: Ts,
}

impl core::fmt::Display for TapeSpanFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let years = TAPE_HOURS_MAX / 8_766;
        write!(
            f,
            "trades lie between {} and {}, more than {years} years apart; remove the rows with a wrong time, or split the set",
            self.first, self.at
        )
    }
}

impl core::error::Error for TapeSpanFault {}

/// One hour that is over.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct WashHour {
    /// Its beginning.
    pub from: Ts,
    /// Trades in it.
    pub trades: u32,
    /// The detector judged it: it was seen whole, with trades and earlier hours enough.
    pub judged: bool,
    /// What the tests measure.
    pub signs: WashSigns,
    /// Which tests (a) to (d) were true; none of an hour that was not judged.
    pub true_tests: [bool; 4],
    /// Hours in a row in which enough of them were, with this one.
    pub run: u32,
    /// There are enough in a row for an alert.
    pub holds: bool,
}

/// The hours of one market's tape.
#[derive(Clone, Debug)]
pub struct WashTape {
    hours: Hours,
    wash: WashTrading,
    /// Number of the first hour.
    first: Option<i64>,
    /// Number of the hour under way.
    open: Option<i64>,
}

impl WashTape {
    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self { hours: Hours::begin(), wash: WashTrading::default(), first: None, open: None }
    }

    /// Takes a trade, its price in ticks; hours that are over by then are added to `out`. One that is earlier than the hour under way
    /// counts in that hour.
    ///
    /// # Errors
    /// When it is more than [`TAPE_HOURS_MAX`] behind the first one; it is not taken.
    pub fn trade(
        &mut self,
        at: Ts,
        (ticks, qty, aggressor_side): (i64, f64, Side),
        t: &FlowThresholds,
        out: &mut Vec<WashHour>,
    ) -> Result<(), TapeSpanFault> {
        let hour = at.0.div_euclid(HOUR.0);
        let first = *self.first.get_or_insert(hour);
        if hour - first > TAPE_HOURS_MAX {
            return Err(TapeSpanFault { first: Ts(first.saturating_mul(HOUR.0)), at });
        }
        self.reach(hour, t, out);
        let side = match aggressor_side {
            Side::Long => RestingSide::Ask,
            Side::Short => RestingSide::Bid,
        };
        self.hours.trade(at, (ticks, 1.0), qty, side);
        Ok(())
    }

    /// Ends the tape: its last hour is not seen whole, and counts as one that is not.
    pub fn end(mut self, t: &FlowThresholds, out: &mut Vec<WashHour>) {
        self.hours.open.broken = true;
        if let Some(open) = self.open {
            self.reach(open + 1, t, out);
        }
    }

    fn reach(&mut self, hour: i64, t: &FlowThresholds, out: &mut Vec<WashHour>) {
        let first = *self.open.get_or_insert(hour);
        for over in first..hour {
            out.push(self.close(over, t));
            self.open = Some(over + 1);
        }
    }

    fn close(&mut self, number: i64, t: &FlowThresholds) -> WashHour {
        // Volatility, open interest and other venues are not on a tape.
        let context = HourContext::default();
        let (hour, row) = self.hours.close(number);
        let (signs, _) = signs(&hour, &row, &self.hours, &context, t);
        if self.wash.hour((&hour, &row), &self.hours, &context, t) {
            self.hours.keep(row);
        }
        WashHour {
            from: Ts(number * HOUR.0),
            trades: hour.trades,
            judged: self.wash.has_judged(t),
            signs,
            true_tests: self.wash.true_tests(),
            run: self.wash.run(),
            holds: self.wash.holds(t),
        }
    }
}

impl Default for WashTape {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Trades of alternating sides at a price that steps away, 300 an hour; in `paired` hours each is answered at once.
    fn hours(n: i64, paired: &[i64]) -> Vec<WashHour> {
        let (mut tape, mut out, t) = (WashTape::new(), Vec::new(), FlowThresholds::default());
        for hour in 0..n {
            for k in 0..300_i64 {
                let at = Ts(hour * HOUR.0) + Span::secs(k * 12);
                let made = paired.contains(&hour);
                // Sizes of three digits, or round ones where somebody trades with himself.
                let qty = if made { 2.0 } else { 1.01 + f64::from(u32::try_from((k * 37) % 89).unwrap()) / 100.0 };
                tape.trade(at, (1_000 + 5 * k, qty, Side::Long), &t, &mut out).unwrap();
                if made {
                    tape.trade(at + Span::millis(400), (1_000 + 5 * k, qty, Side::Short), &t, &mut out).unwrap();
                }
            }
        }
        tape.end(&t, &mut out);
        out
    }

    #[test]
    fn two_hours_of_pairs_in_round_sizes_are_found_and_no_other() {
        let found = hours(40, &[30, 31]);
        assert_eq!(found.len(), 40);
        let first = |of: fn(&WashHour) -> bool| found.iter().position(of);
        assert_eq!(first(|h| h.judged), Some(25), "one broken hour, 24 that are usual");
        assert_eq!(found.iter().filter(|h| h.holds).count(), 1, "the second of the two");
        assert_eq!(first(|h| h.holds), Some(31));
        assert_eq!((found[30].run, found[30].true_tests), (1, [true, false, false, true]));
        assert!(found[30].signs.pairs > 0.99 && found[29].signs.pairs < 0.01, "{:?}", found[29]);
        assert!(found[39].signs.round.is_some_and(|r| r < 0.05) && !found[39].judged, "the last is not whole");
        assert!(hours(40, &[]).iter().all(|h| !h.holds && h.run == 0));
    }

    #[test]
    fn an_hour_without_trades_is_an_hour() {
        let (mut tape, mut out, t) = (WashTape::new(), Vec::new(), FlowThresholds::default());
        tape.trade(Ts(HOUR.0), (1, 1.0, Side::Long), &t, &mut out).unwrap();
        tape.trade(Ts(4 * HOUR.0), (1, 1.0, Side::Long), &t, &mut out).unwrap();
        assert_eq!(out.iter().map(|h| h.trades).collect::<Vec<_>>(), [1, 0, 0]);
    }

    #[test]
    fn a_row_of_another_century_is_refused_before_its_hours_are_made() {
        let (mut tape, mut out, t) = (WashTape::new(), Vec::new(), FlowThresholds::default());
        let (wrong, right) = (Ts::from_civil(1700, 1, 1, 0, 0, 0), Ts::from_civil(2023, 2, 27, 15, 0, 2));
        tape.trade(wrong, (1, 1.0, Side::Long), &t, &mut out).unwrap();
        let fault = tape.trade(right, (1, 1.0, Side::Long), &t, &mut out).unwrap_err();
        assert_eq!((fault, out.len()), (TapeSpanFault { first: wrong, at: right }, 0));
        assert!(fault.to_string().contains("1700-01-01") && fault.to_string().contains("more than 10 years apart"));
        let (mut tape, longest) = (WashTape::new(), Ts(TAPE_HOURS_MAX * HOUR.0));
        tape.trade(Ts(0), (1, 1.0, Side::Long), &t, &mut out).unwrap();
        tape.trade(longest, (1, 1.0, Side::Long), &t, &mut out).unwrap();
        assert!(tape.trade(longest + HOUR, (1, 1.0, Side::Long), &t, &mut out).is_err());
    }
}
