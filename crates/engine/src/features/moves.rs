//! How far the price moved in a day, and whether that is far for this market (headline, UX §1).
//!
//! The change compares two samples a day apart; where the earlier one is missing, the newest of the five minutes before it
//! stands in, so that one lost minute does not take the reading away a day later. Its size is ranked among the sizes at whole
//! hours of 90 days.

use super::bars::Priced;
use super::hourly::HourlyRank;
use super::reading::{ReadinessSettings, ReadingOrigin, Slot};
use super::slots::slots;
use crate::series::Series;
use barograph_domain::time::DAY;
use barograph_domain::{Reason, Span, State};
use serde::{Deserialize, Serialize};

/// How much earlier than a day ago the earlier sample may be.
const EARLIER_MAX: Span = Span::mins(5);
const QUARTER_HOURS: usize = 2_160;
const PCT_MIN_N: usize = 336;

slots! {
    /// The day's change and the rank of its size.
    pub struct MoveSlots {
        /// `P(t)/P(t − 24 h) − 1`.
        pub change: Slot,
        /// Percentile of its size within 90 d.
        pub size_pct: Slot,
    }
}

/// Sizes of a day's change at whole hours.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Moves {
    sizes: HourlyRank,
}

impl Default for Moves {
    fn default() -> Self {
        Self { sizes: HourlyRank::new(QUARTER_HOURS, PCT_MIN_N) }
    }
}

impl Moves {
    /// The sample of a whole hour has come, or is known to be missing.
    pub fn note_hour<V: Priced>(&mut self, hour: i64, series: &Series<V>, index: i64) {
        self.sizes.push(hour, change(series, index).map(f64::abs));
    }

    /// Are there hours enough to rank a size among, itself included?
    #[must_use]
    pub fn may_rank(&self) -> bool {
        self.sizes.window().count() + 1 >= PCT_MIN_N
    }

    /// Readings at the series' anchor.
    #[must_use]
    pub fn slots<V: Priced>(
        &self,
        series: &Series<V>,
        origin: &ReadingOrigin,
        settings: &ReadinessSettings,
    ) -> MoveSlots {
        let Some(anchor) = series.anchor() else { return MoveSlots::MISSING };
        let at = series.instant(anchor);
        let change = match change(series, anchor) {
            Some(x) => origin.instant(x),
            None if series.first().is_none_or(|f| series.instant(f) > at - DAY) => {
                origin.not_ready(State::Warming { have: 1, need: 2 })
            }
            None => origin.undefined(Reason::Gap),
        };
        let size = change.cell.ready().map_or(change, |x| change.with_value(x.abs()));
        MoveSlots { change, size_pct: self.sizes.slot(&size, at, settings) }
    }
}

/// The change of the day up to a sample.
fn change<V: Priced>(series: &Series<V>, index: i64) -> Option<f64> {
    let now = series.at(index)?.price();
    let step = series.step();
    // Where a day is no whole number of steps, there is no sample a day ago.
    if DAY.0 % step.0 != 0 {
        return None;
    }
    let then = index - DAY.0 / step.0;
    let before = (0..=EARLIER_MAX.0 / step.0).find_map(|earlier| series.at(then - earlier))?;
    Some(now / before.price() - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{InstrumentName, Kind, Metric, Stamp, StreamDecl, StreamIndex, Ts};

    fn series() -> Series<f64> {
        let decl = StreamDecl {
            instrument: InstrumentName::new("binance-usdm", "BTCUSDT").unwrap(),
            metric: Metric::MarkPrice,
            source: "binance-usdm".into(),
            stamp: Stamp::Instant,
            kind: Kind::Measured,
            cadence: Span::mins(1),
            delay: Span::ZERO,
            filled: false,
        };
        Series::new(&decl, Span::mins(1), Span::hours(26), decl.max_age())
    }

    fn origin(at: Ts) -> ReadingOrigin {
        ReadingOrigin { anchor: at, event: at, expires: Ts::MAX, kind: Kind::Measured, stream: StreamIndex(0) }
    }

    /// Prices at the minutes after the beginning, read at the last of them.
    fn read(minutes: impl Iterator<Item = (i64, f64)>) -> MoveSlots {
        let (mut series, mut moves, mut last) = (series(), Moves::default(), Ts(0));
        for (minute, price) in minutes {
            last = Ts(0) + Span::mins(minute);
            series.push(last, price);
            series.settle(last + Span::millis(200));
            for index in series.changed() {
                let at = series.instant(*index);
                if let Some(hour) = super::super::hourly::whole_hour(at) {
                    moves.note_hour(hour, &series, *index);
                }
            }
            series.seen();
        }
        moves.slots(&series, &origin(last), &ReadinessSettings::default())
    }

    #[test]
    fn a_day_is_compared_and_one_lost_minute_looked_past() {
        let rising = |m: i64| (m, 100.0 + f64::from(i32::try_from(m).unwrap()) / 100.0);
        let got = read((0..=1_500).map(rising)).change.cell.ready().unwrap();
        assert!((got - (115.0 / 100.6 - 1.0)).abs() < 1e-12, "{got}");
        let lost = read((0..=1_500).filter(|m| !(58..=60).contains(m)).map(rising)).change.cell.ready().unwrap();
        assert!((lost - (115.0 / 100.57 - 1.0)).abs() < 1e-12, "{lost}");
        let hole = read((0..=1_500).filter(|m| !(40..=60).contains(m)).map(rising)).change.cell.state;
        assert_eq!(hole, State::Undefined(Reason::Gap));
        let young = read((0..=900).map(rising)).change.cell.state;
        assert_eq!(young, State::Warming { have: 1, need: 2 });
    }

    #[test]
    fn sizes_are_ranked_without_their_sign() {
        // A month that never moves more than 1 % in a day, then a fall of 8 %.
        let price = |m: i64| 100.0 + ((m / 60) % 5) as f64 * 0.2;
        let calm = (0..30 * 1_440).map(move |m| (m, price(m)));
        let fall = (30 * 1_440..30 * 1_440 + 30).map(|m| (m, 92.0));
        let got = read(calm.chain(fall));
        assert!(got.change.cell.value < -0.07, "{:?}", got.change);
        assert!(got.size_pct.cell.ready().unwrap() > 0.99, "{:?}", got.size_pct);
        assert!(got.size_pct.cell.partial);
    }
}
