//! The Bybit session: markets and their places on connections, what is said on them, what the venue confirms and refuses.
//! Data messages are read in [`super::feed`], answers to requests in [`super::replies`].

use super::books::Sync;
use super::map::{self, Category};
use super::ticker::Merged;
use super::topics::{self, Channel};
use super::{limits, replies};
use crate::session::facts::{EmittedBars, LastReported};
use crate::session::kit::Kit;
use crate::session::protocol::{self, Channel as _, Protocol, Terms, Verb, WantedChannels};
use crate::session::{
    Action, ConnId, Ids, Link, LinkId, MarketIndex, MarketSpec, Names, OrderBook, Out, SessionConfig,
};
use barograph_domain::{Metric, Ts};
use serde::{Deserialize, Serialize};

/// A market and all that is known of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Market {
    pub spec: MarketSpec,
    pub category: Category,
    pub link: LinkId,
    /// Channels wanted; none once the market is not.
    pub channels: u16,
    /// Channels the venue refused.
    pub refused: u16,
    pub book: Sync,
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

impl protocol::Market<Channel> for Market {
    fn symbol(&self) -> &str {
        &self.spec.symbol
    }

    fn link(&self) -> Option<LinkId> {
        Some(self.link)
    }

    fn channels(&self) -> u16 {
        self.channels
    }

    fn refused(&self) -> u16 {
        self.refused
    }
}

/// A wanted connection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Room {
    id: LinkId,
    category: Category,
    /// Characters of its topics.
    characters: usize,
}

/// A subscription that is not confirmed yet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Pending {
    number: u64,
    conn: ConnId,
    topics: Vec<(MarketIndex, Channel)>,
}

/// What is saved besides desk and markets.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    rooms: Vec<Room>,
    pending: Vec<Pending>,
    subscriptions: u64,
}

impl State {
    /// The first connection of a category with room for so many characters, a new one if there is none.
    fn room(&mut self, category: Category, characters: usize) -> LinkId {
        let fits = |r: &&mut Room| r.category == category && r.characters + characters <= limits::ARGS_MAX;
        if let Some(room) = self.rooms.iter_mut().find(fits) {
            room.characters += characters;
            return room.id;
        }
        let id = LinkId(u16::try_from(self.rooms.len()).unwrap_or(u16::MAX));
        self.rooms.push(Room { id, category, characters });
        id
    }
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
    const FORMAT: u8 = 3;
    const PAGES_MAX: u32 = 8;

    type Channel = Channel;
    type Market = Market;
    type State = State;

    fn terms(&self) -> Terms<Channel> {
        Terms { id: "bybit", limits: limits::limits, streams: &topics::STREAMS }
    }

    fn market(kit: &mut Kit<Self>, spec: MarketSpec) -> Market {
        let (category, channels) = (map::category(&spec), kit.channels_of(&spec));
        let characters = topics::characters(&spec.symbol, channels, kit.venue.depth);
        Market {
            book: Sync::new(spec.tick.map_or(0, |t| t.scale), kit.venue.depth),
            spec,
            category,
            link: kit.state.room(category, characters),
            channels,
            refused: 0,
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

    fn links(kit: &Kit<Self>) -> Vec<Link> {
        let used = kit.state.rooms.iter().filter(|r| r.characters > 0);
        let url = |r: &Room| format!("{}/v5/public/{}", kit.config.endpoints.ws, r.category.word());
        used.map(|r| Link { id: r.id, url: url(r), ping: Some("{\"op\":\"ping\"}".to_owned()) }).collect()
    }

    fn index(kit: &mut Kit<Self>) {
        kit.venue.names = Default::default();
        for (n, market) in (0_u32..).zip(&kit.markets) {
            kit.venue.names[market.category as usize].insert(market.spec.symbol.as_bytes(), MarketIndex(n));
        }
    }

    fn send(kit: &mut Kit<Self>, _: Ts, conn: ConnId, verb: Verb, wanted: &[(MarketIndex, Channel)], out: &mut Out) {
        let Some((first, _)) = wanted.first() else { return };
        let size = topics::batch(kit.markets[first.index()].category);
        for part in wanted.chunks(size) {
            kit.state.subscriptions += 1;
            let number = kit.state.subscriptions;
            let topic = |(m, c): &(MarketIndex, Channel)| c.topic(&kit.markets[m.index()].spec.symbol, kit.venue.depth);
            let topics: Vec<String> = part.iter().map(topic).collect();
            out.actions.push(Action::Send { conn, text: topics::request(verb.word(), number, &topics) });
            if verb == Verb::Subscribe {
                kit.state.pending.push(Pending { number, conn, topics: part.to_vec() });
            }
        }
    }

    fn book<'a>(_: &'a Kit<Self>, market: &'a Market) -> Option<&'a OrderBook> {
        market.book.live.then_some(&market.book.book)
    }

    fn subscribed(market: &mut Market, now: Ts) {
        if market.channels & Channel::Book.bit() != 0 && !market.book.live {
            market.book.asked(now);
        }
    }

    fn forget(state: &mut State, conn: ConnId) {
        state.pending.retain(|p| p.conn != conn);
    }

    fn channel_closed(market: &mut Market, channel: Channel, conn: ConnId, other: Option<ConnId>) {
        match channel {
            Channel::Book => {
                market.book.closed(conn, other);
            }
            Channel::Ticker if other.is_none() => market.ticker = Merged::default(),
            _ => {}
        }
    }

    fn revives(channel: Channel) -> Option<&'static [Metric]> {
        (channel != Channel::Book).then(|| channel.metrics())
    }

    fn again(kit: &mut Kit<Self>, now: Ts, conn: ConnId, wanted: &WantedChannels<Self>, out: &mut Out) {
        for pending in kit.state.pending.iter_mut().filter(|p| p.conn == conn) {
            pending.topics.retain(|topic| !wanted.contains(topic));
        }
        kit.state.pending.retain(|p| !p.topics.is_empty());
        Self::send(kit, now, conn, Verb::Unsubscribe, wanted, out);
        Self::send(kit, now, conn, Verb::Subscribe, wanted, out);
    }

    fn after_tick(kit: &mut Kit<Self>, now: Ts, out: &mut Out) {
        kit.want_ratios(now);
        for n in 0..kit.markets.len() {
            if kit.markets[n].book.overdue(now) {
                kit.markets[n].book.late();
                kit.resubscribe(now, MarketIndex::at(n), out);
            }
        }
    }

    fn is(market: &Market, spec: &MarketSpec) -> bool {
        market.spec.symbol == spec.symbol && map::category(spec) == market.category
    }

    fn leave(kit: &mut Kit<Self>, index: MarketIndex) -> u16 {
        let market = &mut kit.markets[index.index()];
        let bits = core::mem::take(&mut market.channels);
        market.book.drop_book();
        market.ticker = Merged::default();
        let characters = topics::characters(&market.spec.symbol, bits, kit.venue.depth);
        if let Some(room) = kit.state.rooms.iter_mut().find(|r| r.id == market.link) {
            room.characters -= characters.min(room.characters);
        }
        bits
    }

    fn join(kit: &mut Kit<Self>, index: MarketIndex, spec: &MarketSpec) {
        let bits = kit.channels_of(spec);
        let characters = topics::characters(&spec.symbol, bits, kit.venue.depth);
        let link = kit.state.room(map::category(spec), characters);
        let market = &mut kit.markets[index.index()];
        (market.channels, market.link, market.refused) = (bits, link, 0);
    }

    fn joined(market: &mut Market, now: Ts) {
        market.book.asked(now);
    }
}

impl Kit<Bybit> {
    /// Wants the ratio of each market whose turn it is.
    fn want_ratios(&mut self, now: Ts) {
        let count = self.markets.len();
        for (n, market) in (0_u32..).zip(&mut self.markets).filter(|(_, m)| m.channels != 0) {
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
        let mine = |p: &Pending| p.conn == conn && number.parse() == Ok(p.number);
        let Some(at) = self.state.pending.iter().position(mine) else {
            if !success {
                out.fault("error_reply", None, "the venue refused a request", why.as_bytes());
            }
            return;
        };
        let pending = self.state.pending.swap_remove(at);
        if success {
            for (market, channel) in pending.topics {
                self.covers(now, conn, market, channel, out);
            }
            return;
        }
        out.fault("subscription_refused", None, "the venue refused a subscription", why.as_bytes());
        match pending.topics.as_slice() {
            [] => {}
            // The one it does not have.
            [(market, channel)] => {
                self.markets[market.index()].refused |= channel.bit();
                self.refused(now, *market, *channel, out);
            }
            // One bad topic takes its whole request down: halve it until the bad one stands alone.
            many => {
                let (a, b) = many.split_at(many.len() / 2);
                Bybit::send(self, now, conn, Verb::Subscribe, a, out);
                Bybit::send(self, now, conn, Verb::Subscribe, b, out);
            }
        }
    }

    /// Builds one book anew: its topic is subscribed again, which begins with a snapshot.
    pub(super) fn resubscribe(&mut self, now: Ts, market: MarketIndex, out: &mut Out) {
        let m = &mut self.markets[market.index()];
        m.book.asked(now);
        if let Some(conn) = self.desk.newest(m.link) {
            Bybit::send(self, now, conn, Verb::Unsubscribe, &[(market, Channel::Book)], out);
            Bybit::send(self, now, conn, Verb::Subscribe, &[(market, Channel::Book)], out);
        }
    }

    /// The market of a symbol on a link.
    pub(super) fn market(&self, link: LinkId, symbol: &str) -> Option<MarketIndex> {
        Category::ALL.iter().find_map(|c| {
            let index = self.venue.names[*c as usize].get(symbol.as_bytes())?;
            (self.markets.get(index.index())?.link == link).then_some(index)
        })
    }
}
