//! The way out for one product: events for every market that stands for it, with continuity.
//!
//! `BTC-USD` and its alias `BTC-USDC` are one book; who wants both gets every event twice, under either name.

use crate::session::{MarketIndex, Out, Tracker};
use barograph_domain::{GapReason, Metric, Payload, StatusState, Ts};

/// Where the facts of one product go.
pub(super) struct Sink<'a> {
    pub(super) now: Ts,
    /// Markets that stand for the product.
    pub(super) ids: &'a [MarketIndex],
    pub(super) tracker: &'a mut Tracker,
    pub(super) out: &'a mut Out,
}

impl Sink<'_> {
    fn wanted(&self, id: MarketIndex, metric: Metric) -> bool {
        self.tracker.get(id, metric).is_some_and(|c| c.state != StatusState::NotOffered)
    }

    /// The stream goes on; nothing is emitted.
    pub(super) fn progress(&mut self, metric: Metric, event_ts: Ts) {
        for id in self.ids {
            self.tracker.progress(*id, metric, self.now, event_ts, self.out);
        }
    }

    /// A live fact of a stream that goes on.
    pub(super) fn live(&mut self, metric: Metric, event_ts: Ts, seq: u64, payload: Payload) {
        self.progress(metric, event_ts);
        for id in self.ids {
            if self.wanted(*id, metric) {
                self.out.live(*id, metric, event_ts, seq, payload);
            }
        }
    }

    /// A fact fetched afterwards; says nothing about the present.
    pub(super) fn backfilled(&mut self, metric: Metric, event_ts: Ts, seq: u64, payload: Payload) {
        for id in self.ids {
            if self.wanted(*id, metric) {
                self.out.backfilled(*id, metric, event_ts, seq, payload);
            }
        }
    }

    /// The stream lost its continuity.
    pub(super) fn lost(&mut self, metric: Metric, state: StatusState, reason: GapReason) {
        for id in self.ids {
            self.tracker.lost(*id, metric, self.now, state, reason, self.out);
        }
    }

    /// The stream is healthy although it had nothing to say.
    pub(super) fn found(&mut self, metric: Metric) {
        for id in self.ids {
            self.tracker.found(*id, metric, self.now, self.out);
        }
    }

    /// Something could not be used.
    pub(super) fn fault(&mut self, kind: &'static str, why: &str, sample: &[u8]) {
        self.out.fault(kind, self.ids.first().copied(), why, sample);
    }
}
