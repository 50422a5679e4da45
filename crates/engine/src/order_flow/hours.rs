//! The hour under way and the hours of the last 30 days, of trades alone.

use super::accounting::RestingSide;
use super::seconds::Seconds;
use barograph_domain::math::{exp, log10};
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Hours of 30 days.
const HOURS: usize = 30 * 24;
/// Trades that wait for their opposite; of more within a second the oldest are given up.
const WAITING_MAX: usize = 512;
/// The two trades of a pair come within this (surveillance §5).
const PAIR: Span = Span::secs(1);
const FIVE_MINUTES: i64 = 300;

/// A trade that no opposite one has cancelled out yet.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Single {
    at: Ts,
    units: i64,
    qty: f64,
    bought: bool,
}

/// Trades of an hour.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct HourSum {
    /// Base volume, and the part of it in pairs that cancel each other out.
    pub(super) volume: f64,
    paired: f64,
    pub(super) trades: u32,
    round: u32,
    /// Trades by first digit of their size, 1 to 9.
    digits: [u32; 9],
    least: f64,
    greatest: f64,
    /// Volumes of its whole five minutes.
    fives: Vec<f64>,
    /// Part of it was not seen.
    pub(super) broken: bool,
}

/// An hour that is over.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct HourRow {
    pub(super) number: i64,
    pub(super) volume: f64,
    pub(super) pairs: f64,
    pub(super) round: f64,
    /// Median volume of its five minutes.
    pub(super) five: f64,
}

/// First digits against Benford's law: `χ²` with 8 degrees of freedom.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct FirstDigits {
    pub(super) chi2: f64,
    /// Probability of one as large by chance.
    pub(super) p: f64,
    /// Cramér-type effect `√(χ²/(8n))`: large numbers make any p tiny.
    pub(super) effect: f64,
}

impl HourSum {
    /// Share of its volume in pairs that cancel each other out.
    pub(super) fn pairs_share(&self) -> f64 {
        if self.volume > 0.0 { self.paired / self.volume } else { 0.0 }
    }

    /// Share of its trades whose size has at most two digits that count.
    pub(super) fn round_share(&self) -> f64 {
        f64::from(self.round) / f64::from(self.trades.max(1))
    }

    /// `None` where sizes span less than two decades: nothing is expected of their digits then.
    pub(super) fn first_digits(&self) -> Option<FirstDigits> {
        let n = f64::from(self.digits.iter().sum::<u32>());
        if n == 0.0 || self.greatest < 100.0 * self.least {
            return None;
        }
        let part = |(digit, seen): (u32, &u32)| {
            let expected = n * log10(1.0 + 1.0 / f64::from(digit));
            (f64::from(*seen) - expected) * (f64::from(*seen) - expected) / expected
        };
        let chi2: f64 = (1..).zip(&self.digits).map(part).sum();
        // The upper tail of χ² with an even number of degrees has a closed form.
        let half = 0.5 * chi2;
        let p = exp(-half) * (1.0 + half * (1.0 + half / 2.0 * (1.0 + half / 3.0)));
        Some(FirstDigits { chi2, p, effect: (chi2 / (8.0 * n)).sqrt() })
    }
}

/// First digit of a number above zero and whether at most its first two digits are not zero. Sizes are decimals of the venue, so
/// what is a billionth of the size is rounding.
fn digits_of(qty: f64) -> Option<(usize, bool)> {
    let scale = super::pow10(log10(qty).floor());
    let lead = (qty / scale * (1.0 + 1e-12)).clamp(1.0, 9.999_999_999);
    let ten = 10.0 * lead;
    let first = (1..=9).rev().find(|d| lead >= f64::from(*d))?;
    Some((usize::try_from(first).ok()? - 1, (ten - ten.round()).abs() < 1e-6))
}

/// The hour under way and those before it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Hours {
    pub(super) open: HourSum,
    waiting: VecDeque<Single>,
    /// Oldest first; without hours that were not seen whole, and without those of an episode.
    rows: VecDeque<HourRow>,
}

impl Hours {
    /// Nothing is known yet: of the hour under way part was not seen.
    pub(super) fn begin() -> Self {
        Self { open: HourSum { broken: true, ..HourSum::default() }, ..Self::default() }
    }

    pub(super) fn trade(&mut self, at: Ts, (units, tick): (i64, f64), qty: f64, side: RestingSide) {
        let hour = &mut self.open;
        hour.least = if hour.trades == 0 { qty } else { hour.least.min(qty) };
        hour.greatest = hour.greatest.max(qty);
        (hour.volume, hour.trades) = (hour.volume + qty, hour.trades.saturating_add(1));
        if let Some((digit, round)) = digits_of(qty) {
            hour.digits[digit] += 1;
            hour.round += u32::from(round);
        }
        while self.waiting.front().is_some_and(|w| at - w.at > PAIR) || self.waiting.len() >= WAITING_MAX {
            self.waiting.pop_front();
        }
        let bought = side == RestingSide::Ask;
        let opposite = |w: &Single| {
            w.bought != bought && w.qty.to_bits() == qty.to_bits() && (w.units - units).abs() as f64 <= tick
        };
        match self.waiting.iter().position(opposite) {
            Some(place) => {
                self.waiting.remove(place);
                hour.paired += 2.0 * qty;
            }
            None => self.waiting.push_back(Single { at, units, qty, bought }),
        }
    }

    /// Trades are not seen any more, or again: the hour is not whole.
    pub(super) fn lose(&mut self) {
        self.open.broken = true;
        self.waiting.clear();
    }

    /// Notes the volume of five minutes that are over.
    pub(super) fn second(&mut self, second: i64, seconds: &Seconds) {
        if (second + 1) % FIVE_MINUTES == 0 {
            self.open.fives.push(seconds.back().take(300).map(super::seconds::SecondSum::volume).sum());
        }
    }

    /// The hour is over.
    pub(super) fn close(&mut self, number: i64) -> (HourSum, HourRow) {
        let hour = core::mem::take(&mut self.open);
        let mut fives = hour.fives.clone();
        fives.sort_unstable_by(f64::total_cmp);
        let five = crate::kernel::rank::quantile(&fives, 0.5).unwrap_or(0.0);
        let row = HourRow { number, volume: hour.volume, pairs: hour.pairs_share(), round: hour.round_share(), five };
        (hour, row)
    }

    /// The hour counts among what is usual from now on.
    pub(super) fn keep(&mut self, row: HourRow) {
        while self.rows.front().is_some_and(|r| r.number <= row.number - HOURS as i64) {
            self.rows.pop_front();
        }
        self.rows.push_back(row);
    }

    pub(super) fn rows(&self) -> impl ExactSizeIterator<Item = &HourRow> {
        self.rows.iter()
    }

    /// Those of the same hour of the day.
    pub(super) fn same_hour(&self, number: i64) -> impl Iterator<Item = &HourRow> {
        self.rows.iter().filter(move |r| (r.number - number) % 24 == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_sizes() {
        let cases = [
            (1.0, 1, true),
            (0.3, 3, true),
            (0.1, 1, true),
            (250.0, 2, true),
            (0.0123, 1, false),
            (0.012, 1, true),
            (9.99, 9, false),
            (99.0, 9, true),
            (1e-8, 1, true),
            (123_000.0, 1, false),
        ];
        for (qty, digit, round) in cases {
            assert_eq!(digits_of(qty), Some((digit - 1, round)), "{qty}");
        }
    }

    #[test]
    fn pairs_are_matched_once_in_order_of_time() {
        use RestingSide::{Ask, Bid};
        let mut hours = Hours::default();
        // Side, price, size and milliseconds; then the volume in pairs.
        let steps = [
            (Ask, 100, 2.0, 0, 0.0),
            (Ask, 100, 2.0, 100, 0.0),
            (Bid, 101, 2.0, 300, 4.0),
            (Bid, 103, 2.0, 400, 4.0),
            (Bid, 100, 2.5, 500, 4.0),
            (Bid, 100, 2.0, 1_200, 4.0),
            (Ask, 100, 2.0, 1_300, 8.0),
        ];
        for (side, units, qty, ms, paired) in steps {
            hours.trade(Ts::from_millis(ms), (units, 1.0), qty, side);
            assert!((hours.open.paired - paired).abs() < 1e-12, "{} at {ms}", hours.open.paired);
        }
        let (hour, row) = hours.close(7);
        assert_eq!((hour.trades, row.pairs, row.volume), (7, 8.0 / 14.5, 14.5));
    }

    /// Against the tail of a table: χ² of 8 degrees is above 15.507 in 5 % and above 42.70 in one of a million cases.
    #[test]
    fn first_digits_are_held_against_benford() {
        let mut hour = HourSum { least: 0.01, greatest: 10.0, ..HourSum::default() };
        hour.digits = [301, 176, 125, 97, 79, 67, 58, 51, 46];
        let natural = hour.first_digits().unwrap();
        assert!(natural.chi2 < 0.1 && natural.p > 0.999 && natural.effect < 0.01);
        hour.digits = [111; 9];
        let made = hour.first_digits().unwrap();
        assert!(made.chi2 > 350.0 && made.p < 1e-60 && made.effect > 0.2, "{made:?}");
        hour.greatest = 0.5;
        assert_eq!(hour.first_digits(), None, "less than two decades");
    }
}
