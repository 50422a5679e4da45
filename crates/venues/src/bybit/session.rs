//! The Bybit session: markets and their places on connections, what is said on them, what the venue confirms and refuses.
//! Data messages are read in [`super::feed`], answers to requests in [`super::replies`].

use super::map::{self, Category};
use super::ticker::Merged;
use super::topics::{self, Channel};
use super::{limits, replies};
use crate::session::asked::OpenRequests;
use crate::session::facts::{EmittedBars, LastReported};
use crate::session::kit::Kit;
use crate::session::protocol::{Protocol, Seat, Terms, Verb, seated};
use crate::session::rooms::Rooms;
use crate::session::{ConnId, Ids, Link, LinkId, MarketIndex, MarketSpec, Names, Out, SessionConfig};
use barograph_domain::Ts;
use serde::{Deserialize, Serialize};

/// A market and all that is known of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Market {
    pub spec: MarketSpec,
    pub category: Category,
    pub seat: Seat,
    pub ticker: Merged,
    pub trades: Ids,
    pub liquidations: Ids,
    pub bars: EmittedBars,
    /// Always zero; kept because saved state has it.
    top_u: u64,
    pub told: LastReported,
    /// The settlement that is awaited.
    pub next_settlement: Option<Ts>,
    /// Its ratio is asked for next.
    pub ratio_due: Option<Ts>,
    /// Newest settlements said.
    pub settled: Ids,
}

seated!(Market, Channel);

/// What is saved besides desk and markets.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// By the characters of their topics.
    rooms: Rooms<Category, usize>,
    pub asked: OpenRequests<Channel>,
}

/// What is not saved.
#[derive(Debug)]
pub(super) struct Bybit {
    pub depth: usize,
    /// By category: symbols to markets.
    pub names: [Names; 3],
}

impl Bybit {
    /// Before there are markets.
    pub(super) fn new(config: &SessionConfig) -> Self {
        Self { depth: topics::depth(config.book_depth), names: Default::default() }
    }
}

impl Protocol for Bybit {
    const BOOK: Option<Channel> = Some(Channel::Book);
    const FORMAT: u8 = 3;
    const PAGES_MAX: u32 = 8;

    type Channel = Channel;
    type Market = Market;
    type State = State;

    fn terms(&self) -> Terms<Channel> {
        Terms { id: "bybit", limits: limits::limits, streams: &topics::STREAMS }
    }

    fn market(kit: &mut Kit<Self>, spec: MarketSpec) -> Market {
        Market {
            category: map::category(&spec),
            seat: kit.seat(&spec, kit.venue.depth),
            spec,
            ticker: Merged::default(),
            trades: Ids::default(),
            liquidations: Ids::default(),
            bars: EmittedBars::default(),
            top_u: 0,
            told: LastReported::default(),
            next_settlement: None,
            ratio_due: None,
            settled: Ids::default(),
        }
    }

    fn room(kit: &mut Kit<Self>, spec: &MarketSpec, channels: u16) -> LinkId {
        let characters = topics::characters(&spec.symbol, channels, kit.venue.depth);
        kit.state.rooms.take(map::category(spec), characters, limits::ARGS_MAX)
    }

    fn vacated(kit: &mut Kit<Self>, index: MarketIndex, channels: u16) {
        let market = &mut kit.markets[index.index()];
        market.ticker = Merged::default();
        let characters = topics::characters(&market.spec.symbol, channels, kit.venue.depth);
        kit.state.rooms.give_back(market.seat.link, characters);
    }

    fn asked(state: &mut State) -> Option<&mut OpenRequests<Channel>> {
        Some(&mut state.asked)
    }

    fn links(kit: &Kit<Self>) -> Vec<Link> {
        let url = |category: &Category| format!("{}/v5/public/{}", kit.config.endpoints.ws, category.word());
        kit.state.rooms.links(Some("{\"op\":\"ping\"}"), url)
    }

    fn index(kit: &mut Kit<Self>) {
        kit.venue.names = Default::default();
        for (n, market) in (0_u32..).zip(&kit.markets) {
            kit.venue.names[market.category as usize].insert(market.spec.symbol.as_bytes(), MarketIndex(n));
        }
    }

    fn batch(kit: &Kit<Self>, first: MarketIndex) -> usize {
        topics::batch(kit.markets[first.index()].category)
    }

    fn request(kit: &Kit<Self>, verb: Verb, number: u64, wanted: &[(MarketIndex, Channel)]) -> String {
        let topic = |(m, c): &(MarketIndex, Channel)| c.topic(&kit.markets[m.index()].spec.symbol, kit.venue.depth);
        topics::request(verb.word(), number, &wanted.iter().map(topic).collect::<Vec<_>>())
    }

    fn channel_closed(market: &mut Market, channel: Channel, conn: ConnId, other: Option<ConnId>) {
        match channel {
            Channel::Book => market.seat.book.closed(conn, other),
            Channel::Ticker if other.is_none() => market.ticker = Merged::default(),
            _ => {}
        }
    }

    fn after_tick(kit: &mut Kit<Self>, now: Ts, out: &mut Out) {
        kit.want_ratios(now);
        kit.late_books(now, out);
    }

    fn is(market: &Market, spec: &MarketSpec) -> bool {
        market.spec.symbol == spec.symbol && map::category(spec) == market.category
    }

    fn joined(market: &mut Market, now: Ts) {
        market.seat.book.asked(now);
    }
}

impl Kit<Bybit> {
    /// Wants the ratio of each market whose turn it is.
    fn want_ratios(&mut self, now: Ts) {
        let count = self.markets.len();
        for (n, market) in (0_u32..).zip(&mut self.markets).filter(|(_, m)| m.seat.channels != 0) {
            let due = core::slice::from_mut(&mut market.ratio_due);
            self.desk.want_ratios(now, (MarketIndex(n), count), &[replies::RATIO], due, &self.config);
        }
    }

    /// A request was confirmed or refused.
    pub(super) fn acknowledged(
        &mut self,
        now: Ts,
        conn: ConnId,
        number: &str,
        success: bool,
        why: &str,
        out: &mut Out,
    ) {
        let Some(wanted) = number.parse().ok().and_then(|number| self.state.asked.answered(conn, number)) else {
            if !success {
                out.fault("error_reply", None, "the venue refused a request", why.as_bytes());
            }
            return;
        };
        if success {
            for (market, channel) in wanted {
                self.covers(now, conn, market, channel, out);
            }
            return;
        }
        out.fault("subscription_refused", None, "the venue refused a subscription", why.as_bytes());
        self.refused_together(now, conn, &wanted, out);
    }

    /// The market of a symbol on a link.
    pub(super) fn market(&self, link: LinkId, symbol: &str) -> Option<MarketIndex> {
        Category::ALL.iter().find_map(|c| {
            let index = self.venue.names[*c as usize].get(symbol.as_bytes())?;
            (self.markets.get(index.index())?.seat.link == link).then_some(index)
        })
    }
}
