//! The session of a moment and the stop distance that follows from it (features §3).

use super::Assembly;
use super::fill::fill;
use crate::ages::allowed;
use crate::catalogue::Feature;
use crate::composite;
use crate::engine::Config;
use crate::features::reading::{Fullness, ReadingOrigin, Slot};
use crate::feeds::{Feeds, PriceSeries};
use crate::rules::SessionBase;
use crate::sessions::{Conditions, SESSIONS_MIN, Stretch, adjust};
use barograph_domain::{Cell, Kind, Reason, Span, State, TradingSession, Ts};

/// Volatility above this many times the session's usual one makes a bad period (R2.6).
const VOL_RATIO_BAD: f64 = 2.0;
/// Minutes before an event that make one (R2.55).
pub(crate) const BLACKOUT_MINUTES: f64 = 120.0;

impl Assembly {
    /// Whether what is usual is another session's or another kind of day's from this minute on: that is known without any input.
    pub(super) fn stretch_changes(&mut self, t: Ts, config: &Config) -> bool {
        let set = &config.book.sessions;
        let before = self.stretch;
        if before.is_none_or(|s| t < s.from || s.until <= t) {
            self.stretch = Some(Stretch { session: set.session(t), from: set.start(t), until: set.end(t) });
        }
        before != self.stretch || t.floor(Span::days(1)) == t
    }

    /// Readings of the clock alone: they move with every minute.
    pub(super) fn clock(&mut self, t: Ts) {
        let Some(stretch) = self.stretch else { return };
        let at = |value: f64| Slot { cell: Cell::ready_at(value, t, Kind::Measured), expires: Ts::MAX };
        #[expect(clippy::cast_precision_loss, reason = "four sessions")]
        let session = at(stretch.session.index() as f64);
        let elapsed = at((t - stretch.from).as_secs_f64() / (stretch.until - stretch.from).as_secs_f64());
        // Not offered without a calendar, missing while it knows of none.
        let to_event = match (self.next_event, self.minutes_to_event) {
            (None, _) => Slot::undefined(Reason::NotOffered),
            (Some(_), None) => Slot::MISSING,
            (Some(_), Some(m)) => at(m),
        };
        fill!(self, clock { session, elapsed, to_event });
    }

    /// The session under way.
    pub(crate) fn session(&self) -> TradingSession {
        self.stretch.map_or(TradingSession::Rollover, |s| s.session)
    }

    pub(super) fn sessions(&mut self, feeds: &Feeds, t: Ts, config: &Config) {
        let vol = self.slots.of(Feature::RealizedVol1h);
        let expected_vol = self.usual_vol(feeds, t, config);
        let ratio = |v: &[f64]| if v[1] > 0.0 { Ok(v[0] / v[1]) } else { Err(Reason::ZeroDenominator) };
        let vol_ratio = composite::combine(t, &[&vol, &expected_vol], ratio);
        let (now, expected_volume) = self.volumes(feeds, t, config);
        let volume_ratio = composite::combine(t, &[&now, &expected_volume], ratio);
        let (base, base_full) = base_multiplier(feeds, t, config, self.session());
        let adjusted = adjust(&Conditions { base, vol_ratio: vol_ratio.ready(t), volume_ratio: volume_ratio.ready(t) });
        // A number even where inputs are missing: the one place where that is so, and it is flagged (features §3).
        let given = |value: f64, partial: bool| {
            let mut cell = Cell::ready_at(value, t, Kind::Measured);
            cell.partial = partial;
            Slot { cell, expires: Ts::MAX }
        };
        let lacking = |slot: &Slot| slot.ready(t).is_none() || slot.cell.partial;
        let any = !base_full || lacking(&vol_ratio) || lacking(&volume_ratio);
        let event = self.event_is_near();
        let bad = self.session() == TradingSession::Rollover
            || vol_ratio.ready(t).is_some_and(|r| r > VOL_RATIO_BAD)
            || event;
        fill!(
            self,
            session {
                expected_vol,
                expected_volume,
                vol_ratio,
                volume_ratio,
                base_mult: given(base, !base_full),
                vol_adjustment: given(adjusted.vol_adjustment, lacking(&vol_ratio)),
                volume_adjustment: given(adjusted.volume_adjustment, lacking(&volume_ratio)),
                adaptive_mult: given(adjusted.adaptive_mult, any),
                bad_period: given(f64::from(u8::from(bad)), lacking(&vol_ratio)),
            }
        );
    }

    /// An event of high impact is at most two hours away (R2.55).
    pub(super) fn event_is_near(&self) -> bool {
        self.minutes_to_event.is_some_and(|m| m <= BLACKOUT_MINUTES)
    }

    /// Volatility that is usual in the session under way, from the first stream that has seen enough of them.
    fn usual_vol(&self, feeds: &Feeds, t: Ts, config: &Config) -> Slot {
        let mut seen = Slot::MISSING;
        for feed in feeds.prices.iter().filter(|f| allowed(f.source.kind, config) && f.anchor_ts().is_some()) {
            let Some(volatility) = &feed.volatility else { continue };
            let slot = usual(&feed.origin(), volatility.sessions().usual(self.session(), t));
            if slot.ready(t).is_some() {
                return slot;
            }
            if seen.cell.stream.is_none() {
                seen = slot;
            }
        }
        seen
    }

    /// Quote volume a minute of the last hour, and what is usual in the session, from the first bar stream that has both.
    fn volumes(&self, feeds: &Feeds, t: Ts, config: &Config) -> (Slot, Slot) {
        let mut seen = (Slot::MISSING, Slot::MISSING);
        for feed in &feeds.prices {
            let PriceSeries::Bars(bars) = &feed.series else { continue };
            let kind = if bars.volume.is_estimated() { Kind::Proxy } else { feed.declared };
            let (Some(at), true) = (bars.series.anchor_ts(), allowed(kind, config)) else { continue };
            let origin = ReadingOrigin { kind, ..feed.origin() };
            let now = match bars.volume.last_hour(at, bars.series.step()) {
                // A sum over a gap is no sum of the hour (features §1, gap).
                _ if bars.series.has_gap(at - Span::hours(1), at) => origin.undefined(Reason::Gap),
                Some((v, coverage)) => origin.ready(v, Fullness { coverage, partial: false }),
                None => origin.not_ready(State::Warming { have: 0, need: 48 }),
            };
            let usual = usual(&origin, bars.volume.sessions().usual(self.session(), t));
            if now.ready(t).is_some() && usual.ready(t).is_some() {
                return (now, usual);
            }
            if seen.0.cell.stream.is_none() {
                seen = (now, usual);
            }
        }
        seen
    }
}

/// What the sessions of a stream say is usual, or how many of them there are.
fn usual(origin: &ReadingOrigin, said: Result<(f64, bool), usize>) -> Slot {
    match said {
        Ok((v, full)) => origin.ready(v, Fullness { coverage: 1.0, partial: !full }),
        #[expect(clippy::cast_possible_truncation, reason = "at most ten")]
        Err(have) => origin.not_ready(State::Warming { have: have as u32, need: SESSIONS_MIN as u32 }),
    }
}

/// Measured where the book says so and there is enough history, else the book's numbers (S11); and whether more history
/// could not change it.
pub(crate) fn base_multiplier(feeds: &Feeds, t: Ts, config: &Config, session: TradingSession) -> (f64, bool) {
    let fixed = config.book.session_multipliers[session.index()];
    if config.book.session_base == SessionBase::Seed {
        return (fixed, true);
    }
    let measured =
        || feeds.prices.iter().filter(|f| allowed(f.source.kind, config)).filter_map(|f| f.volatility.as_ref());
    measured().find_map(|v| v.sessions().base(t)).map_or((fixed, false), |(base, full)| (base[session.index()], full))
}
