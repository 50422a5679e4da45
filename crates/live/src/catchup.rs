//! History that arrives after a market has begun.
//!
//! At first start and after the process was away, venues are asked for what they keep: candles, settlements, open interest.
//! The answers come in while the market is live already. Until they are complete the market's earlier state is kept beside it
//! with everything that has happened since; then the history goes through that state in the order in which it would have
//! arrived, the rest follows, and the result takes the market's place. Minutes published meanwhile stay as they are.
//!
//! All of it is part of a checkpoint. A process that goes on takes up at once what had come whole, and waits on for the rest.

use barograph_domain::{Event, Instrument, Metric, Payload, Span, Status, StatusState, StreamIndex, Ts};
use barograph_engine::{Engine, MarketState};
use barograph_venues::policy::archive_delay;
use barograph_venues::session::{Continuity, Origin};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// History is complete when nothing of it is to be fetched any more and none has arrived for this long: what the first data of
/// a market set off may set off more.
const QUIET: Span = Span::secs(20);
/// The same once every stream of which venues keep history is live: nothing is left that could set off more.
const QUIET_ALL_LIVE: Span = Span::secs(3);
/// A market that has had no history for this long gets none.
const PATIENCE: Span = Span::mins(10);
/// The longest wait for history that is still to be fetched: venues that refuse for an hour are not waited for.
const FETCH_MAX: Span = Span::hours(1);
/// Events that may be worked through in one tick: some tenths of a second.
const EVENTS_PER_TICK: usize = 200_000;
/// Live facts kept per market at most; then the market goes on with what it has.
const HELD_MAX: usize = 50_000;

/// One market that waits for history.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    /// `None`: the market had no past.
    base: Option<MarketState>,
    /// Since when this process waits.
    since: Ts,
    /// When history last arrived here.
    newest: Option<Ts>,
    #[serde(with = "facts")]
    history: Vec<Event>,
    /// Live facts since: the last of each stream and minute, and all changes of continuity.
    #[serde(with = "facts")]
    held: Vec<Event>,
}

/// All markets that wait.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct CatchUps {
    waiting: BTreeMap<usize, Waiting>,
}

impl CatchUps {
    /// Keeps a market's state from now on.
    pub(crate) fn begin(&mut self, market: usize, base: Option<MarketState>, at: Ts) {
        self.waiting.insert(market, Waiting { base, since: at, newest: None, history: Vec::new(), held: Vec::new() });
    }

    /// Another process goes on here. Markets that have all their history take it up now, whatever the ended process still waited
    /// for, and begin to wait for what was missed; one of which more is to come, or whose streams had not all begun (what begins
    /// may have a history older than the rest), waits on from its earlier state. Past prices as in [`Self::work`].
    pub(crate) fn resume(
        &mut self,
        at: Ts,
        engine: &mut Engine,
        instruments: &[Instrument],
        look: &CatchingUp,
    ) -> Vec<Past> {
        let mut known = Vec::new();
        for market in 0..instruments.len() {
            if (look.fetching.contains(&market) || !look.all_live.contains(&market))
                && let Some(waiting) = self.waiting.get_mut(&market)
            {
                // What was asked for before has to be asked for again.
                waiting.since = at;
                waiting.newest = (!waiting.history.is_empty()).then_some(at);
                continue;
            }
            known.extend(self.take_up(market, engine, instruments));
            self.begin(market, engine.market(market).cloned(), at);
        }
        known
    }

    /// How many markets wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Markets that hold history they have not taken up.
    pub(crate) fn unread(&self) -> impl Iterator<Item = usize> {
        self.waiting.iter().filter(|(_, w)| !w.history.is_empty()).map(|(market, _)| *market)
    }

    /// Looks at an event of a market. True: it is history and waits here; the engine must not take it yet. `read`: the engine
    /// makes something of its stream.
    pub(crate) fn takes(&mut self, market: Option<usize>, event: &Event, origin: Origin, read: bool) -> bool {
        let Some(waiting) = market.and_then(|m| self.waiting.get_mut(&m)) else { return false };
        let is_status = matches!(event.payload, Payload::Status(_));
        if origin == Origin::Backfill && !is_status {
            if read {
                waiting.newest = Some(event.recv_ts);
                waiting.history.push(*event);
            }
            return true;
        }
        if read || is_status {
            waiting.hold(event);
        }
        false
    }

    /// Brings up to date what is complete. Handed back are past prices of whole hours by market.
    pub(crate) fn work(
        &mut self,
        at: Ts,
        engine: &mut Engine,
        instruments: &[Instrument],
        look: impl FnOnce(&Engine) -> CatchingUp,
    ) -> Vec<Past> {
        let mut known = Vec::new();
        let mut budget = EVENTS_PER_TICK;
        let mut due: Vec<usize> = self.waiting.iter().filter(|(_, w)| w.is_due(at, true)).map(|(m, _)| *m).collect();
        if due.is_empty() {
            return known;
        }
        let look = look(engine);
        due.retain(|m| {
            self.waiting.get(m).is_some_and(|w| {
                w.is_due(at, look.all_live.contains(m)) && (!look.fetching.contains(m) || at - w.since > FETCH_MAX)
            })
        });
        for market in due {
            let Some(waiting) = self.waiting.get(&market) else { continue };
            let size = waiting.history.len() + waiting.held.len();
            if size > budget && budget < EVENTS_PER_TICK {
                break;
            }
            budget = budget.saturating_sub(size);
            known.extend(self.take_up(market, engine, instruments));
        }
        known
    }

    /// Ends a market's waiting: what history it has goes through its earlier state.
    fn take_up(&mut self, market: usize, engine: &mut Engine, instruments: &[Instrument]) -> Option<Past> {
        let waiting = self.waiting.remove(&market).filter(|w| !w.history.is_empty())?;
        let (base, events) = waiting.in_order(engine);
        let fresh = || engine.fresh_market(market, instruments.get(market)?);
        let base = base.or_else(fresh)?;
        Some((market, engine.catch_up(market, base, &events)))
    }
}

/// A market's past prices of whole hours.
pub(crate) type Past = (usize, Vec<(Ts, f64)>);

/// How the markets that wait do.
#[derive(Debug, Default)]
pub(crate) struct CatchingUp {
    /// Of these there is more to come.
    pub(crate) fetching: BTreeSet<usize>,
    /// Of these every stream that has a history is live.
    pub(crate) all_live: BTreeSet<usize>,
}

/// Whether this stream can set off no more history than it has.
pub(crate) fn is_settled(stream: &Continuity) -> bool {
    let kept = matches!(
        stream.metric,
        Metric::Bar | Metric::FundingRateSettled | Metric::OpenInterest | Metric::OpenInterestUsd
    );
    !kept || matches!(stream.state, StatusState::Live | StatusState::NotOffered)
}

impl Waiting {
    fn is_due(&self, at: Ts, all_live: bool) -> bool {
        let quiet = if all_live { QUIET_ALL_LIVE } else { QUIET };
        self.newest.map_or(at - self.since > PATIENCE, |newest| at - newest > quiet)
    }

    fn hold(&mut self, event: &Event) {
        let same_minute = |e: &Event| {
            e.stream == event.stream
                && e.event_ts.ceil(Span::mins(1)) == event.event_ts.ceil(Span::mins(1))
                && !matches!(e.payload, Payload::Status(_))
        };
        if matches!(event.payload, Payload::Status(_)) {
            self.held.push(*event);
            return;
        }
        // The last of each stream and minute is what becomes a sample. Streams of a market are few: look back a little.
        if let Some(earlier) = self.held.iter_mut().rev().take(32).find(|e| same_minute(e)) {
            *earlier = *event;
        } else if self.held.len() < HELD_MAX {
            self.held.push(*event);
        }
    }

    /// History as it would have arrived, then what did arrive.
    fn in_order(self, engine: &Engine) -> (Option<MarketState>, Vec<Event>) {
        let mut events: Vec<Event> = Vec::with_capacity(self.history.len() + self.held.len());
        for event in self.history {
            let Some(decl) = engine.streams().get(event.stream.index()) else { continue };
            let arrives = (event.event_ts + archive_delay(decl.metric)).min(event.recv_ts);
            events.push(Event { recv_ts: arrives, ..event });
        }
        // The latest moment at which something was reported about the continuity of a stream.
        let mut told: BTreeMap<StreamIndex, Ts> = BTreeMap::new();
        for event in self.held {
            let Payload::Status(status) = &event.payload else {
                events.push(event);
                continue;
            };
            // A hole is reported where it begins, so that the history inside it is not taken back; but holes of one stream are
            // reported one after the other.
            let open = status.until == Status::OPEN;
            let wanted = if open { status.from.min(event.recv_ts) } else { event.recv_ts };
            let last = told.entry(event.stream).or_insert(wanted);
            *last = wanted.max(*last);
            events.push(Event { recv_ts: *last, ..event });
        }
        events.sort_by(Event::order);
        (self.base, events)
    }
}

/// Facts as a checkpoint holds them: stamps as differences from the fact before, which mostly are the same again and again.
mod facts {
    use barograph_domain::{Event, Payload, Span, StreamIndex, Ts};
    use serde::de::{Deserialize as _, Deserializer};
    use serde::ser::Serializer;

    type Short = (i64, i64, u16, i64, Payload);

    pub(super) fn serialize<S: Serializer>(facts: &[Event], serializer: S) -> Result<S::Ok, S::Error> {
        let (mut recv, mut stamp, mut seq) = (Ts(0), Ts(0), 0_u64);
        serializer.collect_seq(facts.iter().map(|e| -> Short {
            let short = (
                (e.recv_ts - recv).0,
                (e.event_ts - stamp).0,
                e.stream.0,
                e.seq.wrapping_sub(seq).cast_signed(),
                e.payload,
            );
            (recv, stamp, seq) = (e.recv_ts, e.event_ts, e.seq);
            short
        }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Event>, D::Error> {
        let (mut recv, mut stamp, mut seq) = (Ts(0), Ts(0), 0_u64);
        let facts = Vec::<Short>::deserialize(deserializer)?;
        Ok(facts
            .into_iter()
            .map(|(recv_by, stamp_by, stream, seq_by, payload)| {
                (recv, stamp, seq) =
                    (recv + Span(recv_by), stamp + Span(stamp_by), seq.wrapping_add(seq_by.cast_unsigned()));
                Event { recv_ts: recv, event_ts: stamp, stream: StreamIndex(stream), seq, payload }
            })
            .collect())
    }
}
