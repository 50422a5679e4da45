//! Which of the facts of a live process are stored as metric points.
//!
//! Of values that follow each other within a minute only the last is stored: it is the one that a minute's reading is made
//! of, and the whole stream is in the journal. Bars, settlements and liquidations are stored one by one.
//!
//! What the engine makes a minute's reading of is the same fact, so prices wait here for it, too (`waits`).

use barograph_domain::{Event, Metric, Payload, Span, StreamIndex, Ts};

const MINUTE: Span = Span::mins(1);

/// Facts waiting for their minute to end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples {
    held: Vec<Option<Held>>,
    ready: Vec<Event>,
}

/// The newest fact of a minute, and when that ends.
#[derive(Clone, Copy, Debug)]
struct Held {
    until: Ts,
    event: Event,
    /// The engine has not had it.
    waits: bool,
}

impl Held {
    fn of(event: &Event, waits: bool) -> Self {
        Self { until: event.event_ts.ceil(MINUTE), event: *event, waits }
    }

    /// What the engine is to have now.
    fn release(&mut self) -> Option<Event> {
        core::mem::take(&mut self.waits).then_some(self.event)
    }
}

/// Every fact of these is kept.
const fn each_counts(metric: Metric) -> bool {
    matches!(metric, Metric::Bar | Metric::FundingRateSettled | Metric::Liquidation)
}

impl Samples {
    /// Takes a fact of a stream that carries `metric`. One that `waits` is for the engine as well, in its time; handed back is
    /// what the engine is to have at once: nothing can come in its place any more, or nothing newer has.
    pub(crate) fn push(&mut self, event: &Event, metric: Metric, waits: bool) -> [Option<Event>; 2] {
        if matches!(event.payload, Payload::Status(_) | Payload::Tick) {
            return [None; 2];
        }
        let at_once = waits.then_some(*event);
        if each_counts(metric) {
            self.ready.push(*event);
            return [at_once, None];
        }
        let at = event.stream.index();
        if self.held.len() <= at {
            self.held.resize(at + 1, None);
        }
        match &mut self.held[at] {
            Some(held) if event.event_ts > held.until => {
                self.ready.push(held.event);
                let before = held.release();
                *held = Held::of(event, waits);
                [before, None]
            }
            Some(held) if event.event_ts > held.until - MINUTE => {
                if event.event_ts >= held.event.event_ts {
                    (held.event, held.waits) = (*event, waits);
                    return [None; 2];
                }
                [at_once, None]
            }
            Some(held) => {
                // Late: its minute has been handed on already.
                self.ready.push(*event);
                [held.release(), at_once]
            }
            empty @ None => {
                *empty = Some(Held::of(event, waits));
                [None; 2]
            }
        }
    }

    /// What waits for the engine, in the order of the streams, into `out`.
    pub(crate) fn release(&mut self, out: &mut Vec<Event>) {
        out.extend(self.held.iter_mut().flatten().filter_map(Held::release));
    }

    /// The same of one stream.
    pub(crate) fn release_of(&mut self, stream: StreamIndex) -> Option<Event> {
        self.held.get_mut(stream.index())?.as_mut()?.release()
    }

    /// The facts of minutes that were over at `t`, into `out`; those of them that came late and wait for the engine into `late`.
    pub(crate) fn take(&mut self, t: Ts, out: &mut Vec<Event>, late: &mut Vec<Event>) {
        for slot in &mut self.held {
            if let Some(mut held) = slot.take_if(|held| held.until <= t) {
                late.extend(held.release());
                self.ready.push(held.event);
            }
        }
        out.append(&mut self.ready);
    }

    /// What is waiting, for a checkpoint.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Event> {
        self.ready.iter().chain(self.held.iter().flatten().map(|held| &held.event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(stream: u16, s: i64, v: f64) -> Event {
        let at = Ts(0) + Span::secs(s);
        Event { recv_ts: at, event_ts: at, stream: StreamIndex(stream), seq: 0, payload: Payload::Value(v) }
    }

    #[test]
    fn the_last_of_each_minute_is_stored_and_single_facts_all_are() {
        let mut samples = Samples::default();
        for (s, v) in [(1, 1.0), (59, 2.0), (60, 3.0), (61, 4.0), (62, 5.0)] {
            samples.push(&event(0, s, v), Metric::MarkPrice, false);
            samples.push(&event(1, s, v), Metric::Liquidation, false);
        }
        let mut out = Vec::new();
        samples.take(Ts(0) + Span::mins(1), &mut out, &mut Vec::new());
        let of = |stream: u16, out: &[Event]| -> Vec<f64> {
            out.iter().filter(|e| e.stream.0 == stream).filter_map(|e| e.payload.headline()).collect()
        };
        assert_eq!(of(0, &out), [3.0], "60 s belongs to the minute that ends there");
        assert_eq!(of(1, &out).len(), 5);
        out.clear();
        samples.take(Ts(0) + Span::mins(2), &mut out, &mut Vec::new());
        assert_eq!(of(0, &out), [5.0]);
    }
}
