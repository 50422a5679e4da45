//! Which streams run over which connection.
//!
//! Wanted feeds are compared with placed ones; what is new goes where there is room, what is no longer wanted leaves its place.
//! Nothing else moves, so a hot change of markets touches only the streams it concerns.

use super::flavour::{Class, Flavour};
use super::limits::STREAMS_MAX;
use super::session::Market;
use crate::session::offer;
use crate::session::protocol::{Channel as _, channels};
use crate::session::{LinkId, MarketIndex, SessionConfig};
use barograph_domain::MarketKind;
use serde::{Deserialize, Serialize};

/// From this many markets on, the streams of all markets are cheaper than one per market.
const ALL_FROM: usize = 50;

channels! {
    /// A stream name without its symbol; the first two are of all markets.
    Channel {
        AllMarkPrices "!markPrice@arr@1s" [MarkPrice, IndexPrice, FundingRate],
        AllForceOrders "!forceOrder@arr" [Liquidation],
        MarkPrice "markPrice@1s" [MarkPrice, IndexPrice, FundingRate],
        IndexPrice "indexPrice@1s" [IndexPrice],
        AggTrade "aggTrade" [Trade],
        Kline "kline_1m" [Bar],
        ForceOrder "forceOrder" [Liquidation],
        BookTicker "bookTicker" [BestBidAsk],
        Depth "depth@100ms" [Book],
    }
}

/// One stream of the venue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub(super) struct Feed {
    pub(super) channel: Channel,
    /// `None`: of all markets.
    pub(super) market: Option<MarketIndex>,
}

/// Socket path of a stream; only USD-M tells them apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Tier {
    Public,
    Market,
}

/// A connection and what runs over it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Route {
    pub(super) id: LinkId,
    pub(super) tier: Tier,
    pub(super) feeds: Vec<Feed>,
}

/// What a new plan changes on a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Change {
    pub(super) link: LinkId,
    pub(super) added: Vec<Feed>,
    pub(super) removed: Vec<Feed>,
}

impl Channel {
    pub(super) fn tier(self) -> Tier {
        match self {
            Self::BookTicker | Self::Depth => Tier::Public,
            _ => Tier::Market,
        }
    }

    /// Marks and liquidations come of one market or of all: the other one of the two.
    pub(super) fn other_form(self) -> Option<Self> {
        match self {
            Self::AllMarkPrices => Some(Self::MarkPrice),
            Self::MarkPrice => Some(Self::AllMarkPrices),
            Self::AllForceOrders => Some(Self::ForceOrder),
            Self::ForceOrder => Some(Self::AllForceOrders),
            Self::IndexPrice | Self::AggTrade | Self::Kline | Self::BookTicker | Self::Depth => None,
        }
    }
}

/// The venue's name of a stream. Symbols are lower-case ASCII there; other letters stay (sheet §4).
pub(super) fn name(feed: Feed, markets: &[Market]) -> String {
    let word = feed.channel.word();
    let Some(market) = feed.market.and_then(|m| markets.get(m.index())) else { return word.to_owned() };
    let symbol = market.spec.symbol.to_ascii_lowercase();
    let pair = symbol.split_once('_').map_or(&*symbol, |(pair, _)| pair);
    let name = if feed.channel == Channel::IndexPrice { pair } else { &*symbol };
    format!("{name}@{word}")
}

/// The feeds that the wanted markets need, each once, in a fixed order.
pub(super) fn wanted(flavour: &Flavour, config: &SessionConfig, markets: &[Market]) -> Vec<Feed> {
    let all = markets.iter().filter(|m| m.wanted).count() >= ALL_FROM && flavour.class == Class::UsdM;
    let mut feeds = Vec::new();
    for (at, market) in markets.iter().enumerate().filter(|(_, m)| m.wanted) {
        for channel in offer::channels(flavour.streams, market.spec.kind, config) {
            let is_perpetual = market.spec.kind == MarketKind::Perpetual;
            if channel == Channel::IndexPrice && !is_perpetual && pair_is_listed(markets, at) {
                continue;
            }
            feeds.push(match channel.other_form().filter(|_| all) {
                Some(channel) => Feed { channel, market: None },
                None => Feed { channel, market: Some(MarketIndex::at(at)) },
            });
        }
    }
    feeds.sort_unstable();
    feeds.dedup();
    feeds
}

/// Another market of the same pair comes before this one (or is its perpetual), and brings the index.
fn pair_is_listed(markets: &[Market], at: usize) -> bool {
    let pair = |m: &Market| m.spec.symbol.split_once('_').map(|(pair, _)| pair.to_owned());
    let own = markets.get(at).and_then(pair);
    let comes_first = |n: usize, m: &Market| n < at || m.spec.kind == MarketKind::Perpetual;
    markets.iter().enumerate().any(|(n, m)| n != at && pair(m) == own && comes_first(n, m))
}

/// Brings `routes` to the wanted feeds and says what changed where. New connections are appended.
pub(super) fn place(flavour: &Flavour, routes: &mut Vec<Route>, wanted: &[Feed]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    let mut placed = Vec::new();
    for route in routes.iter_mut() {
        let (keep, removed): (Vec<Feed>, Vec<Feed>) =
            route.feeds.iter().partition(|feed| wanted.binary_search(feed).is_ok());
        placed.extend(keep.iter().copied());
        route.feeds = keep;
        if !removed.is_empty() {
            changes.push(Change { link: route.id, added: Vec::new(), removed });
        }
    }
    placed.sort_unstable();
    for feed in wanted.iter().filter(|feed| placed.binary_search(feed).is_err()) {
        let tier = if flavour.class == Class::UsdM { feed.channel.tier() } else { Tier::Market };
        let free = routes.iter_mut().find(|r| r.tier == tier && r.feeds.len() < STREAMS_MAX);
        let id = if let Some(route) = free {
            route.feeds.push(*feed);
            route.id
        } else {
            let id = LinkId(u16::try_from(routes.len()).unwrap_or(u16::MAX));
            routes.push(Route { id, tier, feeds: vec![*feed] });
            id
        };
        match changes.iter_mut().find(|c| c.link == id) {
            Some(change) => change.added.push(*feed),
            None => changes.push(Change { link: id, added: vec![*feed], removed: Vec::new() }),
        }
    }
    changes
}
