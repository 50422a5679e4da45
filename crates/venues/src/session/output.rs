//! What comes out of a session.

use crate::session::{CloseReason, ConnId, MarketIndex, PoolId};
use barograph_domain::text::escape_control;
use barograph_domain::{Metric, Payload, Span, Ts};
use serde::{Deserialize, Serialize};

/// Number of a request, unique within a session's life (saved with it).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub u64);

/// Where a fact comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// As it happened: a stream, or a poll of the present value.
    Live,
    /// Fetched afterwards from what the venue keeps.
    Backfill,
}

/// One fact. Its receive time is that of the input that produced it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Emit {
    /// Which market.
    pub market: MarketIndex,
    /// Which stream of it.
    pub metric: Metric,
    /// When it happened, by the venue's clock. Bars: the close.
    pub event_ts: Ts,
    /// Venue's own sequence; 0 where there is none.
    pub seq: u64,
    /// What happened; [`Payload::Status`] for a change of continuity.
    pub payload: Payload,
    /// Live or fetched afterwards.
    pub origin: Origin,
}

/// How urgent a request is. Lower ones wait while higher ones are due; a book that is being built comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Book snapshots and instrument lists: streams wait for them.
    Sync,
    /// Regular polls.
    Poll,
    /// History after a gap.
    Repair,
    /// History at first start.
    Backfill,
}

/// A GET request; the driver adds headers and base address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Its number.
    pub id: RequestId,
    /// Complete address.
    pub url: String,
    /// `POST` body, JSON; `None` for GET.
    pub body: Option<String>,
    /// Which budget it is taken from.
    pub pool: PoolId,
    /// How much of it.
    pub weight: u32,
    /// How urgent.
    pub priority: Priority,
    /// Give up after this long, waiting for budget not counted.
    pub timeout: Span,
}

impl Request {
    /// A GET that costs one.
    #[must_use]
    pub const fn get(id: RequestId, url: String, pool: PoolId, priority: Priority) -> Self {
        Self { id, url, body: None, pool, weight: 1, priority, timeout: Span::secs(10) }
    }
}

/// What the driver shall do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Send a text message, after those sent before on this connection, no faster than the venue allows.
    Send {
        /// Connection to write to.
        conn: ConnId,
        /// Text of the message, as it goes out.
        text: String,
    },
    /// Close a connection; its link stays wanted, so it is opened anew.
    Close {
        /// Connection that it concerns.
        conn: ConnId,
        /// Why; comes back as the reason of the closing.
        reason: CloseReason,
    },
    /// The venue is about to close this connection: open a new instance of its link now, and close this one once both ran
    /// together for `Limits::rotate_overlap`, with reason [`CloseReason::Replaced`].
    Replace {
        /// Connection that it concerns.
        conn: ConnId,
    },
    /// Ask the venue.
    Request(Request),
    /// [`super::Session::links`] has changed.
    Relink,
}

/// Something that could not be used, or that the venue's sheet forbids. Counted by kind; the text is for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Counter label: a short snake_case word such as `undecodable`, `unknown_symbol`, `error_reply`, `off_tick`.
    pub kind: &'static str,
    /// Market, where known.
    pub market: Option<MarketIndex>,
    /// What was wrong with what value; at most 200 bytes of the message.
    pub detail: String,
}

/// Buffers of one input's consequences; kept and reused by the caller.
#[derive(Clone, Debug, Default)]
pub struct Out {
    /// Facts, in the order they were found.
    pub events: Vec<Emit>,
    /// Things to do, in order.
    pub actions: Vec<Action>,
    /// Things that could not be used.
    pub faults: Vec<Fault>,
    /// Markets whose book made progress: it is now as [`super::Session::book`] gives it.
    pub books: Vec<MarketIndex>,
}

impl Out {
    /// Forgets the contents and keeps the memory.
    pub fn clear(&mut self) {
        self.events.clear();
        self.actions.clear();
        self.faults.clear();
        self.books.clear();
    }

    /// Adds a live fact.
    pub fn live(&mut self, market: MarketIndex, metric: Metric, event_ts: Ts, seq: u64, payload: Payload) {
        self.events.push(Emit { market, metric, event_ts, seq, payload, origin: Origin::Live });
    }

    /// Adds a fact fetched afterwards.
    pub fn backfilled(&mut self, market: MarketIndex, metric: Metric, event_ts: Ts, seq: u64, payload: Payload) {
        self.events.push(Emit { market, metric, event_ts, seq, payload, origin: Origin::Backfill });
    }

    /// Adds a fault; `sample` is cut to what a person needs to see.
    pub fn fault(&mut self, kind: &'static str, market: Option<MarketIndex>, why: &str, sample: &[u8]) {
        let shown = &sample[..sample.len().min(160)];
        let shown = String::from_utf8_lossy(shown);
        let detail = if shown.is_empty() { why.to_owned() } else { format!("{why}: {}", escape_control(&shown)) };
        self.faults.push(Fault { kind, market, detail });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_venue_wrote_stays_on_one_line() {
        let mut out = Out::default();
        out.fault("error_reply", None, "the venue refused a request", b"no\n[CASCADE] forged\x1b[2J");
        assert_eq!(out.faults[0].detail, "the venue refused a request: no\\n[CASCADE] forged\\u{1b}[2J");
    }
}
