//! Markets and the products they stand for.
//!
//! `BTC-USD` and its alias `BTC-USDC` are one book: the market that named the product first holds its state, and who wants both
//! gets every event twice, under either name.

use super::books::BookFeed;
use super::map::Derived;
use super::session::Coinbase;
use super::symbols::canonical;
use super::topics::Channel;
use super::trades::TradeFeed;
use crate::session::kit::Kit;
use crate::session::protocol;
use crate::session::{LinkId, MarketIndex, MarketSpec, Minutes, Out, Tracker};
use barograph_domain::{GapReason, MarketKind, Metric, Payload, StatusState, Ts};
use serde::{Deserialize, Serialize};

/// One market.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Market {
    pub(super) symbol: String,
    /// Product id in the venue's messages.
    pub(super) product: String,
    /// Wanted markets that stand for the product; only its holder has some.
    pub(super) ids: Vec<MarketIndex>,
    /// The market that holds the state of the product: itself, unless another named the product before.
    pub(super) holder: MarketIndex,
    pub(super) wanted: bool,
    pub(super) channels: u16,
    /// Volume of 24 h when it was listed.
    pub(super) volume_24h_quote: Option<f64>,
    pub(super) link: Option<LinkId>,
    pub(super) state: Product,
}

/// State of one product.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Product {
    pub(super) book: BookFeed,
    pub(super) trades: TradeFeed,
    pub(super) bars_emitted: Minutes,
    /// Stamp of the newest quote.
    pub(super) quoted: Ts,
    pub(super) derived: Derived,
    /// Base units of one unit the venue counts: contract size of futures.
    pub(super) scale: f64,
    pub(super) digits: u8,
}

impl Market {
    /// A market with these channels, whose product `holder` holds.
    pub(super) fn new(index: MarketIndex, holder: MarketIndex, channels: u16, spec: MarketSpec) -> Self {
        let is_future = spec.kind != MarketKind::Spot;
        let scale = spec.contract_size.filter(|_| is_future).unwrap_or(1.0);
        let state = Product {
            book: BookFeed::new(),
            trades: TradeFeed::new(scale, !is_future),
            bars_emitted: Minutes::default(),
            quoted: Ts::MIN,
            derived: Derived::default(),
            scale,
            // Without a known tick: eight digits, the most of any spot product.
            digits: spec.tick.map_or(8, |t| t.scale),
        };
        Self {
            product: canonical(&spec.symbol).to_owned(),
            symbol: spec.symbol,
            ids: if holder == index { vec![index] } else { Vec::new() },
            holder,
            wanted: true,
            channels,
            volume_24h_quote: spec.volume_24h_quote,
            link: None,
            state,
        }
    }
}

impl protocol::Market<Channel> for Market {
    fn symbol(&self) -> &str {
        &self.symbol
    }

    fn link(&self) -> Option<LinkId> {
        self.link
    }

    fn channels(&self) -> u16 {
        self.channels
    }
}

impl Kit<Coinbase> {
    /// A product and its way out, at the same time.
    pub(super) fn product<'a>(
        &'a mut self,
        now: Ts,
        holder: MarketIndex,
        out: &'a mut Out,
    ) -> Option<(&'a mut Product, Sink<'a>)> {
        let m = self.markets.get_mut(holder.index())?;
        Some((&mut m.state, Sink { now, ids: &m.ids, tracker: &mut self.desk.tracker, out }))
    }
}

/// Where the facts of one product go: to every market that stands for it, with continuity.
pub(super) struct Sink<'a> {
    pub(super) now: Ts,
    ids: &'a [MarketIndex],
    tracker: &'a mut Tracker,
    out: &'a mut Out,
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
