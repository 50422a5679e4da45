//! Missing rows become gap events. Pure; sits behind the merge, and in front of the engine again when stored points are
//! replayed, so that both paths declare the same gaps.
//!
//! Only archives: there a missing row is missing for good. Live streams (`filled`) declare their own gaps, and event
//! streams have no cadence to miss. Liquidations are events whose silence means zero, as far as their archive reaches: it
//! comes in whole days of UTC, so that a row speaks for its day. A day without a row yet is given an hour: a market in
//! which nobody was liquidated since midnight is common, and saying each night that it is not listened to would make
//! its windows undefined. After that hour the stream is lost since the end of its last day, until its next row, which
//! speaks for its own day from the beginning. Nothing later than the moment is asked, so that rows that are imported
//! afterwards change no minute before them.

use crate::policy;
use barograph_domain::{Event, GapReason, Metric, Payload, Span, Status, StatusState, StreamDecl, StreamIndex, Ts};
use serde::{Deserialize, Serialize};

const DAY: Span = Span::days(1);
/// How long a new day may be silent before its archive counts as missing.
const QUIET: Span = Span::hours(1);

/// Memory of one stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Memory {
    /// Steps longer than this are gaps; none where the stream has no cadence.
    limit: Option<Span>,
    /// Comes in whole days, with this delay: how long a row speaks for silence.
    days: Option<Span>,
    /// Newest stamp so far.
    last: Option<Ts>,
    /// Since when no day has had a row, once that is declared.
    ended: Option<Ts>,
}

impl Memory {
    /// End of the newest day that has a row.
    fn day_end(&self) -> Option<Ts> {
        self.last.map(|t| t.floor(DAY) + DAY)
    }
    /// When its end is declared unless a row comes before.
    fn deadline(&self) -> Option<Ts> {
        let delay = self.days.filter(|_| self.ended.is_none())?;
        Some(self.day_end()? + QUIET + delay)
    }
}

/// Per-stream memory of the newest stamp. Serializable: a checkpoint carries it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Continuity {
    streams: Vec<Memory>,
    /// Earliest of the deadlines.
    next: Option<Ts>,
}

impl Continuity {
    /// For the declared streams of a run, in their order.
    #[must_use]
    pub fn new(streams: &[StreamDecl]) -> Self {
        let memory = |decl| Memory { limit: limit(decl), days: days(decl), last: None, ended: None };
        Self { streams: streams.iter().map(memory).collect(), next: None }
    }

    /// Archives that ended before `recv_ts`, one by one: ask until there is none, before what was received then is stepped.
    /// Known at its deadline, whatever other streams are there to pass the time.
    pub fn due(&mut self, recv_ts: Ts) -> Option<Event> {
        let deadline = self.next.filter(|at| recv_ts > *at)?;
        let place = self.streams.iter().position(|m| m.deadline() == Some(deadline))?;
        let memory = &mut self.streams[place];
        let from = memory.day_end()?;
        memory.ended = Some(from);
        let event_ts = deadline - memory.days.unwrap_or_default();
        self.plan();
        let ended = Status { state: StatusState::Gap, from, until: Status::OPEN, reason: GapReason::MissingRows };
        let stream = StreamIndex(u16::try_from(place).ok()?);
        Some(Event { recv_ts: deadline, event_ts, stream, seq: 0, payload: Payload::Status(ended) })
    }

    /// What to deliver before `event`: the gap where rows are missing between it and the one before, both ends the stamps of
    /// rows that exist, or the end of a lost archive's silence. Same receive time, same stream.
    pub fn push(&mut self, event: &Event) -> Option<Event> {
        if matches!(event.payload, Payload::Status(_) | Payload::Tick) {
            return None;
        }
        let memory = self.streams.get_mut(event.stream.index())?;
        let told = |state, from, until| {
            let status = Status { state, from, until, reason: GapReason::MissingRows };
            Some(Event { payload: Payload::Status(status), ..*event })
        };
        let before = memory.last;
        if memory.days.is_some() {
            let day_end = memory.day_end();
            if day_end.is_some_and(|end| event.event_ts < end) {
                return None;
            }
            memory.last = Some(event.event_ts);
            let ended = memory.ended.take();
            self.plan();
            let from = ended?;
            return told(StatusState::Live, from, event.event_ts.floor(DAY).max(from));
        }
        let limit = memory.limit?;
        memory.last = before.max(Some(event.event_ts));
        let from = before?;
        if event.event_ts - from <= limit {
            return None;
        }
        told(StatusState::Gap, from, event.event_ts)
    }

    fn plan(&mut self) {
        self.next = self.streams.iter().filter_map(Memory::deadline).min();
    }
}

/// Liquidations of an archive, with their delay.
fn days(decl: &StreamDecl) -> Option<Span> {
    (!decl.filled && decl.metric == Metric::Liquidation).then_some(decl.delay)
}

/// 1.5 × cadence; settled funding 1.5 × the longer of cadence and 8 h, because venues change intervals at will.
fn limit(decl: &StreamDecl) -> Option<Span> {
    if decl.filled || policy::is_event_stream(decl.metric) {
        return None;
    }
    let step = match decl.metric {
        Metric::FundingRateSettled => decl.cadence.max(policy::FUNDING_INTERVAL),
        _ => decl.cadence,
    };
    Some(Span(step.0 + step.0 / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{InstrumentName, Kind, Side, Stamp};

    fn decl(metric: Metric, cadence: Span, filled: bool) -> StreamDecl {
        StreamDecl {
            instrument: InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(),
            metric,
            kind: Kind::Measured,
            cadence,
            source: "binance-usdm".to_owned(),
            delay: Span::secs(2),
            stamp: Stamp::Open,
            filled,
        }
    }

    fn gaps(decl: StreamDecl, minutes: &[i64]) -> Vec<(i64, i64)> {
        let mut continuity = Continuity::new(&[decl]);
        let mut found = Vec::new();
        for &m in minutes {
            let at = Ts(0) + Span::mins(m);
            let event = Event {
                recv_ts: at + Span::secs(2),
                event_ts: at,
                stream: StreamIndex(0),
                seq: 0,
                payload: Payload::Value(1.0),
            };
            // A checkpoint between any two events changes nothing.
            let saved = serde_json::to_string(&continuity).unwrap();
            continuity = serde_json::from_str(&saved).unwrap();
            if let Some(gap) = continuity.push(&event) {
                assert_eq!((gap.recv_ts, gap.stream), (event.recv_ts, event.stream));
                let Payload::Status(s) = gap.payload else { panic!("not a status") };
                assert_eq!(s.state, StatusState::Gap);
                found.push((s.from.0 / Span::mins(1).0, s.until.0 / Span::mins(1).0));
            }
        }
        found
    }

    #[test]
    fn a_missing_minute_is_a_gap_between_two_rows_that_exist() {
        let minute = Span::mins(1);
        assert_eq!(gaps(decl(Metric::Bar, minute, false), &[1, 2, 3, 5, 6, 60]), [(3, 5), (6, 60)]);
        assert_eq!(gaps(decl(Metric::Bar, minute, false), &[1, 1, 2, 1, 3]), [], "repeats and late rows are none");
    }

    #[test]
    fn funding_is_given_eight_hours_whatever_its_interval() {
        let hourly = decl(Metric::FundingRateSettled, Span::hours(1), false);
        assert_eq!(gaps(hourly, &[0, 480, 1200, 1921]), [(1200, 1921)]);
        let daily = decl(Metric::FundingRateSettled, Span::hours(24), false);
        assert_eq!(gaps(daily, &[0, 2160, 4321]), [(2160, 4321)]);
    }

    #[test]
    fn streams_that_are_live_or_have_no_cadence_have_no_gaps_here() {
        assert_eq!(gaps(decl(Metric::MarkPrice, Span::secs(1), true), &[0, 60]), []);
        for metric in [Metric::Trade, Metric::Liquidation, Metric::BestBidAsk] {
            assert_eq!(gaps(decl(metric, Span::secs(1), false), &[0, 60]), []);
        }
    }

    /// What is said of an archive of liquidations with rows at these hours, while another stream passes the time every
    /// `step` hours: hour known, state, from, until.
    fn told(rows: &[i64], step: i64, hours: i64) -> Vec<(i64, StatusState, i64, Option<i64>)> {
        let mut continuity = Continuity::new(&[
            decl(Metric::Bar, Span::hours(1), true),
            decl(Metric::Liquidation, Span::secs(1), false),
        ]);
        let hour = |t: Ts| t.0.div_euclid(Span::hours(1).0);
        let closed = Payload::Liquidation { liquidated_side: Side::Long, price: 1.0, qty: 1.0 };
        let at = |h: i64| Ts(0) + Span::hours(h);
        let mut events: Vec<(i64, u16)> = rows.iter().map(|h| (*h, 1)).collect();
        events.extend((0..hours).filter(|h| h % step == 0).map(|h| (h, 0)));
        events.sort_unstable();
        let mut out = Vec::new();
        for (h, stream) in events {
            let payload = if stream == 1 { closed } else { Payload::Value(1.0) };
            let event =
                Event { recv_ts: at(h) + Span::secs(2), event_ts: at(h), stream: StreamIndex(stream), seq: 0, payload };
            let mut said: Vec<Event> = core::iter::from_fn(|| continuity.due(event.recv_ts)).collect();
            let saved = serde_json::to_string(&continuity).unwrap();
            continuity = serde_json::from_str(&saved).unwrap();
            said.extend(continuity.push(&event));
            for e in said {
                let Payload::Status(s) = e.payload else { panic!("not a status") };
                assert!(e.recv_ts <= event.recv_ts && e.stream == StreamIndex(1));
                out.push((hour(e.recv_ts), s.state, hour(s.from), (!s.is_open()).then(|| hour(s.until))));
            }
        }
        out
    }

    #[test]
    fn an_archive_of_liquidations_ends_with_its_last_day() {
        use StatusState::{Gap, Live};
        // Rows on days 0, 1 and 3; silence within a day, and for an hour after midnight, is silence.
        let want = [(49, Gap, 48, None), (90, Live, 48, Some(72)), (97, Gap, 96, None)];
        for step in [1, 5, 24] {
            assert_eq!(told(&[3, 24, 90], step, 200), want, "another stream every {step} h");
        }
        assert_eq!(told(&[3, 30], 1, 40), [(25, Gap, 24, None), (30, Live, 24, Some(24))], "a quiet night is no hole");
        assert_eq!(told(&[], 1, 100), [], "nobody said that anybody listened");
    }
}
