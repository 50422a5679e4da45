//! Readings of liquidations at the last complete minute (features §2.4).

use super::made::Made;
use super::minutes::{Total, start_of};
use super::{Calm, Liquidations, MINUTE};
use crate::features::reading::{Fullness, ReadinessSettings, ReadingOrigin, Slot};
use crate::features::slots::slots;
use barograph_domain::{Reason, Span, State, Ts};

/// Positions of the windows.
const FIVE_MINUTES: usize = 0;
const HOUR: usize = 1;
const FOUR_HOURS: usize = 2;
const DAY: usize = 3;
const CASCADE: usize = 4;

/// Codes of `liq_side_bias`, in the order of its words.
pub const SIDE_BIAS: &[&str] = &["BALANCED", "LONG", "SHORT"];

/// Which side was closed (R4.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side3 {
    /// Neither beyond the share.
    Balanced,
    /// Mostly longs.
    Long,
    /// Mostly shorts.
    Short,
}

impl Side3 {
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        SIDE_BIAS[self as usize]
    }
    /// Side of a total: beyond `share` one way or the other. `None` where nothing was closed.
    #[must_use]
    pub fn of(total: &Total, share: f64) -> Option<Self> {
        Self::of_sums(total.long, total.short, share)
    }
    /// The same of plain sums.
    #[must_use]
    pub fn of_sums(long: f64, short: f64, share: f64) -> Option<Self> {
        let sum = long + short;
        (sum > 0.0).then(|| {
            if long / sum > share {
                Self::Long
            } else if short / sum > share {
                Self::Short
            } else {
                Self::Balanced
            }
        })
    }
}

slots! {
    /// All readings. The ids of the catalogue stand beside them.
    pub struct LiquidationSlots {
        /// `liq_long_usd_{5m,1h,4h,24h}`.
        pub long: [Slot; 4],
        /// `liq_short_usd_{5m,1h,4h,24h}`.
        pub short: [Slot; 4],
        /// `liq_count_60s`.
        pub count_60s: Slot,
        /// `liq_burst_ratio`.
        pub burst_ratio: Slot,
        /// `liq_burst_flag`.
        pub burst_flag: Slot,
        /// `liq_elapsed_h`.
        pub elapsed_h: Slot,
        /// `liq_velocity_4h`.
        pub velocity_4h: Slot,
        /// `liq_velocity_4h_pct_30d`.
        pub velocity_pct: Slot,
        /// `liq_severity_ratio`.
        pub severity_ratio: Slot,
        /// `liq_cascade_flag`.
        pub cascade_flag: Slot,
        /// `liq_long_share_1h`.
        pub long_share_1h: Slot,
        /// `liq_long_share_4h`.
        pub long_share_4h: Slot,
        /// `liq_side_bias`.
        pub side_bias: Slot,
        /// `liq_one_sided_flag`.
        pub one_sided_flag: Slot,
        /// Events of the last hour, for the one-sided rule.
        pub events_1h: Slot,
        /// Both sides within the cascade window.
        pub cascade_total: Slot,
        /// Velocity within the cascade window.
        pub cascade_velocity: Slot,
        /// Side within the cascade window.
        pub cascade_side: Slot,
        /// What a burst is compared with: the floor or the market's own 99.9th percentile.
        pub burst_threshold: Slot,
        /// What a cascade's velocity is compared with: the critical one, or the market's own 95th percentile of 30 d where
        /// that is known and more.
        pub velocity_threshold: Slot,
        /// There is less than a week of own history of bursts.
        pub uncalibrated: bool = true,
        /// What was closed within the last 60 s, where that is enough for a burst.
        pub made: Option<Made> = None,
        /// The cascade window as far as it was heard, where that is not the whole of it.
        pub so_far: Option<SoFar> = None,
    }
}

/// What is known of a cascade window that was not heard as a whole: lower bounds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SoFar {
    /// Both sides, quote units.
    pub usd: f64,
    /// Quote units an hour, as if nothing had been closed in what was not heard.
    pub velocity: f64,
    /// Side of what was heard.
    pub side: Option<Side3>,
}

impl LiquidationSlots {
    /// Hands on each reading whose value stands while nothing is closed and nothing leaves a window.
    #[inline]
    fn each_still(&mut self, mut of: impl FnMut(&mut Slot)) {
        self.long.iter_mut().chain(&mut self.short).for_each(&mut of);
        let bursts = [&mut self.count_60s, &mut self.burst_ratio, &mut self.burst_flag, &mut self.burst_threshold];
        bursts.into_iter().for_each(&mut of);
        let sides = [&mut self.long_share_1h, &mut self.long_share_4h, &mut self.side_bias, &mut self.one_sided_flag];
        sides.into_iter().for_each(&mut of);
        [&mut self.events_1h, &mut self.cascade_total, &mut self.cascade_side].into_iter().for_each(&mut of);
    }
}

fn flag(b: bool) -> f64 {
    f64::from(u8::from(b))
}

/// A window's reading with this value, where the window has enough for one.
#[inline]
fn valued(window: &Slot, value: f64) -> Slot {
    if window.cell.state == State::Ready { window.with_value(value) } else { *window }
}

impl Liquidations {
    fn origin(&self, anchor: Ts) -> ReadingOrigin {
        ReadingOrigin { anchor, event: anchor, expires: self.expires(), kind: self.kind, stream: self.stream }
    }

    /// How much of `[anchor − length, anchor)` the stream was there for, or why that is not enough.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "minutes of a day; coverage is shown, not computed with"
    )]
    fn fullness(&self, anchor: Ts, length: Span, settings: &ReadinessSettings) -> Result<Fullness, State> {
        let Some(since) = self.presence.since() else { return Err(State::Undefined(Reason::MissingInput)) };
        // Almost always: all of it was there, which is enough of anything.
        if since <= anchor - length && self.presence.is_unbroken() && settings.coverage_min <= 1.0 {
            return Ok(Fullness { coverage: 1.0, partial: false });
        }
        let from = (anchor - length).max(since);
        let (whole, span) = (length.0 as f64, (anchor - from).0.max(0) as f64);
        if self.presence.lost(from.min(anchor), anchor).0 as f64 > 0.01 * whole {
            return Err(State::Undefined(Reason::Gap));
        }
        let present = self.presence.present(from, anchor).0 as f64;
        let enough = present >= settings.coverage_min * whole
            || (span >= settings.span_min * whole && present >= settings.coverage_min * span);
        if span > 0.0 && enough {
            return Ok(Fullness { coverage: (present / whole).min(1.0) as f32, partial: since > anchor - length });
        }
        let need = (settings.span_min * whole / MINUTE.0 as f64).ceil().max(1.0) as u32;
        Err(State::Warming { have: ((present / MINUTE.0 as f64) as u32).min(need), need })
    }

    /// Share of the month, or of what there has been of it, for which the stream was there.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "coverage is shown, not computed with"
    )]
    fn month_seen(&self, anchor: Ts) -> f32 {
        let from = self.presence.since().unwrap_or(anchor).max(anchor - super::MONTH);
        let span = (anchor - from).0;
        if span > 0 { (self.presence.present(from, anchor).0 as f64 / span as f64) as f32 } else { 0.0 }
    }

    /// Velocity over a window: what was closed since the first non-empty minute, not less than the floor (S03).
    fn velocity_of(&self, window: usize, anchor: Ts) -> (f64, Option<f64>) {
        let total = self.minutes.total(window);
        let Some(first) = total.first else { return (0.0, None) };
        let hours = Span::mins(self.minutes.span(window)).as_secs_f64() / 3_600.0;
        let floor = self.limits.elapsed_floor_h.min(hours);
        let elapsed = ((anchor - start_of(first)).as_secs_f64() / 3_600.0).clamp(floor, hours);
        (total.sum() / elapsed, Some(elapsed))
    }

    pub(super) fn velocity_4h(&self, anchor: Ts, settings: &ReadinessSettings) -> Slot {
        let full = self.fullness(anchor, Span::hours(4), settings);
        self.origin(anchor).windowed(full, || Ok(self.velocity_of(FOUR_HOURS, anchor).0))
    }

    /// Takes every reading at `anchor`. They are written where they stand: built elsewhere they would be copied each minute.
    pub(super) fn read_at(&mut self, anchor: Ts, settings: &ReadinessSettings) {
        let (origin, limits) = (self.origin(anchor), self.limits);
        let full = |window: usize| self.fullness(anchor, Span::mins(self.minutes.span(window)), settings);
        let spans = [full(FIVE_MINUTES), full(HOUR), full(FOUR_HOURS), full(DAY)];
        let total = |window: usize| self.minutes.total(window);
        let totals = [total(FIVE_MINUTES), total(HOUR), total(FOUR_HOURS), total(DAY)];
        // The cascade rule usually looks at the same four hours.
        let (cascade, cascade_full) = if self.minutes.span(CASCADE) == self.minutes.span(FOUR_HOURS) {
            (totals[FOUR_HOURS], spans[FOUR_HOURS])
        } else {
            (total(CASCADE), full(CASCADE))
        };
        let minute = self.fullness(anchor, super::recent::MINUTE, settings);
        // What a burst is measured by is a month of minutes: until there is one, it may still change.
        let young = self.is_young(anchor);
        let seen = self.month_seen(anchor);
        let month = minute.map(|full| Fullness { partial: full.partial || young, coverage: full.coverage.min(seen) });
        let closes = self.recent.count(anchor);
        let count = f64::from(closes);
        let (threshold, uncalibrated) = self.threshold;
        #[expect(clippy::cast_precision_loss, reason = "events of an hour")]
        let events = totals[HOUR].count as f64;
        let one_sided = {
            let t = &totals[HOUR];
            t.sum() > 0.0 && events >= limits.one_sided_events && t.long.max(t.short) / t.sum() > limits.one_sided_share
        };
        let made = self.made(anchor, closes);
        let so_far = self.so_far(&cascade, &cascade_full);
        let of = |full: Result<Fullness, State>| origin.windowed(full, || Ok(0.0));
        let (m1, m5, h1, h4, h24) =
            (of(minute), of(spans[FIVE_MINUTES]), of(spans[HOUR]), of(spans[FOUR_HOURS]), of(spans[DAY]));
        let (month, within) = (of(month), of(cascade_full));
        let either = |window: &Slot, value: Option<f64>| match value {
            Some(value) => valued(window, value),
            None if window.cell.state == State::Ready => origin.undefined(Reason::ZeroDenominator),
            None => *window,
        };
        let share = |total: &Total| (total.sum() > 0.0).then(|| total.long / total.sum());
        let side = |total: &Total| Side3::of(total, limits.one_sided_share).map(|s| f64::from(s as u8));
        let (in_h1, in_h4) = (&totals[HOUR], &totals[FOUR_HOURS]);
        let out = &mut self.slots;
        for (i, (window, total)) in [&m5, &h1, &h4, &h24].into_iter().zip(&totals).enumerate() {
            out.long[i] = valued(window, total.long);
            out.short[i] = valued(window, total.short);
        }
        out.count_60s = valued(&m1, count);
        out.burst_ratio = valued(&month, count / threshold);
        out.burst_flag = valued(&m1, flag(count >= limits.burst_count));
        out.burst_threshold = valued(&month, threshold);
        out.long_share_1h = either(&h1, share(in_h1));
        out.long_share_4h = either(&h4, share(in_h4));
        out.side_bias = either(&h4, side(in_h4));
        out.one_sided_flag = valued(&h1, flag(one_sided));
        out.events_1h = valued(&h1, events);
        out.cascade_total = valued(&within, cascade.sum());
        out.cascade_side = either(&within, side(&cascade));
        (out.uncalibrated, out.made, out.so_far) = (uncalibrated, made, so_far);
        self.read_velocities(anchor, settings, seen, [&h4, &within]);
        self.calm = self.calm_at(anchor, settings);
    }

    /// Readings that move with the time alone: the longer ago the first close, the slower they came. Of the windows of four
    /// hours and of the cascade rule it is given how full they are.
    fn read_velocities(&mut self, anchor: Ts, settings: &ReadinessSettings, seen: f32, [h4, within]: [&Slot; 2]) {
        let limits = self.limits;
        let (velocity, elapsed) = self.velocity_of(FOUR_HOURS, anchor);
        let same = self.minutes.span(CASCADE) == self.minutes.span(FOUR_HOURS);
        let cascade_velocity = if same { velocity } else { self.velocity_of(CASCADE, anchor).0 };
        let velocity_4h = valued(h4, velocity);
        let mut velocity_pct = self.velocity.slot(&velocity_4h, anchor, settings);
        // Hours that turned out later to lie in a gap were counted when they came.
        velocity_pct.cell.coverage = velocity_pct.cell.coverage.min(seen);
        let own_velocity =
            velocity_pct.cell.ready().and_then(|_| self.velocity.window().quantile(super::VELOCITY_PCT)).unwrap_or(0.0);
        let total = self.minutes.total(CASCADE).sum();
        let cascaded = cascade_velocity > limits.critical_velocity && total > limits.cascade_total;
        let elapsed_h = match elapsed {
            Some(elapsed) => valued(h4, elapsed),
            None if h4.cell.state == State::Ready => self.origin(anchor).undefined(Reason::ZeroDenominator),
            None => *h4,
        };
        let out = &mut self.slots;
        out.elapsed_h = elapsed_h;
        out.velocity_4h = velocity_4h;
        out.velocity_pct = velocity_pct;
        out.severity_ratio = valued(within, cascade_velocity / limits.critical_velocity);
        out.cascade_flag = valued(within, flag(cascaded));
        out.cascade_velocity = valued(within, cascade_velocity);
        out.velocity_threshold = valued(within, own_velocity.max(limits.critical_velocity));
    }

    /// Passes the readings on to the next minute where nothing moved but the time; whether it did. Most minutes close nothing
    /// and nothing leaves a window in them.
    pub(super) fn pass_on(&mut self, anchor: Ts, settings: &ReadinessSettings) -> bool {
        if self.calm.is_none() || self.calm != self.calm_at(anchor, settings) {
            return false;
        }
        let origin = self.origin(anchor);
        self.slots.each_still(|slot| {
            slot.cell.anchor = origin.event;
            if slot.cell.state == State::Ready {
                slot.expires = origin.expires;
            }
        });
        let whole = origin.instant(0.0);
        self.read_velocities(anchor, settings, 1.0, [&whole, &whole]);
        true
    }

    /// What the readings at `anchor` rest on beside what was closed; `None` where more than that is to be looked at: a window
    /// with a hole in it, or a close within the last 60 s.
    fn calm_at(&self, anchor: Ts, settings: &ReadinessSettings) -> Option<Calm> {
        let heard = self.presence.since().is_some_and(|since| since <= anchor - Span::mins(super::minutes::DAY));
        let whole = heard && self.presence.is_unbroken() && settings.coverage_min <= 1.0;
        (whole && self.recent.is_empty()).then(|| Calm { threshold: self.threshold, young: self.is_young(anchor) })
    }

    fn is_young(&self, anchor: Ts) -> bool {
        self.presence.since().is_none_or(|since| since > anchor - super::MONTH)
    }

    /// What was closed in the 60 s up to `t`, where `count` is enough for a burst.
    pub(super) fn made(&self, t: Ts, count: u32) -> Option<Made> {
        if f64::from(count) < self.limits.burst_count {
            return None;
        }
        let made = self.recent.made(t)?;
        let whole = self.presence.present(t - super::recent::MINUTE, t) >= super::recent::MINUTE;
        Some(Made { lower_bound: made.lower_bound || !whole, ..made })
    }

    /// Sums of a cascade window that is not whole: what was heard of it.
    fn so_far(&self, total: &Total, full: &Result<Fullness, State>) -> Option<SoFar> {
        let whole = full.as_ref().is_ok_and(|f| !f.partial);
        if whole || self.presence.since().is_none() {
            return None;
        }
        let hours = Span::mins(self.minutes.span(CASCADE)).as_secs_f64() / 3_600.0;
        let side = Side3::of(total, self.limits.one_sided_share);
        Some(SoFar { usd: total.sum(), velocity: total.sum() / hours, side })
    }
}

#[cfg(test)]
mod tests {
    use super::super::CascadeLimits;
    use super::*;
    use barograph_domain::{GapReason, Kind, Side, Status, StatusState, StreamIndex};

    /// Bursts, quiet hours, late closes and a hole.
    #[test]
    fn readings_passed_on_are_those_that_would_be_taken_anew() {
        let settings = ReadinessSettings::default();
        for hours in [4, 2] {
            let limits = CascadeLimits { cascade_window: Span::hours(hours), ..CascadeLimits::default() };
            let mut stream = Liquidations::new(StreamIndex(0), Kind::Measured, Span::ZERO, Span::hours(1), limits);
            let at = |minute: i64| Ts(0) + MINUTE.times(minute);
            stream.begin(at(0));
            let (mut seed, mut passed, mut compared) = (7_u64, 0, 0);
            for minute in 1..9_000_i64 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let r = i64::try_from(seed >> 40).unwrap();
                if r % if minute / 700 % 4 == 0 { 3 } else { 70 } == 0 {
                    let late = if r % 11 == 0 { MINUTE.times(r % 90) } else { Span::ZERO };
                    let side = if r % 5 < 2 { Side::Long } else { Side::Short };
                    stream.push(
                        at(minute) - Span::secs(r % 60) - late,
                        side,
                        100.0,
                        f64::from(i32::try_from(r % 999).unwrap()),
                    );
                }
                if minute == 5_000 {
                    let (from, until) = (at(4_900), at(4_990));
                    stream.gap(
                        &Status { state: StatusState::Gap, from, until, reason: GapReason::MissingRows },
                        at(5_000),
                    );
                }
                let calm = stream.calm;
                stream.settle(at(minute), &settings);
                passed += i32::from(calm.is_some() && stream.calm == calm);
                if minute % 5 == 0 {
                    let mut anew = stream.clone();
                    anew.read(&settings);
                    assert_eq!(format!("{:?}", stream.slots()), format!("{:?}", anew.slots()), "{minute}");
                    compared += 1;
                }
            }
            assert!(passed > 1_000 && compared > 1_000, "{passed} of {compared}");
        }
    }
}
