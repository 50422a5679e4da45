//! Bars as samples, and coarser bars built from finer ones.

use super::hourly::{HourlyRank, whole_hour};
use super::reading::ReadinessSettings;
use super::run::BarSeries;
use crate::kernel::{Fold, Sum};
use crate::series::Series;
use crate::sessions::SessionHistory;
use barograph_domain::time::DAY;
use barograph_domain::{Bar, Span, Ts};
use serde::{Deserialize, Serialize};

/// A closed bar as a grid sample.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct BarSample {
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Base volume.
    pub volume: Option<f64>,
    /// Quote volume.
    pub quote_volume: Option<f64>,
}

impl BarSample {
    /// Quote volume: as the venue says, else base volume times close.
    #[must_use]
    pub fn quote(&self) -> Option<f64> {
        self.quote_volume.or_else(|| self.volume.map(|v| v * self.close))
    }
}

impl From<&BuiltBar> for BarSample {
    fn from(b: &BuiltBar) -> Self {
        Self { open: b.open, high: b.high, low: b.low, close: b.close, volume: b.volume, quote_volume: b.quote_volume }
    }
}
impl From<Bar> for BarSample {
    fn from(b: Bar) -> Self {
        Self { open: b.open, high: b.high, low: b.low, close: b.close, volume: b.volume, quote_volume: b.quote_volume }
    }
}

/// What a price series is made of.
pub trait Priced: Copy {
    /// The price of the sample.
    fn price(&self) -> f64;
    /// High and low, where the sample is a bar.
    fn range(&self) -> Option<(f64, f64)>;
}

impl Priced for f64 {
    fn price(&self) -> f64 {
        *self
    }
    fn range(&self) -> Option<(f64, f64)> {
        None
    }
}
impl Priced for BarSample {
    fn price(&self) -> f64 {
        self.close
    }
    fn range(&self) -> Option<(f64, f64)> {
        Some((self.high, self.low))
    }
}

/// Quote volume from one bar series: of the trailing day, of the last hour, of completed sessions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DayVolume {
    fold: Fold<Sum>,
    /// Quote volume was estimated as base volume × close in at least the last bar.
    estimated: bool,
    /// The day's volume at whole hours of the last 30 days.
    rank: HourlyRank,
    sessions: SessionHistory,
}

const HOUR: Span = Span::hours(1);
const MONTH_HOURS: usize = 720;
const RANK_MIN_N: usize = 168;

impl DayVolume {
    /// For bars of this step.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 1,440 bars a day")]
    pub fn new(step: Span) -> Self {
        Self {
            fold: Fold::new((DAY.0 / step.0).max(1) as usize),
            estimated: false,
            rank: HourlyRank::new(MONTH_HOURS, RANK_MIN_N),
            sessions: SessionHistory::default(),
        }
    }

    /// Learns about the instants that changed.
    pub fn settle(&mut self, series: &Series<BarSample>, settings: &ReadinessSettings) {
        let step = series.step();
        for &index in series.changed() {
            let quote = series.at(index).and_then(|b| {
                self.estimated = b.quote_volume.is_none();
                b.quote()
            });
            self.fold.set(index, quote);
            let t = series.instant(index);
            let fold = &self.fold;
            let seen = |from: Ts| series.first().is_some_and(|f| series.instant(f) - step <= from);
            self.sessions.reach(t, &settings.sessions, |s| {
                seen(s.from).then(|| per_minute(fold, step, s.from, s.until)).flatten()
            });
            if let Some(hour) = whole_hour(t) {
                let (n, total) = self.day(index, step);
                let enough = 5 * i64::from(n) >= 4 * (DAY.0 / step.0);
                self.rank.push(hour, enough.then_some(total));
            }
        }
    }

    /// Bars present in the day up to `anchor`, and their quote volume.
    #[must_use]
    pub fn day(&self, anchor: i64, step: Span) -> (u32, f64) {
        let folded = self.fold.window(anchor - DAY.0 / step.0, anchor);
        (folded.n, folded.total())
    }

    /// Quote volume a minute over the hour up to `at`, and the share of the hour that was seen; `None` with less than four
    /// fifths of it, or bars longer than it.
    #[must_use]
    pub fn last_hour(&self, at: Ts, step: Span) -> Option<(f64, f32)> {
        let (value, n) = counted_per_minute(&self.fold, step, at - HOUR, at)?;
        #[expect(clippy::cast_precision_loss, reason = "at most 60 bars")]
        let expected = (HOUR.0 / step.0) as f32;
        #[expect(clippy::cast_precision_loss, reason = "at most 60 bars")]
        Some((value, (n as f32 / expected).min(1.0)))
    }

    /// What is usual in each session, in quote volume a minute.
    #[must_use]
    pub fn sessions(&self) -> &SessionHistory {
        &self.sessions
    }

    /// The percentile of the day's volume within 30 d.
    #[must_use]
    pub fn rank(&self) -> &HourlyRank {
        &self.rank
    }

    /// True when the venue gave base volume only.
    #[must_use]
    pub fn is_estimated(&self) -> bool {
        self.estimated
    }
}

/// Mean quote volume a minute over `(from, until]`.
fn per_minute(fold: &Fold<Sum>, step: Span, from: Ts, until: Ts) -> Option<f64> {
    counted_per_minute(fold, step, from, until).map(|(value, _)| value)
}

/// The same with the number of bars it is made of.
fn counted_per_minute(fold: &Fold<Sum>, step: Span, from: Ts, until: Ts) -> Option<(f64, u32)> {
    let expected = (until - from).0 / step.0;
    if (until - from) > DAY || expected < 1 || until.0.rem_euclid(step.0) != 0 {
        return None;
    }
    let last = until.0.div_euclid(step.0);
    let sum = fold.window(last - expected, last);
    let minutes = f64::from(sum.n) * step.as_secs_f64() / 60.0;
    (5 * i64::from(sum.n) >= 4 * expected).then(|| (sum.total() / minutes, sum.n))
}

/// A bar of a coarser timeframe with its index (close / timeframe).
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct BuiltBar {
    /// Close instant / timeframe.
    pub index: i64,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Base volume, where the parts have it.
    pub volume: Option<f64>,
    /// Quote volume: as the venue says, else base volume times the close of each part.
    pub quote_volume: Option<f64>,
}

impl BuiltBar {
    /// A bar of one part.
    #[must_use]
    pub fn of(index: i64, part: &BarSample) -> Self {
        Self {
            index,
            open: part.open,
            high: part.high,
            low: part.low,
            close: part.close,
            volume: part.volume,
            quote_volume: part.quote(),
        }
    }

    /// Takes the next part. A volume that one part does not have, the bar does not have.
    fn add(&mut self, part: &BarSample) {
        self.high = self.high.max(part.high);
        self.low = self.low.min(part.low);
        self.close = part.close;
        self.volume = self.volume.zip(part.volume).map(|(a, b)| a + b);
        self.quote_volume = self.quote_volume.zip(part.quote()).map(|(a, b)| a + b);
    }

    /// Takes the bars of a run from `from` up to `upto`, in the same order of additions.
    fn add_run(&mut self, run: &BarSeries<'_>, from: usize, upto: usize) {
        let Some(&last) = run.close[from..upto].last() else { return };
        // A plain comparison is one instruction, `max` minds what is not a number.
        self.high = run.high[from..upto].iter().fold(self.high, |a, b| if *b > a { *b } else { a });
        self.low = run.low[from..upto].iter().fold(self.low, |a, b| if *b < a { *b } else { a });
        self.close = last;
        let volumes = &run.volume[from..upto];
        self.volume = self.volume.map(|v| volumes.iter().fold(v, |a, b| a + b));
        let closes = &run.close[from..upto];
        self.quote_volume = self.quote_volume.map(|q| volumes.iter().zip(closes).fold(q, |a, (v, c)| a + v * c));
    }
}

/// Builds bars of `timeframe` from parts of `step`. A bar with less than four fifths of its parts is missing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BarBuilder {
    timeframe: Span,
    /// Closes lie at whole multiples of the timeframe after this.
    offset: Span,
    parts: i64,
    open: Option<(BuiltBar, i64)>,
    last_part: Option<i64>,
    /// Bar of the last part: the next part is nearly always of it or of the one after, which spares two divisions.
    #[serde(skip)]
    near: i64,
}

impl BarBuilder {
    /// `step` must divide `timeframe`.
    #[must_use]
    pub fn new(timeframe: Span, step: Span) -> Self {
        Self::aligned(timeframe, step, Span::ZERO)
    }

    /// As [`Self::new`] with closes at whole multiples of the timeframe after `offset`.
    #[must_use]
    pub fn aligned(timeframe: Span, step: Span, offset: Span) -> Self {
        Self { timeframe, offset, parts: (timeframe.0 / step.0).max(1), open: None, last_part: None, near: 0 }
    }

    /// Takes the part that closes at `close_ts`; hands a finished bar to `emit`. Late parts of finished bars are left out:
    /// levels are never rewritten.
    #[inline]
    pub fn push(&mut self, close_ts: Ts, part: &BarSample, emit: impl FnMut(BuiltBar)) {
        if !self.goes_on(close_ts, part) {
            self.begin_or_end(close_ts, part, emit);
        }
    }

    /// Takes a part of the bar under way that is not its last, as nearly every part is: that bar is changed where it is. False,
    /// with nothing done, for any other part.
    #[inline]
    fn goes_on(&mut self, close_ts: Ts, part: &BarSample) -> bool {
        let Some((bar, count)) = &mut self.open else { return false };
        let past = (close_ts - self.offset).0 - bar.index * self.timeframe.0;
        if past >= 0 || past <= -self.timeframe.0 || self.last_part.is_some_and(|l| close_ts.0 <= l) {
            return false;
        }
        bar.add(part);
        *count += 1;
        self.last_part = Some(close_ts.0);
        true
    }

    /// Takes a part that begins or ends a bar, or one that is late.
    fn begin_or_end(&mut self, close_ts: Ts, part: &BarSample, mut emit: impl FnMut(BuiltBar)) {
        if self.last_part.is_some_and(|l| close_ts.0 <= l) {
            return;
        }
        self.last_part = Some(close_ts.0);
        let shifted = close_ts - self.offset;
        let index = self.index_of(shifted);
        let over = shifted.0 == index * self.timeframe.0;
        if let Some((bar, count)) = &mut self.open
            && bar.index == index
        {
            bar.add(part);
            *count += 1;
            if !over {
                return;
            }
        } else {
            self.close(&mut emit);
            self.open = Some((BuiltBar::of(index, part), 1));
        }
        if over {
            self.close(&mut emit);
        }
    }

    /// As [`Self::push`] for each bar of a run.
    pub fn push_run(&mut self, run: &BarSeries<'_>, mut emit: impl FnMut(BuiltBar)) {
        let n = run.len();
        if n == 0 || self.last_part.is_some_and(|l| run.first.0 <= l) {
            (0..n).for_each(|i| self.push(run.close_ts(i), &run.sample(i), &mut emit));
            return;
        }
        self.last_part = Some(run.close_ts(n - 1).0);
        let mut at = 0;
        while at < n {
            let index = self.index_of(run.close_ts(at) - self.offset);
            let end = Ts(index * self.timeframe.0) + self.offset;
            let upto = at + run.upto(at, end);
            let mut from = at;
            if self.open.is_none_or(|(bar, _)| bar.index != index) {
                self.close(&mut emit);
                self.open = Some((BuiltBar::of(index, &run.sample(at)), 1));
                from += 1;
            }
            if let Some((bar, count)) = &mut self.open {
                bar.add_run(run, from, upto);
                *count += i64::try_from(upto - from).unwrap_or(i64::MAX);
            }
            if run.close_ts(upto - 1) == end {
                self.close(&mut emit);
            }
            at = upto;
        }
    }

    /// Ends the bar under way and hands it on, if enough of it was there.
    fn close(&mut self, emit: &mut impl FnMut(BuiltBar)) {
        if let Some((bar, count)) = self.open.take()
            && self.is_covered(count)
        {
            emit(bar);
        }
    }

    /// Index of the bar that holds the instant just before `shifted`.
    fn index_of(&mut self, shifted: Ts) -> i64 {
        let (near, length) = (self.near, self.timeframe.0);
        let past = shifted.0 - near * length;
        self.near = if past > -length && past <= 0 {
            near
        } else if past > 0 && past <= length {
            near + 1
        } else {
            shifted.ceil(self.timeframe).0.div_euclid(length)
        };
        self.near
    }

    fn is_covered(&self, count: i64) -> bool {
        5 * count >= 4 * self.parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(price: f64) -> BarSample {
        BarSample {
            open: price,
            high: price + 1.0,
            low: price - 1.0,
            close: price,
            volume: Some(2.0),
            quote_volume: None,
        }
    }

    fn built(minutes: impl Iterator<Item = i64>) -> Vec<BuiltBar> {
        let mut b = BarBuilder::new(Span::mins(15), Span::mins(1));
        let mut out = Vec::new();
        for m in minutes {
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            b.push(Ts(0) + Span::mins(m), &part(m as f64), |bar| out.push(bar));
        }
        out
    }

    #[test]
    fn fifteen_minutes_make_a_bar_when_the_last_part_closes() {
        let bars = built(1..=30);
        assert_eq!(bars.len(), 2);
        let first = BuiltBar {
            index: 1,
            open: 1.0,
            high: 16.0,
            low: 0.0,
            close: 15.0,
            volume: Some(30.0),
            quote_volume: Some(240.0),
        };
        assert_eq!(bars[0], first);
    }

    #[test]
    fn a_bar_without_its_last_part_comes_with_the_next_one_and_thin_bars_are_missing() {
        let bars = built((1..=14).chain(16..=20));
        assert_eq!(bars.iter().map(|b| (b.index, b.close)).collect::<Vec<_>>(), [(1, 14.0)]);
        assert_eq!(built((5..=15).chain(16..=16)), []);
    }
}
