//! The market profile of a day, put together from its quarters of an hour: a quarter is counted once and not for each of the
//! 96 windows that it lies in.
//!
//! A window's profile is the sum of its quarters from the oldest on, each of which is the sum of its bars, so it depends on
//! the bars of the window only. What is kept here can be made again from them at any time and is not saved; hence a quarter
//! whose bars are no longer all held is counted from what is left, as after a restart.

use super::bars::BarSample;
use crate::liquidity::profile::Profile;
use crate::series::Series;
use barograph_domain::{Span, Ts};

/// Length of a quarter.
pub(super) const QUARTER: Span = Span::mins(15);
/// Quarters of a day.
const KEPT: usize = 96;
/// Bins there is room for at once: a quarter that moves by 2 %.
const ROOM: usize = 40;

#[derive(Clone, Debug, Default)]
struct Quarter {
    /// Its end in quarters; `None`: to be counted.
    index: Option<i64>,
    profile: Profile,
}

/// Profiles of the quarters of the last day.
#[derive(Clone, Debug, Default)]
pub(super) struct Quarters(Vec<Quarter>);

impl Quarters {
    /// With room for a day.
    pub(super) fn roomy() -> Self {
        let quarter = || Quarter { index: None, profile: Profile::with_room(ROOM) };
        Self((0..KEPT).map(|_| quarter()).collect())
    }

    /// The bar that closes at `t` is new or another one: its quarter is to be counted again.
    pub(super) fn forget(&mut self, t: Ts) {
        let index = t.ceil(QUARTER).0 / QUARTER.0;
        if let Some(quarter) = self.0.get_mut(place(index))
            && quarter.index == Some(index)
        {
            quarter.index = None;
        }
    }

    /// Adds the bars of `(from, upto]`, whole quarters of at most a day, to an empty profile.
    pub(super) fn count(&mut self, series: &Series<BarSample>, (from, upto): (Ts, Ts), profile: &mut Profile) {
        if self.0.is_empty() {
            *self = Self::roomy();
        }
        for index in from.0.div_euclid(QUARTER.0) + 1..=upto.0.div_euclid(QUARTER.0) {
            let quarter = &mut self.0[place(index)];
            let end = Ts(index * QUARTER.0);
            let held = series.oldest().is_some_and(|o| series.instant(o) <= end - QUARTER + series.step());
            let same = quarter.profile.width().to_bits() == profile.width().to_bits();
            if quarter.index != Some(index) || !same || !held {
                quarter.index = held.then_some(index);
                quarter.profile.restart(profile.width());
                add(series, (end - QUARTER, end), &mut quarter.profile);
            }
            profile.merge(&quarter.profile);
        }
    }
}

/// Adds the bars that closed in `(from, upto]`.
pub(super) fn add(series: &Series<BarSample>, (from, upto): (Ts, Ts), profile: &mut Profile) {
    let step = series.step();
    let mut at = from.0.div_euclid(step.0) + 1;
    while at * step.0 <= upto.0 {
        if let Some(bar) = series.at(at)
            && let Some(volume) = bar.volume
        {
            profile.add(bar.low, bar.high, volume);
        }
        at += 1;
    }
}

fn place(index: i64) -> usize {
    usize::try_from(index.rem_euclid(KEPT as i64)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{InstrumentName, Kind, Metric, Stamp, StreamDecl};

    const M: Span = Span::mins(1);

    fn series() -> Series<BarSample> {
        let decl = StreamDecl {
            instrument: InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(),
            metric: Metric::Bar,
            kind: Kind::Measured,
            cadence: M,
            source: "binance-usdm".to_owned(),
            delay: Span::secs(2),
            stamp: Stamp::Close,
            filled: false,
        };
        Series::new(&decl, M, Span::hours(26), decl.max_age())
    }

    fn learn(s: &mut Series<BarSample>, quarters: &mut Quarters, minutes: impl Iterator<Item = i64>) {
        for m in minutes {
            let low = 100.0 + f64::from(i32::try_from(m % 37).unwrap()) * 0.3;
            let bar = BarSample { open: low, high: low + 0.7, low, close: low, volume: Some(1.0), quote_volume: None };
            s.push(Ts(0) + M.times(m), bar);
            s.settle(Ts(0) + M.times(m));
            s.changed().iter().for_each(|i| quarters.forget(s.instant(*i)));
            s.seen();
        }
    }

    fn counted(quarters: &mut Quarters, s: &Series<BarSample>, width: f64) -> Profile {
        let mut profile = Profile::new(width);
        quarters.count(s, (Ts(0), Ts(0) + Span::days(1)), &mut profile);
        profile
    }

    #[test]
    fn what_is_kept_is_what_would_be_counted_anew() {
        let (mut s, mut kept) = (series(), Quarters::roomy());
        let check = |kept: &mut Quarters, s: &Series<BarSample>, width: f64, bars: u32| {
            let (warm, anew) = (counted(kept, s, width), counted(&mut Quarters::default(), s, width));
            assert_eq!((&warm, warm.bars()), (&anew, bars));
        };
        learn(&mut s, &mut kept, 1..=1_440);
        check(&mut kept, &s, 0.05, 1_440);
        check(&mut kept, &s, 0.1, 1_440);
        // A correction of an early bar.
        learn(&mut s, &mut kept, [17].into_iter());
        check(&mut kept, &s, 0.1, 1_440);
        // After a long hole the first bars of the day are no longer held.
        learn(&mut s, &mut kept, [2_900].into_iter());
        let held = counted(&mut Quarters::default(), &s, 0.1).bars();
        assert!(held < 1_440, "{held}");
        check(&mut kept, &s, 0.1, held);
    }
}
