//! The Deribit session: markets and their places on connections, what is said on them. Messages are read in [`super::feed`],
//! answers to requests in [`super::replies`].

use super::limits;
use super::topics::{self, Channel};
use crate::session::asked::OpenRequests;
use crate::session::facts::{EmittedBars, LastReported, RunningBar};
use crate::session::kit::Kit;
use crate::session::protocol::{Protocol, Seat, Terms, Verb, seated};
use crate::session::rooms::Rooms;
use crate::session::{Action, ConnId, Ids, Link, LinkId, MarketIndex, MarketSpec, Out};
use barograph_domain::{Bar, Ts};
use serde::{Deserialize, Serialize};

/// A market and all that is known of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Market {
    pub spec: MarketSpec,
    pub seat: Seat,
    pub told: LastReported,
    pub trades: Ids,
    /// Number of the newest trade.
    pub last: Option<u64>,
    /// Number of the first trade that was missed.
    pub hole: Option<u64>,
    pub liquidations: Ids,
    pub bars: EmittedBars,
    pub held: RunningBar<Bar>,
    pub next_settlement: Option<Ts>,
    pub settled: Ids,
}

seated!(Market, Channel);

/// What is saved besides desk and markets.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// By channels.
    rooms: Rooms<(), usize>,
    pub asked: OpenRequests<Channel>,
    /// Newest stamp of the venue.
    pub venue_now: Option<Ts>,
    /// Connections that opened while nothing may be asked for.
    waiting: Vec<(LinkId, ConnId)>,
}

/// Nothing is kept that is not saved.
#[derive(Debug)]
pub(super) struct Deribit;

impl Protocol for Deribit {
    const BOOK: Option<Channel> = Some(Channel::Book);
    const WHOLE_BOOKS: bool = true;
    const FORMAT: u8 = 1;
    const PAGES_MAX: u32 = 4;

    type Channel = Channel;
    type Market = Market;
    type State = State;

    fn terms(&self) -> Terms<Channel> {
        Terms { id: "deribit", limits: limits::limits, streams: &topics::STREAMS }
    }

    fn market(kit: &mut Kit<Self>, spec: MarketSpec) -> Market {
        Market {
            seat: kit.seat(&spec, kit.config.book_depth),
            spec,
            told: LastReported::default(),
            trades: Ids::default(),
            last: None,
            hole: None,
            liquidations: Ids::default(),
            bars: EmittedBars::default(),
            held: RunningBar::default(),
            next_settlement: None,
            settled: Ids::default(),
        }
    }

    fn room(kit: &mut Kit<Self>, _: &MarketSpec, channels: u16) -> LinkId {
        kit.state.rooms.take((), channels.count_ones() as usize, limits::CHANNELS_MAX)
    }

    fn vacated(kit: &mut Kit<Self>, index: MarketIndex, channels: u16) {
        let market = &mut kit.markets[index.index()];
        (market.last, market.hole, market.held) = (None, None, RunningBar::default());
        kit.state.rooms.give_back(market.seat.link, channels.count_ones() as usize);
    }

    fn asked(state: &mut State) -> Option<&mut OpenRequests<Channel>> {
        Some(&mut state.asked)
    }

    fn links(kit: &Kit<Self>) -> Vec<Link> {
        kit.state.rooms.links(None, |()| format!("{}/ws/api/v2", kit.config.endpoints.ws))
    }

    fn request(kit: &Kit<Self>, verb: Verb, number: u64, wanted: &[(MarketIndex, Channel)]) -> String {
        let topic = |(m, c): &(MarketIndex, Channel)| c.topic(&kit.markets[m.index()].spec.symbol);
        topics::request(verb.word(), number, &wanted.iter().map(topic).collect::<Vec<_>>())
    }

    fn opened(kit: &mut Kit<Self>, now: Ts, link: LinkId, conn: ConnId, out: &mut Out) {
        out.actions.push(Action::Send { conn, text: topics::HEARTBEAT.to_owned() });
        kit.desk.open(conn, link);
        kit.state.waiting.push((link, conn));
        kit.begin_waiting(now, out);
    }

    fn affords(kit: &Kit<Self>, now: Ts, _: ConnId) -> bool {
        kit.desk.quiet_until.is_none_or(|until| now >= until)
    }

    fn channel_closed(market: &mut Market, channel: Channel, conn: ConnId, other: Option<ConnId>) {
        match channel {
            Channel::Book => market.seat.book.closed(conn, other),
            // What comes next follows on nothing: history has what was missed.
            Channel::Trade if other.is_none() => market.hole = market.hole.or(market.last.take().map(|last| last + 1)),
            Channel::Chart if other.is_none() => market.held = RunningBar::default(),
            _ => {}
        }
    }

    fn before_tick(kit: &mut Kit<Self>, now: Ts, out: &mut Out) {
        kit.close_bars(now, out);
        kit.begin_waiting(now, out);
    }
}

impl Kit<Deribit> {
    /// Subscribes what connections carry that have opened, unless nothing may be asked for now.
    fn begin_waiting(&mut self, now: Ts, out: &mut Out) {
        if self.desk.quiet_until.is_some_and(|until| now < until) {
            return;
        }
        for (link, conn) in core::mem::take(&mut self.state.waiting) {
            if self.desk.link_of(conn).is_some() {
                self.conn_opened(now, link, conn, out);
            }
        }
    }
}
