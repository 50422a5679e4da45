//! Missing rows become gap events. Pure; sits behind the merge, and in front of the engine again when stored points are
//! replayed, so that both paths declare the same gaps.
//!
//! Only archives: there a missing row is missing for good. Live streams (`filled`) declare their own gaps, and event
//! streams have no cadence to miss.

use crate::policy;
use barograph_domain::{Event, GapReason, Metric, Payload, Span, Status, StatusState, StreamDecl, Ts};
use serde::{Deserialize, Serialize};

/// Memory of one stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Memory {
    /// Steps longer than this are gaps; none where the stream has no cadence.
    limit: Option<Span>,
    /// Newest stamp so far.
    last: Option<Ts>,
}

/// Per-stream memory of the newest stamp. Serializable: a checkpoint carries it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Continuity {
    streams: Vec<Memory>,
}

impl Continuity {
    /// For the declared streams of a run, in their order.
    #[must_use]
    pub fn new(streams: &[StreamDecl]) -> Self {
        Self { streams: streams.iter().map(|decl| Memory { limit: limit(decl), last: None }).collect() }
    }

    /// The gap to deliver before `event`, where rows are missing between it and the one before: same receive time, same
    /// stream, both ends the stamps of rows that exist.
    pub fn push(&mut self, event: &Event) -> Option<Event> {
        if matches!(event.payload, Payload::Status(_) | Payload::Tick) {
            return None;
        }
        let memory = self.streams.get_mut(event.stream.index())?;
        let limit = memory.limit?;
        let from = memory.last;
        memory.last = from.max(Some(event.event_ts));
        let from = from?;
        if event.event_ts - from <= limit {
            return None;
        }
        let gap = Status { state: StatusState::Gap, from, until: event.event_ts, reason: GapReason::MissingRows };
        Some(Event { payload: Payload::Status(gap), ..*event })
    }
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
    use barograph_domain::{InstrumentName, Kind, Stamp, StreamIndex};

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
}
