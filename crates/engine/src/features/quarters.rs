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
pub(super) struct Quarters {
    kept: Vec<Quarter>,
    /// The window that was counted last.
    last: Counted,
}

/// A window's profile; the next window is a quarter further and shares all others with it.
#[derive(Clone, Debug, Default)]
struct Counted {
    /// First and last quarter, as long as their bars are those that were counted.
    window: Option<(i64, i64)>,
    profile: Profile,
}

impl Quarters {
    /// With room for a day.
    pub(super) fn roomy() -> Self {
        let quarter = || Quarter { index: None, profile: Profile::with_room(ROOM) };
        let last = Counted { window: None, profile: Profile::roomy() };
        Self { kept: (0..KEPT).map(|_| quarter()).collect(), last }
    }

    /// The bar that closes at `t` is new or another one: its quarter is to be counted again.
    pub(super) fn forget(&mut self, t: Ts) {
        let index = t.ceil(QUARTER).0 / QUARTER.0;
        if let Some(quarter) = self.kept.get_mut(place(index))
            && quarter.index == Some(index)
        {
            quarter.index = None;
        }
        self.last.window = self.last.window.filter(|(first, last)| !(*first..=*last).contains(&index));
    }

    /// Adds the bars of `(from, upto]`, whole quarters of at most a day, to an empty profile.
    pub(super) fn count(&mut self, series: &Series<BarSample>, (from, upto): (Ts, Ts), profile: &mut Profile) {
        if self.kept.is_empty() {
            *self = Self::roomy();
        }
        let (first, last) = (from.0.div_euclid(QUARTER.0) + 1, upto.0.div_euclid(QUARTER.0));
        let mut counted = core::mem::take(&mut self.last);
        if !self.goes_on(&mut counted, series, (first, last), profile.width()) {
            counted.profile.restart(profile.width());
            for index in first..=last {
                counted.profile.merge(self.quarter(series, index, profile.width()));
            }
        }
        let held = is_held(series, first);
        counted.window = held.then_some((first, last));
        profile.copy(&counted.profile);
        self.last = counted;
    }

    /// Brings the window counted last to this one, where that is the same or one quarter further and nothing in it has changed.
    fn goes_on(
        &mut self,
        counted: &mut Counted,
        series: &Series<BarSample>,
        (first, last): (i64, i64),
        width: f64,
    ) -> bool {
        let same = counted.profile.width().to_bits() == width.to_bits();
        let Some((before, upto)) = counted.window.filter(|_| same && is_held(series, first)) else { return false };
        if (before, upto) == (first, last) {
            return true;
        }
        // A day takes every place, and the new quarter that of the one that leaves.
        let at = place(before);
        let gone = &self.kept[at];
        let day = upto - before + 1 == KEPT as i64;
        if !day || (before + 1, upto + 1) != (first, last) || gone.index != Some(before) {
            return false;
        }
        let stay = self.kept[at + 1..].iter().chain(&self.kept[..at]).map(|quarter| &quarter.profile);
        if !counted.profile.leave(gone.profile.extent(), stay) {
            return false;
        }
        counted.profile.merge(self.quarter(series, last, width));
        true
    }

    /// The profile of a quarter, counted where it is not known; one whose bars are no longer all held is counted each time.
    fn quarter(&mut self, series: &Series<BarSample>, index: i64, width: f64) -> &Profile {
        let quarter = &mut self.kept[place(index)];
        let held = is_held(series, index);
        let same = quarter.profile.width().to_bits() == width.to_bits();
        if quarter.index != Some(index) || !same || !held {
            let end = Ts(index * QUARTER.0);
            quarter.index = held.then_some(index);
            quarter.profile.restart(width);
            add(series, (end - QUARTER, end), &mut quarter.profile);
        }
        &quarter.profile
    }
}

/// Are the bars of a quarter still there, and with them those of all later ones?
fn is_held(series: &Series<BarSample>, index: i64) -> bool {
    let begin = Ts((index - 1) * QUARTER.0);
    series.oldest().is_some_and(|o| series.instant(o) <= begin + series.step())
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
        counted_upto(quarters, s, width, Ts(0) + Span::days(1))
    }

    fn counted_upto(quarters: &mut Quarters, s: &Series<BarSample>, width: f64, upto: Ts) -> Profile {
        let mut profile = Profile::new(width);
        quarters.count(s, (upto - Span::days(1), upto), &mut profile);
        profile
    }

    #[test]
    fn a_window_that_moves_on_is_what_would_be_counted_anew() {
        let (mut s, mut kept) = (series(), Quarters::roomy());
        let mut price = 100.0;
        for m in 1..=6_000_i64 {
            // Calm and wild hours, so that bins come and go at both ends; a hole and late bars.
            let wild = if (m / 400) % 3 == 0 { 0.5 } else { 0.02 };
            let step = f64::from(i32::try_from(m * 7_919 % 1_000).unwrap()) / 500.0 - 1.0;
            price *= 1.0 + 0.01 * wild * step;
            if (3_000..3_100).contains(&m) {
                continue;
            }
            let (low, high) = (price * (1.0 - 0.001 * wild), price * (1.0 + 0.001 * wild));
            let volume = (m % 11 != 3).then_some(1.0 + step * 0.37);
            let bar = BarSample { open: price, high, low, close: price, volume, quote_volume: None };
            s.push(Ts(0) + M.times(m), bar);
            if m % 500 == 0 {
                s.push(Ts(0) + M.times(m - 300), bar);
            }
            s.settle(Ts(0) + M.times(m));
            s.changed().iter().for_each(|i| kept.forget(s.instant(*i)));
            s.seen();
            if m % 15 == 0 && m % 315 != 0 {
                let (upto, width) = (Ts(0) + M.times(m), if m > 4_000 { 0.1 } else { 0.05 });
                let (warm, anew) =
                    (counted_upto(&mut kept, &s, width, upto), counted_upto(&mut Quarters::default(), &s, width, upto));
                assert_eq!(warm, anew, "{m}");
            }
        }
    }

    #[test]
    fn a_day_of_which_only_the_oldest_quarter_had_bars_moves_on_empty() {
        let (mut s, mut kept) = (series(), Quarters::roomy());
        learn(&mut s, &mut kept, 1..=15);
        assert_eq!(counted(&mut kept, &s, 0.05).bars(), 15);
        learn(&mut s, &mut kept, [1_455].into_iter());
        let upto = Ts(0) + Span::days(1) + QUARTER;
        let (warm, anew) =
            (counted_upto(&mut kept, &s, 0.05, upto), counted_upto(&mut Quarters::default(), &s, 0.05, upto));
        assert_eq!((&warm, warm.bars()), (&anew, 1));
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
