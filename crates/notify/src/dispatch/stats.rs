//! What has been done, for `/metrics` and pages.

use barograph_domain::delivery::DeliveryState;
use std::collections::BTreeMap;

/// Counts of durations by upper bounds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Histogram {
    /// How many were at most as long as each of [`Self::BOUNDS_MS`], not cumulative; the last counts what was longer.
    pub counts: [u64; 13],
    /// Milliseconds of all together.
    pub sum_ms: u64,
}

impl Histogram {
    /// Upper bounds in milliseconds.
    pub const BOUNDS_MS: [u64; 12] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000, 15_000];
    pub(super) fn add(&mut self, ms: u64) {
        let place = Self::BOUNDS_MS.partition_point(|bound| *bound < ms);
        self.counts[place] += 1;
        self.sum_ms += ms;
    }
    /// How many there were.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// What became of deliveries to one endpoint since the start.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EndpointStats {
    /// Confirmed; what went with a group is not counted on its own.
    pub delivered: u64,
    /// Tries that did not succeed.
    pub retried: u64,
    /// Not deliverable.
    pub dead: u64,
    /// Too old.
    pub expired: u64,
    /// Deliveries that something newer made unnecessary.
    pub superseded: u64,
    /// Over the receiver's budget.
    pub held_back: u64,
    /// From the beginning of a request to its end.
    pub latency: Histogram,
    /// From the moment a message was known to its confirmation.
    pub age: Histogram,
    /// Why nothing is sent any more.
    pub disabled: Option<String>,
}

impl EndpointStats {
    pub(super) fn end(&mut self, state: DeliveryState) {
        match state {
            DeliveryState::Waiting => self.retried += 1,
            DeliveryState::Grouped => {}
            DeliveryState::Delivered => self.delivered += 1,
            DeliveryState::Superseded => self.superseded += 1,
            DeliveryState::HeldBack => self.held_back += 1,
            DeliveryState::Expired => self.expired += 1,
            DeliveryState::Dead => self.dead += 1,
        }
    }
}

/// Everything that is counted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// By name.
    pub endpoints: BTreeMap<String, EndpointStats>,
    /// What the store held at the start has been taken up.
    pub recovered: bool,
    /// Deliveries that wait or are under way.
    pub queue: u64,
    /// The store holds more than was taken up so far.
    pub unread: bool,
    /// Requests under way.
    pub in_flight: u64,
    /// Results that the store has not taken yet.
    pub unwritten: u64,
    /// Calls that the store refused.
    pub store_failures: u64,
    /// How often the queue was full and the store was read instead.
    pub overflows: u64,
    /// Why nothing is delivered for now; it is tried again after a while.
    pub broken: Option<String>,
}
