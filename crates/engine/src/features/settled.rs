//! Settled funding: last rate, week's score, month's percentile, 8 h blocks (features §2.1, S02), and the proxies it
//! gives for running funding (features §2.7).
//!
//! Settlements are few and irregular in principle, so they live in a list, not on a grid. Each belongs to the whole hour it
//! was due at, however late its stamp: usually milliseconds, at worst half an hour (Hyperliquid on 2023-05-23 and 2025-07-19).

use super::funding_signals::Farming;
use super::hourly::HOUR;
use super::reading::{ReadinessSettings, ReadingOrigin, Slot, Window, score_value};
use super::slots::slots;
use crate::kernel::fold::Block;
use crate::kernel::{Moments, Sum};
use barograph_domain::{Kind, Span, State, StreamIndex, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

const WEEK: Span = Span::days(7);
const MONTH: Span = Span::days(30);
const EIGHT_HOURS: Span = Span::hours(8);
/// 30 d of hourly settlements, and one block more.
const KEPT: usize = 720 + 8;
const MIN_N: u32 = 6;
/// Settlements of 30 d below which their percentile says nothing (features §2.7).
const PCT_MIN_N: usize = 21;

/// A stamp this long before a whole hour is that hour's. Nobody settles early but by a clock that is ahead; late ones are reported
/// apart from the next hour's as long as there is room, and the latest on record came 24 minutes after its hour.
const EARLY: Span = Span::mins(10);

/// One settlement.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Settlement {
    at: Ts,
    /// When it happened, not later than it was due.
    event: Ts,
    raw: f64,
    per_8h: f64,
    interval: Span,
}

slots! {
    /// Readings from settlements.
    pub struct SettledSlots {
        /// Last settled rate per 8 h.
        pub rate: Slot,
        /// Standard score within 7 d.
        pub zscore_7d: Slot,
        /// Sum of the last complete 8 h block.
        pub block_8h: Slot,
        /// Percentile within the settlements of 30 d: proxy for `funding_pct_30d`.
        pub pct_30d: Slot,
        /// The same of its size, whatever the sign.
        pub size_pct_30d: Slot,
        /// Mean over the last 8 h: proxy for `funding_ma_8h`.
        pub ma_8h: Slot,
        /// Share of the last complete blocks that lie beyond a limit, one way.
        pub farming_share: Slot,
    }
}

/// The settlements of one stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settled {
    stream: StreamIndex,
    kind: Kind,
    max_age: Span,
    /// Interval where a row states none.
    default_interval: Span,
    list: VecDeque<Settlement>,
    first: Option<Ts>,
    gaps: VecDeque<(Ts, Ts)>,
    /// The last complete blocks of 8 h, and the sum beyond which one counts as farmed.
    farming: Farming,
    farmed: f64,
    /// Something arrived since the readings were taken.
    dirty: bool,
    #[serde(skip)]
    slots: SettledSlots,
}

impl Settled {
    /// For one declared stream. A block's sum beyond `farmed`, one way, counts as farmed (A18).
    #[must_use]
    pub fn new(stream: StreamIndex, kind: Kind, default_interval: Span, max_age: Span, farmed: f64) -> Self {
        Self {
            stream,
            kind,
            max_age,
            default_interval,
            list: VecDeque::with_capacity(KEPT + 1),
            first: None,
            gaps: VecDeque::with_capacity(16),
            farming: Farming::default(),
            farmed,
            dirty: false,
            slots: SettledSlots::MISSING,
        }
    }

    /// Recomputes the readings if something arrived; whether it did.
    pub fn settle(&mut self, settings: &ReadinessSettings) -> bool {
        let changed = core::mem::take(&mut self.dirty);
        if changed {
            self.read(settings);
        }
        changed
    }

    /// Recomputes the readings.
    pub fn read(&mut self, settings: &ReadinessSettings) {
        self.slots = self.compute(settings);
    }

    /// Latest readings.
    #[must_use]
    pub fn slots(&self) -> &SettledSlots {
        &self.slots
    }

    /// Takes a settlement. Special ones (stock dividends on TradFi perpetuals) are in no statistic.
    pub fn push(&mut self, stamp: Ts, rate: f64, interval_h: Option<f64>, special: bool) {
        if special {
            return;
        }
        let at = (stamp + EARLY).floor(HOUR);
        #[expect(clippy::cast_possible_truncation, reason = "a few hours in nanoseconds")]
        let interval = interval_h.map_or(self.default_interval, |h| Span((h * 3.6e12) as i64));
        if interval <= Span::ZERO {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "8 h in nanoseconds is below 2^53")]
        // Adding zero gives −0.0 and +0.0 one spelling, so that equal rates have equal bits.
        let per_8h = rate * (EIGHT_HOURS.0 as f64 / interval.0 as f64) + 0.0;
        let settlement = Settlement { at, event: stamp.min(at), raw: rate, per_8h, interval };
        let place = self.list.partition_point(|s| s.at < at);
        if self.list.get(place).is_some_and(|s| s.at == at) {
            self.list[place] = settlement;
        } else {
            self.list.insert(place, settlement);
        }
        if self.list.len() > KEPT {
            self.list.pop_front();
        }
        self.first = Some(self.first.map_or(at, |f| f.min(at)));
        let start = at.floor(EIGHT_HOURS);
        if let Some((sum, _)) = self.block_at(start) {
            self.farming.push(start, sum);
        }
        self.dirty = true;
    }

    /// Takes a declared gap.
    pub fn gap(&mut self, from: Ts, until: Ts) {
        if self.gaps.len() == 16 {
            self.gaps.pop_front();
        }
        self.gaps.push_back((from, until));
        self.dirty = true;
    }

    /// Stream of these settlements.
    #[must_use]
    pub fn stream(&self) -> StreamIndex {
        self.stream
    }

    /// Moment after which the last settlement is too old.
    #[must_use]
    pub fn expires(&self) -> Ts {
        self.list.back().map_or(Ts::MIN, |s| s.event + self.limit(s))
    }

    /// Age limit of a settlement: what is declared, or less where its own interval is shorter (features §9).
    fn limit(&self, s: &Settlement) -> Span {
        self.max_age.min((s.interval + Span::secs(600)).max(s.interval.times(2) + Span::secs(60)))
    }

    /// Instant of the last settlement.
    #[must_use]
    pub fn anchor(&self) -> Option<Ts> {
        self.list.back().map(|s| s.at)
    }

    /// When the last settlement happened.
    #[must_use]
    pub fn event(&self) -> Option<Ts> {
        self.list.back().map(|s| s.event)
    }

    /// Interval of the last settlement in hours.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "hours")]
    pub fn interval_hours(&self) -> Option<f64> {
        self.list.back().map(|s| s.interval.0 as f64 / HOUR.0 as f64)
    }

    /// All readings at the last settlement.
    fn compute(&self, settings: &ReadinessSettings) -> SettledSlots {
        let Some(last) = self.list.back() else { return SettledSlots::MISSING };
        let (anchor, event) = (last.at, last.event);
        let expires = event + self.limit(last);
        let origin = ReadingOrigin { anchor, event, expires, kind: self.kind, stream: self.stream };
        SettledSlots {
            rate: origin.instant(last.per_8h),
            zscore_7d: self.zscore(last, &origin, settings),
            block_8h: self.block(&origin),
            pct_30d: self.percentile(last, &origin, |v| v),
            size_pct_30d: self.percentile(last, &origin, f64::abs),
            ma_8h: origin.instant(
                self.within(last.at, EIGHT_HOURS)
                    .map(|s| Sum::of(s.per_8h))
                    .fold(Sum::EMPTY, Sum::merge)
                    .mean()
                    .unwrap_or(last.per_8h),
            ),
            farming_share: self.farming_share(&origin, settings),
        }
    }

    /// Settlements in `(upto − length, upto]`, in order of time.
    fn within(&self, upto: Ts, length: Span) -> impl Iterator<Item = &Settlement> {
        let start = self.list.partition_point(|s| s.at <= upto - length);
        self.list.range(start..)
    }

    fn zscore(&self, last: &Settlement, origin: &ReadingOrigin, settings: &ReadinessSettings) -> Slot {
        let week = self.within(last.at, WEEK).map(|s| Moments::of(s.per_8h)).fold(Moments::EMPTY, Moments::merge);
        let step = last.interval.0;
        // Each settlement answers for its own interval, so that a venue that changes its schedule leaves no hole.
        let answered: i64 = self.within(last.at, WEEK).map(|s| s.interval.0).sum();
        let counted = Window {
            n: week.n,
            expected: i64::from(week.n) + (WEEK.0 - answered).max(0) / step,
            min_n: MIN_N,
            first: self.first.map(|f| f.0.div_euclid(step)),
            anchor: last.at.0.div_euclid(step),
            gap: self.has_gap(last.at - WEEK, last.at),
        };
        origin.windowed(counted.fullness(settings), || score_value(week.score(last.per_8h)))
    }

    /// The newest block whose expected settlements are all known.
    fn block(&self, origin: &ReadingOrigin) -> Slot {
        let newest = origin.anchor.floor(EIGHT_HOURS);
        for start in [newest, newest - EIGHT_HOURS] {
            if let Some((sum, event)) = self.block_at(start) {
                let expires = start + EIGHT_HOURS + self.max_age;
                return ReadingOrigin { anchor: start, event, expires, ..*origin }.instant(sum);
            }
        }
        origin.not_ready(State::Warming { have: 0, need: 1 })
    }

    /// Sum of the block that begins at `start` and when its last settlement happened; `None` while an expected one is missing.
    fn block_at(&self, start: Ts) -> Option<(f64, Ts)> {
        let from = self.list.partition_point(|s| s.at < start);
        let members = self.list.range(from..).take_while(|s| s.at < start + EIGHT_HOURS);
        let folded = members.clone().map(|s| Sum::of(s.raw)).fold(Sum::EMPTY, Sum::merge);
        let last = members.last()?;
        (i64::from(folded.n) >= EIGHT_HOURS.0 / last.interval.0).then(|| (folded.total(), last.event))
    }

    fn farming_share(&self, origin: &ReadingOrigin, settings: &ReadinessSettings) -> Slot {
        // It stands until the block after the newest has had time to be complete.
        let until = |start: Ts| start + EIGHT_HOURS.times(2) + self.max_age;
        let origin = self.farming.newest().map_or(*origin, |start| {
            let event = self.block_at(start).map_or(start, |(_, event)| event);
            ReadingOrigin { anchor: start, event, expires: until(start), ..*origin }
        });
        self.farming.slot(&origin, self.farmed, settings.coverage_min)
    }

    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "at most 720 settlements")]
    fn percentile(&self, last: &Settlement, origin: &ReadingOrigin, of: impl Fn(f64) -> f64) -> Slot {
        let (mut n, mut below, mut equal) = (0_usize, 0_usize, 0_usize);
        for s in self.within(last.at, MONTH) {
            n += 1;
            let (x, newest) = (of(s.per_8h), of(last.per_8h));
            below += usize::from(x < newest);
            equal += usize::from(x.to_bits() == newest.to_bits());
        }
        if n < PCT_MIN_N {
            return origin.not_ready(State::Warming { have: n as u32, need: PCT_MIN_N as u32 });
        }
        let partial = self.first.is_none_or(|f| f > last.at - MONTH + last.interval);
        let coverage = n as f32 / (MONTH.0 / last.interval.0) as f32;
        origin.ready(
            (below as f64 + 0.5 * equal as f64) / n as f64,
            super::reading::Fullness { coverage: coverage.min(1.0), partial },
        )
    }

    /// The values the percentile ranks the newest one against, sorted, the newest left out. Written into `out`.
    pub fn others_of_month(&self, out: &mut Vec<f64>) {
        out.clear();
        let Some(last) = self.list.back() else { return };
        out.extend(self.within(last.at, MONTH).map(|s| s.per_8h));
        out.pop();
        out.sort_by(f64::total_cmp);
    }

    fn has_gap(&self, after: Ts, upto: Ts) -> bool {
        self.gaps.iter().any(|(from, until)| *from < upto && *until > after)
    }
}
