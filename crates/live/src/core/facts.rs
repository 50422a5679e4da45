//! Facts of the sessions on their way to the engine.
//!
//! Of the prices of a stream within a minute only the last becomes a sample of the engine's grid, and a thousand markets send
//! hundreds of each: they wait with what is stored ([`Samples`](crate::samples::Samples)) and go to the engine when the
//! minute's rows may be made. A change of continuity or a fetched fact of the same stream sends them on first.

use super::{Core, CoreSink};
use crate::Error;
use barograph_domain::time::LATENESS;
use barograph_domain::{Event, GapReason, Metric, Payload, Span, Status, StatusState, StreamDecl, StreamIndex, Ts};
use barograph_venues::session::{Emit, Origin, Out};

const MINUTE: Span = Span::mins(1);

/// What is remembered of a stream.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Heard {
    metric: Metric,
    /// Its prices wait for the end of their minute.
    waits: bool,
    /// Newest stamp, to know where a hole begins after a restart.
    pub(crate) newest: Option<Ts>,
    /// Where the hole of a restart begins, while nothing has been heard since.
    pub(crate) away: Option<Ts>,
}

impl Heard {
    /// Of a stream that has not been heard of.
    pub(crate) fn nothing(decl: &StreamDecl) -> Self {
        let is_price = matches!(
            decl.metric,
            Metric::Trade | Metric::BestBidAsk | Metric::MarkPrice | Metric::IndexPrice | Metric::SpotPrice
        );
        Self { metric: decl.metric, waits: is_price && decl.filled, newest: None, away: None }
    }

    /// The same with what was known of it.
    pub(crate) fn known(decl: &StreamDecl, newest: Option<Ts>, away: Option<Ts>) -> Self {
        Self { newest, away, ..Self::nothing(decl) }
    }
}

impl Core {
    /// Comes to a moment. Where rows may be made from now on, what they are made of goes to the engine first.
    pub(super) fn reach(&mut self, at: Ts, sink: &mut dyn CoreSink) -> Result<(), Error> {
        self.at = at;
        if at <= self.due {
            return Ok(());
        }
        self.due = (at - LATENESS).ceil(MINUTE) + LATENESS;
        self.settle(sink)
    }

    /// Gives the engine everything that waits: before a checkpoint, and before a market is looked at or rests.
    pub(crate) fn settle(&mut self, sink: &mut dyn CoreSink) -> Result<(), Error> {
        let mut waiting = core::mem::take(&mut self.waiting);
        self.samples.release(&mut waiting);
        self.pass_on_all(waiting, sink)
    }

    /// Gives the engine these and keeps their memory.
    pub(super) fn pass_on_all(&mut self, mut events: Vec<Event>, sink: &mut dyn CoreSink) -> Result<(), Error> {
        let passed = events.drain(..).try_for_each(|event| self.pass_on(&event, sink));
        self.waiting = events;
        passed
    }

    fn pass_on(&mut self, event: &Event, sink: &mut dyn CoreSink) -> Result<(), Error> {
        self.engine.step(event, &mut self.rows);
        self.drain(sink)
    }

    pub(super) fn facts(
        &mut self,
        at: Ts,
        at_venue: usize,
        emits: &[Emit],
        sink: &mut dyn CoreSink,
    ) -> Result<(), Error> {
        let mut batch = core::mem::take(&mut self.batch);
        let venue = &self.venues[at_venue];
        for emit in emits {
            let Some(stream) = venue.place(emit.market, emit.metric) else { continue };
            let event = Event { recv_ts: at, event_ts: emit.event_ts, stream, seq: emit.seq, payload: emit.payload };
            batch.push((event, emit.origin));
        }
        if batch.len() > 1 {
            // A frame may hold facts of many streams: within it they come in the total order, except that continuity is reported
            // before the data that follow from it.
            batch.sort_by(|(a, _), (b, _)| {
                let is_data = |e: &Event| !matches!(e.payload, Payload::Status(_));
                // Lost and found in one message: reported in the order in which the session said it.
                let by_content = || if is_data(a) && is_data(b) { a.order(b) } else { core::cmp::Ordering::Equal };
                a.stream.cmp(&b.stream).then(is_data(a).cmp(&is_data(b))).then_with(by_content)
            });
        }
        for (event, origin) in &batch {
            self.step(event, *origin, sink)?;
            if *origin == Origin::Live {
                self.repeat(event, sink)?;
            }
        }
        batch.clear();
        self.batch = batch;
        Ok(())
    }

    /// Gives the detectors of books and trades what an input has brought.
    pub(super) fn flow(&mut self, at: Ts, at_venue: usize, out: &Out, sink: &mut dyn CoreSink) -> Result<(), Error> {
        let (venue, t) = (&self.venues[at_venue], &self.setup.book.order_flow);
        for emit in &out.events {
            if let Some(instrument) = venue.instruments.get(emit.market.index()).filter(|i| self.mine.0[**i as usize]) {
                self.flows.fact(at, *instrument, emit, t);
            }
        }
        for market in &out.books {
            let mine = venue.instruments.get(market.index()).filter(|i| self.mine.0[**i as usize]);
            let known = mine.zip(venue.session.book(*market));
            if let Some((instrument, book)) = known {
                self.flows.book(at, *instrument, book, t);
            }
        }
        self.report_flows(sink)
    }

    /// A second passed for the detectors of books and trades.
    pub(super) fn flow_tick(&mut self, at: Ts, sink: &mut dyn CoreSink) -> Result<(), Error> {
        self.flows.tick(at, &self.setup.book.order_flow);
        self.report_flows(sink)
    }

    /// Nobody listened to books and trades until now.
    pub(super) fn flow_away(&mut self, at: Ts, sink: &mut dyn CoreSink) -> Result<(), Error> {
        self.flows.away(at, &self.setup.book.order_flow);
        self.report_flows(sink)
    }

    /// Hands over what the detectors of books and trades have found.
    fn report_flows(&mut self, sink: &mut dyn CoreSink) -> Result<(), Error> {
        self.flows.take().iter().try_for_each(|alert| sink.alert(alert))
    }

    pub(super) fn step(&mut self, event: &Event, origin: Origin, sink: &mut dyn CoreSink) -> Result<(), Error> {
        let at = event.stream.index();
        if !self.mine.1[at] {
            return Ok(());
        }
        let Heard { metric, waits, .. } = self.heard[at];
        if let Payload::Status(status) = &event.payload {
            if status.state == StatusState::Live {
                self.heard[at].away = None;
            }
            sink.status(event.stream, status, event.recv_ts)?;
            if let Some(price) = self.samples.release_of(event.stream) {
                self.pass_on(&price, sink)?;
            }
        } else {
            if origin == Origin::Live
                && let Some(from) = self.heard[at].away.take()
            {
                // The session never lost it: only the process was away.
                let (until, reason) = (event.event_ts.max(from), GapReason::NotRunning);
                let found = Status { state: StatusState::Live, from, until, reason };
                self.step(&status_event(event.recv_ts, event.stream, found), Origin::Live, sink)?;
            }
            let newest = &mut self.heard[at].newest;
            *newest = (*newest).max(Some(event.event_ts));
            sink.fact(event, metric, origin)?;
            if origin == Origin::Live {
                // A market that waits for its history keeps what happens meanwhile, event by event.
                let waits = waits && self.catchups.len() == 0;
                let now = self.samples.push(event, metric, waits);
                if waits {
                    return now.iter().flatten().try_for_each(|price| self.pass_on(price, sink));
                }
            }
        }
        if origin == Origin::Backfill
            && let Some(price) = self.samples.release_of(event.stream)
        {
            self.pass_on(&price, sink)?;
        }
        let market = self.engine.market_of(event.stream);
        if self.catchups.takes(market, event, origin, self.engine.reads(event.stream)) {
            return Ok(());
        }
        self.pass_on(event, sink)
    }
}

/// The event by which the engine hears of continuity.
pub(super) fn status_event(at: Ts, stream: StreamIndex, status: Status) -> Event {
    Event { recv_ts: at, event_ts: at, stream, seq: 0, payload: Payload::Status(status) }
}

#[cfg(test)]
mod tests;
