//! Liquidations of one market: windows, velocity, burst, side, zones (features §2.4, §4.8; R4.1 to R4.6, C07).
//!
//! Events come when they come; readings are made once a minute, and the count of 60 s at every event besides. Zero is a
//! value while the stream is live. Where it was not, time is missing: a window that overlaps a gap by more than one per cent
//! is undefined. The parts: [`minutes`] sums by minute, [`presence`] when the stream was there, [`recent`] the count of
//! 60 s, [`made`] what some closes add up to, [`zones`] decayed prices, [`levels`] zones as liquidity levels, [`slots`] the readings, [`plain`] the same over
//! plain lists.

pub mod levels;
pub mod made;
pub mod minutes;
pub mod plain;
pub mod presence;
pub mod recent;
pub mod slots;
pub mod zones;

pub use made::{Close, Made};
pub use slots::{LiquidationSlots, Side3, SoFar};
pub use zones::Zone;

use crate::features::ReadinessSettings;
use crate::features::hourly::{HourlyRank, whole_hour};
use crate::kernel::UpperTail;
use crate::series::STAMP_TOLERANCE;
use barograph_domain::time::LATENESS;
use barograph_domain::{Kind, Side, Span, Status, StreamIndex, Ts};
use levels::ZoneLevels;
use minutes::{MinuteSums, minute_of, start_of};
use presence::Presence;
use recent::Recent;
use serde::{Deserialize, Serialize};
use zones::Bins;

/// One minute.
pub const MINUTE: Span = Span::mins(1);
const MONTH: Span = Span::days(30);
const MONTH_MINUTES: i64 = 30 * minutes::DAY;
/// Before this much of its own history a market's burst is judged by the floor alone.
const BURST_HISTORY: Span = Span::days(7);
/// Largest counts of a month that the 99.9th percentile needs: a thousandth of 43,200, and two to interpolate.
const TAIL: u16 = 46;
const MONTH_HOURS: usize = 720;
const VELOCITY_MIN_N: usize = 168;
/// Share of a market's own hours that a cascade must be above (S09).
pub const VELOCITY_PCT: f64 = 0.95;

/// Numbers of the cascade rules; those of the originals unless set otherwise (R4.1 to R4.5, R3.20, R3.23).
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct CascadeLimits {
    /// Events within 60 s that are a burst.
    pub burst_count: f64,
    /// Quote units an hour above which liquidations are a cascade.
    pub critical_velocity: f64,
    /// Quote units within the window above which they are.
    pub cascade_total: f64,
    /// Window of the cascade rule.
    pub cascade_window: Span,
    /// Shortest elapsed time a velocity is counted over, hours.
    pub elapsed_floor_h: f64,
    /// Share beyond which one side is the side.
    pub one_sided_share: f64,
    /// Events within the hour below which there is no side to speak of.
    pub one_sided_events: f64,
}

impl Default for CascadeLimits {
    fn default() -> Self {
        Self {
            burst_count: 5.0,
            critical_velocity: 200_000.0,
            cascade_total: 500_000.0,
            cascade_window: Span::hours(4),
            elapsed_floor_h: 1.0,
            one_sided_share: 0.80,
            one_sided_events: 5.0,
        }
    }
}

/// The count of 60 s at an event, and what it is compared with.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Burst {
    /// Stamp of the newest event.
    pub ts: Ts,
    /// Events in the 60 s up to it.
    pub count: u32,
    /// The floor, or the market's own 99.9th percentile where that is more.
    pub threshold: f64,
    /// There is less than a week of own history.
    pub uncalibrated: bool,
    /// Whether the venue shows every liquidation.
    pub kind: Kind,
    /// The newest close.
    pub close: Close,
    /// What the closes of the 60 s add up to, where they are enough for a burst.
    pub made: Option<Made>,
}

impl Burst {
    /// `liq_burst_ratio`.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        f64::from(self.count) / self.threshold
    }
}

/// Liquidations of one stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Liquidations {
    stream: StreamIndex,
    kind: Kind,
    delay: Span,
    max_age: Span,
    limits: CascadeLimits,
    minutes: MinuteSums,
    presence: Presence,
    recent: Recent,
    tail: UpperTail,
    /// Own history as of the last minute.
    threshold: (f64, bool),
    velocity: HourlyRank,
    bins: Bins,
    zones: ZoneLevels,
    anchor: Option<Ts>,
    /// What the readings were taken under, where they say the same until it or what was closed moves. Derived, so not saved.
    #[serde(skip)]
    calm: Option<Calm>,
    #[serde(skip)]
    slots: LiquidationSlots,
}

/// Beside what was closed, what the readings of a minute rest on whose windows were all heard and whose last 60 s were silent.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Calm {
    threshold: (f64, bool),
    /// There is less than a month of own history.
    young: bool,
}

impl Liquidations {
    /// For one declared stream: its kind, its delay, and the longest time it may be silent about its health.
    #[must_use]
    pub fn new(stream: StreamIndex, kind: Kind, delay: Span, max_age: Span, limits: CascadeLimits) -> Self {
        Self {
            stream,
            kind,
            delay,
            max_age,
            limits,
            minutes: MinuteSums::new(limits.cascade_window.0 / MINUTE.0),
            presence: Presence::default(),
            recent: Recent::default(),
            tail: UpperTail::new(MONTH_MINUTES, TAIL),
            threshold: (limits.burst_count, true),
            velocity: HourlyRank::new(MONTH_HOURS, VELOCITY_MIN_N),
            bins: Bins::default(),
            zones: ZoneLevels::default(),
            anchor: None,
            calm: None,
            slots: LiquidationSlots::MISSING,
        }
    }

    /// Says that the stream has been listened to since `at`; the first event says so too.
    pub fn begin(&mut self, at: Ts) {
        self.calm = None;
        self.presence.begin(at);
    }

    /// Takes a liquidation and says how many there were within 60 s.
    pub fn push(&mut self, at: Ts, liquidated_side: Side, price: f64, qty: f64) -> Burst {
        let usd = price * qty;
        self.calm = None;
        self.presence.begin(at);
        self.minutes.push(minute_of(at), liquidated_side, usd);
        self.bins.push(at, liquidated_side, price, usd);
        let close = Close { at, liquidated_side, price, usd };
        let (ts, count) = self.recent.push(close);
        let (threshold, uncalibrated) = self.threshold;
        let made = self.made(ts, count);
        Burst { ts, count, threshold, uncalibrated, kind: self.kind, close, made }
    }

    /// Takes a change of continuity that became known at `recv_ts`.
    pub fn gap(&mut self, status: &Status, recv_ts: Ts) {
        self.calm = None;
        self.presence.status(status, recv_ts, self.max_age);
    }

    /// Completes the minutes that are known at the row of `t` and takes the readings; whether anything moved.
    pub fn settle(&mut self, t: Ts, settings: &ReadinessSettings) -> bool {
        let anchor = (t + LATENESS - self.delay).floor(MINUTE);
        if self.presence.since().is_none() || self.anchor.is_some_and(|a| anchor <= a) {
            return false;
        }
        let end = minute_of(anchor);
        let from = self.minutes.end().unwrap_or(end);
        if self.minutes.advance(end) {
            self.calm = None;
        }
        // The first call completes whatever waited.
        let from = self.anchor.map_or_else(|| self.first_minute(end), |_| from);
        for minute in from.max(end - MONTH_MINUTES)..end {
            let start = start_of(minute);
            if self.presence.present(start, start + MINUTE) > MINUTE - Span::secs(1) {
                self.tail.push(minute, self.minutes.count_of(minute));
            }
        }
        self.anchor = Some(anchor);
        self.presence.forget(anchor);
        self.recent.settle(anchor);
        self.bins.settle(anchor);
        self.threshold = self.own_threshold(anchor, settings);
        if let Some(hour) = whole_hour(anchor) {
            let velocity = self.velocity_4h(anchor, settings);
            self.velocity.push(hour, velocity.cell.ready());
            self.zones.refresh(&self.bins, anchor, t + LATENESS, self.kind);
        }
        if !self.pass_on(anchor, settings) {
            self.read_at(anchor, settings);
        }
        true
    }

    fn first_minute(&self, end: i64) -> i64 {
        self.presence.since().map_or(end, |s| minute_of(s.ceil(MINUTE))).max(end - minutes::DAY)
    }

    /// After a restore: what is derived is made again.
    pub fn reread(&mut self, settings: &ReadinessSettings) {
        self.zones.reread();
        self.read(settings);
    }

    /// Takes the readings again, as of the last minute.
    pub fn read(&mut self, settings: &ReadinessSettings) {
        if let Some(anchor) = self.anchor {
            self.read_at(anchor, settings);
        }
    }

    /// `max(5, q(0.999))` of the counts of a month, or the floor alone before a week of them (S09).
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of a month are below 2^53")]
    fn own_threshold(&self, anchor: Ts, settings: &ReadinessSettings) -> (f64, bool) {
        let floor = self.limits.burst_count;
        let Some(since) = self.presence.since() else { return (floor, true) };
        let from = since.max(anchor - MONTH);
        let present = self.presence.present(from, anchor);
        let span = anchor - from;
        let covered = span > Span::ZERO && present.0 as f64 >= settings.coverage_min * span.0 as f64;
        if span < BURST_HISTORY || !covered {
            return (floor, true);
        }
        let minutes = usize::try_from(present.0 / MINUTE.0).unwrap_or(0);
        match self.tail.quantile(0.999, minutes) {
            Some(own) => (own.max(floor), false),
            None => (floor, true),
        }
    }

    /// Latest readings.
    #[must_use]
    pub fn slots(&self) -> &LiquidationSlots {
        &self.slots
    }

    /// Stream of these events.
    #[must_use]
    pub fn stream(&self) -> StreamIndex {
        self.stream
    }

    /// End of the last complete minute.
    #[must_use]
    pub fn anchor(&self) -> Option<Ts> {
        self.anchor
    }

    /// Zones at the last minute, by price.
    pub fn zones(&self, out: &mut Vec<Zone>) {
        match self.anchor {
            Some(anchor) => self.bins.zones(anchor, out),
            None => out.clear(),
        }
    }

    /// Zones as liquidity levels, as they were known at the last whole hour.
    #[must_use]
    pub fn levels(&self) -> &ZoneLevels {
        &self.zones
    }

    /// The same, to take what happened to them.
    pub fn levels_mut(&mut self) -> &mut ZoneLevels {
        &mut self.zones
    }

    /// Has the stream spoken, or been said to be live?
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.presence.since().is_some()
    }

    /// Kind of these events.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Moment after which the readings of the last minute are too old.
    #[must_use]
    pub fn expires(&self) -> Ts {
        self.anchor.map_or(Ts::MIN, |a| a + self.max_age + self.delay)
    }

    /// The month of hourly velocities, for cuts.
    #[must_use]
    pub fn velocity_rank(&self) -> &HourlyRank {
        &self.velocity
    }

    /// Is `at` later than a stamp heard at `recv_ts` can be? One such stamp would make every true one look old for a while.
    #[must_use]
    pub fn is_ahead(at: Ts, recv_ts: Ts) -> bool {
        at > recv_ts + STAMP_TOLERANCE
    }

    /// Counts an event that is not taken.
    pub fn refuse(&mut self) {
        self.minutes.ignore();
    }

    /// Is a liquidation of `at` heard in time to speak of the minute under way?
    #[must_use]
    pub fn is_news(&self, at: Ts, recv_ts: Ts, burst: &Burst) -> bool {
        at > burst.ts - recent::MINUTE && recv_ts - burst.ts <= self.delay + self.max_age
    }

    /// Events that were too late or too early for every window.
    #[must_use]
    pub fn ignored(&self) -> u64 {
        self.minutes.ignored()
    }
}
