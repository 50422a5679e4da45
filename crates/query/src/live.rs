//! What the memory of a live process may be asked. The process is another crate, which shows its markets on the [`board`] and
//! implements the rest; nothing here knows how it is run.

pub mod board;

use barograph_api::feeds::FeedsPulse;
use barograph_api::live::DataOrigin;
use barograph_api::{FeedFilter, FeedHealth, FeedsView, MarketNow};
use barograph_domain::{InstrumentName, Metric, Ts};
use board::Board;

/// A live process beside the store, answered from memory.
pub trait Live: Send + Sync {
    /// All markets that are listened to, as they are this moment.
    fn board(&self) -> &Board;
    /// Where the data come from.
    fn origin(&self) -> DataOrigin;
    /// One market as it is at `now`; `None` for one that is not listened to.
    fn market(&self, id: &InstrumentName, now: Ts) -> Option<MarketNow>;
    /// All streams, venues and queues.
    fn feeds(&self, filter: &FeedFilter, now: Ts) -> FeedsView;
    /// How everything that listens does; of what is stored nothing is known here.
    fn pulse(&self, now: Ts) -> FeedsPulse;
    /// Streams that are lost.
    fn health(&self) -> FeedHealth;
    /// Counters in the text format of Prometheus.
    fn metrics(&self) -> String;
    /// Does the venue say that it does not have this metric of this market?
    fn not_offered(&self, id: &InstrumentName, metric: Metric) -> bool;
    /// Another number than before whenever some delivery or receiver has changed; `None` where the process delivers nothing.
    fn dispatched(&self) -> Option<u64>;
}
