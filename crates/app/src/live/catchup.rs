//! History that arrives after a market has begun.
//!
//! At first start and after the process was away, venues are asked for what they keep: candles, settlements, open interest.
//! The answers come in while the market is live already. Until they are complete the market's earlier state is kept beside it
//! with everything that has happened since; then the history goes through that state in the order in which it would have
//! arrived, the rest follows, and the result takes the market's place. Minutes published meanwhile stay as they are.

use barograph_domain::{Event, Instrument, Metric, Payload, Span, Status, Ts};
use barograph_engine::{Engine, Market};
use barograph_venues::policy::archive_delay;
use barograph_venues::session::Origin;
use std::collections::BTreeMap;

/// History is complete when none has arrived for this long.
const QUIET: Span = Span::secs(20);
/// A market that has had no history for this long gets none.
const PATIENCE: Span = Span::mins(10);
/// Events that may be worked through in one tick: some tenths of a second.
const EVENTS_PER_TICK: usize = 200_000;
/// Live facts kept per market at most; then the market goes on with what it has.
const HELD_MAX: usize = 50_000;

/// One market that waits for history.
#[derive(Clone, Debug)]
struct Waiting {
    /// `None`: the market had no past.
    base: Option<Market>,
    began: Ts,
    /// When history last arrived.
    newest: Option<Ts>,
    history: Vec<(Event, Metric)>,
    /// Live facts since: the last of each stream and minute, and all changes of continuity.
    held: Vec<Event>,
}

/// All markets that wait.
#[derive(Clone, Debug, Default)]
pub(crate) struct CatchUps {
    waiting: BTreeMap<usize, Waiting>,
}

impl CatchUps {
    /// Keeps a market's state from now on.
    pub(crate) fn begin(&mut self, market: usize, base: Option<Market>, at: Ts) {
        self.waiting.insert(market, Waiting { base, began: at, newest: None, history: Vec::new(), held: Vec::new() });
    }

    /// Is any market waiting?
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Stops waiting.
    pub(crate) fn give_up(&mut self) {
        self.waiting.clear();
    }

    /// Looks at an event of a market. True: it is history and waits here; the engine must not take it yet.
    pub(crate) fn takes(&mut self, market: Option<usize>, event: &Event, origin: Origin, metric: Metric) -> bool {
        let Some(waiting) = market.and_then(|m| self.waiting.get_mut(&m)) else { return false };
        if origin == Origin::Backfill && !matches!(event.payload, Payload::Status(_)) {
            waiting.newest = Some(event.recv_ts);
            waiting.history.push((*event, metric));
            return true;
        }
        waiting.hold(event);
        false
    }

    /// Brings up to date what is complete.
    pub(crate) fn work(&mut self, at: Ts, engine: &mut Engine, instruments: &[Instrument]) {
        let mut budget = EVENTS_PER_TICK;
        let due: Vec<usize> = self
            .waiting
            .iter()
            .filter(|(_, w)| w.newest.map_or(at - w.began > PATIENCE, |n| at - n > QUIET))
            .map(|(m, _)| *m)
            .collect();
        for market in due {
            let Some(waiting) = self.waiting.get(&market) else { continue };
            let size = waiting.history.len() + waiting.held.len();
            if size > budget && budget < EVENTS_PER_TICK {
                break;
            }
            budget = budget.saturating_sub(size);
            if let Some(waiting) = self.waiting.remove(&market)
                && !waiting.history.is_empty()
            {
                let (base, events) = waiting.in_order();
                let fresh = || engine.fresh_market(market, instruments.get(market)?);
                if let Some(base) = base.or_else(fresh) {
                    engine.catch_up(market, base, &events);
                }
            }
        }
    }
}

impl Waiting {
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
    fn in_order(self) -> (Option<Market>, Vec<Event>) {
        let began = self.began;
        let mut events: Vec<Event> = Vec::with_capacity(self.history.len() + self.held.len());
        for (event, metric) in self.history {
            let arrives = (event.event_ts + archive_delay(metric)).min(event.recv_ts);
            events.push(Event { recv_ts: arrives, ..event });
        }
        for event in self.held {
            // A hole is told where it begins, so that the history inside it is not taken back.
            let recv_ts = match &event.payload {
                Payload::Status(Status { from, until, .. }) if *until == Status::OPEN => (*from).min(began),
                _ => event.recv_ts,
            };
            events.push(Event { recv_ts, ..event });
        }
        events.sort_by(Event::order);
        (self.base, events)
    }
}
