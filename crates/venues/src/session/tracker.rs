//! Continuity of every stream: LIVE, GAP, RESYNC, STALE, NOT_OFFERED.
//!
//! Liveness is judged by progress of the data, not of the socket. Losing a stream is said at once, with an open end; finding
//! it again says where the hole ends. All changes leave as [`Payload::Status`] events, so they reach features, snapshot and
//! text the way data do.
//!
//! How long a silence may be is the venue's constant, and the stream's own rhythm where that is shorter.

use crate::session::rhythm::{FLOOR, Rhythm};
use crate::session::{MarketIndex, Out, StreamSpec};
use barograph_domain::{GapReason, Metric, Payload, Span, Status, StatusState, Ts};
use serde::{Deserialize, Serialize};

/// State of one stream.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Continuity {
    /// Market, by its place in the configuration.
    pub market: MarketIndex,
    /// Metric of the stream.
    pub metric: Metric,
    /// State now. A stream that has not had data yet is `RESYNC`.
    pub state: StatusState,
    /// Why it is not live; of a live stream why it last was not.
    pub reason: GapReason,
    /// When it entered this state, by the receive clock.
    pub since: Ts,
    /// Newest stamp of its data by the venue's clock.
    pub newest: Option<Ts>,
    /// When data last arrived.
    pub progress: Option<Ts>,
    /// Without data for this long the stream is `STALE`; `None` for streams that may rightly be silent.
    pub silence: Option<Span>,
    /// Times it was lost.
    pub losses: u32,
    /// Beginning of the hole as it was said, while one is open.
    pub hole: Option<Ts>,
    /// Its market is not traded now: silence is no loss.
    pub resting: bool,
    /// How long it usually pauses.
    pub rhythm: Rhythm,
}

impl Continuity {
    /// A silence longer than this is a loss, by the venue's constant or by the stream's own rhythm.
    #[must_use]
    pub fn silence_max(&self) -> Option<Span> {
        self.silence.map(|constant| self.rhythm.limit().map_or(constant, |own| own.min(constant)))
    }
}

/// All streams of a session, found by market and metric in O(1).
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Tracker {
    streams: Vec<Continuity>,
    /// Position by `market × METRICS + metric`; `u32::MAX` where there is none.
    places: Vec<u32>,
    /// The last tick, and since when they come each second: a process that was held up itself says nothing about streams.
    ticked: Option<Ts>,
    steady: Option<Ts>,
}

/// Ticks come each second. Further apart than this means that the process was held up, or that its world runs so fast that the
/// machine's own jitter is seconds there (the demo): then only the venue's constants count.
const TICK_MAX: Span = Span::millis(1_250);

/// Ticks must have come in time for so long before a rhythm counts.
const STEADY: Span = Span::mins(1);

const METRICS: usize = Metric::ALL.len();
const NOWHERE: u32 = u32::MAX;

impl Tracker {
    /// Adds a declared stream. Such as are not offered say so at once.
    pub fn declare(&mut self, now: Ts, spec: &StreamSpec, silence: Option<Span>, out: &mut Out) {
        let place = spec.market.index() * METRICS + spec.metric as usize;
        if self.places.len() <= place {
            self.places.resize((spec.market.index() + 1) * METRICS, NOWHERE);
        }
        self.places[place] = u32::try_from(self.streams.len()).unwrap_or(NOWHERE);
        let (state, reason) = if spec.offered {
            (StatusState::Resync, GapReason::Starting)
        } else {
            (StatusState::NotOffered, GapReason::NotOffered)
        };
        self.streams.push(Continuity {
            market: spec.market,
            metric: spec.metric,
            state,
            reason,
            since: now,
            newest: None,
            progress: None,
            silence: silence.filter(|_| spec.offered),
            losses: 0,
            hole: None,
            resting: false,
            rhythm: Rhythm::default(),
        });
        if !spec.offered {
            let status = Status { state, from: now, until: now, reason };
            out.live(spec.market, spec.metric, now, 0, Payload::Status(status));
        }
    }

    fn at(&mut self, market: MarketIndex, metric: Metric) -> Option<&mut Continuity> {
        let place = *self.places.get(market.index() * METRICS + metric as usize)?;
        self.streams.get_mut(place as usize).filter(|s| s.state != StatusState::NotOffered)
    }

    /// One stream.
    #[must_use]
    pub fn get(&self, market: MarketIndex, metric: Metric) -> Option<&Continuity> {
        let place = *self.places.get(market.index() * METRICS + metric as usize)?;
        self.streams.get(place as usize)
    }

    /// All streams, in order of declaration.
    #[must_use]
    pub fn all(&self) -> &[Continuity] {
        &self.streams
    }

    /// Data of this stream arrived and are continuous. Call it before emitting them: a stream that was lost says `LIVE`
    /// first, with the hole's ends.
    pub fn progress(&mut self, market: MarketIndex, metric: Metric, now: Ts, event_ts: Ts, out: &mut Out) {
        let Some(s) = self.at(market, metric) else { return };
        if metric == Metric::Book && out.books.last() != Some(&market) {
            out.books.push(market);
        }
        // What came back by itself was its own pause; a hole between two connections is not.
        let itself = s.state == StatusState::Live || (s.state == StatusState::Stale && s.reason == GapReason::Silent);
        if let Some(before) = s.progress.filter(|_| itself && !s.resting) {
            s.rhythm.note(now, now - before);
        }
        (s.progress, s.resting) = (Some(now), false);
        let before = s.newest;
        s.newest = Some(before.map_or(event_ts, |n| n.max(event_ts)));
        if s.state != StatusState::Live {
            // Begun without a past and without having been missed: there is no hole, only a beginning.
            let from = s.hole.take().or(before).unwrap_or(event_ts);
            s.state = StatusState::Live;
            s.since = now;
            let status = Status { state: StatusState::Live, from, until: event_ts.max(from), reason: s.reason };
            out.live(market, metric, event_ts, 0, Payload::Status(status));
        }
    }

    /// The stream is healthy although it had nothing to say: streams that may be silent are live again with their connection.
    pub fn found(&mut self, market: MarketIndex, metric: Metric, now: Ts, out: &mut Out) {
        if self.at(market, metric).is_some_and(|s| s.state != StatusState::Live) {
            self.progress(market, metric, now, now, out);
        }
    }

    /// The stream lost its continuity. `state` is `GAP`, `RESYNC` or `STALE`. Losing it again changes its state without
    /// another event, except that `GAP` follows `STALE`.
    pub fn lost(
        &mut self,
        market: MarketIndex,
        metric: Metric,
        now: Ts,
        state: StatusState,
        reason: GapReason,
        out: &mut Out,
    ) {
        let Some(s) = self.at(market, metric) else { return };
        let was = s.state;
        if reason == GapReason::Refused && s.progress.is_none() && s.hole.is_none() {
            // Never began, and will not: that is said at once and by its name.
            let declared = s.since;
            return self.never_began(market, metric, now, (declared, state, reason), out);
        }
        if was != StatusState::Live {
            // The hole is one; what it is called may change.
            if was != state && s.newest.is_some() {
                s.state = state;
                s.reason = reason;
                s.since = now;
            }
            return;
        }
        s.state = state;
        s.reason = reason;
        s.since = now;
        s.losses = s.losses.saturating_add(1);
        let from = s.newest.unwrap_or(now);
        s.hole = Some(from);
        let status = Status { state, from, until: Status::OPEN, reason };
        out.live(market, metric, now, 0, Payload::Status(status));
    }

    /// A market is not traded any more, or again; its silence counts from now on. False: it was like that already.
    pub fn rest(&mut self, market: MarketIndex, now: Ts, rests: bool) -> bool {
        let mut changed = false;
        for s in self.streams.iter_mut().filter(|s| s.market == market && s.state != StatusState::NotOffered) {
            let turns = core::mem::replace(&mut s.resting, rests) != rests;
            changed |= turns;
            if turns && !rests {
                // Whether it comes again is judged from here.
                s.progress = s.progress.map(|_| now);
            }
        }
        changed
    }

    /// Streams that made no progress for too long become `STALE`; so do those that were declared and never began, since their
    /// declaration.
    pub fn tick(&mut self, now: Ts, out: &mut Out) {
        if self.ticked.is_none_or(|before| now - before > TICK_MAX) {
            self.steady = Some(now);
        }
        self.ticked = Some(now);
        let is_steady = self.steady.is_some_and(|since| now - since >= STEADY);
        for at in 0..self.streams.len() {
            let s = &self.streams[at];
            let last = s.progress.unwrap_or(s.since);
            let limit = if is_steady { s.silence_max() } else { s.silence };
            if s.resting || limit.is_none_or(|limit| now - last <= limit) {
                continue;
            }
            let s = *s;
            if s.state == StatusState::Live {
                self.lost(s.market, s.metric, now, StatusState::Stale, GapReason::Silent, out);
            } else if s.progress.is_none() && s.hole.is_none() && s.state != StatusState::NotOffered {
                let why = (s.since, StatusState::Stale, GapReason::Silent);
                self.never_began(s.market, s.metric, now, why, out);
            }
        }
    }

    /// These are what one connection brings: is one of them silent against its own rhythm, and has nothing come of the others
    /// either? Then the connection delivers nothing, whatever its socket says, and is to be replaced.
    #[must_use]
    pub fn is_mute(&self, now: Ts, streams: impl Iterator<Item = (MarketIndex, Metric)>) -> bool {
        let (mut silent, mut newest) = (false, None);
        for s in streams.filter_map(|(market, metric)| self.get(market, metric)).filter(|s| !s.resting) {
            let is_stale = s.state == StatusState::Stale && s.reason == GapReason::Silent;
            silent |= is_stale && s.rhythm.limit().is_some();
            newest = newest.max(s.progress);
        }
        silent && newest.is_some_and(|last| now - last >= FLOOR)
    }

    fn never_began(
        &mut self,
        market: MarketIndex,
        metric: Metric,
        now: Ts,
        (declared, state, reason): (Ts, StatusState, GapReason),
        out: &mut Out,
    ) {
        let Some(s) = self.at(market, metric) else { return };
        (s.state, s.reason, s.since, s.hole) = (state, reason, now, Some(declared));
        s.losses = s.losses.saturating_add(1);
        let status = Status { state, from: declared, until: Status::OPEN, reason };
        out.live(market, metric, now, 0, Payload::Status(status));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Kind;

    fn spec(metric: Metric, offered: bool) -> StreamSpec {
        StreamSpec {
            market: MarketIndex(1),
            metric,
            offered,
            kind: Kind::Measured,
            cadence: Span::secs(1),
            delay: Span::ZERO,
            filled: true,
        }
    }

    fn at(s: i64) -> Ts {
        Ts(0) + Span::secs(s)
    }

    fn said(out: &mut Out) -> Vec<(StatusState, GapReason, Ts, Ts)> {
        let all = out.events.iter().map(|e| match e.payload {
            Payload::Status(s) => (s.state, s.reason, s.from, s.until),
            _ => panic!("not a status"),
        });
        let all = all.collect();
        out.clear();
        all
    }

    #[test]
    fn a_stream_that_never_begins_is_stale_from_its_declaration() {
        let (mut t, mut out) = (Tracker::default(), Out::default());
        let m = MarketIndex(1);
        t.declare(at(5), &spec(Metric::MarkPrice, true), Some(Span::secs(10)), &mut out);
        t.tick(at(15), &mut out);
        assert_eq!(said(&mut out), []);
        t.tick(at(16), &mut out);
        t.tick(at(17), &mut out);
        assert_eq!(said(&mut out), [(StatusState::Stale, GapReason::Silent, at(5), Status::OPEN)], "said once");
        t.progress(m, Metric::MarkPrice, at(20), at(19), &mut out);
        assert_eq!(said(&mut out), [(StatusState::Live, GapReason::Silent, at(5), at(19))]);
    }

    #[test]
    fn a_stream_that_is_refused_before_it_began_says_so_and_begins_later() {
        let (mut t, mut out) = (Tracker::default(), Out::default());
        let m = MarketIndex(1);
        t.declare(at(5), &spec(Metric::MarkPrice, true), Some(Span::secs(10)), &mut out);
        for second in [8, 9] {
            t.lost(m, Metric::MarkPrice, at(second), StatusState::Gap, GapReason::Refused, &mut out);
        }
        t.tick(at(60), &mut out);
        assert_eq!(said(&mut out), [(StatusState::Gap, GapReason::Refused, at(5), Status::OPEN)], "said once");
        t.progress(m, Metric::MarkPrice, at(70), at(69), &mut out);
        assert_eq!(said(&mut out), [(StatusState::Live, GapReason::Refused, at(5), at(69))]);
    }

    #[test]
    fn a_stream_lives_falls_silent_is_lost_and_found() {
        use GapReason::{NotOffered, Silent, Starting};
        use StatusState::{Live, Stale};
        let (mut t, mut out) = (Tracker::default(), Out::default());
        let m = MarketIndex(1);
        t.declare(at(0), &spec(Metric::MarkPrice, true), Some(Span::secs(10)), &mut out);
        t.declare(at(0), &spec(Metric::Liquidation, false), None, &mut out);
        assert_eq!(said(&mut out), [(StatusState::NotOffered, NotOffered, at(0), at(0))]);
        t.progress(m, Metric::MarkPrice, at(2), at(1), &mut out);
        assert_eq!(said(&mut out), [(Live, Starting, at(1), at(1))]);
        t.tick(at(12), &mut out);
        assert_eq!(said(&mut out), []);
        t.tick(at(13), &mut out);
        assert_eq!(said(&mut out), [(Stale, Silent, at(1), Status::OPEN)]);
        t.lost(m, Metric::MarkPrice, at(14), StatusState::Gap, GapReason::Disconnected, &mut out);
        assert_eq!(said(&mut out), [], "one hole is one event");
        assert_eq!(t.get(m, Metric::MarkPrice).unwrap().state, StatusState::Gap);
        t.progress(m, Metric::MarkPrice, at(20), at(19), &mut out);
        assert_eq!(said(&mut out), [(Live, GapReason::Disconnected, at(1), at(19))]);
        t.progress(m, Metric::Liquidation, at(20), at(19), &mut out);
        assert_eq!(said(&mut out), [], "what is not offered never lives");
    }
}
