//! The CoinEx session: markets and their places on connections, what is sent on them, pings and their answers.
//! Data messages are read in [`super::feed`], answers to requests in [`super::replies`].

use super::books::WrittenBook;
use super::frames::Unpacker;
use super::map::Deal;
use super::topics::{self, Channel, DepthLimit};
use super::{limits, past};
use crate::session::asked::OpenRequests;
use crate::session::facts::{EmittedBars, LastReported};
use crate::session::kit::Kit;
use crate::session::protocol::{Channel as _, Protocol, Seat, Terms, Verb, seated};
use crate::session::rooms::Rooms;
use crate::session::{
    Action, CloseReason, ConnId, Ids, Link, LinkId, MarketIndex, MarketSpec, Out, RequestId, SessionConfig,
};
use barograph_domain::{GapReason, Metric, Ts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Holes of deals that are kept apart; beyond that the two oldest are one.
const HOLES_MAX: usize = 16;

/// A market and all that is known of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Market {
    pub spec: MarketSpec,
    pub seat: Seat,
    pub told: LastReported,
    /// The book in the venue's texts.
    pub written: WrittenBook,
    pub deals: Ids,
    /// Number of the newest deal.
    pub last_deal: Option<u64>,
    /// Deals that were missed, the oldest first.
    pub holes: Vec<DealHole>,
    /// Deals of first messages older than this are not wanted.
    pub floor: Option<Ts>,
    pub bars: EmittedBars,
    /// Bars up to this close have come.
    pub bars_upto: Option<Ts>,
    /// When bars are asked for next.
    pub bars_due: Option<Ts>,
    /// Those that have come and may be listed again by the next request.
    pub liquidations: BTreeSet<(Ts, u64)>,
    /// Liquidations up to this moment have come.
    pub liquidations_upto: Option<Ts>,
    /// When liquidations are asked for next.
    pub liquidations_due: Option<Ts>,
    /// Hours between settlements, as the newest message has it.
    pub interval_h: Option<f64>,
    pub next_settlement: Option<Ts>,
    pub settled: Ids,
}

seated!(Market, Channel);

/// Deals between two that came. Their numbers grow, which sets those that were missed apart from those that have come when more came since
/// than are remembered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct DealHole {
    /// Number of the last deal that came before it.
    pub after: u64,
    /// Number of the first that came behind it.
    pub before: Option<u64>,
}

impl DealHole {
    pub(super) fn has(&self, id: u64) -> bool {
        id > self.after && self.before.is_none_or(|before| id < before)
    }
}

impl Market {
    /// No connection brings deals any more. What has come before it was reported is not asked for again.
    fn miss_deals(&mut self) {
        let open = self.holes.last().is_some_and(|hole| hole.before.is_none());
        let Some(after) = self.last_deal.filter(|_| !open) else { return };
        if self.holes.len() == HOLES_MAX {
            let first = self.holes.remove(0);
            self.holes[0].after = first.after;
        }
        self.holes.push(DealHole { after, before: None });
    }

    /// A deal came: the newest hole ends where it is the first one.
    pub(super) fn deal_came(&mut self, id: u64) {
        if let Some(hole) = self.holes.last_mut()
            && hole.before.is_none()
            && id > hole.after
        {
            hole.before = Some(id);
        }
        self.last_deal = self.last_deal.max(Some(id));
    }
}

/// Pings of one connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Pinged {
    conn: ConnId,
    /// When the next one is due.
    due: Ts,
    /// When the last one was sent, while nothing has come since.
    unanswered: Option<Ts>,
}

/// A request for a value of all markets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sweep {
    pub asked: Option<RequestId>,
    pub due: Option<Ts>,
}

/// What is saved besides desk and markets.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// By markets.
    rooms: Rooms<(), usize>,
    pub asked: OpenRequests<Channel>,
    pings: Vec<Pinged>,
    /// Newest stamp of the venue.
    pub venue_now: Option<Ts>,
    /// Tickers, and funding rates.
    pub sweeps: [Sweep; 2],
    /// Throttled answers in a row.
    pub throttled: u32,
}

impl State {
    /// Something came on a connection: it is there.
    pub(super) fn came(&mut self, conn: ConnId) {
        self.pings.iter_mut().filter(|p| p.conn == conn).for_each(|p| p.unanswered = None);
    }
}

/// What is not saved.
#[derive(Debug)]
pub(super) struct Coinex {
    /// What is subscribed of books.
    pub depth: DepthLimit,
    pub unpacker: Unpacker,
    /// Deals of one message, kept for its memory.
    pub deals: Vec<Deal>,
}

impl Coinex {
    /// Before there are markets.
    pub(super) fn new(config: &SessionConfig) -> Self {
        let depth = DepthLimit::holding(config.book_depth);
        Self { depth, unpacker: Unpacker::default(), deals: Vec::new() }
    }
}

impl Protocol for Coinex {
    const BOOK: Option<Channel> = Some(Channel::Book);
    const FORMAT: u8 = 2;
    const PAGES_MAX: u32 = 16;

    type Channel = Channel;
    type Market = Market;
    type State = State;

    fn terms(&self) -> Terms<Channel> {
        Terms { id: "coinex", limits: limits::limits, streams: &topics::STREAMS }
    }

    fn market(kit: &mut Kit<Self>, spec: MarketSpec) -> Market {
        Market {
            seat: kit.seat(&spec, kit.venue.depth.levels()),
            interval_h: spec.funding_interval_h,
            spec,
            told: LastReported::default(),
            written: WrittenBook::default(),
            deals: Ids::default(),
            last_deal: None,
            holes: Vec::new(),
            floor: None,
            bars: EmittedBars::default(),
            bars_upto: None,
            bars_due: None,
            liquidations: BTreeSet::new(),
            liquidations_upto: None,
            liquidations_due: None,
            next_settlement: None,
            settled: Ids::default(),
        }
    }

    fn room(kit: &mut Kit<Self>, _: &MarketSpec, channels: u16) -> LinkId {
        kit.state.rooms.take((), usize::from(channels != 0), limits::MARKETS_MAX)
    }

    fn vacated(kit: &mut Kit<Self>, index: MarketIndex, channels: u16) {
        let market = &mut kit.markets[index.index()];
        (market.last_deal, market.bars_upto, market.bars_due) = (None, None, None);
        market.holes.clear();
        // Liquidations go on where they ended: what has come is not remembered for longer than it may be listed again.
        market.liquidations_due = None;
        kit.state.rooms.give_back(market.seat.link, usize::from(channels != 0));
    }

    fn asked(state: &mut State) -> Option<&mut OpenRequests<Channel>> {
        Some(&mut state.asked)
    }

    fn links(kit: &Kit<Self>) -> Vec<Link> {
        kit.state.rooms.links(None, |()| format!("{}/v2/futures", kit.config.endpoints.ws))
    }

    /// A request is of one channel.
    fn send(kit: &mut Kit<Self>, _: Ts, conn: ConnId, verb: Verb, wanted: &[(MarketIndex, Channel)], out: &mut Out) {
        for channel in Channel::ALL {
            let of: Vec<_> = wanted.iter().filter(|w| w.1 == *channel).copied().collect();
            for part in of.chunks(limits::MARKETS_MAX) {
                let number = kit.state.asked.number();
                let specs = part.iter().map(|(market, _)| &kit.markets[market.index()].spec);
                let text = topics::request(*channel, verb.word(), number, kit.venue.depth, specs);
                out.actions.push(Action::Send { conn, text });
                if verb == Verb::Subscribe {
                    kit.state.asked.wait(number, conn, part);
                }
            }
        }
    }

    fn opened(kit: &mut Kit<Self>, now: Ts, link: LinkId, conn: ConnId, out: &mut Out) {
        kit.state.pings.retain(|p| p.conn != conn);
        kit.state.pings.push(Pinged { conn, due: now + limits::PING_EVERY, unanswered: None });
        kit.conn_opened(now, link, conn, out);
    }

    fn closed(kit: &mut Kit<Self>, now: Ts, conn: ConnId, reason: CloseReason, out: &mut Out) {
        let link = kit.desk.link_of(conn);
        kit.conn_closed(now, conn, reason, out);
        // What is asked for comes over no connection; it is missed only while the program does not run.
        for at in 0..kit.markets.len() {
            let seat = &kit.markets[at].seat;
            if reason == CloseReason::Stopping && seat.channels != 0 && Some(seat.link) == link {
                for metric in [Metric::Bar, Metric::Liquidation] {
                    kit.desk.lost(MarketIndex::at(at), metric, now, GapReason::NotRunning, out);
                }
            }
        }
    }

    fn forget(state: &mut State, conn: ConnId) {
        state.asked.forget(conn);
        state.pings.retain(|p| p.conn != conn);
    }

    fn affords(kit: &Kit<Self>, now: Ts, _: ConnId) -> bool {
        kit.desk.quiet_until.is_none_or(|until| now >= until)
    }

    fn channel_closed(market: &mut Market, channel: Channel, conn: ConnId, other: Option<ConnId>) {
        match channel {
            Channel::Book => market.seat.book.closed(conn, other),
            Channel::Trade if other.is_none() => market.miss_deals(),
            Channel::Trade | Channel::Quote | Channel::State => {}
        }
    }

    fn before_tick(kit: &mut Kit<Self>, now: Ts, out: &mut Out) {
        for ping in &mut kit.state.pings {
            if ping.unanswered.is_some_and(|sent| now - sent >= limits::ANSWER_WITHIN) {
                (ping.due, ping.unanswered) = (now + limits::PING_EVERY, None);
                out.fault(
                    "ping_unanswered",
                    None,
                    "nothing came for 5 s after a ping: the connection is replaced",
                    b"",
                );
                out.actions.push(Action::Close { conn: ping.conn, reason: CloseReason::Dead });
            } else if now >= ping.due {
                (ping.due, ping.unanswered) = (now + limits::PING_EVERY, Some(now));
                out.actions.push(Action::Send { conn: ping.conn, text: topics::PING.to_owned() });
            }
        }
    }

    fn after_tick(kit: &mut Kit<Self>, now: Ts, out: &mut Out) {
        kit.late_books(now, out);
        past::want(kit, now);
    }

    fn resume(kit: &mut Kit<Self>, now: Ts) {
        kit.state.sweeps = [Sweep { asked: None, due: Some(now) }; 2];
        for market in &mut kit.markets {
            (market.bars_due, market.liquidations_due) = (None, None);
        }
    }
}
