//! Which streams run over which connection.
//!
//! Wanted feeds are compared with placed ones; what is new goes where there is room, what is no longer wanted leaves its place.
//! Nothing else moves, so a hot change of markets touches only the streams it concerns.

use super::flavour::{Class, Flavour};
use super::limits::STREAMS_MAX;
use crate::session::{LinkId, MarketIndex, MarketSpec};
use barograph_domain::{MarketKind, Metric};
use serde::{Deserialize, Serialize};

/// From this many markets on, the streams of all markets are cheaper than one per market.
const ALL_FROM: usize = 50;

/// A stream name without its symbol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub(super) enum Channel {
    AllMarkPrices,
    AllForceOrders,
    MarkPrice,
    IndexPrice,
    AggTrade,
    Kline,
    ForceOrder,
    BookTicker,
    Depth,
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

    pub(super) const fn bit(self) -> u16 {
        1 << self as u16
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

    /// The metrics a channel carries.
    pub(super) fn metrics(self) -> &'static [Metric] {
        match self {
            Self::AllMarkPrices | Self::MarkPrice => &[Metric::MarkPrice, Metric::IndexPrice, Metric::FundingRate],
            Self::IndexPrice => &[Metric::IndexPrice],
            Self::AllForceOrders | Self::ForceOrder => &[Metric::Liquidation],
            Self::AggTrade => &[Metric::Trade],
            Self::Kline => &[Metric::Bar],
            Self::BookTicker => &[Metric::BestBidAsk],
            Self::Depth => &[Metric::Book],
        }
    }
}

/// The venue's name of a stream. Symbols are lower-case ASCII there; other letters stay (sheet §4).
pub(super) fn name(feed: Feed, markets: &[MarketSpec]) -> String {
    let symbol = feed.market.and_then(|m| markets.get(m.index())).map_or("", |m| &m.symbol).to_ascii_lowercase();
    let pair = symbol.split_once('_').map_or(&*symbol, |(pair, _)| pair);
    match feed.channel {
        Channel::AllMarkPrices => "!markPrice@arr@1s".to_owned(),
        Channel::AllForceOrders => "!forceOrder@arr".to_owned(),
        Channel::MarkPrice => format!("{symbol}@markPrice@1s"),
        Channel::IndexPrice => format!("{pair}@indexPrice@1s"),
        Channel::AggTrade => format!("{symbol}@aggTrade"),
        Channel::Kline => format!("{symbol}@kline_1m"),
        Channel::ForceOrder => format!("{symbol}@forceOrder"),
        Channel::BookTicker => format!("{symbol}@bookTicker"),
        Channel::Depth => format!("{symbol}@depth@100ms"),
    }
}

/// The feeds for these metrics of the wanted markets, each once, in a fixed order.
pub(super) fn wanted(
    flavour: &Flavour,
    metrics: &[Metric],
    markets: &[MarketSpec],
    is_wanted: impl Fn(usize) -> bool,
) -> Vec<Feed> {
    let count = (0..markets.len()).filter(|at| is_wanted(*at)).count();
    let all = count >= ALL_FROM && flavour.class == Class::UsdM;
    let mut feeds = Vec::new();
    for (at, spec) in markets.iter().enumerate().filter(|(at, _)| is_wanted(*at)) {
        let market = Some(MarketIndex(u32::try_from(at).unwrap_or(u32::MAX)));
        let has = |metric| metrics.contains(&metric) && flavour.offers(metric, spec.kind);
        let mut add = |channel, all_channel: Option<Channel>| match all_channel.filter(|_| all) {
            Some(channel) => feeds.push(Feed { channel, market: None }),
            None => feeds.push(Feed { channel, market }),
        };
        let coin_index = flavour.class == Class::CoinM && has(Metric::IndexPrice);
        if has(Metric::MarkPrice)
            || has(Metric::FundingRate)
            || (has(Metric::IndexPrice) && !coin_index)
            || has(Metric::FundingRateSettled)
        {
            add(Channel::MarkPrice, Some(Channel::AllMarkPrices));
        }
        if coin_index && (spec.kind == MarketKind::Perpetual || !pair_is_listed(markets, at)) {
            add(Channel::IndexPrice, None);
        }
        if has(Metric::Liquidation) {
            add(Channel::ForceOrder, Some(Channel::AllForceOrders));
        }
        for (metric, channel) in [
            (Metric::Trade, Channel::AggTrade),
            (Metric::Bar, Channel::Kline),
            (Metric::BestBidAsk, Channel::BookTicker),
            (Metric::Book, Channel::Depth),
        ] {
            if has(metric) {
                add(channel, None);
            }
        }
    }
    feeds.sort_unstable();
    feeds.dedup();
    feeds
}

/// Another market of the same pair comes before this one (or is its perpetual), and brings the index.
fn pair_is_listed(markets: &[MarketSpec], at: usize) -> bool {
    let pair = |spec: &MarketSpec| spec.symbol.split_once('_').map(|(pair, _)| pair.to_owned());
    let own = markets.get(at).and_then(pair);
    let same = |(n, m): (usize, &MarketSpec)| n != at && pair(m) == own && (n < at || m.kind == MarketKind::Perpetual);
    markets.iter().enumerate().any(same)
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
