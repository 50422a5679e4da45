//! Which of the facts of a live process are stored as metric points.
//!
//! Of values that follow each other within a minute only the last is stored: it is the one that a minute's reading is made
//! of, and the whole stream is in the journal. Bars, settlements and liquidations are stored one by one.

use barograph_domain::{Event, Metric, Payload, Span, Ts};

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
}

impl Held {
    fn of(event: &Event) -> Self {
        Self { until: event.event_ts.ceil(MINUTE), event: *event }
    }
}

/// Every fact of these is kept.
const fn each_counts(metric: Metric) -> bool {
    matches!(metric, Metric::Bar | Metric::FundingRateSettled | Metric::Liquidation)
}

impl Samples {
    /// Takes a fact of a stream that carries `metric`.
    pub(crate) fn push(&mut self, event: &Event, metric: Metric) {
        if matches!(event.payload, Payload::Status(_) | Payload::Tick) {
            return;
        }
        if each_counts(metric) {
            self.ready.push(*event);
            return;
        }
        let at = event.stream.index();
        if self.held.len() <= at {
            self.held.resize(at + 1, None);
        }
        match &mut self.held[at] {
            Some(held) if event.event_ts > held.until => {
                self.ready.push(held.event);
                *held = Held::of(event);
            }
            Some(held) if event.event_ts > held.until - MINUTE => {
                if event.event_ts >= held.event.event_ts {
                    held.event = *event;
                }
            }
            // Late: its minute has been handed on already.
            Some(_) => self.ready.push(*event),
            empty @ None => *empty = Some(Held::of(event)),
        }
    }

    /// The facts of minutes that were over at `t`, into `out`.
    pub(crate) fn take(&mut self, t: Ts, out: &mut Vec<Event>) {
        for slot in &mut self.held {
            if let Some(held) = slot.take_if(|held| held.until <= t) {
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
    use barograph_domain::StreamIndex;

    fn event(stream: u16, s: i64, v: f64) -> Event {
        let at = Ts(0) + Span::secs(s);
        Event { recv_ts: at, event_ts: at, stream: StreamIndex(stream), seq: 0, payload: Payload::Value(v) }
    }

    #[test]
    fn the_last_of_each_minute_is_stored_and_single_facts_all_are() {
        let mut samples = Samples::default();
        for (s, v) in [(1, 1.0), (59, 2.0), (60, 3.0), (61, 4.0), (62, 5.0)] {
            samples.push(&event(0, s, v), Metric::MarkPrice);
            samples.push(&event(1, s, v), Metric::Liquidation);
        }
        let mut out = Vec::new();
        samples.take(Ts(0) + Span::mins(1), &mut out);
        let of = |stream: u16, out: &[Event]| -> Vec<f64> {
            out.iter().filter(|e| e.stream.0 == stream).filter_map(|e| e.payload.headline()).collect()
        };
        assert_eq!(of(0, &out), [3.0], "60 s belongs to the minute that ends there");
        assert_eq!(of(1, &out).len(), 5);
        out.clear();
        samples.take(Ts(0) + Span::mins(2), &mut out);
        assert_eq!(of(0, &out), [5.0]);
    }
}
